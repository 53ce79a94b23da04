/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/base/call.h"
#include "client/base/exit.h"
#include "client/base/options.h"
#include "client/base/output.h"
#include "client/base/pinctl.h"
#include "client/base/table.h"
#include "client/parts/failure.h"
#include "client/parts/place.h"
#include "client/verbs/verb.h"
#include "lib/json.h"
#include "lib/log.h"

static const char failures_help[] =
	"Usage: pinctl failures [OPTIONS]\n"
	"\n"
	"List memory that failed, as far back as the service's history goes, the newest\n"
	"last.\n"
	"\n"
	"      --since TIME      -10min, 14:00, today, \"2025-01-31 14:00\", @SECONDS, now\n"
	"  -j, --json            print one JSON object\n"
	"  -o, --output COLUMNS  TIME ADDRESS CLASS DATA STATE COUNT WHERE OWNERS; ID\n"
	"                        LAST ENDED KIND ACTION RESULT NODE BLOCK REGION\n"
	"                        NAMESPACE DIMM TOKEN\n"
	"      --list-columns    print the names of all columns\n"
	"      --no-legend       print rows only\n"
	"      --socket PATH     of the service\n"
	"  -h, --help\n";

/* Of what flatten() makes of a failure. */
static const struct column failures_columns[] = {
	{ "TIME", "time_usec", COLUMN_TIME },
	{ "ADDRESS", "address", COLUMN_TEXT },
	{ "CLASS", "class", COLUMN_TEXT },
	{ "DATA", "data", COLUMN_TEXT },
	{ "STATE", "state", COLUMN_TEXT },
	{ "COUNT", "count", COLUMN_NUMBER },
	{ "WHERE", "where", COLUMN_TEXT },
	{ "OWNERS", "owner_names", COLUMN_TEXT, .shrinks = true },
	{ "ID", "id", COLUMN_NUMBER, .optional = true },
	{ "LAST", "last_usec", COLUMN_TIME, .optional = true },
	{ "ENDED", "ended_usec", COLUMN_TIME, .optional = true },
	{ "KIND", "kind", COLUMN_TEXT, .optional = true },
	{ "ACTION", "action", COLUMN_TEXT, .optional = true },
	{ "RESULT", "result", COLUMN_TEXT, .optional = true },
	{ "NODE", "node", COLUMN_NUMBER, .optional = true },
	{ "BLOCK", "memory_block", COLUMN_TEXT, .optional = true },
	{ "REGION", "region", COLUMN_TEXT, .optional = true },
	{ "NAMESPACE", "namespace", COLUMN_TEXT, .optional = true },
	{ "DIMM", "dimm_names", COLUMN_TEXT, .optional = true },
	{ "TOKEN", "token", COLUMN_TEXT, .optional = true },
	{},
};

static char *name_dimms(const json_t *place)
{
	char *text = NULL;
	const json_t *dimm;
	size_t i, size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	json_array_foreach (json_object_get(place, "dimms"), i, dimm)
		fprintf(out, "%s%s", i ? ", " : "", json_get_string(dimm, "name", "?"));
	if (fclose(out) == 0 && size > 0)
		return text;
	free(text);
	return NULL;
}

static void set_text(json_t *object, const char *key, const char *text)
{
	if (text)
		(void)json_object_set_new(object, key, json_string(text));
}

/* All that the columns are of, in one object. */
static void flatten(json_t *failure)
{
	const json_t *place = json_object_get(failure, "place");
	_cleanup_(freep) char *owners = failure_owners(failure);
	_cleanup_(freep) char *dimms = name_dimms(place);

	set_text(failure, "data", strcmp(json_get_string(failure, "kind", ""), "soft_offline") ? "lost" : "good");
	set_text(failure, "where", place_device(place));
	set_text(failure, "owner_names", owners);
	set_text(failure, "dimm_names", dimms);
	(void)json_object_update_missing(failure, (json_t *)place);
}

static void fill_failure(json_t *failure)
{
	static const char *const nullable[] = { "ended_usec", "token", NULL };
	static const char *const owner_nullable[] = { "cgroup", "device", "address", "test", NULL };
	json_t *owner;
	size_t i;

	fill_null(failure, nullable);
	fill_place(json_object_get(failure, "place"));
	json_array_foreach (json_object_get(failure, "owners"), i, owner)
		fill_null(owner, owner_nullable);
}

static void say_unseen(struct pinctl *ctl, int64_t unseen)
{
	if (unseen > 0 && flush_output(ctl) == STATUS_DONE)
		log_notice("the kernel counted %" PRId64 " more failure%s that the service did not "
			   "get to see",
			   unseen, unseen == 1 ? "" : "s");
}

static int show_failures(struct table *table, json_t *reply)
{
	json_t *failures = json_object_get(reply, "failures"), *failure;
	size_t i;
	int r;

	json_array_foreach (failures, i, failure)
		flatten(failure);
	r = table_add_all(table, failures, NULL, NULL);
	if (r >= 0)
		return r;
	r = table_print(table, "failures");
	if (r == STATUS_DONE)
		say_unseen(table->ctl, json_get_int(reply, "unseen", 0));
	return r;
}

static int parse_own(int option, const char *argument, void *userdata)
{
	return parse_since(argument, userdata);
}

static int run_failures(struct pinctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "since", required_argument, NULL, 0x2000 },
		{},
	};
	_cleanup_(table_done) struct table table = {};
	_cleanup_json_ json_t *reply = NULL;
	uint64_t since_usec = 0;
	json_t *failure;
	size_t i;
	int r;

	r = parse_options_only(ctl, argc, argv, options, parse_own, &since_usec);
	if (r < 0)
		r = table_init(&table, ctl, failures_columns);
	if (r >= 0)
		return r;
	r = manager_call(ctl, "ListFailures",
			 json_pack("{sI}", "since_usec", (json_int_t)since_usec), &reply);
	if (r != STATUS_DONE)
		return r;
	if (!ctl->json)
		return show_failures(&table, reply);
	json_array_foreach (json_object_get(reply, "failures"), i, failure)
		fill_failure(failure);
	return print_json(reply);
}

const struct verb verb_failures = { "failures", failures_help, run_failures };
