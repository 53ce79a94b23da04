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
#include "client/parts/selector.h"
#include "client/verbs/verb.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "lib/log.h"

static const char explain_help[] =
	"Usage: pinctl explain [CGROUP | PID] [OPTIONS]\n"
	"\n"
	"Say why a pin was refused last, what can refuse one now, in the order in which\n"
	"the kernel asks, and what would raise the limit that binds first. CGROUP is a\n"
	"path or a unit, which may have ended; PID is a process. Without either it is\n"
	"about the last refusal, or else about what is started here.\n"
	"\n"
	"      --kind KIND       rdma vfio iommufd io_uring xdp vdpa udmabuf: what a pin\n"
	"                        of that kind meets\n"
	"  -j, --json            print one JSON object\n"
	"  -b, --bytes           print sizes in bytes\n"
	"      --no-legend       print no heads\n"
	"      --socket PATH     of the service\n"
	"  -h, --help\n";

static const struct column walk_columns[] = {
	{ "CHECK", "check_text", COLUMN_TEXT },
	{ "USED", "used_text", COLUMN_TEXT },
	{ "MAX", "max_text", COLUMN_TEXT },
	{ "LEFT", "left_text", COLUMN_TEXT },
	{ "STATE", "state_text", COLUMN_TEXT },
	{ "WHERE", "where_text", COLUMN_TEXT, .keeps_tail = true },
	{},
};

static const struct column kind_columns[] = {
	{ "KIND", "kind", COLUMN_TEXT },
	{ "CHECK", "check_text", COLUMN_TEXT },
	{ "USED", "used_text", COLUMN_TEXT },
	{ "MAX", "max_text", COLUMN_TEXT },
	{ "LEFT", "left_text", COLUMN_TEXT },
	{ "STATE", "state_text", COLUMN_TEXT },
	{ "WHERE", "where_text", COLUMN_TEXT, .keeps_tail = true },
	{},
};

static const struct column holder_columns[] = {
	{ "HELD", "bytes", COLUMN_SIZE },
	{ "PINS", "pins", COLUMN_NUMBER },
	{ "KIND", "kind", COLUMN_TEXT },
	{ "DEVICE", "device", COLUMN_TEXT },
	{ "PID", "pid", COLUMN_NUMBER },
	{ "COMM", "comm", COLUMN_TEXT },
	{ "CGROUP", "cgroup", COLUMN_TEXT, .keeps_tail = true },
	{},
};

#define LINE_WIDTH 80

/* Text of the service's, at most so wide; words that are longer are left whole. */
static void print_wrapped(const char *indent, const char *text)
{
	size_t at = 0;

	while (*text) {
		const size_t n = strcspn(text, " ");

		if (at > 0 && at + 1 + n > LINE_WIDTH) {
			putchar('\n');
			at = 0;
		}
		at += (size_t)printf("%s%.*s", at > 0 ? " " : indent, (int)n, text);
		text += n + (text[n] == ' ');
	}
	putchar('\n');
}

static const char *word_of(const json_t *check)
{
	static const struct {
		const char *check, *counter, *text;
	} words[] = {
		{ "rdma_objects", NULL, "rdma.max" },
		{ "dma_entries", NULL, "dma_entry_limit" },
		{ "udmabuf_size", NULL, "size_limit_mb" },
		{ "rlimit", "pinned", "MEMLOCK VmPin" },
		{ "rlimit", "locked", "MEMLOCK VmLck" },
		{ "rlimit", "user", "MEMLOCK of user" },
		{ "rlimit", NULL, "MEMLOCK" },
		{ "limit", NULL, "misc.max" },
	};
	const char *name = json_get_string(check, "check", "?");
	const char *counter = json_get_string(check, "counter", NULL);

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(words[i].check, name) &&
		    (!words[i].counter || (counter && !strcmp(words[i].counter, counter))))
			return words[i].text;
	return name;
}

static bool in_bytes(const json_t *check)
{
	const char *name = json_get_string(check, "check", "");

	return !strcmp(name, "rlimit") || !strcmp(name, "limit") || !strcmp(name, "udmabuf_size");
}

static void show_amount(const struct pinctl *ctl, const json_t *check, const char *key,
			const char *none, char buf[static FORMAT_SIZE_LEN])
{
	const json_t *value = json_object_get(check, key);

	if (!json_is_integer(value))
		snprintf(buf, FORMAT_SIZE_LEN, "%s", none);
	else if (in_bytes(check))
		(void)show_size(ctl, buf, (uint64_t)json_integer_value(value));
	else
		snprintf(buf, FORMAT_SIZE_LEN, "%" PRId64, (int64_t)json_integer_value(value));
}

/* "~4M" by what is listed, "<5" at most. */
static void show_used(const struct pinctl *ctl, const json_t *check, char buf[static 32])
{
	const char *how = json_get_string(check, "used_is", "exact");
	char amount[FORMAT_SIZE_LEN];

	show_amount(ctl, check, "used", !strcmp(how, "hidden") ? "hidden" : "?", amount);
	snprintf(buf, 32, "%s%s", !strcmp(how, "about") ? "~" : !strcmp(how, "at_most") ? "<=" : "",
		 amount);
}

static bool is_limit(const json_t *check)
{
	const char *name = json_get_string(check, "check", "");

	return strcmp(name, "policy") != 0 && strcmp(name, "revoke") != 0;
}

static const char *state_word(const json_t *check)
{
	const char *state = json_get_string(check, "state", "?");

	if (!strcmp(state, "device_memory"))
		return "device memory";
	return state;
}

/* What the tables' columns are made of. */
static void arrange(const struct pinctl *ctl, json_t *check, bool marks)
{
	const bool unlimited = !strcmp(json_get_string(check, "state", ""), "unlimited");
	const bool unknown = !strcmp(json_get_string(check, "state", ""), "unknown");
	const char *device = json_get_string(check, "device", NULL);
	const char *cgroup = json_get_string(check, "cgroup", "");
	char text[64], amount[FORMAT_SIZE_LEN], used[32];

	snprintf(text, sizeof(text), "%s%s",
		 !marks ? "" : json_get_bool(check, "first", false) ? "> " : "  ", word_of(check));
	(void)json_object_set_new(check, "check_text", json_string(text));
	show_used(ctl, check, used);
	(void)json_object_set_new(check, "used_text", json_string(is_limit(check) ? used : "-"));
	show_amount(ctl, check, "max", unknown ? "?" : "max", amount);
	(void)json_object_set_new(check, "max_text", json_string(is_limit(check) ? amount : "-"));
	show_amount(ctl, check, "left", unlimited || !is_limit(check) ? "-" : "?", amount);
	(void)json_object_set_new(check, "left_text", json_string(amount));
	(void)json_object_set_new(check, "state_text", json_string(state_word(check)));
	(void)json_object_set_new(check, "where_text",
				  device ? json_pack("s++", device, " ", cgroup) :
					   json_string(*cgroup ? cgroup : "-"));
}

/* A table of its own; -1 or an exit status. */
static int print_rows(struct pinctl *ctl, const struct column *columns, const json_t *rows)
{
	_cleanup_(table_done) struct table table = {};
	int r = table_init(&table, ctl, columns);
	const json_t *row;
	size_t i;

	if (r >= 0)
		return r;
	json_array_foreach (rows, i, row)
		if (!table_add(&table, row, NULL, NULL))
			return out_of_memory();
	r = table_print(&table, "limits");
	return r == STATUS_DONE ? -1 : r;
}

static void print_setting(const char *setting)
{
	const char *line = setting;

	while (*line) {
		const size_t n = strcspn(line, "\n");

		printf("        %.*s\n", (int)n, line);
		line += n + (line[n] == '\n');
	}
}

/* Commands are whole, however long: they are to be copied. */
static void print_remedies(const json_t *check)
{
	const json_t *remedies = json_object_get(check, "remedies"), *remedy;
	size_t i;

	json_array_foreach (remedies, i, remedy) {
		const char *command = json_get_string(remedy, "command", NULL);
		const char *setting = json_get_string(remedy, "setting", NULL);
		const char *file = json_get_string(remedy, "file", NULL);
		const char *effect = json_get_string(remedy, "effect", "");

		if (!command && !setting) {
			print_wrapped("  ", effect);
			continue;
		}
		printf("  %s, %s:\n", i == 0 ? "to let it through" : "or", effect);
		if (command)
			printf("    %s\n", command);
		if (setting && file)
			printf("    %s%s\n", command ? "and, for good, in " : "in ", file);
		if (setting)
			print_setting(setting);
	}
}

static void print_note(const json_t *check)
{
	const char *note = json_get_string(check, "note", NULL);
	char text[512];

	if (!note)
		return;
	snprintf(text, sizeof(text), "%s: %s", word_of(check), note);
	print_wrapped("  ", text);
}

/* -1 or an exit status */
static int print_holders(struct pinctl *ctl, const json_t *check)
{
	const json_t *holders = json_object_get(check, "holders");

	if (json_array_size(holders) == 0)
		return -1;
	printf("  held by, the largest first:\n");
	return print_rows(ctl, holder_columns, holders);
}

static void print_cause(const struct pinctl *ctl, const json_t *event, const json_t *check)
{
	const char *reason = json_get_string(event, "reason", "?");
	const char *cgroup = json_get_string(check, "cgroup", NULL);
	char used[32], max[FORMAT_SIZE_LEN];

	show_used(ctl, check, used);
	show_amount(ctl, check, "max", "?", max);
	if (!strcmp(reason, "rlimit"))
		printf("  by RLIMIT_MEMLOCK: %s used now (%s), %s allowed\n", used, word_of(check), max);
	else if (!strcmp(reason, "limit"))
		printf("  by misc.max: %s used, %s allowed in %s\n", used, max, cgroup ?: "?");
	else if (!strcmp(reason, "policy"))
		printf("  by the policy%s%s\n", cgroup ? " of " : "", cgroup ?: "");
	else
		printf("  by a revoke: the memory is being removed\n");
}

/* -1 or an exit status */
static int print_refusal(struct pinctl *ctl, const json_t *refusal)
{
	const json_t *event = json_object_get(refusal, "event");
	const json_t *check = json_object_get(refusal, "check"), *pin = json_object_get(event, "pin");
	const uint64_t usec = (uint64_t)json_get_int(event, "time_usec", 0);
	const uint64_t now = clock_usec(CLOCK_REALTIME);
	char time[FORMAT_TIME_LEN], age[FORMAT_SIZE_LEN], size[FORMAT_SIZE_LEN];

	printf("Refused last: %s, %s ago\n", format_time(time, usec),
	       format_span(age, now > usec ? now - usec : 0));
	printf("  %s for %s%s%s, asked by %s[%" PRId64 "]\n",
	       show_size(ctl, size, (uint64_t)json_get_int(pin, "bytes", 0)),
	       json_get_string(pin, "kind", "?"), json_get_string(pin, "device", NULL) ? " " : "",
	       json_get_string(pin, "device", ""), json_get_string(pin, "comm", "?"),
	       json_get_int(pin, "pid", 0));
	printf("  in %s\n", json_get_string(pin, "cgroup", "-"));
	print_cause(ctl, event, check);
	print_note(check);
	print_remedies(check);
	return print_holders(ctl, check);
}

static const char *capability_word(const json_t *process)
{
	const json_t *ipc_lock = json_object_get(process, "ipc_lock");
	const char *ns = json_get_string(process, "user_namespace", "unknown");

	if (!json_is_boolean(ipc_lock))
		return "CAP_IPC_LOCK unknown";
	if (!json_boolean_value(ipc_lock))
		return "no CAP_IPC_LOCK";
	return !strcmp(ns, "initial") ? "CAP_IPC_LOCK" :
	       !strcmp(ns, "other")   ? "CAP_IPC_LOCK in a user namespace of its own" :
					"CAP_IPC_LOCK, the user namespace is not known";
}

static void show_or(const struct pinctl *ctl, const json_t *object, const char *key,
		    const char *none, char buf[static FORMAT_SIZE_LEN])
{
	const json_t *value = json_object_get(object, key);

	if (json_is_integer(value))
		(void)show_size(ctl, buf, (uint64_t)json_integer_value(value));
	else
		snprintf(buf, FORMAT_SIZE_LEN, "%s", none);
}

static void print_process(const struct pinctl *ctl, const json_t *reply)
{
	const json_t *process = json_object_get(reply, "process");
	char soft[FORMAT_SIZE_LEN], hard[FORMAT_SIZE_LEN], pinned[FORMAT_SIZE_LEN],
		locked[FORMAT_SIZE_LEN];

	if (!json_is_object(process)) {
		printf("Process: %s\n", json_get_string(reply, "process_unknown", "unknown"));
	} else {
		show_or(ctl, process, "memlock_bytes", "unlimited", soft);
		show_or(ctl, process, "memlock_max_bytes", "unlimited", hard);
		show_or(ctl, process, "pinned_bytes", "?", pinned);
		show_or(ctl, process, "locked_bytes", "?", locked);
		printf("Process: %s[%" PRId64 "] of uid %" PRId64 ", %s\n",
		       json_get_string(process, "comm", "?"), json_get_int(process, "pid", 0),
		       json_get_int(process, "uid", 0), capability_word(process));
		printf("  RLIMIT_MEMLOCK %s, hard %s; VmPin %s, VmLck %s\n", soft, hard, pinned,
		       locked);
	}
	printf("  in %s\n", json_get_string(reply, "cgroup", "no cgroup that is there now"));
}

static json_t *first_of(const json_t *checks)
{
	json_t *check;
	size_t i;

	json_array_foreach (checks, i, check)
		if (json_get_bool(check, "first", false))
			return check;
	return NULL;
}

/* All that one kind meets; -1 or an exit status. */
static int print_walk(struct pinctl *ctl, const json_t *walk)
{
	json_t *checks = json_object_get(walk, "checks"), *check, *first = first_of(checks);
	size_t i;
	int r;

	printf("What refuses %s, in the kernel's order%s:\n", json_get_string(walk, "kind", "?"),
	       first ? "; > binds first" : "");
	json_array_foreach (checks, i, check)
		arrange(ctl, check, true);
	r = print_rows(ctl, walk_columns, checks);
	if (r >= 0)
		return r;
	json_array_foreach (checks, i, check)
		print_note(check);
	if (!first)
		return -1;
	print_remedies(first);
	return print_holders(ctl, first);
}

/* Where nothing binds. */
static const char *no_first(const json_t *checks)
{
	const json_t *check;
	size_t i;

	json_array_foreach (checks, i, check)
		if (!strcmp(json_get_string(check, "state", ""), "unknown"))
			return "unknown";
	return "no limit";
}

/* What binds each kind first; -1 or an exit status. */
static int print_kinds(struct pinctl *ctl, const json_t *walks)
{
	_cleanup_json_ json_t *rows = json_array();
	const json_t *walk;
	size_t i;

	json_array_foreach (walks, i, walk) {
		json_t *first = first_of(json_object_get(walk, "checks"));
		json_t *row = first ? json_copy(first) : json_object();

		if (row && first)
			arrange(ctl, row, false);
		else if (row)
			(void)json_object_set_new(row, "check_text",
						  json_string(no_first(json_object_get(walk, "checks"))));
		if (!row || json_object_set(row, "kind", json_object_get(walk, "kind")) < 0 ||
		    json_array_append_new(rows, row) < 0)
			return out_of_memory();
	}
	printf("What binds a pin first; --kind shows all that it meets:\n");
	return print_rows(ctl, kind_columns, rows);
}

static int print_reply(struct pinctl *ctl, const json_t *reply)
{
	const json_t *refusal = json_object_get(reply, "refusal");
	const json_t *walks = json_object_get(reply, "walks");
	int r = -1;

	if (json_is_object(refusal))
		r = print_refusal(ctl, refusal);
	else if (json_get_bool(reply, "refusals_known", true))
		printf("Refused last: nothing that is known of\n");
	else
		printf("Refused last: this kernel does not tell\n");
	if (r >= 0)
		return r;
	putchar('\n');
	print_process(ctl, reply);
	if (json_array_size(walks) == 0)
		return STATUS_DONE;
	putchar('\n');
	r = json_array_size(walks) == 1 ? print_walk(ctl, json_array_get(walks, 0)) :
					  print_kinds(ctl, walks);
	return r < 0 ? STATUS_DONE : r;
}

static bool is_number(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

static int handle_option(int option, const char *argument, void *userdata)
{
	return choose_pins(option, argument, userdata);
}

static int run_explain(struct pinctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "kind", required_argument, NULL, OPTION_KIND },
		{},
	};
	static const char *const nullable[] = { "refusal", "process", "process_unknown", "cgroup",
						NULL };
	_cleanup_json_ json_t *params = json_object(), *reply = NULL;
	int r;

	r = parse_options(ctl, argc, argv, options, handle_option, params);
	if (r >= 0)
		return r;
	if (ctl->columns || ctl->list_columns)
		return usage_error("explain has no columns");
	if (argc - optind > 1)
		return usage_error("too many arguments; see pinctl explain --help");
	if (argc - optind == 1)
		r = choose_pins(is_number(argv[optind]) ? OPTION_PID : OPTION_CGROUP, argv[optind],
				params);
	if (r >= 0)
		return r;
	r = manager_call(ctl, "Explain", json_incref(params), &reply);
	if (r != STATUS_DONE)
		return r;
	if (ctl->json) {
		fill_null(reply, nullable);
		return print_json(reply);
	}
	return print_reply(ctl, reply);
}

const struct verb verb_explain = { "explain", explain_help, run_explain };
