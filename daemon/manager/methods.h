/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The methods, each in a file of its own or with those that belong to it. */
#ifndef PINGUARD_MANAGER_METHODS_H
#define PINGUARD_MANAGER_METHODS_H

#include "daemon/manager/internal.h"

int methods_server_new(struct manager *m, struct server **ret);

/* org.pinguard.Manager; userdata is the manager */
int method_get_status(struct call *call, json_t *params, void *userdata);
int method_list_pins(struct call *call, json_t *params, void *userdata);
int method_sum_pins(struct call *call, json_t *params, void *userdata);
int method_list_quotas(struct call *call, json_t *params, void *userdata);
int method_set_quota(struct call *call, json_t *params, void *userdata);
int method_clear_quota(struct call *call, json_t *params, void *userdata);
int method_monitor(struct call *call, json_t *params, void *userdata);
int method_release(struct call *call, json_t *params, void *userdata);
int method_follow_release(struct call *call, json_t *params, void *userdata);
int method_cancel_release(struct call *call, json_t *params, void *userdata);
int method_list_owners(struct call *call, json_t *params, void *userdata);
int method_drain(struct call *call, json_t *params, void *userdata);
int method_who(struct call *call, json_t *params, void *userdata);
int method_explain(struct call *call, json_t *params, void *userdata);
int method_list_failures(struct call *call, json_t *params, void *userdata);
int method_classify(struct call *call, json_t *params, void *userdata);
int method_list_policies(struct call *call, json_t *params, void *userdata);
int method_set_policy(struct call *call, json_t *params, void *userdata);
int method_clear_policy(struct call *call, json_t *params, void *userdata);
int method_apply_quotas(struct call *call, json_t *params, void *userdata);
/* org.pinguard.Owner */
int method_owner_register(struct call *call, json_t *params, void *userdata);
int method_owner_complete(struct call *call, json_t *params, void *userdata);

/* monitor.c: there is an event */
void monitors_wake(void *userdata);
/* drain.c: before the requests go */
void drains_free(struct manager *m);

#endif
