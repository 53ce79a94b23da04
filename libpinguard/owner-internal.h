/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PINGUARD_OWNER_INTERNAL_H
#define PINGUARD_OWNER_INTERNAL_H

#include <stdbool.h>
#include <unistd.h>

#include "libpinguard/channel.h"
#include "pinguard/pinguard.h"

#define OWNER_INTERFACE "org.pinguard.Owner."

/* An answer that the service has not taken yet. */
struct completion {
	struct completion *prev, *next;
	json_t *params; /* of Complete */
	char token[];
};

struct pinguard_owner {
	unsigned int n_ref;
	pid_t pid; /* who made it */
	int epoll_fd;
	struct sockaddr_un address;
	socklen_t address_length;
	enum pinguard_owner_state state;
	bool dispatching;

	struct channel stream;	/* Register */
	struct channel answers; /* Complete; connected only while there is something to say */
	struct completion *queue;
	unsigned int n_queued;

	pinguard_request_fn on_request;
	pinguard_withdrawn_fn on_withdrawn;
	pinguard_completed_fn on_completed;
	pinguard_state_fn on_state;
	void *request_userdata, *withdrawn_userdata, *completed_userdata, *state_userdata;
};

/** owner_is_foreign() - whether this process is a child of the one that made it */
static inline bool owner_is_foreign(const struct pinguard_owner *owner)
{
	return getpid() != owner->pid;
}

/**
 * owner_stopped() - whether a dispatch must not go on
 *
 * A callback dropped the last reference but the dispatch's own, or it came
 * back in a child.
 */
static inline bool owner_stopped(const struct pinguard_owner *owner)
{
	return owner->n_ref == 1 || owner_is_foreign(owner);
}

/* --- answers.c --- */

/** owner_answers_run() - the part of a dispatch that is about answers */
int owner_answers_run(struct pinguard_owner *owner);

/** owner_answers_fail() - the registration ended: tell of each answer that it came to nothing */
void owner_answers_fail(struct pinguard_owner *owner);

/** owner_answers_clear() - drop the answers without a word */
void owner_answers_clear(struct pinguard_owner *owner);

#endif
