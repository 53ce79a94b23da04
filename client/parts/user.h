/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_PINCTL_USER_H
#define PINGUARD_PINCTL_USER_H

#include <jansson.h>
#include <stdbool.h>

struct pinctl;

/* Who uses a device, with pins or without: the Users in what Who says. */

/* What a service does not know is null. */
void fill_users(json_t *reply);

/*
 * A table below a title of its own, with an empty line before it, and why there
 * may be others; nothing where there are none. -1 or an exit status.
 */
int print_users(struct pinctl *ctl, const json_t *reply);

/*
 * Whether @target may be @done, such as "disabled": Linux takes a device away from
 * those that have it mapped. Names them on standard error. -1 where it is known that
 * there are none, or with @force; an exit status.
 * @reply: what Who says now; NULL where it said nothing
 * @before: what Who said before owners were asked, maybe the same: those that had
 *	pins then have been told, and do not count
 */
int check_users(const char *target, const char *done, const json_t *reply, const json_t *before,
		bool force);

#endif
