/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_PINCTL_TABLE_H
#define PINGUARD_PINCTL_TABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct libscols_line;
struct libscols_table;
struct pinctl;

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
bool table_is_empty(const struct table *table);

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

#endif
