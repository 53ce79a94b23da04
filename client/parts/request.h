/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_PINCTL_REQUEST_H
#define PINGUARD_PINCTL_REQUEST_H

#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>

struct pinctl;

/* Requests to release pins: made and followed. */

/* What a call of Release, Drain or FollowRelease is to do. */
struct request {
	const char *method;
	json_t *params;
	bool async; /* do not wait for it: print its token */
	bool dry_run;
};

/* What Release and Drain share on the command line, for request_option(). */
#define REQUEST_OPTIONS                                             \
	{ "timeout", required_argument, NULL, OPTION_TIMEOUT },     \
	{ "async", no_argument, NULL, OPTION_ASYNC },               \
	{ "dry-run", no_argument, NULL, OPTION_DRY_RUN }

#define REQUEST_OPTIONS_HELP                                                                   \
	"      --timeout SPAN    how long it may take, such as 90, 30s, 5min\n"                 \
	"      --async           print the request's token, and do not wait\n"                  \
	"      --dry-run         show who would be asked, and ask nobody\n"

#define REQUEST_OUTPUT_HELP                                                                    \
	"  -j, --json            print the request at each change, one object on a line\n"         \
	"  -b, --bytes           print sizes in bytes\n"                                           \
	"  -o, --output COLUMNS  of those that still hold pins: PID COMM CGROUP STATE\n"           \
	"                        LEFT REASON; PINS SIZE UID REG NEXT; with --dry-run, of\n"        \
	"                        all: PID COMM CGROUP FIRST STEPS PINS SIZE; UID REG\n"           \
	"      --list-columns    print the names of all columns\n"                                 \
	"      --no-legend       print rows only, and no summary\n"

enum {
	OPTION_TIMEOUT = 0x4000,
	OPTION_ASYNC,
	OPTION_DRY_RUN,
};

/* -1 to go on, or an exit status; as parse_options() wants it. */
int request_option(int option, const char *argument, struct request *request);

/* What parsed well may not go together; also checks -o. -1 or an exit status. */
int request_check(struct pinctl *ctl, const struct request *request);

/* Make a request, wait for it, and print what has come of it. An exit status. */
int request_run(struct pinctl *ctl, struct request *request);

#endif
