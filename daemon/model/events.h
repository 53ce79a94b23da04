/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happened, for Monitor: a ring of the last events. Each has a number
 * that only grows; a reader keeps the number it comes to next, and one that
 * was overtaken can tell by events_first().
 */
#ifndef PINGUARD_MODEL_EVENTS_H
#define PINGUARD_MODEL_EVENTS_H

#include "daemon/model/registry.h"

#define EVENTS_MAX 4096

enum event_type {
	EVENT_PIN,
	EVENT_PIN_CHANGE,
	EVENT_UNPIN,
	EVENT_DENY,
	EVENT_QUOTA_SET,
	EVENT_QUOTA_CLEAR,
	EVENT_POLICY_SET,
	EVENT_POLICY_CLEAR,
	EVENT_REVOKE,
	EVENT_REVOKE_DONE,
	EVENT_RELEASE,
	EVENT_RELEASE_STEP,
	EVENT_RELEASE_DONE,
	EVENT_FAILURE,
	EVENT_FAILURE_DONE,
	EVENT_RESYNC,
};

struct event {
	enum event_type type;
	uint64_t time_usec; /* CLOCK_REALTIME */
	uint64_t seq; /* the kernel's; 0 for none */
	struct pin_info pin; /* the first four types */
	struct cgroup_node *cgroup, *charged, *limit; /* references; NULL for none */
	uint32_t reason;
	uint32_t suppressed;
	uint64_t usage_bytes;
	uint64_t max_bytes; /* of a refusal, or the quota set; UINT64_MAX for none */
	char *quota_cgroup; /* of the quota or the policy: raw bytes, NULL for none */
	uint32_t uid; /* who changed the quota or the policy */
	uint32_t policy; /* the policy set, PINGUARD_POLICY_*; 0 for none */
	struct revoke_info *revoke; /* the revoke's types; NULL for others */
	/* The release's types, as JSON in text, a tenth of the size; NULL for others. */
	char *release; /* without its owners */
	char *owner; /* that a step was taken on */
	char *failure; /* likewise; the failure's types */
};

struct events;

/* started_usec: the history goes no further back */
struct events *events_new(uint64_t started_usec);
struct events *events_free(struct events *e);
DEFINE_CLEANUP(struct events *, events_free);

/* A zeroed event, to be filled and added or freed. */
struct event *event_new(enum event_type type, uint64_t time_usec);
void event_free(struct event *event);

/* Called after each event that is added; one listener at a time. */
void events_listen(struct events *e, void (*added)(void *userdata), void *userdata);
/* Takes the event over, and tells who listens. */
void events_add(struct events *e, struct event *event);
/* Numbers of the oldest event that is kept, and of the one to come. */
uint64_t events_first(const struct events *e);
uint64_t events_next(const struct events *e);
/* NULL outside of those. */
const struct event *events_get(const struct events *e, uint64_t number);
/* Where the history begins: events before that are lost. CLOCK_REALTIME */
uint64_t events_begin_usec(const struct events *e);
/* Number of the first event at or after a time. */
uint64_t events_since(const struct events *e, uint64_t time_usec);

#endif
