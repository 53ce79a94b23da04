/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is done next to get memory back from an owner: pure decisions. Time is
 * a parameter, nothing is read or written.
 */
#ifndef PINGUARD_POLICY_H
#define PINGUARD_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In this order; one that is off is left out. */
enum ladder_step {
	STEP_ASK, /* only owners that are registered */
	STEP_REMIND,
	STEP_HOOK,
	STEP_STOP_UNIT,
	STEP_KILL,
	N_STEPS,
};

/* How long each step has before the next one. */
struct ladder {
	char *name; /* of its file; NULL for the built-in one */
	char **units, **cgroups; /* what it is for: patterns of fnmatch(3); NULL-terminated, or NULL */
	bool on[N_STEPS];
	uint64_t usec[N_STEPS];
	char **hook; /* command and arguments, NULL-terminated; NULL for none */
};

#endif
