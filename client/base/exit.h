/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_PINCTL_EXIT_H
#define PINGUARD_PINCTL_EXIT_H

#include "lib/macros.h"

/*
 * How pinctl ends. A function that may end it returns an exit status; one that
 * says "-1 or an exit status" has -1 for going on.
 */

/* Documented in pinctl(1); programs rely on them. */
enum exit_status {
	STATUS_DONE = 0,
	STATUS_FAILED = 1,
	STATUS_USAGE = 2,
	STATUS_UNREACHABLE = 3,
	STATUS_DENIED = 4,
	STATUS_NOT_FOUND = 5,
	STATUS_TIMED_OUT = 6,
	/* not to exit with */
	STATUS_LOST = 0x100,
	STATUS_INTERRUPTED,
};

/* Complain and return STATUS_USAGE. */
int usage_error(const char *format, ...) _printf_(1, 2);

/* Complain and return STATUS_FAILED. */
int out_of_memory(void);

#endif
