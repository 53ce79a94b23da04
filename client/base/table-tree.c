/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows as a tree, by libsmartcols. */
#include <libsmartcols.h>

#include "client/base/exit.h"
#include "client/base/pinctl.h"
#include "client/base/table-internal.h"

static void scols_freep(struct libscols_table **scols)
{
	scols_unref_table(*scols);
}

static int add_columns(struct table *table, struct libscols_table *scols)
{
	for (size_t i = 0; i < table->n_shown; i++) {
		const struct column *column = table->shown[i];
		int flags = (table_is_number(column->type) ? SCOLS_FL_RIGHT : 0) |
			    (column->type == COLUMN_TREE ? SCOLS_FL_TREE : 0) |
			    (column->shrinks ? SCOLS_FL_TRUNC : 0);

		if (!scols_table_new_column(scols, column->name, column->shrinks ? 0.1 : 0, flags))
			return out_of_memory();
	}
	return -1;
}

/* Parents come before their children. */
static int add_line(struct table *table, struct libscols_table *scols,
		    struct libscols_line **lines, const struct table_row *row)
{
	struct libscols_line *parent = row->parent ? lines[row->parent->index] : NULL;
	struct libscols_line *line = scols_table_new_line(scols, parent);

	if (!line)
		return out_of_memory();
	lines[row->index] = line;
	for (size_t i = 0; i < table->n_shown; i++) {
		if (row->alarming & UINT32_C(1) << i)
			scols_cell_set_color(scols_line_get_cell(line, i), TABLE_ALARM_COLOUR);
		if (scols_line_set_data(line, i, row->cells[i]) < 0)
			return out_of_memory();
	}
	return -1;
}

int table_print_tree(struct table *table)
{
	_cleanup_(freep) struct libscols_line **lines = calloc(table->n_rows + 1, sizeof(*lines));
	_cleanup_(scols_freep) struct libscols_table *scols = scols_new_table();
	int r;

	if (!lines || !scols)
		return out_of_memory();
	/* names come escaped, and would be escaped again */
	scols_table_enable_noencoding(scols, 1);
	scols_table_enable_noheadings(scols, table->ctl->no_legend);
	scols_table_enable_colors(scols, table->ctl->colour);
	r = add_columns(table, scols);
	for (size_t i = 0; r < 0 && i < table->n_rows; i++)
		r = add_line(table, scols, lines, table->rows[i]);
	if (r >= 0)
		return r;
	return scols_print_table(scols) < 0 ? STATUS_FAILED : STATUS_DONE;
}
