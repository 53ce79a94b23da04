/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of the manager that have to do with failures of memory. */
#ifndef PINGUARD_MANAGER_FAILURE_H
#define PINGUARD_MANAGER_FAILURE_H

#include "daemon/triggers/failures-log.h"
#include "daemon/model/failure.h"
#include "daemon/manager/manager.h"

#define FAILURES_FILE		 "failures.json"
#define FAILURES_FILE_BYTES	 ((size_t)16 << 20)
#define FAILURES_REQUESTS_MAX	 16 /* at a time, of all that may run */
#define FAILURES_PAUSE_USEC	 (1 * 1000000ULL) /* between two lists, two writes, two tries */
#define FAILURES_TRIES		 5 /* to find out who holds a frame */

struct failing {
	struct manager *m;
	struct failures *failures;
	int dir_fd; /* of the history; -1: it is not kept */
	bool dirty, save_failed, full, look_failed;
	uint64_t saved_usec, save_cost_usec, listed_usec; /* CLOCK_MONOTONIC */
	bool list_full; /* there was no room for all of the last list */
	bool resynced; /* the next list is one after a list of pins */
	struct failure_pace pace;
	sd_event_source *turn, *list, *save, *retry, *rest;
};

/* The history has changed, and is written soon. */
void failing_changed(struct failing *failing);
void failing_save(struct failing *failing);
int failing_load(struct failing *failing);

/* To the history of events and the journal. */
void failing_tell(struct failing *failing, struct failure *failure);
void failing_tell_done(struct failing *failing, struct failure *failure);

/* manager-failure-ask.c: looks at those that wait, and asks their owners; in a turn of its own. */
void failing_work(struct failing *failing);
/* Nothing more is done about it. */
void failing_drop_work(struct failing *failing, struct failure *failure);

#endif
