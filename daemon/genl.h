/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's pinguard family as a source: keeps a listener exact. It
 * subscribes, then dumps, then hands on the events above the dump's number;
 * after any loss it dumps again.
 */
#ifndef PINGUARD_GENL_H
#define PINGUARD_GENL_H

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "daemon/pinmsg.h"
#include "lib/macros.h"

struct genl;

enum genl_state {
	GENL_DUMPING, /* what the listener has is not the truth yet */
	GENL_BACKOFF, /* nor here; a dump follows */
	GENL_SYNCED,
};

/* All return 0 or a negative errno; one that is none of those named ends the service. */
struct genl_listener {
	int (*begin)(void *userdata);
	int (*pin)(const struct pin_info *pin, void *userdata);
	int (*end)(uint64_t seq, void *userdata);
	/* -EILSEQ: events before this one are missing */
	int (*event)(const struct pin_event *event, void *userdata);
};

struct genl_config {
	int rcvbuf_bytes; /* 0 for the default */
	const struct genl_listener *listener; /* outlives the source */
	void *userdata;
};

/*
 * Starts the first dump. On failure *ret_reason says in plain words what is
 * missing: -ENOENT the kernel has no such family, -EPROTO its ABI is unknown,
 * -EPERM not permitted, or another negative errno.
 */
int genl_new(sd_event *event, const struct genl_config *config, struct genl **ret,
	     char **ret_reason);
struct genl *genl_free(struct genl *g);
DEFINE_CLEANUP(struct genl *, genl_free);

enum genl_state genl_state(const struct genl *g);
unsigned int genl_n_resyncs(const struct genl *g);

/*
 * Requests: the kernel's answer is there when the question has been sent.
 * -EOPNOTSUPP from a kernel without that command. genl_refusal(): what the
 * kernel said when it refused the last one, good until the next one; NULL for
 * nothing.
 */
const char *genl_refusal(const struct genl *g);
int genl_get_info(struct genl *g, struct pin_kernel_info *ret);
/* Whether the process speaks the release protocol. */
int genl_set_owner(struct genl *g, int pidfd, bool revocable);

#endif
