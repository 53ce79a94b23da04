/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's revokes that are under way, as its events and its list say. No
 * I/O.
 */
#ifndef PINGUARD_MODEL_REVOKE_H
#define PINGUARD_MODEL_REVOKE_H

#include <stdbool.h>
#include <stddef.h>
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "daemon/model/pin.h"
#include "lib/macros.h"

#define REVOKES_MAX 1024 /* at a time; each is a process of the kernel's that waits */

struct revoke {
	UT_hash_handle hh; /* by info.id */
	struct revoke_info info;
	bool listed;
	/* Of whoever acts on it. */
	struct revokes *revokes;
	void *holders; /* the search for who holds it; NULL when that is known */
	bool looked; /* it is known, and they are asked */
	bool failed; /* a try to ask them, as the journal says */
};

struct revokes;

/* over: it is not in the kernel's list any more, and freed after it. */
typedef void (*revoke_over)(struct revoke *revoke, void *userdata);

int revokes_new(revoke_over over, void *userdata, struct revokes **ret);
/* over() is not called. */
struct revokes *revokes_free(struct revokes *revokes);
DEFINE_CLEANUP(struct revokes *, revokes_free);
void *revokes_userdata(const struct revokes *revokes);

/* 1 and *ret where it is new, 0 where it is known; -E2BIG: too many. */
int revokes_add(struct revokes *revokes, const struct revoke_info *info, struct revoke **ret);
/* NULL where it is not known. */
struct revoke *revokes_find(struct revokes *revokes, uint64_t id);
/* Forgets it; over() is called, too. */
void revokes_remove(struct revokes *revokes, struct revoke *revoke);
/* What is not added in between is over. */
void revokes_begin_list(struct revokes *revokes);
void revokes_end_list(struct revokes *revokes);

size_t revokes_count(const struct revokes *revokes);
struct revoke *revokes_next(struct revokes *revokes, struct revoke *prev);

/*
 * How long the request that it starts may run: what is left of the kernel's
 * time, where the kernel gives up after it; UINT64_MAX where it never does,
 * or nobody knows. now_usec: CLOCK_REALTIME
 */
uint64_t revoke_usec_left(const struct revoke_info *info, uint64_t now_usec);

#endif
