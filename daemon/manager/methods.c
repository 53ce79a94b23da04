/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/base/base.h"
#include "daemon/manager/answers.h"
#include "daemon/manager/idl.h"
#include "daemon/manager/methods.h"
#include "lib/json.h"

static const struct method_param list_pins_params[] = {
	{ "cgroup", PARAM_STRING, false }, { "pid", PARAM_INT, false },
	{ "kind", PARAM_STRING, false },   { "device", PARAM_STRING, false },
	{ "id", PARAM_STRING, false },	   {},
};

static const struct method_param sum_pins_params[] = {
	{ "by", PARAM_STRING, true },	 { "cgroup", PARAM_STRING, false },
	{ "pid", PARAM_INT, false },	 { "kind", PARAM_STRING, false },
	{ "device", PARAM_STRING, false }, { "id", PARAM_STRING, false },
	{},
};

static const struct method_param set_quota_params[] = {
	{ "cgroup", PARAM_STRING, true },
	{ "max_bytes", PARAM_INT, true },
	{ "high_bytes", PARAM_INT, false },
	{ "runtime", PARAM_BOOL, false },
	{},
};

static const struct method_param list_quotas_params[] = {
	{ "all", PARAM_BOOL, false },
	{},
};

/* ClearQuota, ApplyQuotas, ClearPolicy */
static const struct method_param clear_quota_params[] = {
	{ "cgroup", PARAM_STRING, true },
	{},
};

static const struct method_param drain_params[] = {
	{ "target", PARAM_STRING, true },
	{ "async", PARAM_BOOL, false },
	{ "timeout_usec", PARAM_INT, false },
	{ "dry_run", PARAM_BOOL, false },
	{},
};

static const struct method_param who_params[] = {
	{ "target", PARAM_STRING, true },
	{ "busy", PARAM_BOOL },
	{},
};

static const struct method_param classify_params[] = {
	{ "target", PARAM_STRING, true },
	{},
};

static const struct method_param set_policy_params[] = {
	{ "cgroup", PARAM_STRING, true },
	{ "policy", PARAM_STRING, true },
	{ "runtime", PARAM_BOOL, false },
	{},
};

static const struct method_param monitor_params[] = {
	{ "since_usec", PARAM_INT, false }, { "follow", PARAM_BOOL, false },
	{ "types", PARAM_STRINGS, false },  { "cgroup", PARAM_STRING, false },
	{ "pid", PARAM_INT, false },	    { "last", PARAM_INT, false },
	{},
};

static const struct method_param explain_params[] = {
	{ "cgroup", PARAM_STRING, false },
	{ "pid", PARAM_INT, false },
	{ "kind", PARAM_STRING, false },
	{},
};

static const struct method_param list_failures_params[] = {
	{ "since_usec", PARAM_INT, false },
	{},
};

static const struct method_param release_params[] = {
	{ "cgroup", PARAM_STRING, false },    { "pid", PARAM_INT, false },
	{ "kind", PARAM_STRING, false },      { "device", PARAM_STRING, false },
	{ "id", PARAM_STRING, false },	      { "async", PARAM_BOOL, false },
	{ "timeout_usec", PARAM_INT, false }, { "dry_run", PARAM_BOOL, false },
	{},
};

static const struct method_param token_params[] = {
	{ "token", PARAM_STRING, true },
	{},
};

static const struct method_param complete_params[] = {
	{ "token", PARAM_STRING, true },
	{ "result", PARAM_STRING, true },
	{ "reason", PARAM_STRING, false },
	{},
};

static const struct method methods[] = {
	{ MANAGER_INTERFACE ".GetStatus", 0, NULL, method_get_status },
	{ MANAGER_INTERFACE ".ListPins", 0, list_pins_params, method_list_pins },
	{ MANAGER_INTERFACE ".SumPins", 0, sum_pins_params, method_sum_pins },
	{ MANAGER_INTERFACE ".ListQuotas", 0, list_quotas_params, method_list_quotas },
	{ MANAGER_INTERFACE ".SetQuota", 0, set_quota_params, method_set_quota },
	{ MANAGER_INTERFACE ".ClearQuota", 0, clear_quota_params, method_clear_quota },
	{ MANAGER_INTERFACE ".ApplyQuotas", METHOD_ADMIN, clear_quota_params, method_apply_quotas },
	{ MANAGER_INTERFACE ".Release", METHOD_SUBSCRIPTION, release_params, method_release },
	{ MANAGER_INTERFACE ".FollowRelease", METHOD_SUBSCRIPTION, token_params,
	  method_follow_release },
	{ MANAGER_INTERFACE ".CancelRelease", 0, token_params, method_cancel_release },
	{ MANAGER_INTERFACE ".ListOwners", 0, NULL, method_list_owners },
	{ OWNER_INTERFACE ".Register", METHOD_MORE, NULL, method_owner_register },
	{ OWNER_INTERFACE ".Complete", 0, complete_params, method_owner_complete },
	{ MANAGER_INTERFACE ".Drain", METHOD_ADMIN, drain_params, method_drain },
	{ MANAGER_INTERFACE ".Who", METHOD_SEE_ALL, who_params, method_who },
	{ MANAGER_INTERFACE ".ListFailures", METHOD_SEE_ALL, list_failures_params,
	  method_list_failures },
	{ MANAGER_INTERFACE ".Explain", 0, explain_params, method_explain },
	{ MANAGER_INTERFACE ".Classify", METHOD_SEE_ALL, classify_params, method_classify },
	{ MANAGER_INTERFACE ".ListPolicies", 0, NULL, method_list_policies },
	{ MANAGER_INTERFACE ".SetPolicy", METHOD_ADMIN, set_policy_params, method_set_policy },
	{ MANAGER_INTERFACE ".ClearPolicy", METHOD_ADMIN, clear_quota_params, method_clear_policy },
	{ MANAGER_INTERFACE ".Monitor", METHOD_MORE | METHOD_SUBSCRIPTION, monitor_params,
	  method_monitor },
	{},
};

static const struct server_interface interfaces[] = {
	{ MANAGER_INTERFACE, idl_org_pinguard_Manager },
	{ OWNER_INTERFACE, idl_org_pinguard_Owner },
	{},
};

int methods_server_new(struct manager *m, struct server **ret)
{
	const struct server_config config = {
		.vendor = "pinguard",
		.product = "pinguard",
		.version = PACKAGE_VERSION,
		.url = PACKAGE_URL,
		.interfaces = interfaces,
		.methods = methods,
		.error_interface = MANAGER_INTERFACE,
		.admin_gid = peer_lookup_group(PEER_ADMIN_GROUP),
		.view_gid = peer_lookup_group(PEER_VIEW_GROUP),
		.userdata = m,
	};

	events_listen(m->events, monitors_wake, m);
	return server_new(m->event, &config, ret);
}
