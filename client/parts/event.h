/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_PINCTL_EVENT_H
#define PINGUARD_PINCTL_EVENT_H

#include <jansson.h>

struct pinctl;

/* An event, on a line for people. */
void print_event(const struct pinctl *ctl, const json_t *event);

#endif
