/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "client/base/call.h"
#include "client/base/exit.h"
#include "client/base/options.h"
#include "client/base/output.h"
#include "client/base/pinctl.h"
#include "client/base/table.h"
#include "client/parts/sums.h"
#include "lib/json.h"
#include "lib/log.h"

#define SUM_COLUMNS                                                      \
	{ "PINS", "pins", COLUMN_NUMBER },                               \
	{ "SIZE", "bytes", COLUMN_SIZE },                                \
	{ "DISTINCT", "distinct_bytes", COLUMN_SIZE },                   \
	{ "OLDEST", "oldest_usec", COLUMN_AGE },                         \
	{ "SINCE", "oldest_usec", COLUMN_TIME, .optional = true }

static const struct column process_columns[] = {
	{ "PID", "pid", COLUMN_NUMBER },
	{ "COMM", "comm", COLUMN_TEXT, .shrinks = true },
	{ "CGROUP", "cgroup", COLUMN_TEXT, .keeps_tail = true },
	SUM_COLUMNS,
	{ "UID", "uid", COLUMN_NUMBER, .optional = true },
	{},
};

static const struct column cgroup_columns[] = {
	{ "CGROUP", "cgroup", COLUMN_TEXT, .keeps_tail = true },
	SUM_COLUMNS,
	{},
};

static const struct column device_columns[] = {
	{ "DEVICE", "device", COLUMN_TEXT },
	{ "KIND", "kind", COLUMN_TEXT },
	SUM_COLUMNS,
	{},
};

static const struct column kind_columns[] = {
	{ "KIND", "kind", COLUMN_TEXT },
	SUM_COLUMNS,
	{},
};

static const char *const names[] = { "process", "cgroup", "device", "kind", NULL };
static const struct column *const columns[] = { process_columns, cgroup_columns, device_columns,
						kind_columns };

int check_by(const char *by)
{
	return check_word("way to sum up", by, names);
}

static const struct column *columns_of(const char *by)
{
	size_t i = 0;

	while (names[i + 1] && strcmp(names[i], by) != 0)
		i++;
	return columns[i];
}

void fill_sums(json_t *sums)
{
	static const char *const nullable[] = { "pid",	  "comm",	    "uid",	   "cgroup", "device",
						"kind", "distinct_bytes", "oldest_usec", NULL };
	json_t *sum;
	size_t i;

	json_array_foreach (sums, i, sum)
		fill_null(sum, nullable);
}

static int fill_table(struct table *table, const json_t *sums)
{
	const json_t *sum;
	size_t i;

	json_array_foreach (sums, i, sum)
		if (!table_add(table, sum, NULL, NULL))
			return out_of_memory();
	return -1;
}

/* What is asked for with --limit is left out without a word to programs, as of pins. */
static void say_left_out(struct pinctl *ctl, size_t cut, int64_t omitted)
{
	if (omitted > 0 && flush_output(ctl) == STATUS_DONE)
		log_notice("%lld more sums are not listed: there are too many, or their names "
			   "are too long", (long long)omitted);
	else if (cut > 0 && ctl->terminal && !ctl->no_legend && flush_output(ctl) == STATUS_DONE)
		log_notice("%zu more sums are not shown", cut);
}

int print_sums(struct pinctl *ctl, const json_t *sums, int64_t omitted)
{
	_cleanup_(table_done) struct table table = {};
	int r = table_init(&table, ctl, process_columns);

	if (r < 0)
		r = fill_table(&table, sums);
	if (r >= 0)
		return r;
	r = table_print(&table, "pins");
	if (r == STATUS_DONE)
		say_left_out(ctl, 0, omitted);
	return r;
}

static int print_chosen(const struct table *table, json_t *reply)
{
	const json_t *sums = json_object_get(reply, "sums");
	json_t *chosen = json_array();

	for (size_t i = 0; i < table->n_rows; i++)
		if (json_array_append(chosen, json_array_get(sums, table_row_index(table, i))) < 0)
			break;
	if (json_array_size(chosen) != table->n_rows || json_object_set_new(reply, "sums", chosen) < 0)
		return out_of_memory();
	return print_json(reply);
}

static int print_reply(struct pinctl *ctl, struct table *table, json_t *reply, uint64_t limit)
{
	json_t *sums = json_object_get(reply, "sums");
	size_t all;
	int r;

	r = fill_table(table, sums);
	if (r >= 0)
		return r;
	all = table->n_rows;
	table_cut(table, limit);
	if (ctl->json)
		return print_chosen(table, reply);
	r = table_print(table, "pins");
	if (r == STATUS_DONE)
		say_left_out(ctl, all - table->n_rows, json_get_int(reply, "omitted", 0));
	return r;
}

int show_sums(struct pinctl *ctl, const json_t *filter, const char *by, const char *sort,
	      uint64_t limit)
{
	_cleanup_(table_done) struct table table = {};
	_cleanup_json_ json_t *reply = NULL;
	json_t *params = json_copy((json_t *)filter);
	int r;

	if (!params || json_object_set_new(params, "by", json_string(by)) < 0)
		r = out_of_memory();
	else
		r = table_init(&table, ctl, columns_of(by));
	if (r < 0 && sort)
		r = table_sort_by(&table, sort);
	if (r >= 0) {
		json_decref(params);
		return r;
	}
	r = manager_call(ctl, "SumPins", params, &reply);
	if (r != STATUS_DONE)
		return r;
	fill_sums(json_object_get(reply, "sums"));
	return print_reply(ctl, &table, reply, limit);
}
