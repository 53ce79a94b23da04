/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A pin, a revoke, a failure and an event, as a source tells them. Plain data. */
#ifndef PINGUARD_MODEL_PIN_H
#define PINGUARD_MODEL_PIN_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/pinguard.h>

#define PIN_COMM_MAX 16
#define PIN_UID_NONE UINT32_MAX

/* Not in the kernel's enum: what an older service cannot name. */
#define PIN_KIND_UNKNOWN 0

/* Not the kernel's, whose flags are below: since_usec is of when the pin was found, not made. */
#define PIN_FLAG_FOUND (1 << 7)

struct pin_info {
	uint64_t id;
	uint64_t cgroup_id; /* the owner's; 0 where nobody knows */
	uint64_t charged_cgroup_id;
	uint64_t address; /* 0 for none */
	uint64_t bytes;
	uint64_t shared_bytes; /* of these: what other pins of the same memory are charged for */
	uint64_t since_usec; /* CLOCK_REALTIME; 0 where nobody knows */
	uint32_t kind;
	uint32_t tgid;
	uint32_t uid;
	uint32_t flags; /* PINGUARD_FLAG_*, PIN_FLAG_FOUND */
	uint8_t comm_len;
	uint8_t comm[PIN_COMM_MAX]; /* any bytes, no NUL */
	char device[PINGUARD_DEVICE_NAME_MAX]; /* "" for none */
	/* In answers about a range: where in the pin its first page is. */
	bool has_offset;
	uint64_t offset;
};

/* Memory that the kernel wants back. */
struct revoke_info {
	uint64_t id;
	uint64_t first_pfn, last_pfn;
	uint64_t pins; /* that may hold some of it */
	uint64_t timeout_usec; /* how long the kernel waits, from the start; 0: not at all */
	uint64_t started_usec; /* CLOCK_REALTIME; 0 where nobody knows */
	uint32_t reason; /* PINGUARD_REVOKE_REASON_* */
	uint32_t outcome; /* PINGUARD_REVOKE_OUTCOME_*, when it is over */
	uint32_t tgid; /* on whose behalf */
	uint8_t comm_len;
	uint8_t comm[PIN_COMM_MAX]; /* any bytes, no NUL */
	char device[PINGUARD_DEVICE_NAME_MAX]; /* "" for none */
};

#define FAILURE_ACTION_MAX 64

/* Memory that failed. */
struct failure_info {
	uint64_t id; /* the kernel's, from 1 after each boot; of another source, like no other */
	uint64_t pfn;
	uint64_t started_usec; /* CLOCK_REALTIME; 0 where nobody knows */
	uint32_t kind; /* PINGUARD_FAILURE_KIND_* */
	uint32_t class; /* PINGUARD_MEMORY_CLASS_*; 0: nobody says it */
	uint32_t result; /* PINGUARD_FAILURE_RESULT_* */
	uint32_t outcome; /* PINGUARD_FAILURE_OUTCOME_*, when it is over */
	char action[FAILURE_ACTION_MAX]; /* the kernel's words; "" for none */
	/*
	 * Where others count for the kernel: who does, 0 for nobody, and the number of
	 * this one, from 1. All are told again after a restart.
	 */
	uint64_t counter, number;
};

enum pin_event_type {
	PIN_EVENT_PIN,
	PIN_EVENT_CHANGE,
	PIN_EVENT_UNPIN,
	PIN_EVENT_DENY,
	PIN_EVENT_REVOKE,
	PIN_EVENT_REVOKE_DONE,
	PIN_EVENT_FAILURE,
	PIN_EVENT_FAILURE_DONE,
};

struct pin_event {
	enum pin_event_type type;
	uint64_t seq;
	union {
		struct pin_info pin; /* of a refused pin: no id, bytes asked for */
		struct revoke_info revoke; /* the revoke's types */
		struct failure_info failure; /* the last two types */
	};
	uint64_t charged_bytes; /* as the kernel says it of pins; UINT64_MAX where it does not */
	/* PIN_EVENT_DENY */
	uint32_t reason;
	uint32_t suppressed;
	uint64_t limit_cgroup_id; /* 0 for none */
	uint64_t usage_bytes;
	uint64_t max_bytes; /* UINT64_MAX for none */
};

#endif
