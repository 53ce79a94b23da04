/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's pinguard family as a source: keeps a listener exact. It
 * subscribes, then dumps, then hands on the events above the dump's number;
 * after any loss it dumps again. Alerts of memory come by a socket of their
 * own, and are handed on when the pins are known that were there before.
 */
#ifndef PINGUARD_KERNEL_GENL_H
#define PINGUARD_KERNEL_GENL_H

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "daemon/kernel/listener.h"
#include "daemon/kernel/pinmsg.h"
#include "lib/macros.h"

/* A kernel with one of these looks at the frames of pins. */
#define GENL_FRAME_FEATURES \
	(PINGUARD_FEATURE_DEVICE_REMOVAL | PINGUARD_FEATURE_MEMORY_OFFLINE)

struct genl;

enum genl_state {
	GENL_DUMPING, /* what the listener has is not the truth yet */
	GENL_BACKOFF, /* nor here; a dump follows */
	GENL_SYNCED,
};

struct genl_config {
	int rcvbuf_bytes; /* 0 for the default */
	const struct source_listener *listener; /* outlives the source */
	void *userdata;
};

/*
 * Starts the first dump. On failure *ret_reason says in plain words what is
 * missing: -ENOENT the kernel has no such family, or one without events, -EPERM
 * not permitted, or another negative errno.
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
/* PINGUARD_FEATURE_*, as the kernel said at the start. */
uint64_t genl_features(const struct genl *g);
/*
 * A pin as it is this moment; the flag OWNER_GONE, of which no event tells, is
 * known from here and from lists alone. -ENOENT: there is none.
 */
int genl_get_pin(struct genl *g, uint64_t id, struct pin_info *ret);
/* What a page frame is; of one that does not exist the class says so. */
int genl_get_frame(struct genl *g, uint64_t pfn, struct frame_info *ret);
/* Whether the process speaks the release protocol. */
int genl_set_owner(struct genl *g, int pidfd, bool revocable);
/* -ENOENT: no such cgroup. */
int genl_set_policy(struct genl *g, const struct policy_info *policy);
/* Of the cgroup itself. */
int genl_get_policy(struct genl *g, uint64_t cgroup_id, struct policy_info *ret);
int genl_set_revoke(struct genl *g, uint32_t mode, uint64_t timeout_usec);

/*
 * Lists, until the handler returns other than 0, which is then the result; it
 * must not make another request. A list that changed while it was read has
 * been read again, so that one thing may come twice.
 */
typedef int (*genl_owner_handler)(uint32_t tgid, void *userdata);
typedef int (*genl_policy_handler)(const struct policy_info *policy, void *userdata);
typedef int (*genl_revoke_handler)(const struct revoke_info *revoke, void *userdata);
typedef int (*genl_failure_handler)(const struct failure_info *failure, void *userdata);
int genl_list_owners(struct genl *g, genl_owner_handler handler, void *userdata);
int genl_list_policies(struct genl *g, genl_policy_handler handler, void *userdata);
int genl_list_revokes(struct genl *g, genl_revoke_handler handler, void *userdata);
/* Memory that failed while a device held it, and is in use yet. */
int genl_list_failures(struct genl *g, genl_failure_handler handler, void *userdata);

struct pfn_range {
	uint64_t first, last;
};

/*
 * The pins that hold memory of some ranges, or may hold it: the kernel looks
 * at their frames, in as many turns as that takes. Of what comes and goes
 * meanwhile nothing is said; a pin may come once for each range.
 */
struct range_query;
struct range_listener {
	/* A negative errno ends the query with that error. */
	int (*pin)(const struct pin_info *pin, void *userdata);
	/* 0 or a negative errno; the query may be freed from here. Nothing comes after it. */
	void (*done)(int error, void *userdata);
};

/* Listener and family outlive the query; it calls back from the event loop alone. */
int genl_query_range(struct genl *g, const struct pfn_range *ranges, size_t n,
		     const struct range_listener *listener, void *userdata,
		     struct range_query **ret);
struct range_query *range_query_free(struct range_query *q);
DEFINE_CLEANUP(struct range_query *, range_query_free);

#endif
