/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GetStatus. What is pinned is summed up at once, so that it is of one moment. Whose
 * the cgroups are, before that, and what their files say is read in as many turns as
 * that takes.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/base.h"
#include "daemon/manager/answers.h"
#include "daemon/manager/methods.h"
#include "daemon/manager/unattributed.h"
#include "daemon/model/model.h"
#include "lib/clock.h"
#include "lib/json.h"

#define STEP_CGROUPS 512 /* whose owner is looked at, then others have their turn */

/* A cgroup that is shown: what it had when all was summed up. */
struct row {
	struct cgroup_node *node; /* a reference */
	uint64_t pins, bytes, charged_bytes, refused, vm_pinned_bytes, vm_locked_bytes;
};

/* A GetStatus under way. */
struct status {
	struct manager *m;
	struct call *call;
	sd_event_source *turn;
	bool all; /* the caller may see everything */
	bool ready; /* the list of pins was */
	struct cgroup_node *looked; /* the last one whose owner was looked at; a reference */
	struct row *rows;
	size_t n_rows, at; /* the next one */
	uint64_t bytes, pins; /* what the caller may see */
	uint64_t left_bytes; /* that no process's VmPin has, of no cgroup that is known */
	struct pin_kernel_info kernel; /* the machine's, where the caller may see that */
	/* The reply in the making. */
	FILE *out;
	char *text;
	size_t size; /* of text, once it is flushed */
};

static struct status *status_free(struct status *s)
{
	if (!s)
		return NULL;
	sd_event_source_disable_unref(s->turn);
	call_set_watch(s->call, NULL, NULL);
	call_unref(s->call);
	cgroup_node_unref(s->looked);
	for (size_t i = 0; i < s->n_rows; i++)
		cgroup_node_unref(s->rows[i].node);
	free(s->rows);
	if (s->out)
		fclose(s->out);
	free(s->text);
	free(s);
	return NULL;
}
DEFINE_CLEANUP(struct status *, status_free);

static bool counts(const struct pin_origin *origin, void *userdata)
{
	struct status *s = userdata;

	if (!could_see_pin(s->call, origin->uid, origin->cgroup))
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
		if (!could_see_pin(s->call, p[i].uid, node))
			continue;
		s->bytes += p[i].pinned_bytes;
		for (; node; node = node->parent) {
			node->sum_vm_pinned_bytes += p[i].pinned_bytes;
			node->sum_vm_locked_bytes += p[i].locked_bytes;
		}
	}
}

static void add_left(struct status *s, const struct pin *pin)
{
	struct cgroup_node *node = pin->origin->cgroup;

	if (!node) {
		s->left_bytes += pin->bytes;
		return;
	}
	s->bytes += pin->bytes;
	for (; node; node = node->parent)
		node->sum_vm_pinned_bytes += pin->bytes;
}

/* Of makers that have ended, and of AF_XDP sockets: listed, and in no VmPin. */
static void sum_left(struct status *s)
{
	_cleanup_(pin_cursor_done) struct pin_cursor cursor;
	const struct pin_origin *last = NULL;
	bool seen = false;
	struct pin *pin;

	pin_cursor_init(&cursor, s->m->registry);
	while ((pin = pin_cursor_next(&cursor))) {
		if (pin->origin->kind != PINGUARD_KIND_XDP &&
		    !(pin->flags & PINGUARD_FLAG_OWNER_GONE))
			continue;
		if (pin->origin != last)
			seen = could_see_pin(s->call, pin->origin->uid, pin->origin->cgroup);
		last = pin->origin;
		if (seen)
			add_left(s, pin);
	}
}

static int by_path(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return strcmp(x->node->path, y->node->path);
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
		if (s->all || owned_node(s->call, noted[i]))
			show(noted[i]);

	for (node = registry_cgroup_next(r, NULL); node; node = registry_cgroup_next(r, node))
		n += node->shown && node->path;
	s->rows = calloc(n ?: 1, sizeof(*s->rows));
	if (!s->rows)
		return -ENOMEM;
	for (node = registry_cgroup_next(r, NULL); node; node = registry_cgroup_next(r, node))
		if (node->shown && node->path)
			s->rows[s->n_rows++] = (struct row){
				.node = cgroup_node_ref(node),
				.pins = node->sum_pins,
				.bytes = node->sum_bytes,
				.charged_bytes = node->sum_charged_bytes,
				.refused = node->sum_refused,
				.vm_pinned_bytes = node->sum_vm_pinned_bytes,
				.vm_locked_bytes = node->sum_vm_locked_bytes,
			};
	qsort(s->rows, s->n_rows, sizeof(*s->rows), by_path);
	return 0;
}

/* The root has no limit: what was refused anywhere, for whatever reason. */
static json_t *denied_json(const struct status *s, const struct row *row,
			   const struct cgroup_misc *misc, bool whole)
{
	if (!whole || !(source_genl(s->m->source) || cgroups_count(s->m->cgroups)))
		return json_null();
	if (strcmp(row->node->path, "/") == 0)
		return json_bytes_or_null(s->kernel.denied, s->all && source_genl(s->m->source));
	return json_bytes(misc->denied + row->refused);
}

static json_t *cgroup_json(struct status *s, const struct row *row)
{
	struct cgroup_node *node = row->node;
	struct cgroup_misc misc = { .max_bytes = UINT64_MAX, .peak_bytes = UINT64_MAX };
	struct cgroupfs *fs = cgroups_fs(s->m->cgroups);
	const bool told = cgroups_count(s->m->cgroups) || source_genl(s->m->source);
	const bool proc = source_observes(s->m->source);
	const bool blind = source_is_blind(s->m->source);
	bool whole;
	_cleanup_(closep) int fd = -1;
	uint64_t pinned, charged, high;

	cgroupfs_check(fs, node, loop_usec(s->m->event, CLOCK_MONOTONIC));
	whole = s->all || owns_node(s->m, s->call, node);
	if (!node->removed && !node->unresolved && told)
		fd = cgroupfs_open(fs, node->path);
	if (fd >= 0)
		(void)cgroupfs_read_misc(fs, fd, &misc);
	high = fd >= 0 ? quotas_high_bytes(cgroups_quotas(s->m->cgroups), node->path, node->id) :
			 UINT64_MAX;
	/* Others' share of a cgroup above one's own is not one's own to know. */
	if (!whole) {
		misc.present = false;
		misc.peak_bytes = UINT64_MAX;
	}
	pinned = proc && !blind ? row->vm_pinned_bytes : row->bytes;
	charged = misc.present ? misc.current_bytes : row->charged_bytes;

	return json_pack("{s:o, s:o, s:b, s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:I, s:o}",
			 "path", render_path(node),
			 "cgroup_id", json_hex(node->id),
			 "removed", node->removed,
			 "source", source_name(s->m->source),
			 "pinned_bytes", (json_int_t)MIN(pinned, (uint64_t)INT64_MAX),
			 "charged_bytes", told ? json_bytes(charged) : json_null(),
			 "locked_bytes", proc && !blind ? json_bytes(row->vm_locked_bytes) :
						   json_null(),
			 "max_bytes", json_bytes(misc.max_bytes),
			 "high_bytes", json_bytes(high),
			 "peak_bytes", json_bytes(misc.peak_bytes),
			 "pins", (json_int_t)row->pins,
			 "denied", denied_json(s, row, &misc, whole));
}

/* Where one's own cgroups are affected. */
static bool concerns(struct status *s, const char *path)
{
	size_t i, len = strcmp(path, "/") == 0 ? 0 : strlen(path);

	for (i = 0; i < s->n_rows && !s->all; i++) {
		const char *own = s->rows[i].node->path;

		if (strncmp(own, path, len) == 0 && (!own[len] || own[len] == '/'))
			return true;
	}
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

static json_t *totals_json(struct status *s)
{
	uint64_t unattributed = UINT64_MAX;

	if (s->all && !source_observes(s->m->source))
		(void)unattributed_bytes(s->m->unattributed, &unattributed);
	else if (s->all && !source_is_blind(s->m->source))
		unattributed = s->left_bytes;
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

/* What is of one moment. */
static int sum_up(struct status *s)
{
	struct manager *m = s->m;
	int r;

	registry_sum(m->registry, s->all ? NULL : counts, s);
	if (s->all) {
		s->bytes = registry_bytes(m->registry);
		s->pins = registry_count(m->registry);
	}
	/* Blind, there is no more than what is listed. */
	if (source_observes(m->source) && !source_is_blind(m->source)) {
		s->bytes = 0;
		sum_processes(s);
		sum_left(s);
	}
	r = choose(s);
	return r < 0 ? r : read_kernel(s);
}

static int write_json(struct status *s, json_t *json, size_t cut)
{
	_cleanup_(freep) char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	if (!text)
		return -ENOMEM;
	return fprintf(s->out, "%.*s", (int)(strlen(text) - cut), text) < 0 ? -ENOMEM : 0;
}

/* All but the cgroups, which follow. */
static int begin(struct status *s)
{
	int r = sum_up(s);

	if (r < 0)
		return r;
	s->out = open_memstream(&s->text, &s->size);
	if (!s->out)
		return -ENOMEM;
	r = write_json(s, json_pack("{s:s, s:o, s:o, s:o}",
				    "version", PACKAGE_VERSION,
				    "kernel", status_kernel_json(s->m, s->ready),
				    "totals", totals_json(s),
				    "uncontrolled", uncontrolled_json(s)), 1);
	return r >= 0 && fputs(",\"cgroups\":[", s->out) == EOF ? -ENOMEM : r;
}

/* Whose the cgroups are, so that the sums need no file. 1 when done, 0 to go on later. */
static int look_at_cgroups(struct status *s)
{
	const uint64_t start_usec = clock_usec(CLOCK_MONOTONIC);
	struct cgroupfs *fs = cgroups_fs(s->m->cgroups);
	struct cgroup_node *next;

	for (unsigned int i = 0; !s->all && fs; i++) {
		if (i == STEP_CGROUPS || (i > 0 && turn_is_long(start_usec)))
			return 0;
		next = registry_cgroup_next(s->m->registry, s->looked);
		if (!next)
			break;
		cgroup_node_unref(s->looked);
		s->looked = cgroup_node_ref(next);
		cgroupfs_check(fs, next, loop_usec(s->m->event, CLOCK_MONOTONIC));
	}
	return 1;
}

/* 1 when done, 0 to go on later. */
static int step(struct status *s)
{
	const uint64_t start_usec = clock_usec(CLOCK_MONOTONIC);
	int r;

	if (!s->out) {
		r = look_at_cgroups(s);
		return r == 1 ? begin(s) : r;
	}
	for (; s->at < s->n_rows; s->at++) {
		if (turn_is_long(start_usec))
			return 0;
		if (s->at > 0 && putc(',', s->out) == EOF)
			return -ENOMEM;
		r = write_json(s, cgroup_json(s, &s->rows[s->at]), 0);
		if (r < 0)
			return r;
	}
	if (fputs("]}", s->out) == EOF || fflush(s->out) == EOF)
		return -ENOMEM;
	r = call_reply_text(s->call, s->text, s->size);
	return r < 0 ? r : 1;
}

static int on_turn(sd_event_source *source, void *userdata)
{
	struct status *s = userdata;
	int r = step(s);

	if (r == 0)
		r = turn_schedule(s->m->event, &s->turn, on_turn, s, "status");
	if (r < 0)
		answer_errno(s->call, r);
	if (r != 0)
		status_free(s);
	return 0;
}

static void on_gone(struct call *call, void *userdata)
{
	status_free(userdata);
}

static const struct call_watch watch = { .gone = on_gone };

static int reply(struct manager *m, struct call *call, bool ready)
{
	_cleanup_(status_freep) struct status *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->m = m;
	s->call = call_ref(call);
	s->all = call_sees_all(call);
	s->ready = ready;
	/* What was looked at for the sums is of this moment. */
	r = s->all ? begin(s) : 0;
	if (r >= 0)
		r = turn_schedule(m->event, &s->turn, on_turn, s, "status");
	if (r < 0)
		return r;
	call_set_watch(call, &watch, s);
	TAKE_PTR(s);
	return 0;
}

/* Late or not: the list of pins was ready. */
static int reply_looked(struct manager *m, struct call *call, bool ready, json_t *params)
{
	return reply(m, call, true);
}

/* What no pin explains is for administrators alone, and takes a look at all processes. */
static int look_at_processes(struct manager *m, struct call *call, bool ready, json_t *params)
{
	if (source_observes(m->source) || !m->unattributed || !call_sees_all(call) ||
	    unattributed_refresh(m->unattributed) != 0)
		return reply(m, call, true);
	return manager_wait_for(m, call, params, unattributed_is_fresh, reply_looked);
}

static int look(struct manager *m, struct call *call, bool ready, json_t *params)
{
	return ready ? manager_wait_limits(m, call, params, look_at_processes) :
		       reply(m, call, false);
}

int method_get_status(struct call *call, json_t *params, void *userdata)
{
	return manager_wait_ready(userdata, call, params, look);
}
