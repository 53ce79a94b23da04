/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests to release pins: made, followed, shown, summed up. */
#ifndef PINGUARD_PINCTL_REQUEST_H
#define PINGUARD_PINCTL_REQUEST_H

#include "client/base/pinctl.h"

#define REQUEST_COLUMNS_HELP                                                                   \
	"  -o, --output COLUMNS  of those that still hold pins: PID COMM CGROUP STATE LEFT\n"      \
	"                        REASON; PINS SIZE UID REG NEXT; with --dry-run, of all: PID COMM\n" \
	"                        CGROUP FIRST PINS SIZE; UID REG\n"

/* --- progress.c: lines on a terminal, drawn over each time --- */

struct progress {
	const struct pinctl *ctl;
	bool on; /* stderr is a terminal, and the output is for people */
	unsigned int lines; /* that are drawn */
};

void progress_init(struct progress *progress, const struct pinctl *ctl);
/* A request as it stands. */
void progress_draw(struct progress *progress, const json_t *release);
void progress_line(struct progress *progress, const char *format, ...) _printf_(2, 3);
void progress_clear(struct progress *progress);

/* --- request.c --- */

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

/* --- request-show.c --- */

/* Check -o before somebody is asked; -1 or an exit status. */
int request_check_columns(struct pinctl *ctl, bool dry_run);

/* The end of a request, or what a dry run found, for people. An exit status. */
int request_show(struct pinctl *ctl, json_t *release, bool dry_run);

#endif
