/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happened, for Monitor: the last events. Each has a number that only
 * grows, in the order in which they happened; a reader keeps the number that it
 * comes to next.
 *
 * The last of each sort are kept, whatever happens of another: pins come and go
 * by the ten thousand, and neither they nor a storm of refusals push out what
 * somebody has set. Where the last one that was dropped of a sort has been, a
 * reader is told of a gap.
 *
 * Memory: of the traffic what pins have in common is kept once, and each event takes
 * 80 bytes, all of them 320 KiB; 6144 others and their slots, 328 bytes each at most,
 * are 2 MB; what they hold as text is at most 4 MiB of each sort. The cgroups that
 * they name are the registry's, which keeps them for as long.
 */
#ifndef PINGUARD_MODEL_EVENTS_H
#define PINGUARD_MODEL_EVENTS_H

#include "daemon/model/registry.h"

#define EVENTS_TRAFFIC_MAX 4096 /* pin, pin_change, unpin */
#define EVENTS_SORT_MAX	   1024 /* of each other sort */
#define EVENTS_TEXT_MAX	   ((size_t)4 << 20) /* bytes, of a sort; but for its last event */
#define EVENT_OWNERS_MAX   64 /* of a request, that one event knows */

enum event_type {
	EVENT_PIN,
	EVENT_PIN_CHANGE,
	EVENT_UNPIN,
	EVENT_DENY,
	EVENT_QUOTA_SET,
	EVENT_QUOTA_CLEAR,
	EVENT_POLICY_SET,
	EVENT_POLICY_CLEAR,
	EVENT_HIGH,
	EVENT_REVOKE,
	EVENT_REVOKE_DONE,
	EVENT_RELEASE,
	EVENT_RELEASE_STEP,
	EVENT_RELEASE_DONE,
	EVENT_FAILURE,
	EVENT_FAILURE_DONE,
	EVENT_RESYNC,
	N_EVENT_TYPES,
	EVENT_GAP = N_EVENT_TYPES, /* made for a reader, never added */
};

#define EVENT_BIT(type)	 (UINT32_C(1) << (type))
#define EVENT_ALL_TYPES	 (EVENT_BIT(N_EVENT_TYPES) - 1)

struct event_owner {
	struct cgroup_node *cgroup; /* a reference; NULL for none */
	uint32_t tgid;
};

struct event {
	enum event_type type;
	uint64_t number; /* given by events_add() */
	uint64_t time_usec; /* CLOCK_REALTIME */
	uint64_t seq; /* the kernel's; 0 for none */
	struct pin_info pin; /* the first four types; of a step uid and tgid of the owner */
	struct cgroup_node *cgroup, *charged, *limit; /* references; NULL for none */
	uint32_t reason;
	uint32_t suppressed;
	uint64_t usage_bytes;
	uint64_t max_bytes; /* of a refusal, or the quota set; UINT64_MAX for none; a mark passed */
	char *quota_cgroup; /* of the quota or the policy: raw bytes, NULL for none */
	uint32_t uid; /* who changed the quota or the policy, or asked for a release */
	uint8_t policy; /* the policy set, PINGUARD_POLICY_*; 0 for none */
	uint8_t count; /* or PINGUARD_COUNT_* */
	struct revoke_info *revoke; /* the revoke's types; NULL for others */
	/* The release's types, as JSON in text, a tenth of the size; NULL for others. */
	char *release; /* without its owners */
	char *owner; /* that a step was taken on */
	char *failure; /* likewise; the failure's types */
	/* Of a request that begins or is over: some of those who are asked, not shown. */
	struct event_owner *owners;
	uint32_t n_owners;
	bool owners_left_out;
	bool max_from_proc; /* of a refusal: the kernel does not say it */
	uint32_t missing; /* of a gap: EVENT_BIT()s, 0 for everything */
};

struct events;

/* started_usec: the history goes no further back */
struct events *events_new(uint64_t started_usec);
struct events *events_free(struct events *e);
DEFINE_CLEANUP(struct events *, events_free);

/* A zeroed event, to be filled and added or freed. */
struct event *event_new(enum event_type type, uint64_t time_usec);
void event_free(struct event *event);
/* One more of event->owners. 0 or -ENOMEM */
int event_add_owner(struct event *event, struct cgroup_node *cgroup, uint32_t tgid);

/* Called after each event that is added; one listener at a time. */
void events_listen(struct events *e, void (*added)(void *userdata), void *userdata);
/* Takes the event over, and tells who listens. */
void events_add(struct events *e, struct event *event);

/* The number of the event to come. */
uint64_t events_next(const struct events *e);
/* When the first event may have been. CLOCK_REALTIME */
uint64_t events_started_usec(const struct events *e);

/*
 * What a reader comes to: an event, which is good until another one is asked for, or
 * the last of those of a sort that are lost.
 */
struct events_item {
	uint64_t number;
	const struct event *event; /* NULL where it is lost */
	uint64_t time_usec;
	uint32_t types; /* EVENT_BIT(): of the event, or of the sort */
};

/* The first at this number or after it; false for none yet. */
bool events_at(const struct events *e, uint64_t number, struct events_item *ret);
/* The last event before this number that is kept, or NULL; good for as long. */
const struct event *events_before(const struct events *e, uint64_t number);
/* The same of one type alone. */
const struct event *events_before_of(const struct events *e, enum event_type type, uint64_t number);
/* Number of the first event, kept or lost, at or after a time. */
uint64_t events_since(const struct events *e, uint64_t time_usec);

#endif
