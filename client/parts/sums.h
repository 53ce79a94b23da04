/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_PINCTL_SUMS_H
#define PINGUARD_PINCTL_SUMS_H

#include <jansson.h>
#include <stdint.h>

struct pinctl;

/* Pins summed up: the Sum of the manager's interface. */

/* What --by takes; -1 or an exit status. */
int check_by(const char *by);

/*
 * Print the sums of the pins that match @filter. @sort: a column's name as
 * table_sort_by() takes it, NULL for the largest first; @limit: of rows. An exit status.
 */
int show_sums(struct pinctl *ctl, const json_t *filter, const char *by, const char *sort,
	      uint64_t limit);

/* Print an array of sums by process as a table; an exit status. */
int print_sums(struct pinctl *ctl, const json_t *sums, int64_t omitted);

/* What they do not have is null. */
void fill_sums(json_t *sums);

#endif
