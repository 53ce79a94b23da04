/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "daemon/base/callers.h"

#define TOKEN 1000000ULL /* in millionths; so many come in a second times the rate */

struct callers {
	struct caller *table;
	uint64_t full;
	unsigned int rate;
};

int callers_new(unsigned int burst, unsigned int rate, struct callers **ret)
{
	struct callers *callers = calloc(1, sizeof(*callers));

	if (!callers)
		return -ENOMEM;
	callers->full = burst * TOKEN;
	callers->rate = rate;
	*ret = callers;
	return 0;
}

static void forget(struct callers *callers, struct caller *caller)
{
	HASH_DEL(callers->table, caller);
	free(caller);
}

struct callers *callers_free(struct callers *callers)
{
	struct caller *caller, *next;

	if (!callers)
		return NULL;
	HASH_ITER(hh, callers->table, caller, next)
		forget(callers, caller);
	free(callers);
	return NULL;
}

struct caller *callers_find(struct callers *callers, uid_t uid)
{
	struct caller *caller;

	HASH_FIND(hh, callers->table, &uid, sizeof(uid), caller);
	return caller;
}

static void refill(const struct callers *callers, struct caller *caller, uint64_t now_usec)
{
	uint64_t passed = now_usec - caller->usec;

	caller->usec = now_usec;
	if (passed > callers->full / callers->rate)
		caller->tokens = callers->full;
	else
		caller->tokens = MIN(callers->full, caller->tokens + passed * callers->rate);
}

/* Those that have not called for long are as good as new ones. */
static void forget_quiet(struct callers *callers, uint64_t now_usec)
{
	struct caller *caller, *next;

	HASH_ITER(hh, callers->table, caller, next) {
		refill(callers, caller, now_usec);
		if (!caller->held && caller->tokens == callers->full)
			forget(callers, caller);
	}
}

int callers_get(struct callers *callers, uid_t uid, uint64_t now_usec, struct caller **ret)
{
	struct caller *caller = callers_find(callers, uid);

	if (!caller) {
		if (HASH_COUNT(callers->table) >= CALLERS_MAX)
			forget_quiet(callers, now_usec);
		if (HASH_COUNT(callers->table) >= CALLERS_MAX)
			return -EUSERS;
		caller = calloc(1, sizeof(*caller));
		if (!caller)
			return -ENOMEM;
		caller->uid = uid;
		caller->tokens = callers->full;
		caller->usec = now_usec;
		HASH_ADD(hh, callers->table, uid, sizeof(caller->uid), caller);
		if (!caller->hh.tbl) {
			free(caller);
			return -ENOMEM;
		}
	}
	*ret = caller;
	return 0;
}

int callers_admit(struct callers *callers, uid_t uid, uint64_t now_usec)
{
	struct caller *caller;
	int r = callers_get(callers, uid, now_usec, &caller);

	if (r < 0)
		return r;
	refill(callers, caller, now_usec);
	if (caller->tokens < TOKEN)
		return -EUSERS;
	caller->tokens -= TOKEN;
	return 0;
}
