/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include "daemon/base/base.h"
#include "daemon/manager/answers.h"
#include "daemon/manager/methods.h"
#include "daemon/manager/unattributed.h"
#include "daemon/model/model.h"
#include "lib/json.h"

struct status {
	struct manager *m;
	struct call *call;
	bool all; /* the caller may see everything */
	struct cgroup_node **nodes;
	size_t n_nodes;
	uint64_t bytes, pins; /* what the caller may see */
	struct pin_kernel_info kernel; /* the machine's, where the caller may see that */
};

static bool counts(const struct pin_origin *origin, void *userdata)
{
	struct status *s = userdata;

	if (!may_see_pin(s->m, s->call, origin->uid, origin->cgroup))
		return false;
	s->bytes += origin->bytes;
	s->pins += origin->pins;
	return true;
}

static void show(struct cgroup_node *node)
{
	for (; node && !node->shown; node = node->parent)
		node->shown = true;
}

static void sum_processes(struct status *s)
{
	const struct observe_process *p;
	struct cgroup_node *node;
	size_t n, i;

	p = source_processes(s->m->source, &n);
	for (i = 0; i < n; i++) {
		node = registry_cgroup_find(s->m->registry, p[i].cgroup_id);
		if (!may_see_pin(s->m, s->call, p[i].uid, node))
			continue;
		s->bytes += p[i].pinned_bytes;
		for (; node; node = node->parent) {
			node->sum_vm_pinned_bytes += p[i].pinned_bytes;
			node->sum_vm_locked_bytes += p[i].locked_bytes;
		}
	}
}

static int by_path(const void *a, const void *b)
{
	const struct cgroup_node *const *x = a, *const *y = b;

	return strcmp((*x)->path, (*y)->path);
}

static int choose(struct status *s)
{
	struct registry *r = s->m->registry;
	struct cgroup_node *node, *const *noted;
	size_t i, n_noted, n = 0;

	for (node = registry_cgroup_next(r, NULL); node; node = registry_cgroup_next(r, node))
		if (node->sum_pins || node->sum_charged_bytes || node->sum_vm_pinned_bytes ||
		    node->sum_vm_locked_bytes)
			show(node);
	noted = cgroups_noted(s->m->cgroups, &n_noted);
	for (i = 0; i < n_noted; i++)
		if (s->all || owns_node(s->m, s->call, noted[i]))
			show(noted[i]);

	for (node = registry_cgroup_next(r, NULL); node; node = registry_cgroup_next(r, node))
		n += node->shown && node->path;
	s->nodes = calloc(n ?: 1, sizeof(*s->nodes));
	if (!s->nodes)
		return -ENOMEM;
	for (node = registry_cgroup_next(r, NULL); node; node = registry_cgroup_next(r, node))
		if (node->shown && node->path)
			s->nodes[s->n_nodes++] = node;
	qsort(s->nodes, s->n_nodes, sizeof(*s->nodes), by_path);
	return 0;
}

/* The root has no limit: what was refused anywhere, for whatever reason. */
static json_t *denied_json(const struct status *s, const struct cgroup_node *node,
			   const struct cgroup_misc *misc, bool whole)
{
	if (!source_genl(s->m->source) || !whole)
		return json_null();
	if (strcmp(node->path, "/") == 0)
		return json_bytes_or_null(s->kernel.denied, s->all);
	return json_bytes(misc->denied + node->sum_refused);
}

static json_t *cgroup_json(struct status *s, struct cgroup_node *node)
{
	struct cgroup_misc misc = { .max_bytes = UINT64_MAX, .peak_bytes = UINT64_MAX };
	struct cgroupfs *fs = cgroups_fs(s->m->cgroups);
	bool proc = !source_genl(s->m->source), blind = source_is_blind(s->m->source), whole;
	_cleanup_(closep) int fd = -1;
	uint64_t pinned, charged, high;

	cgroupfs_check(fs, node, loop_usec(s->m->event, CLOCK_MONOTONIC));
	whole = s->all || owns_node(s->m, s->call, node);
	if (!node->removed && !node->unresolved && !proc)
		fd = cgroupfs_open(fs, node->path);
	if (fd >= 0)
		(void)cgroupfs_read_misc(fd, &misc);
	high = fd >= 0 ? quotas_high_bytes(cgroups_quotas(s->m->cgroups), node->path, node->id) :
			 UINT64_MAX;
	/* Others' share of a cgroup above one's own is not one's own to know. */
	if (!whole) {
		misc.present = false;
		misc.peak_bytes = UINT64_MAX;
	}
	pinned = proc && !blind ? node->sum_vm_pinned_bytes : node->sum_bytes;
	charged = misc.present ? misc.current_bytes : node->sum_charged_bytes;

	return json_pack("{s:o, s:o, s:b, s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:I, s:o}",
			 "path", render_path(node),
			 "cgroup_id", json_hex(node->id),
			 "removed", node->removed,
			 "source", proc ? "proc" : "kernel",
			 "pinned_bytes", (json_int_t)MIN(pinned, (uint64_t)INT64_MAX),
			 "charged_bytes", proc ? json_null() : json_bytes(charged),
			 "locked_bytes", proc && !blind ? json_bytes(node->sum_vm_locked_bytes) :
						   json_null(),
			 "max_bytes", json_bytes(misc.max_bytes),
			 "high_bytes", json_bytes(high),
			 "peak_bytes", json_bytes(misc.peak_bytes),
			 "pins", (json_int_t)node->sum_pins,
			 "denied", denied_json(s, node, &misc, whole));
}

static json_t *cgroups_json(struct status *s)
{
	_cleanup_json_ json_t *array = json_array();
	size_t i;

	for (i = 0; array && i < s->n_nodes; i++)
		if (json_array_append_new(array, cgroup_json(s, s->nodes[i])) < 0)
			return NULL;
	return TAKE_PTR(array);
}

/* Where one's own cgroups are affected. */
static bool concerns(struct status *s, const char *path)
{
	size_t i, len = strcmp(path, "/") == 0 ? 0 : strlen(path);

	for (i = 0; i < s->n_nodes && !s->all; i++)
		if (strncmp(s->nodes[i]->path, path, len) == 0 &&
		    (!s->nodes[i]->path[len] || s->nodes[i]->path[len] == '/'))
			return true;
	return s->all;
}

static json_t *uncontrolled_json(struct status *s)
{
	const struct cgroup_tree_entry *e = cgroups_uncontrolled(s->m->cgroups);
	_cleanup_json_ json_t *array = json_array();

	for (; array && e; e = e->next)
		if (concerns(s, e->path) &&
		    json_array_append_new(array, json_pack("{s:o, s:s}", "path",
				render_name(e->path), "reason", e->reason)) < 0)
			return NULL;
	return TAKE_PTR(array);
}

static json_t *kernel_json(struct status *s, bool ready)
{
	struct support support = manager_support(s->m);
	const char *reason, *no_quotas = support_no_quotas(&support);
	struct utsname un;

	support.ready = ready;
	reason = support_reason(&support);
	if (uname(&un) < 0)
		strcpy(un.release, "?");
	return json_pack("{s:s, s:o, s:s, s:b, s:o, s:o}",
			 "support", source_genl(s->m->source) ? "patched" : "stock",
			 "features", render_features(source_features(s->m->source)),
			 "release", un.release,
			 "processes_hidden", source_is_blind(s->m->source),
			 "reason", reason ? json_string(reason) : json_null(),
			 "no_quotas_reason", no_quotas ? json_string(no_quotas) : json_null());
}

static json_t *totals_json(struct status *s)
{
	uint64_t unattributed = UINT64_MAX;

	if (s->all)
		(void)unattributed_bytes(s->m->unattributed, &unattributed);
	/* Pins and bytes are of the same moment as those of the cgroups. */
	return json_pack("{s:I, s:I, s:o, s:o}", "pinned_bytes", (json_int_t)s->bytes,
			 "pins", (json_int_t)s->pins, "denied",
			 json_bytes_or_null(s->kernel.denied, s->all && source_genl(s->m->source)),
			 "unattributed_bytes", json_bytes(unattributed));
}

/* Once, for the totals and for the root. */
static int read_kernel(struct status *s)
{
	struct genl *genl = source_genl(s->m->source);

	return s->all && genl ? genl_get_info(genl, &s->kernel) : 0;
}

static int reply(struct manager *m, struct call *call, bool ready, json_t *params)
{
	struct status s = { .m = m, .call = call, .all = call_is_admin(call) };
	_cleanup_(freep) struct cgroup_node **nodes = NULL;
	int r;

	r = cgroups_note_limits(m->cgroups);
	if (r < 0)
		return r;
	registry_sum(m->registry, s.all ? NULL : counts, &s);
	if (s.all) {
		s.bytes = registry_bytes(m->registry);
		s.pins = registry_count(m->registry);
	}
	/* Blind, there is no more than what is listed. */
	if (source_observes(m->source) && !source_is_blind(m->source)) {
		s.bytes = 0;
		sum_processes(&s);
	}
	r = choose(&s);
	nodes = s.nodes;
	if (r >= 0)
		r = read_kernel(&s);
	if (r < 0)
		return r;
	return call_reply(call, json_pack("{s:s, s:o, s:o, s:o, s:o}",
					  "version", PACKAGE_VERSION,
					  "kernel", kernel_json(&s, ready),
					  "totals", totals_json(&s),
					  "cgroups", cgroups_json(&s),
					  "uncontrolled", uncontrolled_json(&s)));
}

/* Late or not: the list of pins was ready. */
static int reply_looked(struct manager *m, struct call *call, bool ready, json_t *params)
{
	return reply(m, call, true, params);
}

/* What no pin explains is for administrators alone, and takes a look at all processes. */
static int look(struct manager *m, struct call *call, bool ready, json_t *params)
{
	if (!ready || !m->unattributed || !call_is_admin(call) ||
	    unattributed_refresh(m->unattributed) != 0)
		return reply(m, call, ready, params);
	return manager_wait_for(m, call, params, unattributed_is_fresh, reply_looked);
}

int method_get_status(struct call *call, json_t *params, void *userdata)
{
	return manager_wait_ready(userdata, call, params, look);
}
