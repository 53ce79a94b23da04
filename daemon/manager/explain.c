/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Explain: the last refusal, and what can refuse a pin now. */
#include <errno.h>
#include <string.h>

#include "daemon/base/base.h"
#include "daemon/manager/answers.h"
#include "daemon/manager/explain.h"
#include "daemon/manager/methods.h"
#include "lib/json.h"

/* What a call asks about. */
struct question {
	struct explaining x;
	struct event_filter filter;
	uint32_t kind; /* 0 for all, or that of the refusal */
	char *path; /* the cgroup that was asked for, as far as it exists; NULL for none */
	const struct event *refusal; /* in the history; NULL for none */
	uint64_t started_usec; /* of the process that was asked for; 0 for none */
	const char *unknown; /* why there is no process; NULL where there is */
};

static void question_done(struct question *q)
{
	explaining_done(&q->x);
	event_filter_done(&q->filter);
	free(q->path);
}

/* Whether the process that has a number now may be the one that was refused something. */
static bool is_same_process(const struct event *event, uint64_t started_usec)
{
	return started_usec && started_usec <= event->time_usec + PROCFS_BORN_TOLERANCE_USEC;
}

static const struct event *last_refusal(struct question *q)
{
	struct manager *m = q->x.m;
	const struct event *event = NULL;
	uint64_t number = UINT64_MAX;

	while ((event = events_before_of(m->events, EVENT_DENY, number))) {
		number = event->number;
		if (event_filter_match(&q->filter, event) &&
		    (!q->started_usec || is_same_process(event, q->started_usec)) &&
		    (!q->kind || event->pin.kind == q->kind) &&
		    may_see_event(m, q->x.call, event))
			return event;
	}
	return NULL;
}

/* It is the caller's, or the caller may see all. */
static bool may_see_process(struct question *q, const struct explain_process *p)
{
	struct manager *m = q->x.m;
	struct cgroup_node *node = NULL;

	if (p->cgroup && cgroups_fs(m->cgroups) &&
	    cgroupfs_resolve_path(cgroups_fs(m->cgroups), p->cgroup, &node) < 0)
		node = NULL;
	return may_see_pin(m, q->x.call, p->uid, node);
}

/* 0, 1 when the call is answered */
static int ask_process(struct question *q, pid_t pid)
{
	struct explain_process *p = &q->x.facts.process;
	int r = explain_read_process(q->x.m, pid, p), answer;

	if (r == 0) {
		answer = may_see_process(q, p) ? 0 : call_error_denied(q->x.call) ?: 1;
		q->filter.tgid = p->pid;
		q->started_usec = explain_started_usec(q->x.m, p->pid);
		return answer;
	}
	if (r != -ESRCH && r != -EACCES)
		return r;
	q->unknown = r == -ESRCH ? "it has ended" : "/proc keeps it from the service (hidepid)";
	q->refusal = last_refusal(q);
	if (q->refusal)
		return 0;
	if (r == -EACCES)
		return call_sees_all(q->x.call) ? 0 : call_error_denied(q->x.call) ?: 1;
	return call_error(q->x.call, MANAGER_INTERFACE ".NoSuchProcess",
			  json_pack("{s:I}", "pid", (json_int_t)pid)) ?: 1;
}

/* Likewise. A unit that has ended is known by what was refused to it. */
static int ask_cgroup(struct question *q, const char *cgroup)
{
	struct manager *m = q->x.m;
	struct cgroupfs *fs = cgroups_fs(m->cgroups);
	struct cgroup_node *node;
	const char *reason = NULL;
	int r;

	r = cgroupfs_name_to_path(fs, cgroup, &q->path, &reason);
	if (r >= 0 && cgroupfs_resolve_path(fs, q->path, &node) >= 0) {
		if (call_sees_all(q->x.call) || owns_node(m, q->x.call, node))
			return 0;
		return call_error_denied(q->x.call) ?: 1;
	}
	free(TAKE_PTR(q->path));
	q->refusal = last_refusal(q);
	if (q->refusal)
		return 0;
	if (!call_sees_all(q->x.call))
		return call_error_denied(q->x.call) ?: 1;
	return (r == -E2BIG ? reply_too_many_cgroups(q->x.call, cgroup) :
			      reply_no_such_cgroup(q->x.call, cgroup)) ?: 1;
}

/* Whose limits of a process are shown: of whoever was refused something, or pins there. */
static int choose_process(struct question *q)
{
	struct explain_process *p = &q->x.facts.process, found = {};
	struct manager *m = q->x.m;
	pid_t pid;
	int r;

	if (q->filter.has_tgid)
		return 0;
	if (q->refusal)
		pid = (pid_t)q->refusal->pin.tgid;
	else if (q->path)
		pid = explain_pick_process(m, q->path);
	else
		pid = call_peer(q->x.call)->pid;
	if (pid == 0 && !q->refusal) {
		q->unknown = q->path ? "there is no process in it" : "it is not known who asks";
		return 0;
	}
	r = explain_read_process(m, pid, &found);
	if (r == 0 && q->refusal &&
	    (found.pid != q->refusal->pin.tgid ||
	     !is_same_process(q->refusal, explain_started_usec(m, pid))))
		r = -ESRCH;
	/* Whoever asked, or was refused, may have become somebody else since. */
	if (r == 0 && !may_see_process(q, &found))
		r = -EPERM;
	if (r < 0) {
		free(found.cgroup);
		q->unknown = r == -EACCES ? "/proc keeps it from the service (hidepid)" :
			     r == -EPERM  ? "it is another user's" :
					    "it has ended";
		return r == -ENOMEM ? r : 0;
	}
	*p = found;
	return 0;
}

/* The cgroup from which on limits count: of one that is gone the nearest above it. */
static const char *cgroup_of(const struct question *q)
{
	struct cgroupfs *fs = cgroups_fs(q->x.m->cgroups);
	struct cgroup_node *node;

	if (q->x.facts.process.cgroup)
		return q->x.facts.process.cgroup;
	if (q->path)
		return q->path;
	for (node = q->refusal ? q->refusal->cgroup : NULL; fs && node; node = node->parent) {
		cgroupfs_check(fs, node, loop_usec(q->x.m->event, CLOCK_MONOTONIC));
		if (!node->removed && !node->unresolved)
			return node->path;
	}
	return NULL;
}

static json_t *check_json(struct question *q, const struct pin_check *c)
{
	struct explaining *x = &q->x;
	const struct explain_unit unit = { x->unit, x->user_unit };
	struct cgroupfs *fs = cgroups_fs(x->m->cgroups);

	return explain_check_json(c, explain_holders_json(x, c),
				  remedies_json(&x->facts, &unit,
						fs ? cgroupfs_mount(fs) : "/sys/fs/cgroup", c));
}

static json_t *walk_json(struct question *q, uint32_t kind)
{
	_cleanup_(freep) struct pin_check *checks = calloc(EXPLAIN_CHECKS_MAX, sizeof(*checks));
	_cleanup_json_ json_t *array = json_array();
	size_t n;

	if (!checks || !array)
		return NULL;
	n = explain_walk(&q->x.facts, kind, checks);
	for (size_t i = 0; i < n; i++)
		if (json_array_append_new(array, check_json(q, &checks[i])) < 0)
			return NULL;
	return json_pack("{s:s, s:O}", "kind", render_kind(kind), "checks", array);
}

static json_t *walks_json(struct question *q)
{
	_cleanup_json_ json_t *array = json_array();

	if (!q->x.facts.process.pid && q->x.facts.n_levels == 0)
		return TAKE_PTR(array);
	for (uint32_t kind = PINGUARD_KIND_RDMA; array && kind <= PINGUARD_KIND_UDMABUF; kind++)
		if ((!q->kind || q->kind == kind) &&
		    json_array_append_new(array, walk_json(q, kind)) < 0)
			return NULL;
	return TAKE_PTR(array);
}

static json_t *refusal_json(struct question *q)
{
	const struct event *event = q->refusal;
	const struct cgroup_node *limit = event ? event->limit : NULL;
	const bool whole = event && may_see_whole(q->x.m, q->x.call, event);
	struct pin_check c;

	if (!event)
		return json_null();
	c = explain_refused(&q->x.facts, event->pin.kind, event->reason,
			    limit && !limit->removed ? limit->path : NULL,
			    whole && limit ? event->usage_bytes : UINT64_MAX, event->max_bytes);
	return json_pack("{s:o, s:o}", "event", render_event(event, whole), "check",
			 check_json(q, &c));
}

static int reply(struct question *q)
{
	struct explain_facts *f = &q->x.facts;
	const char *path = cgroup_of(q);
	json_t *refusal;
	int r;

	if (q->refusal) {
		f->asked_bytes = q->refusal->pin.bytes;
		memcpy(f->device, q->refusal->pin.device, sizeof(f->device));
		q->kind = q->refusal->pin.kind;
	}
	r = explain_read_limits(&q->x, path);
	if (r < 0)
		return r;
	refusal = refusal_json(q);
	return call_reply(q->x.call, json_pack("{s:o, s:b, s:o, s:o, s:o, s:o}",
			"refusal", refusal,
			"refusals_known", source_genl(q->x.m->source) != NULL,
			"process", f->process.pid ? explain_process_json(&f->process) : json_null(),
			"process_unknown", render_string(q->unknown),
			"cgroup", render_name(path),
			"walks", walks_json(q)));
}

static int start(struct manager *m, struct call *call, bool ready, json_t *params)
{
	const char *cgroup = json_get_string(params, "cgroup", NULL);
	const char *kind = json_get_string(params, "kind", NULL);
	_cleanup_(question_done) struct question q = { .x = { .m = m } };
	int r;

	if (!ready)
		return reply_not_ready(call);
	q.x.call = call_ref(call);
	if (kind && (render_parse_kind(kind, &q.kind) < 0 || !q.kind))
		return call_error_invalid(call, "kind");
	r = parse_event_filter(m, call, params, &q.filter);
	if (r != 0)
		return MIN(r, 0);
	q.filter.types = EVENT_BIT(EVENT_DENY);
	if (q.filter.has_tgid && cgroup)
		return call_error_invalid(call, "cgroup");
	if (q.filter.has_tgid)
		r = ask_process(&q, (pid_t)q.filter.tgid);
	else if (cgroup)
		r = ask_cgroup(&q, cgroup);
	if (r != 0)
		return MIN(r, 0);
	if (!q.refusal)
		q.refusal = last_refusal(&q);
	r = choose_process(&q);
	if (r >= 0)
		r = reply(&q);
	feed_trim(m);
	return r;
}

int method_explain(struct call *call, json_t *params, void *userdata)
{
	struct manager *m = userdata;
	int r = admit_lookup(m, call); /* it reads files, and goes through all pins */

	return r != 0 ? MIN(r, 0) : manager_wait_ready(m, call, params, start);
}
