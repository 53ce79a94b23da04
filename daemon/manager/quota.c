/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/base.h"
#include "daemon/manager/answers.h"
#include "daemon/manager/methods.h"
#include "daemon/model/model.h"
#include "lib/escape.h"
#include "lib/format.h"
#include "lib/json.h"
#include "lib/log.h"

static const char *const states[] = {
	[QUOTA_APPLIED] = "applied",
	[QUOTA_PENDING] = "pending",
	[QUOTA_FAILED] = "failed",
};

/* More than the quota says; what was pinned before there was a controller counts above. */
static json_t *excess_json(struct manager *m, const struct quota *quota,
			   const struct quota_status *st)
{
	uint64_t bytes;

	if (!quota || !st->exists || st->current_bytes == UINT64_MAX)
		return json_null();
	bytes = st->current_bytes + registry_uncharged_bytes(m->registry, st->cgroup_id);
	return json_bytes(bytes > quota->max_bytes ? bytes - quota->max_bytes : 0);
}

/* quota: NULL for a limit that somebody else set */
static json_t *quota_json(struct manager *m, const char *path, const struct quota *quota)
{
	struct quotas *quotas = cgroups_quotas(m->cgroups);
	_cleanup_(freep) char *reason = NULL;
	struct quota_status st;

	if (quota)
		quotas_status(quotas, quota, &st);
	else
		quotas_others_status(quotas, path, &st);
	reason = st.reason;
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:s, s:s, s:o, s:o}",
			 "cgroup", render_name(path),
			 "cgroup_id", st.exists ? json_hex(st.cgroup_id) : json_null(),
			 "max_bytes", quota ? json_bytes(quota->max_bytes) : json_null(),
			 "high_bytes", quota ? json_bytes(quota->high_bytes) : json_null(),
			 "effective_bytes", json_bytes(st.effective_bytes),
			 "external_bytes", json_bytes(st.external_bytes),
			 "current_bytes", json_bytes(st.current_bytes),
			 "excess_bytes", excess_json(m, quota, &st),
			 "runtime", quota ? quota->runtime && !quota->declaration : true,
			 "state", states[st.state],
			 "enforced_by", st.state == QUOTA_APPLIED ? manager_enforcer(m) :
								     "nothing",
			 "reason", reason ? json_string(reason) : json_null(),
			 "source", source_json(quota ? quota->declaration : NULL));
}

struct quota_walk {
	struct manager *m;
	struct call *call;
	json_t *array;
};

static int add_quota(struct quota_walk *w, const char *path, const struct quota *quota)
{
	struct cgroup_node *node;

	if (!call_sees_all(w->call) &&
	    (!quota || quota->uid != call_peer(w->call)->uid) &&
	    (cgroupfs_resolve_path(cgroups_fs(w->m->cgroups), path, &node) < 0 ||
	     !owns_node(w->m, w->call, node)))
		return 0;
	return json_array_append_new(w->array, quota_json(w->m, path, quota)) < 0 ? -ENOMEM : 0;
}

/* Limits that are there without this service. */
static int add_others(struct quota_walk *w)
{
	struct cgroups *cgroups = w->m->cgroups;
	const uint64_t now = loop_usec(w->m->event, CLOCK_MONOTONIC);
	struct cgroup_node *const *noted;
	struct cgroup_misc misc;
	size_t i, n;
	int r = 0;

	noted = cgroups_noted(cgroups, &n);
	for (i = 0; i < n && r >= 0; i++) {
		const char *path = noted[i]->path;
		_cleanup_(closep) int fd = -1;

		/* Another may have its path by now, and be noted, too. */
		cgroupfs_check(cgroups_fs(cgroups), noted[i], now);
		if (noted[i]->removed)
			continue;
		fd = cgroupfs_open(cgroups_fs(cgroups), path);
		if (fd >= 0 && cgroupfs_read_misc(cgroups_fs(cgroups), fd, &misc) >= 0 &&
		    misc.max_bytes != UINT64_MAX &&
		    !quotas_find(cgroups_quotas(cgroups), path))
			r = add_quota(w, path, NULL);
	}
	return r;
}

static int list_quotas(struct manager *m, struct call *call, bool ready, json_t *params)
{
	_cleanup_json_ json_t *array = json_array();
	struct quota_walk w = { .m = m, .call = call, .array = array };
	struct quotas *quotas = cgroups_quotas(m->cgroups);
	uint64_t now, age_usec = 0;
	struct quota *quota = NULL;
	bool known, all, complete = true;
	int r = 0;

	if (!array)
		return -ENOMEM;
	while (quotas && r >= 0 && (quota = quotas_next(quotas, quota)))
		r = add_quota(&w, quota->path, quota);
	if (r >= 0 && cgroups_count(m->cgroups))
		r = add_others(&w);
	if (r < 0)
		return r;
	known = cgroups_noted_age(m->cgroups, &age_usec, &complete);
	now = loop_usec(m->event, CLOCK_REALTIME);
	all = json_get_bool(params, "all", false) && call_sees_all(call);
	return call_reply(call, json_pack("{s:O, s:o, s:o, s:b}", "quotas", array,
					  "unmatched", all ? unmatched_json(m) : json_null(),
					  "others_usec",
					  known ? json_bytes(now - age_usec) : json_null(),
					  "others_complete", complete));
}

int method_list_quotas(struct call *call, json_t *params, void *userdata)
{
	return manager_wait_limits(userdata, call, params, list_quotas);
}

/*
 * What SetQuota and ClearQuota check first. 0: go on, *ret_path is the
 * caller's; else the call is answered, and *ret_answer is the result.
 */
static int check_target(struct manager *m, struct call *call, const char *cgroup, bool must_exist,
			char **ret_path, int *ret_answer)
{
	_cleanup_(freep) char *path = NULL;
	const struct peer *peer = call_peer(call);
	const struct support support = manager_support(m);
	struct cgroupfs *fs = cgroups_fs(m->cgroups);

	if (!fs) {
		*ret_answer = reply_not_supported(call, support_no_quotas(&support));
		return 1;
	}
	/* A unit is looked for in all of the tree. */
	*ret_answer = cgroup[0] == '/' ? 0 : admit_lookup(m, call);
	if (*ret_answer != 0) {
		*ret_answer = MIN(*ret_answer, 0);
		return 1;
	}
	if (find_path(m, call, cgroup, &path, ret_answer) > 0)
		return 1;
	if (!call_is_admin(call) && cgroupfs_delegate_above(fs, path, peer->uid) != peer->uid) {
		*ret_answer = call_error_denied(call);
		return 1;
	}
	if (strcmp(path, "/") == 0) {
		*ret_answer = call_error(call, MANAGER_INTERFACE ".RootCgroup",
					 json_pack("{s:s}", "cgroup", cgroup));
		return 1;
	}
	if (must_exist) {
		_cleanup_(closep) int fd = cgroupfs_open(fs, path);

		if (fd < 0) {
			*ret_answer = reply_no_such_cgroup(call, cgroup);
			return 1;
		}
	}
	if (!cgroups_count(m->cgroups)) {
		*ret_answer = reply_not_supported(call, support_no_quotas(&support));
		return 1;
	}
	*ret_path = TAKE_PTR(path);
	return 0;
}

static int quota_error(struct call *call, const char *cgroup, int error, const char *reason)
{
	const struct setting quotas = {
		.not_possible = ".QuotaNotPossible",
		.all = "quotas",
		.max = call_is_admin(call) ? QUOTAS_MAX : QUOTAS_UID_MAX,
		.file = "bytes in the file of quotas",
	};

	return reply_setting_error(call, cgroup, error, reason, &quotas);
}

/* quota: as it was set; NULL for one that was cleared */
static void tell(const char *path, const struct quota *quota, uid_t uid)
{
	_cleanup_(freep) char *shown = escape_name(path);
	char max[FORMAT_SIZE_LEN] = "max", high[FORMAT_SIZE_LEN];

	if (!quota) {
		log_event(LOG_NOTICE, MESSAGE_QUOTA_CLEARED, NULL, "uid %u cleared the quota of %s",
			  uid, shown ?: "?");
		return;
	}
	if (quota->max_bytes != UINT64_MAX)
		format_size(max, quota->max_bytes);
	if (quota->high_bytes == UINT64_MAX)
		log_event(LOG_NOTICE, MESSAGE_QUOTA_SET, NULL, "uid %u set the quota of %s to %s",
			  uid, shown ?: "?", max);
	else
		log_event(LOG_NOTICE, MESSAGE_QUOTA_SET, NULL,
			  "uid %u set the quota of %s to %s, asking for what is over %s",
			  uid, shown ?: "?", max, format_size(high, quota->high_bytes));
}

static void record(struct manager *m, struct call *call, const char *path,
		   const struct quota *quota)
{
	struct event *event = event_new(quota ? EVENT_QUOTA_SET : EVENT_QUOTA_CLEAR,
					loop_usec(m->event, CLOCK_REALTIME));
	uid_t uid = call_peer(call)->uid;
	struct cgroup_node *node;

	tell(path, quota, uid);
	status_line_changed(m);
	if (cgroupfs_resolve_path(cgroups_fs(m->cgroups), path, &node) < 0 ||
	    cgroups_note(m->cgroups, node) < 0)
		node = NULL;
	if (!event)
		return;
	event->quota_cgroup = strdup(path);
	event->max_bytes = quota ? quota->max_bytes : UINT64_MAX;
	event->uid = uid;
	event->cgroup = cgroup_node_ref(node);
	events_add(m->events, event);
}

/* 0, or 1 when the call has been answered */
static int get_marks(struct call *call, json_t *params, uint64_t *ret_max, uint64_t *ret_high)
{
	int64_t max = json_get_int(params, "max_bytes", -1);
	int64_t high = json_get_int(params, "high_bytes", INT64_MAX);
	char high_text[FORMAT_SIZE_LEN], max_text[FORMAT_SIZE_LEN], reason[128];

	if (max < 0)
		return call_error_invalid(call, "max_bytes") ?: 1;
	if (high < 0)
		return call_error_invalid(call, "high_bytes") ?: 1;
	if (high != INT64_MAX && high > max) {
		snprintf(reason, sizeof(reason), "the high mark of %s is above the limit of %s",
			 format_size(high_text, high), format_size(max_text, max));
		return call_error(call, MANAGER_INTERFACE ".QuotaNotPossible",
				  json_pack("{s:s, s:s}", "cgroup",
					    json_get_string(params, "cgroup", ""), "reason",
					    reason)) ?: 1;
	}
	*ret_max = max == INT64_MAX ? UINT64_MAX : (uint64_t)max;
	*ret_high = high == INT64_MAX ? UINT64_MAX : (uint64_t)high;
	return 0;
}

int method_set_quota(struct call *call, json_t *params, void *userdata)
{
	struct manager *m = userdata;
	const char *cgroup = json_get_string(params, "cgroup", "");
	_cleanup_(freep) char *path = NULL, *reason = NULL;
	const uid_t uid = call_peer(call)->uid;
	struct quotas *quotas = cgroups_quotas(m->cgroups);
	uint64_t max_bytes, high_bytes;
	struct quota *quota;
	int r, answer;

	r = get_marks(call, params, &max_bytes, &high_bytes);
	if (r != 0)
		return MIN(r, 0);
	if (check_target(m, call, cgroup, true, &path, &answer) > 0)
		return answer;
	r = quotas_set(quotas, path, max_bytes, high_bytes,
		       json_get_bool(params, "runtime", false),
		       call_is_admin(call) ? (uid_t)-1 : uid, &reason);
	if (r < 0)
		return quota_error(call, cgroup, r, reason);
	quota = quotas_find(quotas, path);
	record(m, call, path, quota);
	triggers_quota_set(m->triggers, path, uid);
	return call_reply(call, json_pack("{s:o}", "quota", quota_json(m, path, quota)));
}

/* What a file says goes with the file. True: the call is answered. */
static bool is_declared(struct manager *m, struct call *call, const char *cgroup,
			const char *path, int *ret_answer)
{
	const struct quota *quota = quotas_find(cgroups_quotas(m->cgroups), path);
	char reason[512];

	if (!quota || !quota->declaration || !quota->declaration->max_line ||
	    !call_is_admin(call))
		return false;
	snprintf(reason, sizeof(reason), "%s:%u declares it; change or mask that file, or set "
		 "another quota in its place", quota->declaration->file,
		 quota->declaration->max_line);
	*ret_answer = call_error(call, MANAGER_INTERFACE ".QuotaNotPossible",
				 json_pack("{s:s, s:s}", "cgroup", cgroup, "reason", reason));
	return true;
}

int method_clear_quota(struct call *call, json_t *params, void *userdata)
{
	struct manager *m = userdata;
	const char *cgroup = json_get_string(params, "cgroup", "");
	_cleanup_(freep) char *path = NULL;
	int r, answer;

	if (check_target(m, call, cgroup, false, &path, &answer) > 0)
		return answer;
	if (is_declared(m, call, cgroup, path, &answer))
		return answer;
	r = quotas_clear(cgroups_quotas(m->cgroups), path,
			 call_is_admin(call) ? (uid_t)-1 : call_peer(call)->uid);
	if (r == -ENOENT) {
		_cleanup_(closep) int fd = cgroupfs_open(cgroups_fs(m->cgroups), path);

		if (fd < 0)
			return reply_no_such_cgroup(call, cgroup);
		return call_error(call, MANAGER_INTERFACE ".NoSuchQuota",
				  json_pack("{s:s}", "cgroup", cgroup));
	}
	if (r < 0)
		return quota_error(call, cgroup, r, NULL);
	record(m, call, path, NULL);
	return call_reply(call, json_object());
}
