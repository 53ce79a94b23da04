/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files that have to do with failures of memory. */
#ifndef PINGUARD_TRIGGERS_FAILURES_INTERNAL_H
#define PINGUARD_TRIGGERS_FAILURES_INTERNAL_H

#include "daemon/triggers/failures-log.h"
#include "daemon/triggers/internal.h"

#define FAILURES_FILE		 "failures.json"
#define FAILURES_FILE_BYTES	 ((size_t)16 << 20)
#define FAILURES_REQUESTS_MAX	 16 /* at a time, of all that may run */
#define FAILURES_PAUSE_USEC	 (1 * 1000000ULL) /* between two lists, two writes, two tries */
#define FAILURES_TRIES		 5 /* to find out who holds a frame */

struct failing {
	const struct triggers_config *config;
	sd_event *event;
	struct failures *failures;
	int dir_fd; /* of the history; -1: it is not kept */
	bool dirty, save_failed, full, look_failed;
	uint64_t saved_usec, save_cost_usec, listed_usec; /* CLOCK_MONOTONIC */
	bool list_full; /* there was no room for all of the last list */
	bool resynced; /* the next list is one after a list of pins */
	struct failure_pace pace;
	sd_event_source *turn, *list, *save, *retry, *rest, *check;
};

/* failures-history.c: from the file, or empty where that cannot be */
int failing_open(struct failing *failing);
void failing_close(struct failing *failing);
/* The history has changed, and is written soon. */
void failing_changed(struct failing *failing);

/* failures-tell.c: to the history of events and the journal */
void failing_tell(struct failing *failing, struct failure *failure);
void failing_tell_done(struct failing *failing, struct failure *failure);

/*
 * failures-held.c: until when memory that failed is a device's, where the kernel does not
 * say it: as long as the pins that were found to hold it are there.
 */
bool failing_kernel_says(const struct failing *failing);
/* What was found: 0, 1: all that there were are gone, and it is over; or -ENOMEM. */
int failing_hold(struct failing *failing, struct failure *failure, const struct holder *pins,
		 size_t n);
/* Those of them that are there yet, into ids. */
size_t failing_still_held(const struct failing *failing, const struct failure *failure,
			  uint64_t *ids);

/* failures-check.c */
/* A pin may be gone: it is looked at soon. */
void failing_check_held(struct failing *failing);
/* The list of pins has been read. */
void failing_relisted(struct failing *failing);

/* failures-ask.c: looks at those that wait, and asks their owners; in a turn of its own. */
void failing_work(struct failing *failing);
/* Nothing more is done about it. */
void failing_drop_work(struct failing *failing, struct failure *failure);

#endif
