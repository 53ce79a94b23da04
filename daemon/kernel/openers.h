/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which processes have device files open or mapped, or what is on them mounted,
 * whether they pin memory or not. Readers of /proc wait for locks of those
 * processes, and of files for whoever serves them: so a child of the service
 * looks, one for one question after the other, and is killed where it stands.
 */
#ifndef PINGUARD_KERNEL_OPENERS_H
#define PINGUARD_KERNEL_OPENERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "lib/macros.h"

#define OPENERS_NUMBERS_MAX  256 /* device files in one question */
#define OPENERS_MAX	     1024 /* processes, or mounts, in one answer; others are counted */
#define OPENERS_FILES_MAX    (128U << 10) /* of one process that are looked at; and mappings */
#define OPENERS_TIMEOUT_USEC (5 * 1000000ULL) /* for the answer, waiting for others' included */
#define OPENERS_TEXT_BYTES   (4U << 20) /* what the child may say */

/* A device file. */
struct device_number {
	dev_t number;
	bool block; /* then what is mounted from it, and files on that, count, too */
	bool shared; /* who has opened it need not hold what others have made with it */
};

struct device_numbers {
	size_t n;
	struct device_number all[OPENERS_NUMBERS_MAX]; /* further ones are left out */
};

/* --- openers-scan.c: waits, and is for the child and for tests --- */

struct openers_scan {
	int proc_fd;
	const struct device_numbers *numbers;
	size_t max, max_files; /* OPENERS_MAX, OPENERS_FILES_MAX */
	uint64_t end_usec; /* of CLOCK_MONOTONIC: nothing is looked at from then on */
	uint64_t share_usec; /* for the processes of one uid, other than root */
	/*
	 * One that uses some: {"pid":N, "comm":S, "cgroup":S|null, "how":"open"|"mapped"|
	 * "mounted", "path":S|null, "exact":B}; names are escaped; path where it is mounted,
	 * each once; exact: not by shared files alone. The reference is the callee's.
	 * Where there are more than max, those are left out whose uid has most.
	 */
	void (*found)(json_t *user, void *userdata);
	void *userdata;

	/* What comes of it. */
	size_t n, omitted;
	size_t unseen; /* processes that could not be looked at, at all or in full */
	bool late; /* end_usec came first */
	bool hidden; /* /proc does not show all processes */
};

/* 0, -ENOMEM, or an error of reading /proc itself */
int openers_scan(struct openers_scan *scan);

/* --- openers.c --- */

struct openers;
struct openers_query;

/* proc: "/proc"; outlives it */
int openers_new(sd_event *event, const char *proc, struct openers **ret);
struct openers *openers_free(struct openers *openers); /* queries have been freed before */
DEFINE_CLEANUP(struct openers *, openers_free);

/*
 * Called once, from the event loop alone.
 * @users: an array of what found() gets, good during the call
 * @unknown: NULL, or why there may be others: for people
 */
typedef void (*openers_done)(const json_t *users, const char *unknown, void *userdata);

/*
 * Copies the numbers; without any the answer comes as well. @first: before those that
 * wait without it, as an administrator's come before users'.
 */
int openers_find(struct openers *openers, const struct device_numbers *numbers, bool first,
		 openers_done done, void *userdata, struct openers_query **ret);
/* Ends it, from within done() too; NULL is fine; returns NULL. */
struct openers_query *openers_query_free(struct openers_query *query);

#endif
