/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "client/base/call.h"
#include "client/base/exit.h"
#include "client/base/list.h"
#include "client/base/options.h"
#include "client/base/output.h"
#include "client/base/pinctl.h"
#include "client/base/table.h"
#include "client/parts/setting.h"
#include "client/verbs/verb.h"
#include "lib/json.h"
#include "lib/log.h"

static const char policy_help[] =
	"Usage: pinctl policy [list] [OPTIONS]\n"
	"       pinctl policy set CGROUP POLICY [--runtime]\n"
	"       pinctl policy clear CGROUP\n"
	"\n"
	"List, set and clear who may pin device memory, and how memory counts that a\n"
	"process pins several times. CGROUP is a path or a unit. POLICY is for the first\n"
	"  allow                 everybody in the cgroup and below may\n"
	"  revocable             those that let go when they are asked, see pinctl owners\n"
	"  deny                  nobody; the strictest on the way to the root counts\n"
	"or for the second, and leaves the other one as it is:\n"
	"  each                  for each pin\n"
	"  once                  once, as far as it is the same memory of RDMA and VFIO;\n"
	"                        also if a cgroup above says so\n"
	"What is pinned already stays as it is.\n"
	"\n"
	"      --runtime         set: forget it at the next boot\n"
	"  -j, --json            print one JSON object\n"
	"  -o, --output COLUMNS  CGROUP POLICY EFFECTIVE COUNT RUNTIME STATE;\n"
	"                        EFFECTIVE_COUNT REASON SOURCE ID\n"
	"      --list-columns    print the names of all columns\n"
	"      --no-legend       print rows only\n"
	"      --socket PATH     of the service\n"
	"  -h, --help\n";

static const struct column policy_columns[] = {
	{ "CGROUP", "cgroup", COLUMN_TEXT, .keeps_tail = true },
	{ "POLICY", "policy", COLUMN_TEXT },
	{ "EFFECTIVE", "effective", COLUMN_TEXT },
	{ "COUNT", "count", COLUMN_TEXT },
	{ "RUNTIME", "runtime", COLUMN_BOOL },
	{ "STATE", "state", COLUMN_TEXT },
	{ "EFFECTIVE_COUNT", "effective_count", COLUMN_TEXT, .optional = true },
	{ "REASON", "reason", COLUMN_TEXT, .optional = true },
	{ "SOURCE", "source_text", COLUMN_TEXT, .optional = true },
	{ "ID", "cgroup_id", COLUMN_TEXT, .optional = true },
	{},
};

/* FILE:LINE, where a file declares it. */
static void arrange(json_t *policy)
{
	const json_t *source = json_object_get(policy, "source");

	if (json_is_object(source))
		(void)json_object_set_new(policy, "source_text", json_sprintf("%s:%lld",
				json_get_string(source, "file", "?"),
				(long long)json_get_int(source, "policy_line", 0)));
}

static int set_runtime(int option, const char *argument, void *userdata)
{
	*(bool *)userdata = true;
	return -1;
}

/* What a successful reply may still have to say. */
static void comment(const json_t *policy)
{
	const char *state = json_get_string(policy, "state", "applied");
	const char *set = json_get_string(policy, "policy", "?");
	const char *effective = json_get_string(policy, "effective", set);
	const char *count = json_get_string(policy, "count", "each");

	if (strcmp(state, "applied") != 0)
		log_warning("the policy is %s: %s", state, json_get_string(policy, "reason", "?"));
	else if (strcmp(set, effective) != 0)
		log_warning("%s is in effect: a cgroup above has this policy, and the strictest "
			    "counts; see pinctl policy list",
			    effective);
	else if (strcmp(count, json_get_string(policy, "effective_count", count)) != 0)
		log_warning("once is in effect: a cgroup above says so; see pinctl policy list");
}

static int set(struct pinctl *ctl, const char *cgroup, const char *policy, const void *userdata)
{
	static const char *const policies[] = { "allow", "revocable", "deny", "each", "once", NULL };
	const bool *runtime = userdata;
	_cleanup_json_ json_t *reply = NULL;
	int r;

	r = check_word("policy", policy, policies);
	if (r >= 0)
		return r;
	r = manager_call(ctl, "SetPolicy",
			 json_pack("{so ss sb}", "cgroup", argument_string(cgroup), "policy",
				   policy, "runtime", *runtime),
			 &reply);
	if (r != STATUS_DONE)
		return r;
	comment(json_object_get(reply, "policy"));
	return ctl->json ? print_json(reply) : STATUS_DONE;
}

static int run_policy(struct pinctl *ctl, int argc, char **argv)
{
	static const struct option options[] = { { "runtime", no_argument, NULL, 0x2000 }, {} };
	static const char *const nullable[] = { "cgroup_id", "reason", "source", NULL };
	static const struct list policies = { "ListPolicies", "policies", policy_columns, NULL,
					      nullable,	      arrange };
	static const struct setting policy = { "policy", "set CGROUP allow|revocable|deny|each|once",
					       "ClearPolicy", &policies, NULL, set };
	bool runtime = false;
	int r;

	r = parse_options(ctl, argc, argv, options, set_runtime, &runtime);
	if (r >= 0)
		return r;
	return setting_run(ctl, &policy, argc - optind, argv + optind,
			   runtime ? "--runtime" : NULL, &runtime);
}

const struct verb verb_policy = { "policy", policy_help, run_policy };
