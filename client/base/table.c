/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <libsmartcols.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "client/base/exit.h"
#include "client/base/output.h"
#include "client/base/pinctl.h"
#include "client/base/table.h"
#include "lib/clock.h"

#define ALARM_COLOUR "red"
#define SHRUNK_WIDTH 24 /* more than that is left to one that shrinks if there is room */

static bool is_number(enum column_type type)
{
	return type == COLUMN_NUMBER || type == COLUMN_SIZE || type == COLUMN_SIZE_MAX ||
	       type == COLUMN_AGE;
}

static int unknown_column(const struct column *columns, const char *name, size_t length)
{
	char list[512];
	size_t used = 0;

	for (; columns->name && used < sizeof(list); columns++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, " %s", columns->name);
	return usage_error("no column \"%.*s\"; there are:%s", (int)length, name, list);
}

/* Fills table->shown by a list of names such as "ID,BYTES". */
static int choose_columns(struct table *table, const char *names)
{
	for (;;) {
		const struct column *column = table->columns;
		size_t length = strcspn(names, ",");

		while (column->name && (strncasecmp(column->name, names, length) != 0 ||
					column->name[length]))
			column++;
		if (!column->name)
			return unknown_column(table->columns, names, length);
		if (table->n_shown == ARRAY_SIZE(table->shown))
			return usage_error("too many columns");
		table->shown[table->n_shown++] = column;
		if (!names[length])
			return -1;
		names += length + 1;
	}
}

int table_init(struct table *table, struct pinctl *ctl, const struct column *columns)
{
	int r;

	table->ctl = ctl;
	table->columns = columns;
	table->now_usec = clock_usec(CLOCK_REALTIME);
	if (ctl->columns) {
		r = choose_columns(table, ctl->columns);
		if (r >= 0)
			return r;
	} else {
		for (; columns->name; columns++)
			if (!columns->optional)
				table->shown[table->n_shown++] = columns;
	}
	table->scols = scols_new_table();
	if (!table->scols)
		return out_of_memory();
	/* names come escaped, and would be escaped again */
	scols_table_enable_noencoding(table->scols, 1);
	scols_table_enable_noheadings(table->scols, ctl->no_legend);
	scols_table_enable_colors(table->scols, ctl->colour);
	for (size_t i = 0; i < table->n_shown; i++) {
		const struct column *column = table->shown[i];
		int flags = (is_number(column->type) ? SCOLS_FL_RIGHT : 0) |
			    (column->type == COLUMN_TREE ? SCOLS_FL_TREE : 0) |
			    (column->shrinks ? SCOLS_FL_TRUNC : 0);

		if (!scols_table_new_column(table->scols, column->name,
					    column->shrinks ? 0.1 : 0, flags))
			return out_of_memory();
	}
	return -1;
}

void table_done(struct table *table)
{
	scols_unref_table(table->scols);
	table->scols = NULL;
}

bool table_has_tree(const struct table *table)
{
	for (size_t i = 0; i < table->n_shown; i++)
		if (table->shown[i]->type == COLUMN_TREE)
			return true;
	return false;
}

bool table_is_empty(const struct table *table)
{
	return scols_table_get_nlines(table->scols) == 0;
}

static const char *show_number(const struct table *table, const struct column *column,
			       char buf[static FORMAT_TIME_LEN], int64_t number)
{
	uint64_t usec = (uint64_t)number;

	switch (column->type) {
	case COLUMN_SIZE:
	case COLUMN_SIZE_MAX:
		return show_size(table->ctl, buf, (uint64_t)number);
	case COLUMN_AGE:
		return format_span(buf, usec < table->now_usec ? table->now_usec - usec : 0);
	case COLUMN_TIME:
		return format_time(buf, usec);
	default:
		snprintf(buf, FORMAT_TIME_LEN, "%" PRId64, number);
		return buf;
	}
}

static int set_cell(const struct table *table, struct libscols_line *line, size_t n,
		    const json_t *object, const char *label)
{
	const struct column *column = table->shown[n];
	const json_t *value = column->key ? json_object_get(object, column->key) : NULL;
	char buf[FORMAT_TIME_LEN];
	const char *text = "-";

	if (column->type == COLUMN_TREE)
		text = label;
	else if (column->type == COLUMN_BOOL)
		text = json_is_true(value) ? "yes" : "no";
	else if (json_is_string(value))
		text = json_string_value(value);
	else if (json_is_integer(value))
		text = show_number(table, column, buf, json_integer_value(value));
	else if (column->type == COLUMN_SIZE_MAX)
		text = "max";
	if (column->alarming && json_is_integer(value) && json_integer_value(value) > 0)
		scols_cell_set_color(scols_line_get_cell(line, n), ALARM_COLOUR);
	return scols_line_set_data(line, n, text);
}

struct libscols_line *table_add(struct table *table, const json_t *object, const char *label,
				struct libscols_line *parent)
{
	struct libscols_line *line = scols_table_new_line(table->scols, parent);

	for (size_t i = 0; line && i < table->n_shown; i++)
		if (set_cell(table, line, i, object, label) < 0)
			return NULL;
	return line;
}

struct row {
	const json_t *object;
	const char *key;
};

static int compare_rows(const void *a, const void *b)
{
	const struct row *p = a, *q = b;

	return compare_sizes(p->object, q->object, p->key);
}

int table_add_all(struct table *table, const json_t *array, const char *key,
		  bool (*keep)(const json_t *object))
{
	size_t n = json_array_size(array), kept = 0, i;
	_cleanup_(freep) struct row *rows = calloc(n + 1, sizeof(*rows));

	if (!rows)
		return out_of_memory();
	for (i = 0; i < n; i++) {
		rows[kept] = (struct row){ json_array_get(array, i), key };
		kept += !keep || keep(rows[kept].object);
	}
	if (key)
		qsort(rows, kept, sizeof(*rows), compare_rows);
	for (i = 0; i < kept; i++)
		if (!table_add(table, rows[i].object, NULL, NULL))
			return out_of_memory();
	return -1;
}

static size_t text_width(const char *text)
{
	size_t width = 0;

	/* close enough: one column for each character */
	for (; text && *text; text++)
		width += (*text & 0xc0) != 0x80;
	return width;
}

/* How wide a column is; with @shrink set its cells are cut down to that many. */
static size_t column_width(const struct table *table, size_t n, size_t shrink)
{
	size_t lines = scols_table_get_nlines(table->scols);
	size_t widest = text_width(table->shown[n]->name);

	for (size_t i = 0; i < lines; i++) {
		struct libscols_line *line = scols_table_get_line(table->scols, i);
		const char *text = scols_cell_get_data(scols_line_get_cell(line, n));
		size_t width = text_width(text);
		_cleanup_(freep) char *cut = NULL;

		if (shrink && width > shrink) {
			for (width++; width > shrink; width--)
				for (text++; (*text & 0xc0) == 0x80; text++)
					;
			if (asprintf(&cut, "\xe2\x80\xa6%s", text) >= 0)
				(void)scols_line_set_data(line, n, cut);
		}
		widest = MAX(widest, width);
	}
	return widest;
}

/* A path says most at its end; libsmartcols cuts there. */
static void keep_tails(struct table *table)
{
	size_t others = 0, width = scols_table_get_termwidth(table->scols), kept = SIZE_MAX;

	if (!table->ctl->terminal)
		return;
	for (size_t i = 0; i < table->n_shown; i++) {
		size_t wide = column_width(table, i, 0);

		if (table->shown[i]->keeps_tail)
			kept = i;
		else
			others += (table->shown[i]->shrinks ? MIN(wide, SHRUNK_WIDTH) : wide) + 1;
	}
	if (kept != SIZE_MAX)
		(void)column_width(table, kept, width > others + 12 ? width - others : 12);
}

int table_print(struct table *table, const char *what)
{
	/* an empty table has no rows, and no head either */
	if (table_is_empty(table)) {
		say_none(table->ctl, what);
		return STATUS_DONE;
	}
	keep_tails(table);
	return scols_print_table(table->scols) < 0 ? STATUS_FAILED : STATUS_DONE;
}
