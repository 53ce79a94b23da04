/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/base/exit.h"
#include "client/base/output.h"
#include "client/base/pinctl.h"
#include "client/base/table.h"
#include "client/parts/request-show.h"
#include "lib/json.h"
#include "lib/log.h"

#define REACH_SHOWN 10 /* units and cgroups that would end as a whole, or not */

/* Those that still hold something of what was asked for. */
static const struct column left_columns[] = {
	{ "PID", "pid", COLUMN_NUMBER },
	{ "COMM", "comm", COLUMN_TEXT },
	{ "CGROUP", "cgroup", COLUMN_TEXT, .keeps_tail = true },
	{ "STATE", "state", COLUMN_TEXT },
	{ "LEFT", "bytes_left", COLUMN_SIZE },
	{ "REASON", "reason", COLUMN_TEXT, .shrinks = true },
	{ "PINS", "pins_left", COLUMN_NUMBER, .optional = true },
	{ "SIZE", "bytes", COLUMN_SIZE, .optional = true },
	{ "UID", "uid", COLUMN_NUMBER, .optional = true },
	{ "REG", "registered", COLUMN_BOOL, .optional = true },
	{ "NEXT", "next", COLUMN_TEXT, .optional = true },
	{},
};

static const struct column dry_run_columns[] = {
	{ "PID", "pid", COLUMN_NUMBER },
	{ "COMM", "comm", COLUMN_TEXT, .shrinks = true },
	{ "CGROUP", "cgroup", COLUMN_TEXT, .keeps_tail = true },
	{ "FIRST", "first_step", COLUMN_TEXT },
	{ "STEPS", "steps_text", COLUMN_TEXT, .shrinks = true },
	{ "PINS", "pins", COLUMN_NUMBER },
	{ "SIZE", "bytes", COLUMN_SIZE },
	{ "UID", "uid", COLUMN_NUMBER, .optional = true },
	{ "REG", "registered", COLUMN_BOOL, .optional = true },
	{},
};

int request_check_columns(struct pinctl *ctl, bool dry_run)
{
	_cleanup_(table_done) struct table table = {};

	return table_init(&table, ctl, dry_run ? dry_run_columns : left_columns);
}

static bool holds_pins(const json_t *owner)
{
	return json_get_int(owner, "pins_left", 0) > 0;
}

static bool is_one_of(const char *word, const char *const *words)
{
	while (*words && strcmp(*words, word) != 0)
		words++;
	return *words;
}

/* Why those that still hold pins do: numbers of owners. */
struct tally {
	int64_t refused, silent, deaf, others;
};

static struct tally count_owners(const json_t *owners)
{
	static const char *const unanswered[] = { "waiting", "asked", "reminded", NULL };
	static const char *const unasked[] = { "waiting", "lapsed", NULL };
	struct tally tally = {};
	const json_t *owner;
	size_t i;

	json_array_foreach (owners, i, owner) {
		const char *state = json_get_string(owner, "state", "");
		bool registered = json_get_bool(owner, "registered", false);

		if (!holds_pins(owner))
			continue;
		if (!strcmp(state, "refused"))
			tally.refused++;
		else if (registered && is_one_of(state, unanswered))
			tally.silent++;
		else if (!registered && is_one_of(state, unasked))
			tally.deaf++;
		else
			tally.others++;
	}
	return tally;
}

static void print_tally(const struct tally *tally)
{
	static const char *const texts[] = { "refused", "did not answer", "cannot be asked",
					     "did not let go" };
	const int64_t numbers[] = { tally->refused, tally->silent, tally->deaf, tally->others };
	const char *separator = "";

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (numbers[i] == 0)
			continue;
		printf("%s%" PRId64 " %s%s", separator, numbers[i],
		       *separator	 ? ""
		       : numbers[i] == 1 ? "process "
					 : "processes ",
		       texts[i]);
		separator = ", ";
	}
	if (*separator)
		puts(".");
}

static void print_nothing(const char *target)
{
	if (target)
		printf("No pins hold memory of %s.\n", target);
	else
		puts("No pins to release.");
}

static void print_end(const struct pinctl *ctl, const json_t *release, const struct tally *tally)
{
	int64_t bytes = json_get_int(release, "bytes", 0);
	int64_t left = json_get_int(release, "bytes_left", 0);
	int64_t pins = json_get_int(release, "pins", 0);
	int64_t pins_left = json_get_int(release, "pins_left", 0);
	const char *target = json_get_string(release, "target", NULL);
	const char *phase = json_get_string(release, "phase", "?");
	const int64_t released = bytes - MIN(left, bytes);
	char a[FORMAT_SIZE_LEN], b[FORMAT_SIZE_LEN], n[COUNT_LEN];

	if (pins == 0) {
		print_nothing(target);
		return;
	}
	if (target)
		printf("%s: ", target);
	if (!strcmp(phase, "done")) {
		printf("%s released, in %s.\n", show_size(ctl, a, (uint64_t)bytes),
		       show_count(n, pins, "pin"));
		return;
	}
	printf("%s of %s released, %s left%s.\n", show_size(ctl, a, (uint64_t)released),
	       show_size(ctl, b, (uint64_t)bytes), show_count(n, pins_left, "pin"),
	       strcmp(phase, "cancelled") ? "" : "; the request was cancelled");
	print_tally(tally);
}

/* "ask", which is no step that could come next, but comes first for those that can be. */
static void mark_first_step(json_t *owners)
{
	json_t *owner;
	size_t i;

	json_array_foreach (owners, i, owner) {
		const char *next = json_get_string(owner, "next", "give_up");

		if (json_get_bool(owner, "registered", false))
			next = "ask";
		else if (!strcmp(next, "give_up"))
			next = "none";
		(void)json_object_set_new(owner, "first_step", json_string(next));
	}
}

static const char *step_word(const json_t *step)
{
	const char *word = json_get_string(step, "step", "?");

	return strcmp(word, "stop_unit") ? word : "stop";
}

/* "stop unit a.service (refused)"; a hook is a command by its name alone. */
static void print_step(FILE *out, const json_t *step)
{
	const char *type = json_get_string(step, "acts_on", "?");

	fprintf(out, "%s%s%s %s", step_word(step), strcmp(type, "command") ? " " : "",
		strcmp(type, "command") ? type : "", json_get_string(step, "name", "?"));
}

/* In one column what each step past asking acts on. */
static void mark_steps(json_t *owners)
{
	const json_t *step;
	json_t *owner;
	size_t i, j, size;

	json_array_foreach (owners, i, owner) {
		_cleanup_(freep) char *text = NULL;
		FILE *out = open_memstream(&text, &size);

		if (!out)
			continue;
		json_array_foreach (json_object_get(owner, "steps"), j, step) {
			fputs(j > 0 ? ", " : "", out);
			print_step(out, step);
			if (json_get_string(step, "refused", NULL))
				fputs(" (refused)", out);
		}
		if (fclose(out) == 0 && *text)
			(void)json_object_set_new(owner, "steps_text", json_string(text));
	}
}

/* What is more than a process, and why it would not be done: once for all owners of it. */
static void print_reach(const json_t *owners)
{
	_cleanup_json_ json_t *said = json_object();
	const json_t *owner, *step;
	size_t i, j;

	json_array_foreach (owners, i, owner) {
		json_array_foreach (json_object_get(owner, "steps"), j, step) {
			const char *why = json_get_string(step, "refused", NULL);
			const char *name = json_get_string(step, "name", NULL);
			const char *type = json_get_string(step, "acts_on", "");

			if (!name || json_object_get(said, name) ||
			    (strcmp(type, "unit") != 0 && strcmp(type, "cgroup") != 0))
				continue;
			(void)json_object_set_new(said, name, json_true());
			if (json_object_size(said) > REACH_SHOWN)
				continue;
			if (json_object_size(said) == 1)
				putchar('\n');
			print_step(stdout, step);
			if (why)
				printf(" would be refused: %s\n", why);
			else
				puts(", with all that runs in it");
		}
	}
	if (json_object_size(said) > REACH_SHOWN)
		printf("and %zu more\n", json_object_size(said) - REACH_SHOWN);
}

static void print_dry_run(const struct pinctl *ctl, const json_t *release)
{
	int64_t pins = json_get_int(release, "pins", 0);
	const char *target = json_get_string(release, "target", NULL);
	char size[FORMAT_SIZE_LEN], n[COUNT_LEN];

	if (pins == 0)
		print_nothing(target);
	else
		printf("%s%s%s would be asked for, in %s.\n", target ?: "", target ? ": " : "",
		       show_size(ctl, size, (uint64_t)json_get_int(release, "bytes", 0)),
		       show_count(n, pins, "pin"));
}

/* Below the table: what is known of those that are not in it. */
static void say_others(struct pinctl *ctl, const json_t *release, bool dry_run)
{
	const char *key = dry_run ? "pins" : "pins_left";
	const char *size_key = dry_run ? "bytes" : "bytes_left";
	int64_t pins = json_get_int(release, key, 0), bytes = json_get_int(release, size_key, 0);
	char size[FORMAT_SIZE_LEN], count[COUNT_LEN], more[128];
	const json_t *owner;
	size_t i;

	json_array_foreach (json_object_get(release, "owners"), i, owner) {
		pins -= json_get_int(owner, key, 0);
		bytes -= json_get_int(owner, size_key, 0);
	}
	/* they hold nothing any more */
	if (pins <= 0)
		return;
	snprintf(more, sizeof(more), "; %s in %s", show_size(ctl, size, (uint64_t)MAX(bytes, 0)),
		 show_count(count, pins, "pin"));
	say_omitted(ctl, json_get_int(release, "owners_omitted", 0), more);
}

int request_show(struct pinctl *ctl, json_t *release, bool dry_run)
{
	_cleanup_(table_done) struct table table = {};
	json_t *owners = json_object_get(release, "owners");
	struct tally tally = count_owners(owners);
	int r;

	r = table_init(&table, ctl, dry_run ? dry_run_columns : left_columns);
	if (r >= 0)
		return r;
	if (dry_run) {
		mark_first_step(owners);
		mark_steps(owners);
		if (!ctl->no_legend)
			print_dry_run(ctl, release);
	} else if (!ctl->no_legend) {
		print_end(ctl, release, &tally);
	}
	r = table_add_all(&table, owners, dry_run ? "bytes" : "bytes_left",
			  dry_run ? NULL : holds_pins);
	if (r >= 0)
		return r;
	if (!table_is_empty(&table)) {
		if (!ctl->no_legend)
			putchar('\n');
		r = table_print(&table, "owners");
		if (r != STATUS_DONE)
			return r;
	}
	if (dry_run && !ctl->no_legend)
		print_reach(owners);
	say_others(ctl, release, dry_run);
	if (!dry_run && tally.deaf > 0 && flush_output(ctl) == STATUS_DONE)
		log_notice("what cannot be asked needs a release hook: "
			   "pinguard.release(5)");
	return STATUS_DONE;
}
