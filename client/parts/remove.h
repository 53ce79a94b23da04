/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_PINCTL_REMOVE_H
#define PINGUARD_PINCTL_REMOVE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct pinctl;

/* Taking memory away once nothing pins it, with the caller's rights. */

enum removal_action {
	REMOVAL_NONE,
	REMOVAL_OFFLINE, /* a memory block, or all those of a DAX device */
	REMOVAL_DISABLE, /* a DAX device, a namespace, a region */
};

struct removal {
	enum removal_action action;
	const char *target; /* a name that removal_check_name() took */
	const char *sysfs; /* "/sys"; libndctl and libdaxctl know no other */
	const char *part; /* which one it is of how many; people need not be told of its end */
};

#define REMOVAL_TEXT_MAX 240

/* The memory of a DAX device that the system has as its own ("system-ram"), in blocks. */
struct dax_memory {
	struct dax_block {
		uint64_t number;
		bool online;
	} *blocks; /* by their numbers */
	size_t n, n_online;
};

struct request;

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

/* --- remove-dax.c: DAX devices that are system RAM --- */

/* Whether all blocks of a DAX device are meant. */
bool removal_is_dax(const struct removal *removal);

/*
 * 0; 1 where its memory is not the system's; or a negative errno, and in @text,
 * unless that stays empty, what to do.
 */
int dax_memory_read(const char *sysfs, const char *target, struct dax_memory *ret,
		    char text[static REMOVAL_TEXT_MAX]);
void dax_memory_done(struct dax_memory *memory);
/* "memory32-memory47, memory50": of those that are online, or of those that are not. */
void dax_memory_format(const struct dax_memory *memory, bool online, char *buf, size_t size);
/* removal_check() of it. */
int dax_check_offline(const struct removal *removal, char text[static REMOVAL_TEXT_MAX]);

/*
 * Takes one block offline after the other, each when the request, made for it, has
 * asked for its pins. Stops where one fails, and says what is offline then. An exit
 * status.
 */
int removal_run_dax(struct pinctl *ctl, const struct removal *removal,
		    const struct request *request);

/* --- remove-run.c: the same in a child, so that pinctl can go on --- */

/* -1 where it can be done, or an exit status; STATUS_DONE where it is done already. */
int removal_prepare(struct pinctl *ctl, const struct removal *removal);

/* @ranges: what Who said of the target, NULL where that is not known. An exit status. */
int removal_run(struct pinctl *ctl, const struct removal *removal, const json_t *ranges);

#endif
