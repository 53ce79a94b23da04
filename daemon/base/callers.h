/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How often each uid may call: a bucket of tokens for each of them. */
#ifndef PINGUARD_BASE_CALLERS_H
#define PINGUARD_BASE_CALLERS_H

#include <stdint.h>
#include <sys/types.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "lib/macros.h"

#define CALLERS_MAX 4096 /* uids that are remembered; those that were quiet are forgotten */

struct callers;

struct caller {
	UT_hash_handle hh;
	uid_t uid;
	unsigned int held; /* of whatever the users count: it is not forgotten until that is 0 */
	uint64_t tokens; /* millionths */
	uint64_t usec; /* when that was so */
};

/* burst: calls at once; rate: and then so many a second */
int callers_new(unsigned int burst, unsigned int rate, struct callers **ret);
struct callers *callers_free(struct callers *callers);
DEFINE_CLEANUP(struct callers *, callers_free);

/* NULL where it is not remembered. */
struct caller *callers_find(struct callers *callers, uid_t uid);
/* -EUSERS: too many uids. now_usec: CLOCK_MONOTONIC */
int callers_get(struct callers *callers, uid_t uid, uint64_t now_usec, struct caller **ret);
/* One call: 0, or -EUSERS where this uid calls too often. */
int callers_admit(struct callers *callers, uid_t uid, uint64_t now_usec);

#endif
