/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that failed: what the kernel told of it, what became of it, and which
 * of it has yet to be looked at. One entry for a frame, however often it is
 * told of. No I/O.
 */
#ifndef PINGUARD_MODEL_FAILURE_H
#define PINGUARD_MODEL_FAILURE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "daemon/model/pin.h"
#include "lib/macros.h"

#define FAILURES_MAX	    4096 /* that are remembered */
#define FAILURES_TEXT_BYTES (4U << 20) /* of all their places and owners, as JSON */
#define FAILURE_OWNERS_MAX  16 /* of one; the rest are counted */
#define FAILURE_NAMES_BYTES 4096 /* of those, but for the first */
#define FAILURE_HELD_MAX    64 /* pins of one that are followed; then it is looked at again */
#define FAILURE_LOOKS_MAX   16 /* look-ups at a time */
/* A frame that is told of again, and is still in use: its owners are asked again. */
#define FAILURE_AGAIN_USEC  (60 * 1000000ULL)
#define FAILURE_BOOT_ID_LEN 32
#define FAILURE_TOKEN_LEN   32

enum failure_state {
	FAILURE_OPEN,
	FAILURE_ISOLATED,
	FAILURE_UNPINNED, /* and not known to be isolated */
	FAILURE_UNPOISONED,
	FAILURE_GONE,
	FAILURE_UNKNOWN,
};

/* What is being done about its owners. */
enum failure_step {
	FAILURE_IDLE, /* nothing, or all that there is to do */
	FAILURE_WAITING, /* for its turn to be looked at */
	FAILURE_LOOKING, /* who holds it is being asked for */
	FAILURE_BLOCKED, /* until a request is over */
	FAILURE_STEPS,
};

struct failures;

struct failure {
	UT_hash_handle hh; /* by pfn: the last one of a frame since the machine's start */
	struct failure *prev, *next; /* all, oldest first */
	struct failure *queue_prev, *queue_next; /* in the same step */
	struct failures *failures;
	uint64_t id;
	uint64_t kernel_id; /* of the first report; good since the machine's start */
	uint64_t ended_id; /* the kernel's, of what was told to be over; 0 for none */
	bool this_boot;
	uint64_t pfn;
	uint64_t time_usec, last_usec, ended_usec; /* CLOCK_REALTIME; ended_usec 0: it has not */
	uint64_t count;
	uint32_t kind, class, result;
	bool class_guessed; /* nobody has said it */
	char action[FAILURE_ACTION_MAX];
	enum failure_state state;
	bool pending; /* the kernel has it in its list, or pins hold it */
	bool listed;
	bool done; /* its end was told */
	/* Where the kernel does not tell when it is over: the pins that held it, and more. */
	uint64_t *held;
	size_t n_held, n_held_more;

	/* For people, as JSON: see failure_set_place(). */
	char *place, *owners; /* NULL for none */
	unsigned int n_owners, owners_omitted;
	char token[FAILURE_TOKEN_LEN + 1]; /* of the request; "" for none */

	/* Of whoever acts on it. */
	enum failure_step step;
	void *holders; /* the search for who holds it; NULL for none */
	unsigned int tries; /* look-ups that went wrong */
	uint64_t seq; /* of the event to tell; 0 for none */
	bool told; /* the history and the journal have it */
	uint64_t told_usec; /* CLOCK_REALTIME, as all here */
	uint64_t asked_usec; /* 0: its owners were not looked for yet */
};

/* boot_id: of this start of the machine; "" where it is not known, which is like no other */
int failures_new(const char *boot_id, void *userdata, struct failures **ret);
struct failures *failures_free(struct failures *failures);
DEFINE_CLEANUP(struct failures *, failures_free);
void *failures_userdata(const struct failures *failures);

/*
 * An event. *ret is the frame's entry. 1: it is new, 2: it was known, and
 * counted; 0: this very report was seen in a list before; -ENOSPC: all that are
 * remembered are open: it counts as unseen; -EALREADY: it was told before the
 * service's start, and is as it was. What is to be looked at waits
 * when this returns. now_usec: CLOCK_REALTIME
 */
int failures_add(struct failures *failures, const struct failure_info *info, uint64_t now_usec,
		 struct failure **ret);
/*
 * The kernel says that it is over, once for each. 1 and the entry; 0: it is not
 * known, or that was known.
 */
int failures_done(struct failures *failures, const struct failure_info *info, uint64_t now_usec,
		  struct failure **ret);

/*
 * The kernel's list of what is in use yet. Listing: 1 where that is news, else
 * 0, or -ENOSPC. With failures_end_list() what was in the list before, or
 * was held by pins, and is not in it now, is unpinned: its end was missed.
 * ended() is called for each.
 */
void failures_begin_list(struct failures *failures);
int failures_list(struct failures *failures, const struct failure_info *info, uint64_t now_usec,
		  struct failure **ret);
void failures_end_list(struct failures *failures, uint64_t now_usec,
		       void (*ended)(struct failure *failure, void *userdata), void *userdata);

/*
 * Where the kernel does not say when it is over: the pins that are known to hold it, as
 * somebody looked. While there are any it is open; 1: those that there were are gone,
 * and it is unpinned. 0 or -ENOMEM
 */
int failure_set_held(struct failure *failure, const uint64_t *pins, size_t n, uint64_t now_usec);

/* The kernel's count of failures, when it was asked; 0 for none. */
void failures_counted(struct failures *failures, uint64_t n);
/* So many did not come, or could not be kept. */
uint64_t failures_unseen(const struct failures *failures);

struct failure *failures_find(struct failures *failures, uint64_t pfn); /* since the start */
struct failure *failures_next(struct failures *failures, struct failure *prev);
size_t failures_count(const struct failures *failures);
size_t failures_n_open(const struct failures *failures);
bool failure_is_over(const struct failure *failure);

/* Take the text over, which may be NULL. What is too much for all is left out. */
void failure_set_place(struct failure *failure, char *place);
void failure_set_owners(struct failure *failure, char *owners, unsigned int n_owners,
			unsigned int omitted);
void failure_set_step(struct failure *failure, enum failure_step step);
size_t failures_n_step(const struct failures *failures, enum failure_step step);
/* The next one to look at, NULL for none, or if FAILURE_LOOKS_MAX are being looked at. */
struct failure *failures_next_waiting(struct failures *failures);
/* Those that are blocked wait again, before the others. */
void failures_unblock(struct failures *failures);

/* org.pinguard.Manager.Failure; a new reference, NULL when out of memory */
json_t *failure_to_json(const struct failure *failure);
/* The history's file: its content, and back. -EBADMSG: it makes no sense. */
json_t *failures_to_json(const struct failures *failures);
int failures_from_json(struct failures *failures, const json_t *root);

#endif
