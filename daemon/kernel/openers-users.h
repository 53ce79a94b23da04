/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Those that were found in one scan, and which of them are told: for openers-scan.c. */
#ifndef PINGUARD_KERNEL_OPENERS_USERS_H
#define PINGUARD_KERNEL_OPENERS_USERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <uthash.h>

#include "daemon/kernel/openers.h"

/* What one uid has of the answer, and has taken of the time for it. */
struct openers_share {
	uint32_t uid;
	size_t n;
	uint64_t usec;
	UT_hash_handle hh;
};

/* A process that has it open or mapped, or where it is mounted. */
struct openers_user {
	pid_t pid;
	const char *how;
	char *mount; /* NULL for none; ours */
	bool exact;
	size_t rank; /* how many of its uid come before it */
};

struct openers_users {
	struct openers_scan *scan;
	struct openers_share *shares;
	struct openers_user *waiting; /* to be told once all are known */
	size_t n, size;
};

void openers_users_done(struct openers_users *users);

/* Of the process's uid; NULL when out of memory. */
struct openers_share *openers_share_of(struct openers_users *users, pid_t pid);

/*
 * Tell the scan's found() of it, or keep it until the end; takes its mount. The first ones
 * of each uid are told at once, since a look may be ended where it stands.
 */
int openers_users_add(struct openers_users *users, struct openers_share *share,
		      const struct openers_user *user);

/* Tell of those that wait, as many of each uid as of any other while there is room. */
int openers_users_tell(struct openers_users *users);

#endif
