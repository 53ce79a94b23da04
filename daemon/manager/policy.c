/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ListPolicies, SetPolicy, ClearPolicy. */
#include <errno.h>
#include <string.h>

#include "daemon/base/base.h"
#include "daemon/cgroup/cgroup.h"
#include "daemon/manager/answers.h"
#include "daemon/manager/methods.h"
#include "daemon/model/model.h"
#include "lib/escape.h"
#include "lib/json.h"
#include "lib/log.h"

static const char *const states[] = {
	[POLICY_APPLIED] = "applied",
	[POLICY_PENDING] = "pending",
	[POLICY_FAILED] = "failed",
};

/* The section that its policy is from; NULL where it was set, or is nobody's. */
static const struct declaration *declared_policy(struct manager *m, const char *path)
{
	const struct declaration *d = declared_for(m, path);

	return d && d->policy_line && !policies_find(cgroups_policies(m->cgroups), path) ? d : NULL;
}

/* entry: NULL for a policy that somebody else set */
static json_t *policy_json(struct manager *m, const char *path, const struct policy_entry *entry)
{
	_cleanup_(freep) char *reason = NULL;
	struct policy_status st;

	policies_status(cgroups_policies(m->cgroups), path, entry, &st);
	reason = st.reason;
	return json_pack("{s:o, s:o, s:s, s:s, s:s, s:s, s:b, s:s, s:o, s:o}",
			 "cgroup", render_name(path),
			 "cgroup_id", st.cgroup_id ? json_hex(st.cgroup_id) : json_null(),
			 "policy", render_policy(entry ? entry->policy : st.own) ?: "deny",
			 "effective", render_policy(st.effective) ?: "deny",
			 "count", render_count(entry ? entry->count : st.own_count) ?: "each",
			 "effective_count", render_count(st.effective_count) ?: "each",
			 "runtime", entry ? entry->runtime : true,
			 "state", states[st.state],
			 "reason", reason ? json_string(reason) : json_null(),
			 "source", source_json(declared_policy(m, path)));
}

static bool may_see(struct manager *m, struct call *call, const char *path)
{
	struct cgroup_node *node;

	return call_sees_all(call) ||
	       (cgroupfs_resolve_path(cgroups_fs(m->cgroups), path, &node) >= 0 &&
		owns_node(m, call, node));
}

static int add_policy(struct manager *m, struct call *call, const char *path,
		      const struct policy_entry *entry, json_t *array)
{
	if (!may_see(m, call, path))
		return 0;
	return json_array_append_new(array, policy_json(m, path, entry)) < 0 ? -ENOMEM : 0;
}

struct ids {
	uint64_t *ids;
	size_t n, size;
};

static void ids_done(struct ids *list)
{
	free(list->ids);
}

static int on_policy(const struct policy_info *info, void *userdata)
{
	struct ids *list = userdata;
	uint64_t *ids;
	size_t size;

	if (list->n == list->size) {
		size = list->size ? list->size * 2 : 64;
		ids = reallocarray(list->ids, size, sizeof(*ids));
		if (!ids)
			return -ENOMEM;
		list->ids = ids;
		list->size = size;
	}
	list->ids[list->n++] = info->cgroup_id;
	return 0;
}

/* Those that the kernel has without this service. */
static int add_others(struct manager *m, struct call *call, json_t *array)
{
	_cleanup_(ids_done) struct ids list = {};
	struct cgroup_node *node;
	size_t i;
	int r;

	r = genl_list_policies(source_genl(m->source), on_policy, &list);
	for (i = 0; i < list.n && r >= 0; i++) {
		r = cgroupfs_resolve(cgroups_fs(m->cgroups), list.ids[i], &node);
		if (r < 0)
			break;
		cgroupfs_check(cgroups_fs(m->cgroups), node, loop_usec(m->event, CLOCK_MONOTONIC));
		if (!node->path || node->removed || node->unresolved ||
		    policies_find(cgroups_policies(m->cgroups), node->path))
			continue;
		r = add_policy(m, call, node->path, NULL, array);
	}
	return r;
}

int method_list_policies(struct call *call, json_t *params, void *userdata)
{
	struct manager *m = userdata;
	struct policies *policies = cgroups_policies(m->cgroups);
	_cleanup_json_ json_t *array = json_array();
	const struct policy_entry *entry;
	int r = 0;

	if (!array)
		return -ENOMEM;
	for (entry = policies ? policies_list(policies) : NULL; entry && r >= 0;
	     entry = entry->next)
		r = add_policy(m, call, entry->path, entry, array);
	if (r >= 0 && policies && !policies_unsupported(policies))
		r = add_others(m, call, array);
	if (r < 0)
		return r;
	return call_reply(call, json_pack("{s:O}", "policies", array));
}

/* 0 and the path; else the call is answered, and *ret_answer is the result. */
static int find_target(struct manager *m, struct call *call, const char *cgroup, char **ret_path,
		       int *ret_answer)
{
	const struct support support = manager_support(m);

	if (!cgroups_policies(m->cgroups) || !source_genl(m->source)) {
		*ret_answer = reply_not_supported(call, support_no_quotas(&support) ?:
							source_reason(m->source));
		return 1;
	}
	return find_path(m, call, cgroup, ret_path, ret_answer);
}

static int policy_error(struct call *call, const char *cgroup, int error, const char *reason)
{
	static const struct setting policies = {
		.not_possible = ".PolicyNotPossible",
		.all = "policies",
		.max = POLICIES_MAX,
		.file = "bytes in the file of policies",
	};

	return reply_setting_error(call, cgroup, error, reason, &policies);
}

static void record(struct manager *m, struct call *call, enum event_type type, const char *path,
		   uint32_t policy, uint32_t count)
{
	_cleanup_(freep) char *shown = escape_name(path);
	struct event *event = event_new(type, loop_usec(m->event, CLOCK_REALTIME));
	uid_t uid = call_peer(call)->uid;
	struct cgroup_node *node;

	if (type == EVENT_POLICY_SET)
		log_event(LOG_NOTICE, MESSAGE_POLICY_SET, NULL,
			  "uid %u set the policy of %s to %s", uid, shown ?: "?",
			  render_policy(policy) ?: render_count(count));
	else
		log_event(LOG_NOTICE, MESSAGE_POLICY_CLEARED, NULL,
			  "uid %u cleared the policy of %s", uid, shown ?: "?");
	if (!event)
		return;
	if (cgroupfs_resolve_path(cgroups_fs(m->cgroups), path, &node) < 0)
		node = NULL;
	event->quota_cgroup = strdup(path);
	event->policy = policy;
	event->count = count;
	event->uid = uid;
	event->cgroup = cgroup_node_ref(node);
	events_add(m->events, event);
}

int method_set_policy(struct call *call, json_t *params, void *userdata)
{
	struct manager *m = userdata;
	const char *cgroup = json_get_string(params, "cgroup", "");
	struct policies *policies = cgroups_policies(m->cgroups);
	const char *word = json_get_string(params, "policy", "");
	_cleanup_(freep) char *path = NULL, *reason = NULL;
	uint32_t policy = 0, count = 0;
	int r, answer;

	if (render_parse_policy(word, &policy) < 0 && render_parse_count(word, &count) < 0)
		return call_error_invalid(call, "policy");
	if (find_target(m, call, cgroup, &path, &answer) > 0)
		return answer;
	r = policies_set(policies, path, policy, count, json_get_bool(params, "runtime", false),
			 &reason);
	if (r < 0)
		return policy_error(call, cgroup, r, reason);
	record(m, call, EVENT_POLICY_SET, path, policy, count);
	return call_reply(call, json_pack("{s:o}", "policy", policy_json(m, path,
						policies_find(policies, path))));
}

int method_clear_policy(struct call *call, json_t *params, void *userdata)
{
	struct manager *m = userdata;
	const char *cgroup = json_get_string(params, "cgroup", "");
	_cleanup_(freep) char *path = NULL;
	int r, answer;

	if (find_target(m, call, cgroup, &path, &answer) > 0)
		return answer;
	if (declared_policy(m, path))
		return policy_error(call, cgroup, -EOPNOTSUPP,
				    "a file declares it, see pinctl policy list -o +SOURCE; change or "
				    "mask that file, or set another policy in its place");
	r = policies_clear(cgroups_policies(m->cgroups), path);
	if (r == -ENOENT) {
		_cleanup_(closep) int fd = cgroupfs_open(cgroups_fs(m->cgroups), path);

		if (fd < 0)
			return reply_no_such_cgroup(call, cgroup);
		return call_error(call, MANAGER_INTERFACE ".NoSuchPolicy",
				  json_pack("{s:s}", "cgroup", cgroup));
	}
	if (r < 0)
		return policy_error(call, cgroup, r, NULL);
	record(m, call, EVENT_POLICY_CLEAR, path, 0, 0);
	return call_reply(call, json_object());
}
