/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Register and Complete of org.pinguard.Owner, and ListOwners. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "daemon/base/base.h"
#include "daemon/kernel/kernel.h"
#include "daemon/manager/answers.h"
#include "daemon/manager/methods.h"
#include "daemon/model/model.h"
#include "lib/json.h"
#include "lib/log.h"

static int reply_owner_limit(struct call *call, const char *limit, int max)
{
	return call_error(call, OWNER_INTERFACE ".LimitExceeded",
			  json_pack("{s:s, s:i}", "limit", limit, "max", max));
}

static int register_error(struct call *call, int error)
{
	switch (error) {
	case -EEXIST:
		return call_error(call, OWNER_INTERFACE ".AlreadyRegistered", json_object());
	case -EUSERS:
		return reply_owner_limit(call, "owners of one user", OWNERS_UID_MAX);
	case -ENOSPC:
		return reply_owner_limit(call, "owners", OWNERS_MAX);
	default:
		return call_error_errno(call, error);
	}
}

/* 0, or 1 when the call has been answered */
static int admit(struct manager *m, struct call *call)
{
	int r = owners_admit(m->owners, call_peer(call)->uid, loop_usec(m->event, CLOCK_MONOTONIC));

	if (r == -EUSERS)
		return reply_owner_limit(call, "calls of one user in a second",
					 OWNER_CALLS_RATE) ?: 1;
	return r;
}

/* What /proc says of it now, as far as it says anything. */
static void describe(struct manager *m, struct owner *owner)
{
	_cleanup_(closep) int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(freep) char *path = NULL;
	struct cgroup_node *node;
	int n;

	if (proc < 0)
		return;
	n = procfs_read_comm(proc, owner->pid, owner->comm, sizeof(owner->comm));
	owner->comm_len = MAX(n, 0);
	if (cgroups_fs(m->cgroups) && procfs_read_cgroup(proc, owner->pid, &path) >= 0 &&
	    cgroupfs_resolve_path(cgroups_fs(m->cgroups), path, &node) >= 0)
		owner->cgroup = cgroup_node_ref(node);
}

int method_owner_register(struct call *call, json_t *params, void *userdata)
{
	struct manager *m = userdata;
	struct owner *owner;
	int r = admit(m, call);

	if (r != 0)
		return MIN(r, 0);
	r = owners_register(m->owners, call, loop_usec(m->event, CLOCK_MONOTONIC), &owner);
	if (r < 0)
		return register_error(call, r);
	owner->since_usec = loop_usec(m->event, CLOCK_REALTIME);
	describe(m, owner);
	log_debug("process %d of uid %u registered", (int)owner->pid, (unsigned int)owner->uid);
	/* One that cannot be told is about to leave. */
	r = call_reply_continues(call, json_pack("{s:n, s:n}", "request", "withdrawn"));
	if (r == 0)
		releases_owner_registered(m->releases, owner);
	return 0;
}

int method_owner_complete(struct call *call, json_t *params, void *userdata)
{
	static const char *const answers[] = {
		[ANSWER_RELEASED] = "released",
		[ANSWER_REFUSED] = "refused",
		[ANSWER_DEFERRED] = "deferred",
	};
	const char *result = json_get_string(params, "result", "");
	struct manager *m = userdata;
	int r = admit(m, call);

	if (r != 0)
		return MIN(r, 0);
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
		if (answers[i] && strcmp(result, answers[i]) == 0)
			return releases_complete(m->releases, call,
						 json_get_string(params, "token", ""), i,
						 json_get_string(params, "reason", NULL));
	return call_error_invalid(call, "result");
}

/* --- ListOwners --- */

struct entry {
	UT_hash_handle hh;
	uint32_t pid;
	struct release_process process;
	const struct owner *owner; /* NULL: not registered */
	uint64_t pins, bytes;
	unsigned int open_requests;
};

static struct entry *get_entry(struct entry **table, uint32_t pid)
{
	struct entry *e;

	HASH_FIND(hh, *table, &pid, sizeof(pid), e);
	if (e)
		return e;
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	e->pid = pid;
	HASH_ADD(hh, *table, pid, sizeof(e->pid), e);
	if (!e->hh.tbl) {
		free(e);
		return NULL;
	}
	return e;
}

static void entries_done(struct entry **table)
{
	struct entry *e, *tmp;

	HASH_ITER(hh, *table, e, tmp) {
		HASH_DEL(*table, e);
		free(e);
	}
}

static int add_registered(struct manager *m, struct entry **table)
{
	const struct owner *owner;

	for (owner = owners_next(m->owners, NULL); owner;
	     owner = owners_next(m->owners, (struct owner *)owner)) {
		struct entry *e = get_entry(table, owner->pid);

		if (!e)
			return -ENOMEM;
		e->owner = owner;
		e->open_requests = owner->open_requests;
		e->process = (struct release_process){
			.pid = owner->pid,
			.uid = owner->uid,
			.comm = owner->comm,
			.comm_len = owner->comm_len,
			.cgroup = owner->cgroup,
		};
	}
	return 0;
}

static int add_asked(struct manager *m, struct entry **table)
{
	struct release_process process;
	const struct release_owner *o;
	struct release *release;

	for (release = releases_next(m->releases, NULL); release;
	     release = releases_next(m->releases, release)) {
		for (size_t i = 0; (o = release_owner_at(release, i)); i++) {
			struct entry *e;

			release_owner_process(o, &process);
			if (!process.pins_left)
				continue;
			e = get_entry(table, process.pid);
			if (!e)
				return -ENOMEM;
			if (e->owner)
				continue;
			e->process = process;
			e->open_requests++;
		}
	}
	return 0;
}

static void sum_pins(struct manager *m, struct entry **table)
{
	struct pin_origin *origin = NULL;

	while ((origin = registry_origin_next(m->registry, origin))) {
		struct entry *e;

		HASH_FIND(hh, *table, &origin->tgid, sizeof(origin->tgid), e);
		if (!e)
			continue;
		e->pins += origin->pins;
		e->bytes += origin->bytes;
	}
}

static json_t *entry_json(const struct entry *e)
{
	static const struct owner none;
	const struct owner *owner = e->owner ?: &none;

	return json_pack("{s:I, s:o, s:I, s:o, s:b, s:o, s:I, s:o, s:I, s:I, s:I, s:I, s:i}",
			 "pid", (json_int_t)e->pid,
			 "comm", json_escaped(e->process.comm, e->process.comm_len),
			 "uid", (json_int_t)e->process.uid,
			 "cgroup", render_path(e->process.cgroup),
			 "registered", e->owner != NULL,
			 "since_usec", e->owner ? json_integer(owner->since_usec) : json_null(),
			 "pins", (json_int_t)e->pins,
			 "bytes", json_bytes(e->bytes),
			 "asked", (json_int_t)owner->asked,
			 "released", (json_int_t)owner->released,
			 "refused", (json_int_t)owner->refused,
			 "lapsed", (json_int_t)owner->lapsed,
			 "open_requests", e->open_requests);
}

static int list(struct manager *m, struct call *call, bool ready, json_t *params)
{
	_cleanup_(entries_done) struct entry *table = NULL;
	_cleanup_json_ json_t *array = json_array();
	size_t names_bytes = 0, omitted = 0;
	struct entry *e, *tmp;
	int r;

	if (!ready)
		return reply_not_ready(call);
	r = array ? add_registered(m, &table) : -ENOMEM;
	if (r >= 0)
		r = add_asked(m, &table);
	if (r < 0)
		return r;
	sum_pins(m, &table);
	HASH_ITER(hh, table, e, tmp) {
		json_t *json;

		if (!may_see_pin(m, call, e->process.uid, e->process.cgroup))
			continue;
		if (names_bytes >= RENDER_NAMES_BYTES) {
			omitted++;
			continue;
		}
		json = entry_json(e);
		names_bytes += render_names_bytes(json);
		if (json_array_append_new(array, json) < 0)
			return -ENOMEM;
	}
	return call_reply(call, json_pack("{s:O, s:I}", "owners", array, "omitted",
					  (json_int_t)omitted));
}

int method_list_owners(struct call *call, json_t *params, void *userdata)
{
	return manager_wait_ready(userdata, call, params, list);
}
