/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_PINCTL_TABLE_H
#define PINGUARD_PINCTL_TABLE_H

#include <jansson.h>
#include <obstack.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pinctl;
struct scan;
struct table_row;

/* Objects as rows, with the columns that -o chooses. */

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
	const char *mark_key, *mark; /* what follows the text where that key is true */
};

#define TABLE_COLUMNS_MAX 32

struct table {
	struct pinctl *ctl;
	const struct column *columns; /* all there are; ends with a NULL name */
	const struct column *shown[TABLE_COLUMNS_MAX];
	size_t n_shown;
	size_t width[TABLE_COLUMNS_MAX]; /* of what is shown */
	const struct column *sort; /* NULL for the order in which rows come */
	bool descending;
	bool keeps_source; /* for table_print_sources(): rows are not shown then */
	struct obstack memory; /* of all that follows */
	bool has_memory;
	struct table_row **rows;
	size_t n_rows, size;
	uint64_t now_usec;
};

/*
 * Choose the columns by -o, or print what there are for --list-columns; -1 or an
 * exit status. @table is zeroed by the caller.
 */
int table_init(struct table *table, struct pinctl *ctl, const struct column *columns);
void table_done(struct table *table);
bool table_has_tree(const struct table *table);
bool table_is_empty(const struct table *table);

/* Sort by @name, which is a column's, perhaps with a "-" before it; -1 or an exit status. */
int table_sort_by(struct table *table, const char *name);

/* A row of what @object has; @label for the tree's column. NULL when out of memory. */
struct table_row *table_add(struct table *table, const json_t *object, const char *label,
			    struct table_row *parent);

/* A row of the object that comes next in @scan; 0, -EBADMSG or -ENOMEM. */
int table_add_scanned(struct table *table, struct scan *scan);

/*
 * A row for each object of an array, the largest first by @key, which may be NULL;
 * @keep (may be NULL) says which. -1 or an exit status.
 */
int table_add_all(struct table *table, const json_t *array, const char *key,
		  bool (*keep)(const json_t *object));

/* Only the first so many rows, once they are sorted. */
void table_cut(struct table *table, size_t limit);

/* Which of the rows that came is the one at @n now. */
size_t table_row_index(const struct table *table, size_t n);

/* @what there is none of where it is empty, such as "pins" */
int table_print(struct table *table, const char *what);

/* The objects that rows were made of, separated by commas, each with @more in it at the end. */
void table_print_sources(struct table *table, const char *more);

#endif
