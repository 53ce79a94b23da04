/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In observe mode: the cgroup of regions whose makers have ended, by who has the device open. */
#ifndef PINGUARD_MANAGER_LEFT_H
#define PINGUARD_MANAGER_LEFT_H

#include "daemon/manager/internal.h"

#define LEFT_DEVICES_MAX 16 /* that are looked for at a time; of others nothing is known */

int left_new(struct manager *m, const char *proc, struct left **ret);
struct left *left_free(struct left *l); /* before the openers; NULL is fine; returns NULL */
DEFINE_CLEANUP(struct left *, left_free);

/*
 * Starts to look, once all regions are known, where there are such: calls.held is
 * true for a second at most, and then waiters_settle().
 */
int left_look(struct left *l);
void left_stop(struct left *l);

#endif
