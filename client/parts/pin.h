/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_PINCTL_PIN_H
#define PINGUARD_PINCTL_PIN_H

#include <jansson.h>

#include "client/base/table.h"

/* A pin: the Pin of the manager's interface. */

/* What a pin is, besides its id. */
#define PIN_COLUMNS                                                          \
	{ "KIND", "kind", COLUMN_TEXT },                                     \
	{ "DEVICE", "device", COLUMN_TEXT },                                 \
	{ "PID", "pid", COLUMN_NUMBER },                                     \
	/* the process that made the pin has ended */                        \
	{ "COMM", "comm", COLUMN_TEXT, .shrinks = true, .mark_key = "owner_gone", .mark = " (gone)" }, \
	{ "CGROUP", "cgroup", COLUMN_TEXT, .keeps_tail = true },             \
	{ "SIZE", "bytes", COLUMN_SIZE },                                    \
	{ "AGE", "since_usec", COLUMN_AGE },                                 \
	{ "ADDRESS", "address", COLUMN_TEXT, .optional = true },             \
	{ "CHARGED", "charged_cgroup", COLUMN_TEXT, .optional = true },      \
	{ "CHARGED_SIZE", "charged_bytes", COLUMN_SIZE, .optional = true },  \
	{ "UID", "uid", COLUMN_NUMBER, .optional = true },                   \
	{ "SINCE", "since_usec", COLUMN_TIME, .optional = true },            \
	{ "GONE", "owner_gone", COLUMN_BOOL, .optional = true },             \
	{ "RELEASING", "releasing", COLUMN_BOOL, .optional = true }

/* What it does not have is null. */
void fill_pin(json_t *pin);

/* The same as text: ",\"uid\":null" and so on, "" for none; the caller frees it. NULL: no memory */
char *missing_members(const json_t *pin);

#endif
