/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "client/base/call.h"
#include "client/base/exit.h"
#include "client/base/list.h"
#include "client/base/options.h"
#include "client/base/output.h"
#include "client/base/pinctl.h"
#include "client/base/table.h"
#include "client/verbs/verb.h"
#include "lib/json.h"
#include "lib/log.h"

static const char policy_help[] =
	"Usage: pinctl policy [list] [OPTIONS]\n"
	"       pinctl policy set CGROUP POLICY [--runtime]\n"
	"       pinctl policy clear CGROUP\n"
	"\n"
	"List, set and clear who may pin device memory. CGROUP is a path or a unit. POLICY is\n"
	"  allow                 everybody in the cgroup and below may\n"
	"  revocable             those that let go when they are asked, see pinctl owners\n"
	"  deny                  nobody\n"
	"The strictest on the way to the root counts. What is pinned already stays.\n"
	"\n"
	"      --runtime         set: forget it at the next boot\n"
	"  -j, --json            print one JSON object\n"
	"  -o, --output COLUMNS  CGROUP POLICY EFFECTIVE RUNTIME STATE; REASON ID\n"
	"      --no-legend       print rows only\n"
	"      --socket PATH     of the service\n"
	"  -h, --help\n";

static const struct column policy_columns[] = {
	{ "CGROUP", "cgroup", COLUMN_TEXT, .keeps_tail = true },
	{ "POLICY", "policy", COLUMN_TEXT },
	{ "EFFECTIVE", "effective", COLUMN_TEXT },
	{ "RUNTIME", "runtime", COLUMN_BOOL },
	{ "STATE", "state", COLUMN_TEXT },
	{ "REASON", "reason", COLUMN_TEXT, .optional = true },
	{ "ID", "cgroup_id", COLUMN_TEXT, .optional = true },
	{},
};

static int set_runtime(int option, const char *argument, void *userdata)
{
	*(bool *)userdata = true;
	return -1;
}

static int list(struct pinctl *ctl)
{
	static const char *const nullable[] = { "cgroup_id", "reason", NULL };
	static const struct list policies = { "ListPolicies", "policies", policy_columns, NULL,
					      nullable };

	return show_list(ctl, &policies);
}

/* What a successful reply may still have to say. */
static void comment(const json_t *policy)
{
	const char *state = json_get_string(policy, "state", "applied");
	const char *set = json_get_string(policy, "policy", "?");
	const char *effective = json_get_string(policy, "effective", set);

	if (strcmp(state, "applied") != 0)
		log_warning("the policy is %s: %s", state, json_get_string(policy, "reason", "?"));
	else if (strcmp(set, effective) != 0)
		log_warning("%s is in effect: a cgroup above has this policy, and the strictest "
			    "counts; see pinctl policy list",
			    effective);
}

static int set(struct pinctl *ctl, const char *cgroup, const char *policy, bool runtime)
{
	static const char *const policies[] = { "allow", "revocable", "deny", NULL };
	_cleanup_json_ json_t *reply = NULL;
	const char *found;
	size_t i = 0;
	int r;

	while (policies[i] && strcmp(policies[i], policy) != 0)
		i++;
	if (!policies[i]) {
		found = nearest(policy, policies);
		if (found)
			return usage_error("no policy: \"%s\"; did you mean %s?", policy, found);
		return usage_error("no policy: \"%s\"; there are allow, revocable and deny",
				   policy);
	}
	r = manager_call(ctl, "SetPolicy",
			 json_pack("{so ss sb}", "cgroup", argument_string(cgroup), "policy",
				   policy, "runtime", runtime),
			 &reply);
	if (r != STATUS_DONE)
		return r;
	comment(json_object_get(reply, "policy"));
	return ctl->json ? print_json(reply) : STATUS_DONE;
}

static int clear(struct pinctl *ctl, const char *cgroup)
{
	_cleanup_json_ json_t *reply = NULL;
	int r = manager_call(ctl, "ClearPolicy",
			     json_pack("{so}", "cgroup", argument_string(cgroup)), &reply);

	return r == STATUS_DONE && ctl->json ? print_json(reply) : r;
}

static int run_policy(struct pinctl *ctl, int argc, char **argv)
{
	static const struct option options[] = { { "runtime", no_argument, NULL, 0x2000 }, {} };
	static const char *const actions[] = { "list", "set", "clear", NULL };
	const char *action, *found;
	bool runtime = false, is_set;
	int r, n;

	r = parse_options(ctl, argc, argv, options, set_runtime, &runtime);
	if (r >= 0)
		return r;
	argv += optind;
	n = argc - optind;
	action = n > 0 ? argv[0] : "list";
	is_set = !strcmp(action, "set");
	if (runtime && !is_set)
		return usage_error("--runtime belongs to pinctl policy set");
	if (!strcmp(action, "list"))
		return n > 1 ? usage_error("policy list takes no argument: %s", argv[1]) :
			       list(ctl);
	if (is_set || !strcmp(action, "clear")) {
		if (n != (is_set ? 3 : 2))
			return usage_error("usage: pinctl policy %s",
					   is_set ? "set CGROUP allow|revocable|deny" :
						    "clear CGROUP");
		r = check_cgroup(argv[1]);
		if (r >= 0)
			return r;
		return is_set ? set(ctl, argv[1], argv[2], runtime) : clear(ctl, argv[1]);
	}
	found = nearest(action, actions);
	if (found)
		return usage_error("policy: unknown command %s; did you mean %s?", action, found);
	return usage_error("policy: unknown command %s; there are list, set and clear", action);
}

const struct verb verb_policy = { "policy", policy_help, run_policy };
