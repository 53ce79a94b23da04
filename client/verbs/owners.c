/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "client/base/list.h"
#include "client/base/options.h"
#include "client/base/table.h"
#include "client/verbs/verb.h"

static const char owners_help[] =
	"Usage: pinctl owners [OPTIONS]\n"
	"\n"
	"List the processes that let go of pins when they are asked to, and those that\n"
	"are being asked, the one that pins most first.\n"
	"\n"
	"  -j, --json            print one JSON object\n"
	"  -b, --bytes           print sizes in bytes\n"
	"  -o, --output COLUMNS  PID COMM CGROUP REG SIZE OPEN ASKED RELEASED REFUSED\n"
	"                        LAPSED; PINS UID SINCE AGE\n"
	"      --list-columns    print the names of all columns\n"
	"      --no-legend       print rows only\n"
	"      --socket PATH     of the service\n"
	"  -h, --help\n";

static const struct column owners_columns[] = {
	{ "PID", "pid", COLUMN_NUMBER },
	{ "COMM", "comm", COLUMN_TEXT, .shrinks = true },
	{ "CGROUP", "cgroup", COLUMN_TEXT, .keeps_tail = true },
	{ "REG", "registered", COLUMN_BOOL },
	{ "SIZE", "bytes", COLUMN_SIZE },
	{ "OPEN", "open_requests", COLUMN_NUMBER },
	{ "ASKED", "asked", COLUMN_NUMBER },
	{ "RELEASED", "released", COLUMN_NUMBER },
	{ "REFUSED", "refused", COLUMN_NUMBER },
	{ "LAPSED", "lapsed", COLUMN_NUMBER, .alarming = true },
	{ "PINS", "pins", COLUMN_NUMBER, .optional = true },
	{ "UID", "uid", COLUMN_NUMBER, .optional = true },
	{ "SINCE", "since_usec", COLUMN_TIME, .optional = true },
	{ "AGE", "since_usec", COLUMN_AGE, .optional = true },
	{},
};

static int run_owners(struct pinctl *ctl, int argc, char **argv)
{
	static const char *const nullable[] = { "cgroup", "since_usec", NULL };
	static const struct list owners = { "ListOwners", "owners", owners_columns, "bytes", nullable };
	int r = parse_options_only(ctl, argc, argv, NULL, NULL, NULL);

	return r < 0 ? show_list(ctl, &owners) : r;
}

const struct verb verb_owners = { "owners", owners_help, run_owners };
