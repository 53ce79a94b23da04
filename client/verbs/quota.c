/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "client/base/call.h"
#include "client/base/exit.h"
#include "client/base/list.h"
#include "client/base/options.h"
#include "client/base/output.h"
#include "client/base/pinctl.h"
#include "client/base/table.h"
#include "client/parts/self.h"
#include "client/parts/setting.h"
#include "client/verbs/verb.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/parse.h"

static const char quota_help[] =
	"Usage: pinctl quota [list] [--all] [OPTIONS]\n"
	"       pinctl quota set CGROUP MAX [--high=SIZE] [--runtime]\n"
	"       pinctl quota clear CGROUP\n"
	"       pinctl quota apply --self\n"
	"\n"
	"List, set and clear the limits on pinned bytes. CGROUP is a path or a unit, MAX\n"
	"a size such as 512M, 1.5Gi or 50% of the machine's memory; max, infinity or\n"
	"unlimited is no limit, the same as clear. What is pinned already stays until its\n"
	"owners let go, which are asked to. SOURCE is the line of the file that declares\n"
	"a quota, see pinguard.quota(5); one that was set takes its place. apply is for\n"
	"a service that is about to start: the quotas of its cgroup and of those above\n"
	"it are in force then.\n"
	"\n"
	"      --high SIZE       set: ask owners for what is over SIZE, and refuse\n"
	"                        nothing below MAX\n"
	"      --runtime         set: forget it at the next boot\n"
	"      --all             list: also what files declare and no cgroup has\n"
	"      --self            apply: the cgroup of this process\n"
	"  -j, --json            print one JSON object\n"
	"  -b, --bytes           print sizes in bytes\n"
	"  -o, --output COLUMNS  CGROUP MAX HIGH EFFECTIVE CURRENT RUNTIME STATE SOURCE;\n"
	"                        ENFORCED REASON EXTERNAL EXCESS ID\n"
	"      --list-columns    print the names of all columns\n"
	"      --no-legend       print rows only\n"
	"      --socket PATH     of the service\n"
	"  -h, --help\n";

static const struct column quota_columns[] = {
	{ "CGROUP", "cgroup", COLUMN_TEXT, .keeps_tail = true },
	{ "MAX", "max_bytes", COLUMN_SIZE_MAX },
	{ "HIGH", "high_bytes", COLUMN_SIZE },
	{ "EFFECTIVE", "effective_bytes", COLUMN_SIZE_MAX },
	{ "CURRENT", "current_bytes", COLUMN_SIZE },
	{ "RUNTIME", "runtime", COLUMN_BOOL },
	{ "STATE", "state", COLUMN_TEXT },
	{ "SOURCE", "source_text", COLUMN_TEXT, .keeps_tail = true },
	{ "ENFORCED", "enforced_by", COLUMN_TEXT, .optional = true },
	{ "REASON", "reason", COLUMN_TEXT, .optional = true },
	{ "EXTERNAL", "external_bytes", COLUMN_SIZE, .optional = true },
	{ "EXCESS", "excess_bytes", COLUMN_SIZE, .optional = true },
	{ "ID", "cgroup_id", COLUMN_TEXT, .optional = true },
	{},
};

#define OTHERS_OLD_USEC UINT64_C(1000000) /* and it is worth a word */

enum {
	OPTION_RUNTIME = 0x2000,
	OPTION_HIGH,
	OPTION_ALL,
	OPTION_SELF,
};

struct quota_arguments {
	bool runtime, all, self;
	const char *high; /* NULL for none */
};

static int handle_option(int option, const char *argument, void *userdata)
{
	struct quota_arguments *arguments = userdata;

	if (option == OPTION_HIGH)
		arguments->high = argument;
	else if (option == OPTION_ALL)
		arguments->all = true;
	else if (option == OPTION_SELF)
		arguments->self = true;
	else
		arguments->runtime = true;
	return -1;
}

/* What a successful reply may still have to say. */
static void comment(const struct pinctl *ctl, const json_t *quota)
{
	int64_t current = json_get_int(quota, "current_bytes", 0);
	const char *state = json_get_string(quota, "state", "applied");
	int64_t high = json_get_int(quota, "high_bytes", INT64_MAX);
	char have[FORMAT_SIZE_LEN], max[FORMAT_SIZE_LEN];

	if (strcmp(state, "applied") != 0)
		log_warning("the quota is %s: %s", state, json_get_string(quota, "reason", "?"));
	else if (current > json_get_int(quota, "max_bytes", INT64_MAX))
		log_warning("%s are pinned already, over the new limit of %s: new pins are refused, "
			    "and owners are asked to let go",
			    show_size(ctl, have, (uint64_t)current),
			    show_size(ctl, max, (uint64_t)json_get_int(quota, "max_bytes", 0)));
	else if (current > high)
		log_warning("%s are pinned already, over the high mark of %s: owners are asked to "
			    "let go", show_size(ctl, have, (uint64_t)current),
			    show_size(ctl, max, (uint64_t)high));
}

/* MemTotal of /proc/meminfo; 0 where nobody knows. */
static uint64_t memory_bytes(void)
{
	struct sysinfo info;

	return sysinfo(&info) < 0 ? 0 : (uint64_t)info.totalram * info.mem_unit;
}

/* Memory of devices may be pinned, too: that is for people to know. */
static void comment_on_size(const struct pinctl *ctl, uint64_t bytes)
{
	char size[FORMAT_SIZE_LEN], all[FORMAT_SIZE_LEN];
	uint64_t all_bytes = memory_bytes();

	if (all_bytes && bytes != PARSE_SIZE_MAX && bytes > all_bytes)
		log_notice("%s is more than the %s of memory that this machine has",
			   show_size(ctl, size, bytes), show_size(ctl, all, all_bytes));
}

/* -1 or an exit status */
static int parse_bytes(const char *text, uint64_t *ret_bytes)
{
	const char *reason;

	if (parse_size(text, memory_bytes(), ret_bytes, &reason) < 0)
		return usage_error("not a size: \"%s\": %s", text, reason);
	return -1;
}

/* A service that is older than high marks is not asked for one without need. */
static json_t *quota_parameters(const char *cgroup, uint64_t max, uint64_t high, bool runtime)
{
	json_t *parameters = json_pack("{so sI sb}", "cgroup", argument_string(cgroup), "max_bytes",
				       (json_int_t)MIN(max, (uint64_t)INT64_MAX), "runtime",
				       runtime);

	if (high != PARSE_SIZE_MAX)
		json_object_set_new(parameters, "high_bytes", json_integer((json_int_t)high));
	return parameters;
}

static int set(struct pinctl *ctl, const char *cgroup, const char *max_text, const void *userdata)
{
	const struct quota_arguments *arguments = userdata;
	_cleanup_json_ json_t *reply = NULL;
	uint64_t max, high = PARSE_SIZE_MAX;
	int r;

	r = parse_bytes(max_text, &max);
	if (r < 0 && arguments->high)
		r = parse_bytes(arguments->high, &high);
	if (r >= 0)
		return r;
	if (high != PARSE_SIZE_MAX && high > max)
		return usage_error("the high mark of %s is above the limit of %s", arguments->high,
				   max_text);
	/* no limit is what there is without a quota */
	if (max == PARSE_SIZE_MAX && high == PARSE_SIZE_MAX)
		return setting_clear(ctl, "ClearQuota", cgroup, "NoSuchQuota");
	r = manager_call(ctl, "SetQuota",
			 quota_parameters(cgroup, max, high, arguments->runtime), &reply);
	if (r != STATUS_DONE)
		return r;
	comment_on_size(ctl, max);
	if (high != max)
		comment_on_size(ctl, high);
	comment(ctl, json_object_get(reply, "quota"));
	return ctl->json ? print_json(reply) : STATUS_DONE;
}

/* FILE:LINE of what it says first: the limit, the mark, or nothing but a policy. */
static json_t *source_text(const json_t *source)
{
	static const char *const lines[] = { "max_line", "high_line", "policy_line", "line" };
	int64_t line = 0;

	for (size_t i = 0; i < ARRAY_SIZE(lines) && line == 0; i++)
		line = json_get_int(source, lines[i], 0);
	return json_sprintf("%s:%lld", json_get_string(source, "file", "?"), (long long)line);
}

/* What others have set is the limit, where the service has set none. */
static void arrange(json_t *quota)
{
	json_t *external = json_object_get(quota, "external_bytes");
	const json_t *source = json_object_get(quota, "source");

	if (json_is_object(source))
		(void)json_object_set_new(quota, "source_text", source_text(source));
	/* in the way of what a file declares */
	if (json_is_object(source) && json_is_integer(external))
		(void)json_object_set_new(quota, "state", json_string("external"));
	if (!json_is_integer(external) || json_is_integer(json_object_get(quota, "max_bytes")) ||
	    strcmp(json_get_string(quota, "state", ""), "applied") != 0)
		return;
	(void)json_object_set(quota, "max_bytes", external);
	(void)json_object_set_new(quota, "state", json_string("external"));
}

/* Sections without a cgroup: a row for each of their patterns. */
static void add_unmatched(json_t *reply)
{
	json_t *quotas = json_object_get(reply, "quotas"), *section, *pattern;
	size_t i, j;

	json_array_foreach (json_object_get(reply, "unmatched"), i, section)
		json_array_foreach (json_object_get(section, "match"), j, pattern)
			(void)json_array_append_new(quotas, json_pack("{sO sO sO ss sO}",
				"cgroup", pattern,
				"max_bytes", json_object_get(section, "max_bytes"),
				"high_bytes", json_object_get(section, "high_bytes"),
				"state", "unmatched", "source", json_object_get(section, "source")));
}

static void comment_on_others(const json_t *reply)
{
	uint64_t now = clock_usec(CLOCK_REALTIME);
	uint64_t then = (uint64_t)json_get_int(reply, "others_usec", INT64_MAX);
	char age[FORMAT_SIZE_LEN];

	if (then < now && now - then >= OTHERS_OLD_USEC)
		log_notice("limits that others have set were looked for %s ago, newer ones are "
			   "missing", format_span(age, now - then));
	if (!json_get_bool(reply, "others_complete", true))
		log_notice("limits that others have set may be missing: there are too many cgroups "
			   "to look at all of them");
}

static int run_apply(struct pinctl *ctl, int n, const char *action,
		     const struct quota_arguments *arguments, const char *set_option)
{
	if (strcmp(action, "apply") != 0)
		return usage_error("--self belongs to pinctl quota apply");
	if (n != 1 || !arguments->self || set_option || arguments->all)
		return usage_error("usage: pinctl quota apply --self");
	return apply_own_quotas(ctl);
}

static int run_quota(struct pinctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "runtime", no_argument, NULL, OPTION_RUNTIME },
		{ "high", required_argument, NULL, OPTION_HIGH },
		{ "all", no_argument, NULL, OPTION_ALL },
		{ "self", no_argument, NULL, OPTION_SELF },
		{},
	};
	static const char *const nullable[] = { "cgroup_id",	   "max_bytes",	    "high_bytes",
						"effective_bytes", "current_bytes", "reason",
						"external_bytes",  "excess_bytes",  "source",
						NULL };
	struct list quotas = { "ListQuotas",    "quotas", quota_columns,
			       "current_bytes", nullable, arrange,
			       comment_on_others };
	const struct setting quota = { "quota", "set CGROUP MAX", "ClearQuota", &quotas,
				       ", and apply --self", set };
	struct quota_arguments arguments = {};
	const char *set_option, *action;
	int r;

	r = parse_options(ctl, argc, argv, options, handle_option, &arguments);
	if (r >= 0)
		return r;
	set_option = arguments.high ? "--high" : arguments.runtime ? "--runtime" : NULL;
	action = optind < argc ? argv[optind] : "list";
	if (!strcmp(action, "apply") || arguments.self)
		return run_apply(ctl, argc - optind, action, &arguments, set_option);
	if (arguments.all && strcmp(action, "list") != 0)
		return usage_error("--all belongs to pinctl quota list");
	if (arguments.all) {
		quotas.parameter = "all";
		quotas.extend = add_unmatched;
	}
	return setting_run(ctl, &quota, argc - optind, argv + optind, set_option, &arguments);
}

const struct verb verb_quota = { "quota", quota_help, run_quota };
