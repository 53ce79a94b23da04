/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of tables alone. */
#ifndef PINGUARD_PINCTL_TABLE_INTERNAL_H
#define PINGUARD_PINCTL_TABLE_INTERNAL_H

#include "client/base/table.h"

struct table_row {
	struct table_row *parent;
	size_t index; /* in the order in which they came */
	/* What it is sorted by: a number, or else text; NULL is less than any text. */
	int64_t number;
	const char *text;
	const char *source;
	uint32_t alarming; /* a bit for each cell */
	const char *cells[]; /* as many as columns are shown */
};

bool table_is_number(enum column_type type);

/* Columns that a terminal takes up for it. */
size_t table_text_width(const char *text);

/* table-print.c: rows one below the other; table-tree.c: as a tree. An exit status. */
int table_print_flat(struct table *table);
int table_print_tree(struct table *table);

#define TABLE_ALARM_COLOUR "red"
#define TABLE_ALARM_BEGIN  "\033[31m"
#define TABLE_ALARM_END	   "\033[0m"

#endif
