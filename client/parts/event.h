/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_PINCTL_EVENTS_H
#define PINGUARD_PINCTL_EVENTS_H

#include <jansson.h>

struct pinctl;

/* What follows an event's type on its line. */
void print_revoke_event(const json_t *event);
void print_release_event(const struct pinctl *ctl, const json_t *event);
void print_failure_event(const json_t *event);

#endif
