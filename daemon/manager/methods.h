/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The methods of org.pinguard.Manager. */
#ifndef PINGUARD_MANAGER_METHODS_H
#define PINGUARD_MANAGER_METHODS_H

#include "daemon/manager/manager.h"

#define MANAGER_INTERFACE "org.pinguard.Manager"

int methods_server_new(struct manager *m, struct server **ret);
void methods_free(struct manager *m); /* calls that are under way */

/* One per file. */
int method_get_status(struct call *call, json_t *params, void *userdata);
int method_list_pins(struct call *call, json_t *params, void *userdata);
int method_list_quotas(struct call *call, json_t *params, void *userdata);
int method_set_quota(struct call *call, json_t *params, void *userdata);
int method_clear_quota(struct call *call, json_t *params, void *userdata);
int method_monitor(struct call *call, json_t *params, void *userdata);
int method_drain(struct call *call, json_t *params, void *userdata);
int method_who(struct call *call, json_t *params, void *userdata);
int method_list_failures(struct call *call, json_t *params, void *userdata);
int method_classify(struct call *call, json_t *params, void *userdata);
int method_list_policies(struct call *call, json_t *params, void *userdata);
int method_set_policy(struct call *call, json_t *params, void *userdata);
int method_clear_policy(struct call *call, json_t *params, void *userdata);
void listings_free(struct manager *m);
void monitors_free(struct manager *m);
void monitors_wake(void *userdata); /* the manager: there is an event */

/* Shared by them: errors, and who may see what. */
int reply_not_supported(struct call *call, const char *reason);
int reply_no_such_cgroup(struct call *call, const char *cgroup);
int reply_invalid_cgroup(struct call *call, const char *cgroup, const char *reason);
int reply_not_ready(struct call *call);
bool may_see_pin(struct manager *m, struct call *call, uint32_t uid, struct cgroup_node *cgroup);
/* Whether all of an event is for the caller, not the part alone that is the caller's own. */
bool may_see_whole(struct manager *m, struct call *call, const struct event *event);
bool may_see_event(struct manager *m, struct call *call, const struct event *event);
/* Whether the caller owns this cgroup or one above it. */
bool owns_node(struct manager *m, struct call *call, struct cgroup_node *node);

#endif
