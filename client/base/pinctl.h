/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_PINCTL_H
#define PINGUARD_PINCTL_H

#include <getopt.h>
#include <jansson.h>
#include <libsmartcols.h>
#include <stdbool.h>
#include <stdint.h>

#include "client/base/exit.h"
#include "client/base/output.h"
#include "lib/format.h"
#include "lib/json.h"
#include "lib/macros.h"

struct varlink_client;

/* What the options common to all verbs say, and the connection. */
struct pinctl {
	bool json, bytes, no_legend;
	bool terminal, colour; /* of stdout */
	const char *columns;
	const char *socket;
	const char *help; /* of the verb */
	struct varlink_client *client;
	int interrupt_fd;
	uint64_t connected_usec, backoff_usec; /* of manager_reconnect() */
	int output_error; /* errno of the first failure to write stdout */
};

struct verb {
	const char *name;
	const char *help;
	/* argv[0] is the verb; returns an exit status */
	int (*run)(struct pinctl *ctl, int argc, char **argv);
};

extern const struct verb verb_status, verb_pins, verb_who, verb_quota, verb_policy, verb_owners,
	verb_release, verb_drain, verb_events, verb_failures, verb_classify;

/* --- options.c --- */

/*
 * Parse the common options and those in @own, which go to @handle. With NULL for
 * @own they end at the first argument that is none. Afterwards optind is there. Returns -1 to go on, or
 * an exit status.
 */
int parse_options(struct pinctl *ctl, int argc, char **argv, const struct option *own,
		  int (*handle)(int option, const char *argument, void *userdata), void *userdata);

/* The same for verbs without arguments. */
int parse_options_only(struct pinctl *ctl, int argc, char **argv, const struct option *own,
		       int (*handle)(int option, const char *argument, void *userdata),
		       void *userdata);

/* --since; -1 or an exit status. */
int parse_since(const char *argument, uint64_t *ret_usec);

/* The name in a NULL-terminated list that @word may have been meant as, or NULL. */
const char *nearest(const char *word, const char *const *names);

/* Check the text of a CGROUP before it is sent; -1 or an exit status. */
int check_cgroup(const char *cgroup);

/* Text from the command line as a string of JSON, escaped where it is not UTF-8. */
json_t *argument_string(const char *argument);

/* --- selector.c --- */

/* --cgroup, --pid, --kind, --device and --pin: what choose_pins() adds to a json_t. */
#define SELECTOR_OPTIONS                                            \
	{ "cgroup", required_argument, NULL, OPTION_CGROUP },       \
	{ "pid", required_argument, NULL, OPTION_PID },             \
	{ "kind", required_argument, NULL, OPTION_KIND },           \
	{ "device", required_argument, NULL, OPTION_DEVICE },       \
	{ "pin", required_argument, NULL, OPTION_PIN }

enum {
	OPTION_CGROUP = 0x3000,
	OPTION_PID,
	OPTION_KIND,
	OPTION_DEVICE,
	OPTION_PIN,
};

/* -1 to go on, or an exit status; as parse_options() wants it. */
int choose_pins(int option, const char *argument, json_t *selectors);

/* Check the text of a TARGET before it is sent; -1 or an exit status. */
int check_target(const char *target);

/* --- call.c --- */

/*
 * Call a method of the manager, such as "Who"; the reference of @params is taken
 * over. Errors have been told to the user. Returns an exit status.
 */
int manager_call(struct pinctl *ctl, const char *method, json_t *params, json_t **ret_reply);

/* The same as manager_call(), but with NULL for an error that is named @expected. */
int manager_call_expecting(struct pinctl *ctl, const char *method, json_t *params,
			   const char *expected, json_t **ret_reply);

/*
 * A call of a method that streams. One of on_reply() that returns an exit status
 * other than STATUS_DONE ends it.
 */
struct stream {
	const char *method;
	json_t *params; /* the reference is taken over */
	/* For each reply: 0 is the usual time, UINT64_MAX for ever; on_reply() may change it. */
	uint64_t timeout_usec;
	/* Where the service closes the connection that is not told, but STATUS_LOST. */
	bool may_be_lost;
	int (*on_reply)(const json_t *reply, void *userdata);
	void (*on_tick)(void *userdata); /* each second of waiting; may be NULL */
	void *userdata;
};

/* An interrupt ends it with STATUS_INTERRUPTED, and leaves the connection unfit for more. */
int manager_stream(struct pinctl *ctl, struct stream *stream);

/*
 * Wait a little, longer each time that a connection does not last, and connect
 * until that succeeds. STATUS_DONE, STATUS_INTERRUPTED or an exit status.
 */
int manager_reconnect(struct pinctl *ctl, uint64_t timeout_usec);

/* From now on Ctrl-C ends what waits, not the program; -1 or an exit status. */
int watch_interrupt(struct pinctl *ctl);

/* --- table.c --- */

enum column_type {
	COLUMN_TEXT,
	COLUMN_NUMBER,
	COLUMN_SIZE,
	COLUMN_SIZE_MAX, /* null is "max" */
	COLUMN_AGE,
	COLUMN_TIME,
	COLUMN_BOOL,
	COLUMN_TREE, /* text that the caller sets, with the tree before it */
};

struct column {
	const char *name;
	const char *key; /* of the object in a row */
	enum column_type type;
	bool optional;	 /* only with -o */
	bool shrinks;	 /* to fit a terminal */
	bool keeps_tail; /* to fit a terminal, loses its begin; at most one has it */
	bool alarming;	 /* a number other than 0 is worth a colour */
};

struct table {
	struct pinctl *ctl;
	const struct column *columns; /* all there are; ends with a NULL name */
	const struct column *shown[32];
	size_t n_shown;
	struct libscols_table *scols;
	uint64_t now_usec;
};

/* Choose the columns by -o; -1 or an exit status. @table is zeroed by the caller. */
int table_init(struct table *table, struct pinctl *ctl, const struct column *columns);
void table_done(struct table *table);
bool table_has_tree(const struct table *table);

/* A row of what @object has; @label for the tree's column. NULL when out of memory. */
struct libscols_line *table_add(struct table *table, const json_t *object, const char *label,
				struct libscols_line *parent);
/* @what there is none of where it is empty, such as "pins" */
int table_print(struct table *table, const char *what);

/*
 * A row for each object of an array, the largest first by @key, which may be NULL;
 * @keep (may be NULL) says which. -1 or an exit status.
 */
int table_add_all(struct table *table, const json_t *array, const char *key,
		  bool (*keep)(const json_t *object));

/* --- list.c --- */

struct list {
	const char *method; /* without parameters */
	const char *key; /* of the array in its reply; also what say_none() calls it */
	const struct column *columns;
	const char *size_key; /* the largest come first; NULL for the order of the reply */
	const char *const *nullable;
};

/* Print it as a table or as JSON; an exit status. */
int show_list(struct pinctl *ctl, const struct list *list);

/* --- pins.c --- */

/* What a pin is, besides its id. */
#define PIN_COLUMNS                                                          \
	{ "KIND", "kind", COLUMN_TEXT },                                     \
	{ "DEVICE", "device", COLUMN_TEXT },                                 \
	{ "PID", "pid", COLUMN_NUMBER },                                     \
	{ "COMM", "comm", COLUMN_TEXT, .shrinks = true },                    \
	{ "CGROUP", "cgroup", COLUMN_TEXT, .keeps_tail = true },             \
	{ "SIZE", "bytes", COLUMN_SIZE },                                    \
	{ "AGE", "since_usec", COLUMN_AGE },                                 \
	{ "ADDRESS", "address", COLUMN_TEXT, .optional = true },             \
	{ "CHARGED", "charged_cgroup", COLUMN_TEXT, .optional = true },      \
	{ "UID", "uid", COLUMN_NUMBER, .optional = true },                   \
	{ "SINCE", "since_usec", COLUMN_TIME, .optional = true },            \
	{ "GONE", "owner_gone", COLUMN_BOOL, .optional = true },             \
	{ "RELEASING", "releasing", COLUMN_BOOL, .optional = true }

void fill_pin(json_t *pin);

#endif
