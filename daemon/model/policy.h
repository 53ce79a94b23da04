/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is done next to get memory back from an owner: pure decisions. Time is
 * a parameter, nothing is read or written.
 */
#ifndef PINGUARD_MODEL_POLICY_H
#define PINGUARD_MODEL_POLICY_H

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
	/* What it is for: patterns of fnmatch(3); NULL-terminated, or NULL. */
	char **units, **cgroups;
	bool on[N_STEPS];
	uint64_t usec[N_STEPS];
	char **hook; /* command and arguments, NULL-terminated; NULL for none */
};

/* In place of one from the configuration: asking alone. */
extern const struct ladder policy_default_ladder;

enum owner_answer {
	ANSWER_NONE,
	ANSWER_RELEASED, /* and the kernel says otherwise: as none */
	ANSWER_REFUSED,
	ANSWER_DEFERRED,
};

/* What is known of one owner in one request. Times are of CLOCK_MONOTONIC. */
struct ladder_facts {
	uint64_t deadline_usec; /* of the request */
	/* Until then one that is not registered may come to be, one that left may be gone. */
	uint64_t grace_usec;
	bool registered;
	bool lapsed; /* it was registered, and left */
	bool untouchable; /* protected, gone, or not known for sure: asking alone */
	bool uncertain; /* the kernel's list is being read: ask, and do no more for now */
	enum owner_answer answer;
	int step; /* taken last; -1 for none */
	uint64_t step_usec; /* when */
	bool step_failed;
};

enum decision_type {
	DECISION_WAIT, /* until usec; step is what follows then, N_STEPS for giving up */
	DECISION_STEP, /* take it now */
	DECISION_REFUSED, /* the owner said no, and no step is left */
	DECISION_OVER, /* the request's deadline has passed */
};

struct decision {
	enum decision_type type;
	int step;
	uint64_t usec;
};

/* For an owner that still holds pins. Never a step before its time. */
struct decision policy_decide(const struct ladder *ladder, const struct ladder_facts *facts,
			      uint64_t now_usec);
/* How long all steps last that are on. */
uint64_t policy_ladder_usec(const struct ladder *ladder);
/* When an owner that was asked may first be made to let go; deadline_usec where never. */
uint64_t policy_answer_deadline(const struct ladder *ladder, uint64_t asked_usec,
				uint64_t deadline_usec);

#endif
