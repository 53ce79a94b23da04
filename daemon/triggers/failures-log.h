/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the journal is told of failures: in a storm some, and then how many more. */
#ifndef PINGUARD_TRIGGERS_FAILURES_LOG_H
#define PINGUARD_TRIGGERS_FAILURES_LOG_H

#include "daemon/model/model.h"

#define FAILURE_LOG_MAX	 10 /* one by one in each second */
#define FAILURE_LOG_USEC (1 * 1000000ULL)

struct failure_pace {
	uint64_t since_usec; /* of the second, CLOCK_MONOTONIC */
	unsigned int n;
	unsigned int more; /* that were not told of */
};

/* Whether one more may be told of; else it is counted. */
bool failure_pace_pass(struct failure_pace *pace, uint64_t now_usec);
/* When the second is over: how many were not told of. */
unsigned int failure_pace_rest(struct failure_pace *pace, uint64_t now_usec);

/* json: failure_to_json() */
void failure_log(const json_t *json);
void failure_log_done(const json_t *json);
void failure_log_more(unsigned int n);

#endif
