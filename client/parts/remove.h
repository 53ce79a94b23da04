/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_PINCTL_REMOVE_H
#define PINGUARD_PINCTL_REMOVE_H

#include <jansson.h>
#include <stdbool.h>

struct pinctl;

/* Taking memory away once nothing pins it, with the caller's rights. */

enum removal_action {
	REMOVAL_NONE,
	REMOVAL_OFFLINE, /* a memory block */
	REMOVAL_DISABLE, /* a DAX device, a namespace, a region */
};

struct removal {
	enum removal_action action;
	const char *target; /* a name that removal_check_name() took */
	const char *sysfs; /* "/sys"; libndctl and libdaxctl know no other */
};

#define REMOVAL_TEXT_MAX 240

/* --- remove.c, remove-nd.c: may block for as long as the memory is in use --- */

/* Whether the target is of the sort that the action is for; -1 or an exit status. */
int removal_check_name(const struct removal *removal);

/*
 * Whether it could be done, as far as can be told before. 0, 1 where it is done
 * already, or a negative errno and in @text, unless that stays empty, what to do.
 */
int removal_check(const struct removal *removal, char text[static REMOVAL_TEXT_MAX]);
int removal_perform(const struct removal *removal, char text[static REMOVAL_TEXT_MAX]);

int removal_disable(const char *target, bool check, char text[static REMOVAL_TEXT_MAX]);

/* --- remove-run.c: the same in a child, so that pinctl can go on --- */

/* -1 where it can be done, or an exit status; STATUS_DONE where it is done already. */
int removal_prepare(struct pinctl *ctl, const struct removal *removal);

/* @ranges: what Who said of the target, NULL where that is not known. An exit status. */
int removal_run(struct pinctl *ctl, const struct removal *removal, const json_t *ranges);

#endif
