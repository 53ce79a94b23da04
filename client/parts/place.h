/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_PINCTL_PLACE_H
#define PINGUARD_PINCTL_PLACE_H

#include <jansson.h>

struct pinctl;

/* What is at an address: the Place of the manager's interface. */

/* The name of the innermost device or memory block that it belongs to; NULL for none. */
const char *place_device(const json_t *place);

/* All of it, a line for each fact. */
void print_place(const struct pinctl *ctl, const json_t *place);

/* Its class and devices, below what it is the place of; nothing where it is no object. */
void print_place_summary(const struct pinctl *ctl, const json_t *place);

/* A line below that. */
void print_below(const struct pinctl *ctl, const char *text);

/* What it does not have is null. */
void fill_place(json_t *place);

#endif
