/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests to release pins, as the manager starts and follows them. */
#ifndef PINGUARD_MANAGER_RELEASE_H
#define PINGUARD_MANAGER_RELEASE_H

#include "daemon/manager/manager.h"
#include "daemon/release/owners.h"
#include "daemon/release/release.h"

int manager_releases_new(struct manager *m);
/* Before the server goes: owners whose connections end with it have not lapsed. */
void manager_releases_free(struct manager *m);
/* Those that remain without connections, after the server. */
void manager_owners_free(struct manager *m);
/* The list of pins has been read: goes through what runs as soon as it counts as the truth. */
int manager_releases_resynced(struct manager *m);
/* Reads release.d anew; what runs keeps the ladders that it has. */
void manager_load_ladders(struct manager *m);

/*
 * Answers the call with the request as it stands, as the interface says of
 * Release: now, later, or with each change. Takes references of both.
 */
int manager_follow_release(struct manager *m, struct call *call, struct release *release,
			   bool async);
void followers_free(struct manager *m);
/* Answers the call with an error of release_start(). */
int reply_release_error(struct call *call, int error);
/*
 * timeout_usec of a call: RELEASE_TIMEOUT_LADDER for none. 0, or 1 when the
 * call has been answered.
 */
int parse_release_timeout(struct call *call, json_t *params, uint64_t *ret_usec);
/*
 * The selectors of a call; strings are of params. 0, 1 when the call has been
 * answered, or a negative errno. A cgroup that others than administrators do
 * not know matches nothing.
 */
int parse_pin_filter(struct manager *m, struct call *call, json_t *params, struct pin_filter *ret);

int method_release(struct call *call, json_t *params, void *userdata);
int method_follow_release(struct call *call, json_t *params, void *userdata);
int method_cancel_release(struct call *call, json_t *params, void *userdata);
int method_list_owners(struct call *call, json_t *params, void *userdata);
int method_owner_register(struct call *call, json_t *params, void *userdata);
int method_owner_complete(struct call *call, json_t *params, void *userdata);

#endif
