/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What methods share: errors that more than one answers with, who may see what, whose pins. */
#ifndef PINGUARD_MANAGER_ANSWERS_H
#define PINGUARD_MANAGER_ANSWERS_H

#include "daemon/manager/internal.h"

#define MANAGER_INTERFACE "org.pinguard.Manager"

/* errors.c. Each answers the call, and returns what call_error() does. */
int reply_not_supported(struct call *call, const char *reason);
int reply_too_many_cgroups(struct call *call, const char *cgroup);
int reply_no_such_cgroup(struct call *call, const char *cgroup);
int reply_invalid_cgroup(struct call *call, const char *cgroup, const char *reason);
int reply_not_ready(struct call *call);
int reply_invalid_target(struct call *call, const char *target, const char *reason);
int reply_no_such_target(struct call *call, const char *target);
int reply_limit(struct call *call, const char *limit, int64_t max);
/* What of cgroups is set, and what its errors are. */
struct setting {
	const char *not_possible; /* the error's name in the interface, with its dot */
	const char *all; /* "quotas" */
	int64_t max; /* of these */
	const char *file; /* what its limit is of */
};
/* An error of setting it; reason: NULL where the misc controller is off. */
int reply_setting_error(struct call *call, const char *cgroup, int error, const char *reason,
			const struct setting *setting);
/* An error of release_start(). */
int reply_release_error(struct call *call, int error);
/* Says so in the log where that cannot be said. */
void answer_errno(struct call *call, int error);

/* access.c */
/* Of one user at once, and then so many a second. */
#define LOOKUPS_BURST 32
#define LOOKUPS_RATE  16

/*
 * Whether the caller may have the service look for something now, which costs it more
 * than an answer does. 0: go on; 1: the call is answered; < 0: an error of ours
 */
int admit_lookup(struct manager *m, struct call *call);
bool may_see_pin(struct manager *m, struct call *call, uint32_t uid, struct cgroup_node *cgroup);
/* The same, as the cgroups above it were seen last: for many at once. */
bool could_see_pin(struct call *call, uint32_t uid, struct cgroup_node *cgroup);
/* Whether all of an event is for the caller, not the part alone that is the caller's own. */
bool may_see_whole(struct manager *m, struct call *call, const struct event *event);
/* EVENT_BIT()s of those that the caller may see at all; of each, may_see_event() says. */
uint32_t may_see_types(struct call *call);
bool may_see_event(struct manager *m, struct call *call, const struct event *event);
/* Whether the caller owns this cgroup or one above it. */
bool owns_node(struct manager *m, struct call *call, struct cgroup_node *node);
bool owned_node(struct call *call, struct cgroup_node *node); /* as they were seen last */

/* declared.c: where a quota or policy is from, null for nowhere; what matches no cgroup. */
json_t *source_json(const struct declaration *d);
json_t *unmatched_json(struct manager *m);
/* What a file says of this cgroup, NULL for none. */
const struct declaration *declared_for(struct manager *m, const char *path);

/*
 * select.c: what pins carry for a device that somebody names: the same, but where it
 * is a name that an RDMA device had before, and nothing has now. Good until the next
 * look at the devices.
 */
const char *device_today(struct manager *m, const char *name);
/*
 * select.c: what a CGROUP names, as cgroupfs_name_to_path(). 0, the path is the
 * caller's; 1: the call is answered, and *ret_answer is the result.
 */
int find_path(struct manager *m, struct call *call, const char *cgroup, char **ret_path,
	      int *ret_answer);
/*
 * select.c: the selectors of a call; strings are of params. 0, 1 when the call
 * has been answered, or a negative errno. A cgroup that others than
 * administrators do not know matches nothing.
 */
int parse_pin_filter(struct manager *m, struct call *call, json_t *params, struct pin_filter *ret);
/*
 * The same for events, of which the cgroup may be gone by now, and which the caller
 * may see at all. event_filter_done() where it is 0.
 */
int parse_event_filter(struct manager *m, struct call *call, json_t *params,
		       struct event_filter *ret);
/*
 * timeout_usec of a call: RELEASE_TIMEOUT_LADDER for none. 0, or 1 when the
 * call has been answered.
 */
int parse_release_timeout(struct call *call, json_t *params, uint64_t *ret_usec);

/*
 * follow.c: answers the call with the request as it stands, as the interface
 * says of Release: now, later, or with each change. Takes references of both.
 */
int follow_release(struct call *call, struct release *release, bool async);

#endif
