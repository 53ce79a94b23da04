/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>
#include <utlist.h>

#include "client/base/call.h"
#include "client/base/exit.h"
#include "client/base/options.h"
#include "client/base/output.h"
#include "client/base/pinctl.h"
#include "client/base/table.h"
#include "client/verbs/verb.h"
#include "lib/cgroup-path.h"
#include "lib/json.h"
#include "lib/log.h"

static const char status_help[] =
	"Usage: pinctl status [OPTIONS]\n"
	"\n"
	"Show what is pinned in total, and the tree of cgroups that have pins, limits or\n"
	"refused pins. Each figure takes in the cgroups below.\n"
	"\n"
	"  -j, --json            print one JSON object\n"
	"  -b, --bytes           print sizes in bytes\n"
	"  -o, --output COLUMNS  CGROUP PINNED MAX PEAK PINS DENIED; CHARGED HIGH PATH ID\n"
	"                        LOCKED REMOVED SOURCE; without CGROUP it is a list;\n"
	"                        CHARGED also where it is not PINNED, HIGH where there\n"
	"                        is one; in observe mode CGROUP PINNED LOCKED PINS\n"
	"      --list-columns    print the names of all columns\n"
	"      --no-legend       print rows only\n"
	"      --socket PATH     of the service\n"
	"  -h, --help\n";

static const struct column status_columns[] = {
	{ "CGROUP", "path", COLUMN_TREE, .shrinks = true },
	{ "PINNED", "pinned_bytes", COLUMN_SIZE },
	{ "MAX", "max_bytes", COLUMN_SIZE_MAX },
	{ "PEAK", "peak_bytes", COLUMN_SIZE },
	{ "PINS", "pins", COLUMN_NUMBER },
	{ "DENIED", "denied", COLUMN_NUMBER, .alarming = true },
	{ "CHARGED", "charged_bytes", COLUMN_SIZE, .optional = true },
	{ "HIGH", "high_bytes", COLUMN_SIZE, .optional = true },
	{ "PATH", "path", COLUMN_TEXT, .optional = true },
	{ "ID", "cgroup_id", COLUMN_TEXT, .optional = true },
	{ "LOCKED", "locked_bytes", COLUMN_SIZE, .optional = true },
	{ "REMOVED", "removed", COLUMN_BOOL, .optional = true },
	{ "SOURCE", "source", COLUMN_TEXT, .optional = true },
	{},
};

struct node {
	const json_t *cgroup;
	const char *path;
	struct node *children; /* or the roots, in the node that stands for all */
	struct node *prev, *next;
};

static bool is_patched(const json_t *kernel)
{
	return !strcmp(json_get_string(kernel, "support", ""), "patched");
}

/* On another kernel, by eBPF. */
static bool is_watched(const json_t *kernel)
{
	return !strcmp(json_get_string(kernel, "source", ""), "probe");
}

/* What fits in any terminal. */
#define LINE_COLUMNS 80

static void print_features(const json_t *kernel)
{
	const json_t *features = json_object_get(kernel, "features"), *feature;
	size_t i, column = 0;

	json_array_foreach (features, i, feature) {
		const char *name = json_string_value(feature) ?: "?";
		const char *comma = i + 1 < json_array_size(features) ? "," : "";

		if (column + strlen(name) + 2 > LINE_COLUMNS) {
			putchar('\n');
			column = 0;
		}
		column += printf("%s%s%s", column ? " " : "        ", name, comma);
	}
	if (column > 0)
		putchar('\n');
}

static void print_watched(const json_t *kernel)
{
	const json_t *watched = json_object_get(kernel, "watched"), *entry;
	const char *lead = "        Exact since ";
	char since[FORMAT_TIME_LEN];
	size_t i;

	json_array_foreach (watched, i, entry) {
		const json_t *usec = json_object_get(entry, "since_usec");

		if (!json_is_integer(usec))
			continue;
		printf("%s%s: %s\n", lead,
		       format_time(since, (uint64_t)json_integer_value(usec)),
		       json_get_string(entry, "kind", "?"));
	}
	json_array_foreach (watched, i, entry)
		if (!json_is_integer(json_object_get(entry, "since_usec")))
			printf("        Not watched: %s, %s\n", json_get_string(entry, "kind", "?"),
			       json_get_string(entry, "reason", "nobody knows why"));
	json_array_foreach (watched, i, entry) {
		const char *reason = json_get_string(entry, "before_reason", NULL);

		if (reason)
			printf("        Pins from before are not all known: %s, %s\n",
			       json_get_string(entry, "kind", "?"), reason);
	}
}

/* Kinds by what keeps their limits, where anything does. */
static void print_enforced(const json_t *kernel)
{
	static const char *const by[] = { "kernel", "lsm", "rlimit", "nothing" };
	const json_t *enforced = json_object_get(kernel, "enforced"), *entry;
	bool any = false;
	size_t i;

	json_array_foreach (enforced, i, entry)
		any |= strcmp(json_get_string(entry, "enforced_by", "nothing"), "nothing") != 0;
	for (size_t k = 0; any && k < ARRAY_SIZE(by); k++) {
		bool first = true;

		json_array_foreach (enforced, i, entry) {
			if (strcmp(json_get_string(entry, "enforced_by", "nothing"), by[k]) != 0)
				continue;
			if (first)
				printf("        Limits enforced by %s: ", by[k]);
			printf("%s%s", first ? "" : ", ", json_get_string(entry, "kind", "?"));
			first = false;
		}
		if (!first)
			putchar('\n');
	}
}

/* In one line; where all is well there is nothing to say. */
static void print_failures(const json_t *kernel)
{
	const json_t *failures = json_object_get(kernel, "failures");

	if (json_is_object(failures) &&
	    !json_is_integer(json_object_get(failures, "since_usec")))
		printf("        Not watched: memory that fails, %s\n",
		       json_get_string(failures, "reason", "nobody knows why"));
}

static void print_kernel(const json_t *kernel)
{
	const char *release = json_get_string(kernel, "release", "?");
	const char *reason = json_get_string(kernel, "reason", NULL);
	const char *no_quotas = json_get_string(kernel, "no_quotas_reason", NULL);
	bool same = reason && no_quotas && !strcmp(reason, no_quotas);

	if (is_patched(kernel)) {
		printf("Kernel: %s, counts%s pins\n", release, no_quotas ? "" : " and limits");
		print_features(kernel);
		if (reason)
			printf("        Not ready: %s.\n", reason);
	} else if (is_watched(kernel)) {
		printf("Kernel: %s, pins are watched by eBPF\n", release);
		print_watched(kernel);
		print_enforced(kernel);
		print_failures(kernel);
		if (reason)
			printf("        Not whole: %s.\n", reason);
	} else {
		printf("Kernel: %s, observe mode: %s\n", release, reason ?: "it does not count pins");
		printf("        Figures are from /proc and netlink%s.\n",
		       same ? "; quotas cannot be set" : "");
	}
	if (no_quotas && !same)
		printf("        Quotas cannot be set: %s.\n", no_quotas);
}

static void print_head(const struct pinctl *ctl, const json_t *reply)
{
	const json_t *totals = json_object_get(reply, "totals"), *entry;
	const json_t *kernel = json_object_get(reply, "kernel");
	const json_t *denied = json_object_get(totals, "denied");
	int64_t unattributed = json_get_int(totals, "unattributed_bytes", 0);
	char size[FORMAT_SIZE_LEN], pins[COUNT_LEN];
	size_t i;

	print_kernel(kernel);
	show_size(ctl, size, (uint64_t)json_get_int(totals, "pinned_bytes", 0));
	if (is_patched(kernel) || is_watched(kernel)) {
		printf("Pinned: %s in %s", size,
		       show_count(pins, json_get_int(totals, "pins", 0), "pin"));
		/* not for everyone to know */
		if (json_is_integer(denied))
			printf(", %" JSON_INTEGER_FORMAT " refused", json_integer_value(denied));
		putchar('\n');
	} else if (json_get_bool(kernel, "processes_hidden", false)) {
		printf("Pinned: unknown, at least %s in %s\n", size,
		       show_count(pins, json_get_int(totals, "pins", 0), "memory region"));
	} else {
		printf("Pinned: %s by processes (VmPin); %s listed\n", size,
		       show_count(pins, json_get_int(totals, "pins", 0), "memory region"));
	}
	if (unattributed > 0)
		printf("Not attributed: %s more %s, in no figure here\n",
		       show_size(ctl, size, (uint64_t)unattributed),
		       is_patched(kernel) || is_watched(kernel) ?
			       "that processes have pinned (VmPin)" :
			       "that is listed, of processes that have ended or of AF_XDP sockets");
	json_array_foreach (json_object_get(reply, "uncontrolled"), i, entry)
		printf("%s%s: %s\n", i == 0 ? "Cannot be limited: " : "                   ",
		       json_get_string(entry, "path", "?"), json_get_string(entry, "reason", "?"));
}

/* Parents before their children: the slash sorts before all other bytes. */
static int compare_paths(const void *a, const void *b)
{
	const unsigned char *p = (const unsigned char *)((const struct node *)a)->path;
	const unsigned char *q = (const unsigned char *)((const struct node *)b)->path;

	while (*p && *p == *q) {
		p++;
		q++;
	}
	return (*p == '/' ? 1 : *p ? *p + 1 : 0) - (*q == '/' ? 1 : *q ? *q + 1 : 0);
}

static bool is_below(const char *path, const char *above)
{
	return strcmp(path, above) != 0 && cgroup_path_is_in(path, above);
}

static int compare_nodes(const struct node *a, const struct node *b)
{
	return compare_sizes(a->cgroup, b->cgroup, "pinned_bytes") ?: strcmp(a->path, b->path);
}

static int add_rows(struct table *table, struct node *nodes, const char *above,
		    struct table_row *parent)
{
	struct node *node;

	DL_SORT(nodes, compare_nodes);
	DL_FOREACH(nodes, node) {
		const char *label = node->path;
		_cleanup_(freep) char *text = NULL;
		struct table_row *line;

		/* a child shows what it adds to its parent's path */
		if (above && strcmp(above, "/") != 0)
			label += strlen(above) + 1;
		else if (above && *label == '/')
			label++;
		if (asprintf(&text, "%s%s", label,
			     json_get_bool(node->cgroup, "removed", false) ? " (removed)" : "") < 0)
			return out_of_memory();
		line = table_add(table, node->cgroup, text, parent);
		if (!line)
			return out_of_memory();
		if (node->children && add_rows(table, node->children, node->path, line) >= 0)
			return STATUS_FAILED;
	}
	return -1;
}

/* Hangs each node below its nearest ancestor; by way of a stack, as they are sorted. */
static int build_tree(const json_t *cgroups, struct node *nodes, struct node **stack, bool flat,
		      struct node **ret_roots)
{
	struct node *roots = NULL;
	size_t i, n = 0, depth = 0;
	const json_t *cgroup;

	json_array_foreach (cgroups, i, cgroup) {
		nodes[n].cgroup = cgroup;
		nodes[n].path = json_get_string(cgroup, "path", NULL);
		if (!nodes[n++].path) {
			log_error("the service's answer has a cgroup without a path");
			return STATUS_FAILED;
		}
	}
	qsort(nodes, n, sizeof(*nodes), compare_paths);
	for (i = 0; i < n; i++) {
		struct node **list;

		while (depth > 0 && (flat || !is_below(nodes[i].path, stack[depth - 1]->path)))
			depth--;
		list = depth > 0 ? &stack[depth - 1]->children : &roots;
		DL_APPEND(*list, &nodes[i]);
		stack[depth++] = &nodes[i];
	}
	*ret_roots = roots;
	return -1;
}

static int print_cgroups(struct pinctl *ctl, struct table *table, const json_t *cgroups)
{
	size_t n = json_array_size(cgroups);
	_cleanup_(freep) struct node *nodes = calloc(n + 1, sizeof(*nodes));
	_cleanup_(freep) struct node **stack = calloc(n + 1, sizeof(*stack));
	struct node *roots = NULL;
	int r;

	if (!nodes || !stack)
		return out_of_memory();
	r = build_tree(cgroups, nodes, stack, !table_has_tree(table), &roots);
	if (r < 0)
		r = add_rows(table, roots, NULL, NULL);
	if (r >= 0)
		return r;
	if (n > 0 && !ctl->no_legend)
		putchar('\n');
	return table_print(table, "cgroups with pins or limits");
}

#define COLUMNS(charged, high) "CGROUP,PINNED," charged "MAX," high "PEAK,PINS,DENIED"

/* There are no limits to show where /proc says it all; where pins count may be elsewhere. */
static const char *usual_columns(const json_t *reply)
{
	static const char *const columns[2][2] = {
		{ NULL, COLUMNS("", "HIGH,") },
		{ COLUMNS("CHARGED,", ""), COLUMNS("CHARGED,", "HIGH,") },
	};
	bool has_charged = false, has_high = false;
	const json_t *cgroup, *charged;
	size_t i;

	if (is_watched(json_object_get(reply, "kernel")))
		return json_is_string(json_object_get(json_object_get(reply, "kernel"),
						      "no_quotas_reason")) ?
			       "CGROUP,PINNED,PINS" : "CGROUP,PINNED,MAX,PINS,DENIED";
	if (!is_patched(json_object_get(reply, "kernel")))
		return "CGROUP,PINNED,LOCKED,PINS";
	json_array_foreach (json_object_get(reply, "cgroups"), i, cgroup) {
		charged = json_object_get(cgroup, "charged_bytes");
		has_charged |= json_is_integer(charged) &&
			       json_integer_value(charged) !=
				       json_get_int(cgroup, "pinned_bytes", 0);
		has_high |= json_is_integer(json_object_get(cgroup, "high_bytes"));
	}
	return columns[has_charged][has_high];
}

static int run_status(struct pinctl *ctl, int argc, char **argv)
{
	static const char *const nullable[] = { "charged_bytes", "max_bytes", "high_bytes",
						"peak_bytes", "denied", NULL };
	static const char *const nullable_totals[] = { "denied", "unattributed_bytes",
						       NULL };
	_cleanup_(table_done) struct table table = {};
	_cleanup_json_ json_t *reply = NULL;
	json_t *cgroups, *cgroup;
	size_t i;
	int r;

	r = parse_options_only(ctl, argc, argv, NULL, NULL, NULL);
	if (r >= 0)
		return r;
	r = table_init(&table, ctl, status_columns);
	if (r >= 0)
		return r;
	r = manager_call(ctl, "GetStatus", json_object(), &reply);
	if (r != STATUS_DONE)
		return r;
	cgroups = json_object_get(reply, "cgroups");
	if (ctl->json) {
		json_array_foreach (cgroups, i, cgroup)
			fill_null(cgroup, nullable);
		fill_null(json_object_get(reply, "totals"), nullable_totals);
		return print_json(reply);
	}
	if (!ctl->columns && (ctl->columns = usual_columns(reply))) {
		table_done(&table);
		table = (struct table){};
		r = table_init(&table, ctl, status_columns);
		if (r >= 0)
			return r;
	}
	if (!ctl->no_legend)
		print_head(ctl, reply);
	return print_cgroups(ctl, &table, cgroups);
}

const struct verb verb_status = { "status", status_help, run_status };
