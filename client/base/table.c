/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows, and what is in them. They are printed by table-print.c, and trees by
 * table-tree.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "client/base/exit.h"
#include "client/base/output.h"
#include "client/base/pinctl.h"
#include "client/base/scan.h"
#include "client/base/table-internal.h"
#include "lib/clock.h"
#include "lib/parse.h"

#define obstack_chunk_alloc malloc
#define obstack_chunk_free  free

bool table_is_number(enum column_type type)
{
	return type == COLUMN_NUMBER || type == COLUMN_SIZE || type == COLUMN_SIZE_MAX ||
	       type == COLUMN_AGE;
}

static const struct column *find_column(const struct column *columns, const char *name,
					size_t length)
{
	for (; columns->name; columns++)
		if (strncasecmp(columns->name, name, length) == 0 && !columns->name[length])
			return columns;
	return NULL;
}

static int unknown_column(const struct column *columns, const char *name, size_t length)
{
	char list[512];
	size_t used = 0;

	for (; columns->name && used < sizeof(list); columns++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, " %s", columns->name);
	return usage_error("no column \"%.*s\"; there are:%s", (int)length, name, list);
}

static void show_defaults(struct table *table)
{
	const struct column *column;

	for (column = table->columns; column->name; column++)
		if (!column->optional)
			table->shown[table->n_shown++] = column;
}

/* Fills table->shown by a list of names such as "ID,BYTES"; "+UID" adds to the usual ones. */
static int choose_columns(struct table *table, const char *names)
{
	if (*names == '+') {
		show_defaults(table);
		names++;
	}
	for (;;) {
		size_t length = strcspn(names, ",");
		const struct column *column = find_column(table->columns, names, length);

		if (!column)
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
	if (ctl->list_columns) {
		for (; columns->name; columns++)
			puts(columns->name);
		return STATUS_DONE;
	}
	if (ctl->columns) {
		r = choose_columns(table, ctl->columns);
		if (r >= 0)
			return r;
	} else {
		show_defaults(table);
	}
	for (size_t i = 0; i < table->n_shown; i++)
		table->width[i] = strlen(table->shown[i]->name);
	obstack_init(&table->memory);
	table->has_memory = true;
	return -1;
}

void table_done(struct table *table)
{
	if (table->has_memory)
		obstack_free(&table->memory, NULL);
	free(table->rows);
	*table = (struct table){};
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
	return table->n_rows == 0;
}

int table_sort_by(struct table *table, const char *name)
{
	table->descending = *name == '-';
	name += table->descending;
	table->sort = find_column(table->columns, name, strlen(name));
	return table->sort ? -1 : unknown_column(table->columns, name, strlen(name));
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

/* Columns that a terminal takes up for it: one for each character is close enough. */
size_t table_text_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += (*text & 0xc0) != 0x80;
	return width;
}

/* What one row says in most columns the row before it said as well. */
static const char *keep_text(struct table *table, size_t n, const char *text, size_t size)
{
	const char *last = table->n_rows > 0 ? table->rows[table->n_rows - 1]->cells[n] : NULL;

	if (last && strncmp(last, text, size) == 0 && !last[size])
		return last;
	last = obstack_copy0(&table->memory, text, size);
	table->width[n] = MAX(table->width[n], table_text_width(last));
	return last;
}

static const char *keep_marked(struct table *table, size_t n, const struct scan_value *value)
{
	const char *mark = table->shown[n]->mark, *text;

	obstack_grow(&table->memory, value->text, value->size);
	obstack_grow0(&table->memory, mark, strlen(mark));
	text = obstack_finish(&table->memory);
	table->width[n] = MAX(table->width[n], table_text_width(text));
	return text;
}

static void set_cell(struct table *table, struct table_row *row, size_t n,
		     const struct scan_value *value, const char *label, bool marked)
{
	const struct column *column = table->shown[n];
	char buf[FORMAT_TIME_LEN];
	const char *text = "-";

	if (column->alarming && value->type == SCAN_INTEGER && value->integer > 0)
		row->alarming |= UINT32_C(1) << n;
	if (column->type == COLUMN_TREE)
		text = label;
	else if (column->type == COLUMN_BOOL)
		text = value->type == SCAN_TRUE ? "yes" : "no";
	else if (value->type == SCAN_STRING) {
		row->cells[n] = marked ? keep_marked(table, n, value) :
					 keep_text(table, n, value->text, value->size);
		return;
	} else if (value->type == SCAN_INTEGER)
		text = show_number(table, column, buf, value->integer);
	else if (column->type == COLUMN_SIZE_MAX)
		text = "max";
	row->cells[n] = keep_text(table, n, text, strlen(text));
}

static void set_sort_key(struct table *table, struct table_row *row, const struct scan_value *value)
{
	uint64_t id;

	row->number = INT64_MIN;
	if (value->type == SCAN_INTEGER)
		row->number = table->sort->type == COLUMN_AGE ? -value->integer : value->integer;
	else if (value->type == SCAN_TRUE)
		row->number = 1;
	else if (value->type == SCAN_STRING) {
		row->text = obstack_copy0(&table->memory, value->text, value->size);
		/* ids and addresses: as numbers, from the least one on */
		if (parse_id(row->text, &id, NULL) == 0) {
			row->number = (int64_t)(id ^ (UINT64_C(1) << 63));
			row->text = NULL;
		}
	} else if (table->sort->type == COLUMN_SIZE_MAX)
		row->number = INT64_MAX;
}

/*
 * values: of the columns that are shown, and one more to be sorted by; marked: a bit
 * for each of those
 */
static struct table_row *add_row(struct table *table, const struct scan_value *values,
				 uint32_t marked, const char *label, struct table_row *parent)
{
	struct table_row *row, **rows;
	size_t size = sizeof(*row) + table->n_shown * sizeof(*row->cells);

	if (table->n_rows == table->size) {
		table->size = MAX(2 * table->size, (size_t)64);
		rows = realloc(table->rows, table->size * sizeof(*rows));
		if (!rows)
			return NULL;
		table->rows = rows;
	}
	row = obstack_alloc(&table->memory, size);
	memset(row, 0, size);
	row->parent = parent;
	row->index = table->n_rows;
	for (size_t i = 0; i < table->n_shown && !table->keeps_source; i++)
		set_cell(table, row, i, &values[i], label, marked & UINT32_C(1) << i);
	if (table->sort)
		set_sort_key(table, row, &values[table->n_shown]);
	return table->rows[table->n_rows++] = row;
}

static struct scan_value value_of(const json_t *object, const char *key)
{
	const json_t *json = key ? json_object_get(object, key) : NULL;

	switch (json ? json_typeof(json) : JSON_NULL) {
	case JSON_TRUE:
		return (struct scan_value){ .type = SCAN_TRUE };
	case JSON_FALSE:
		return (struct scan_value){ .type = SCAN_FALSE };
	case JSON_INTEGER:
		return (struct scan_value){ .type = SCAN_INTEGER,
					    .integer = json_integer_value(json) };
	case JSON_STRING:
		return (struct scan_value){ .type = SCAN_STRING, .text = json_string_value(json),
					    .size = json_string_length(json) };
	default:
		return (struct scan_value){};
	}
}

struct table_row *table_add(struct table *table, const json_t *object, const char *label,
			    struct table_row *parent)
{
	struct scan_value values[TABLE_COLUMNS_MAX + 1];
	uint32_t marked = 0;

	for (size_t i = 0; i < table->n_shown; i++) {
		values[i] = value_of(object, table->shown[i]->key);
		if (value_of(object, table->shown[i]->mark_key).type == SCAN_TRUE)
			marked |= UINT32_C(1) << i;
	}
	if (table->sort)
		values[table->n_shown] = value_of(object, table->sort->key);
	return add_row(table, values, marked, label, parent);
}

static bool is_key(const char *key, const struct scan_value *name)
{
	return key && strncmp(key, name->text, name->size) == 0 && !key[name->size];
}

int table_add_scanned(struct table *table, struct scan *scan)
{
	struct scan_value values[TABLE_COLUMNS_MAX + 1] = {}, name, value;
	struct scan ahead = *scan;
	const char *source = NULL;
	bool first = true;
	uint32_t marked = 0;
	struct table_row *row;
	int r;

	if (table->keeps_source) {
		if (scan_skip(&ahead) < 0)
			return -EBADMSG;
		source = obstack_copy0(&table->memory, scan->at, (size_t)(ahead.at - scan->at));
	}
	if (scan_enter(scan, '{') < 0)
		return -EBADMSG;
	while ((r = scan_member(scan, first, &name)) > 0) {
		first = false;
		if (scan_value(scan, &value) < 0)
			return -EBADMSG;
		for (size_t i = 0; i < table->n_shown; i++) {
			if (is_key(table->shown[i]->key, &name))
				values[i] = value;
			if (value.type == SCAN_TRUE && is_key(table->shown[i]->mark_key, &name))
				marked |= UINT32_C(1) << i;
		}
		if (table->sort && is_key(table->sort->key, &name))
			values[table->n_shown] = value;
	}
	if (r < 0)
		return r;
	row = add_row(table, values, marked, NULL, NULL);
	if (!row)
		return -ENOMEM;
	row->source = source;
	return 0;
}

struct item {
	const json_t *object;
	const char *key;
};

static int compare_items(const void *a, const void *b)
{
	const struct item *p = a, *q = b;

	return compare_sizes(p->object, q->object, p->key);
}

int table_add_all(struct table *table, const json_t *array, const char *key,
		  bool (*keep)(const json_t *object))
{
	size_t n = json_array_size(array), kept = 0, i;
	_cleanup_(freep) struct item *items = calloc(n + 1, sizeof(*items));

	if (!items)
		return out_of_memory();
	for (i = 0; i < n; i++) {
		items[kept] = (struct item){ json_array_get(array, i), key };
		kept += !keep || keep(items[kept].object);
	}
	if (key)
		qsort(items, kept, sizeof(*items), compare_items);
	for (i = 0; i < kept; i++)
		if (!table_add(table, items[i].object, NULL, NULL))
			return out_of_memory();
	return -1;
}

static int compare_rows(const void *a, const void *b, void *userdata)
{
	const struct table_row *p = *(struct table_row *const *)a, *q = *(struct table_row *const *)b;
	const struct table *table = userdata;
	int order = (p->number > q->number) - (p->number < q->number);

	if (order == 0 && (p->text || q->text))
		order = !p->text ? -1 : !q->text ? 1 : strcmp(p->text, q->text);
	if (order == 0)
		return (p->index > q->index) - (p->index < q->index);
	return table->descending ? -order : order;
}

static void sort_rows(struct table *table)
{
	if (table->sort && table->n_rows > 0)
		qsort_r(table->rows, table->n_rows, sizeof(*table->rows), compare_rows, table);
	table->sort = NULL;
}

void table_cut(struct table *table, size_t limit)
{
	sort_rows(table);
	table->n_rows = MIN(table->n_rows, limit);
}

size_t table_row_index(const struct table *table, size_t n)
{
	return table->rows[n]->index;
}

int table_print(struct table *table, const char *what)
{
	/* an empty table has no rows, and no head either */
	if (table_is_empty(table)) {
		say_none(table->ctl, what);
		return STATUS_DONE;
	}
	sort_rows(table);
	return table_has_tree(table) ? table_print_tree(table) : table_print_flat(table);
}

void table_print_sources(struct table *table, const char *more)
{
	sort_rows(table);
	for (size_t i = 0; i < table->n_rows; i++) {
		const char *source = table->rows[i]->source;

		printf("%s%.*s%s}", i > 0 ? "," : "", (int)strlen(source) - 1, source, more);
	}
}
