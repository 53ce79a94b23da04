/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_PINCTL_BUSY_H
#define PINGUARD_PINCTL_BUSY_H

#include <jansson.h>

struct pinctl;

/**
 * format_busy() - what is in the way of memory that no long-term pin need hold
 * @busy: what Who says of it; NULL or null for nothing known
 *
 * Return: "not movable: 12M slab, 3M page tables; may not move: 2M hugetlb", to be
 * freed; NULL where nothing is in the way, or nobody knows
 */
char *format_busy(const struct pinctl *ctl, const json_t *busy);

#endif
