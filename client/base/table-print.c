/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows one below the other. There may be tens of thousands: libsmartcols, which
 * measures each cell twice in wide characters, would take most of the time.
 */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "client/base/exit.h"
#include "client/base/output.h"
#include "client/base/pinctl.h"
#include "client/base/table-internal.h"

/* What is left to a column that is cut, if there is room: first, and in the end. */
#define SHRUNK_WIDTH 24
#define SHRUNK_MIN   4
#define TAIL_MIN     12

#define ELLIPSIS "\xe2\x80\xa6"

static size_t total_width(const struct table *table)
{
	size_t total = 0;

	for (size_t i = 0; i < table->n_shown; i++)
		total += table->width[i] + (i > 0);
	return total;
}

/* Takes from columns of one sort what is too much, as long as they are wider than @least. */
static void shrink(struct table *table, size_t screen, bool tails, size_t least)
{
	for (size_t i = 0; i < table->n_shown; i++) {
		const struct column *column = table->shown[i];
		size_t total = total_width(table);

		if (total <= screen || !(tails ? column->keeps_tail : column->shrinks) ||
		    table->width[i] <= least)
			continue;
		table->width[i] -= MIN(total - screen, table->width[i] - least);
	}
}

static void fit(struct table *table)
{
	size_t screen = screen_width(table->ctl);

	if (screen == 0)
		return;
	shrink(table, screen, false, SHRUNK_WIDTH);
	shrink(table, screen, true, TAIL_MIN);
	shrink(table, screen, false, SHRUNK_MIN);
}

/* To the next character. */
static const char *next(const char *text)
{
	do
		text++;
	while ((*text & 0xc0) == 0x80);
	return text;
}

/* A path says most at its end, other names at their begin. */
static void print_cut(const char *text, size_t width, size_t room, bool keeps_tail)
{
	const char *end = text;

	if (keeps_tail) {
		for (; width >= room; width--)
			text = next(text);
		fputs(ELLIPSIS, stdout);
		fputs(text, stdout);
		return;
	}
	for (size_t i = 0; i + 1 < room; i++)
		end = next(end);
	fwrite(text, 1, (size_t)(end - text), stdout);
	fputs(ELLIPSIS, stdout);
}

static void pad(size_t n)
{
	static const char spaces[] = "                                ";

	for (; n > 0; n -= MIN(n, sizeof(spaces) - 1))
		fwrite(spaces, 1, MIN(n, sizeof(spaces) - 1), stdout);
}

static void print_cell(const struct table *table, size_t n, const char *text, bool alarming)
{
	const struct column *column = table->shown[n];
	size_t width = table_text_width(text), room = table->width[n];
	bool right = table_is_number(column->type), last = n + 1 == table->n_shown;

	if (n > 0)
		putchar(' ');
	if (right && width < room)
		pad(room - width);
	if (alarming)
		fputs(TABLE_ALARM_BEGIN, stdout);
	if (width > room)
		print_cut(text, width, room, column->keeps_tail);
	else
		fputs(text, stdout);
	if (alarming)
		fputs(TABLE_ALARM_END, stdout);
	if (!right && !last && width < room)
		pad(room - width);
}

int table_print_flat(struct table *table)
{
	const bool colour = table->ctl->colour;
	size_t i, n;

	fit(table);
	if (!table->ctl->no_legend) {
		for (n = 0; n < table->n_shown; n++)
			print_cell(table, n, table->shown[n]->name, false);
		putchar('\n');
	}
	for (i = 0; i < table->n_rows; i++) {
		const struct table_row *row = table->rows[i];

		for (n = 0; n < table->n_shown; n++)
			print_cell(table, n, row->cells[n],
				   colour && (row->alarming & UINT32_C(1) << n));
		putchar('\n');
	}
	return flush_output(table->ctl);
}
