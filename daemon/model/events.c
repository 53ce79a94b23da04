/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "daemon/model/events.h"

/* What is kept apart. */
enum sort {
	SORT_TRAFFIC,
	SORT_DENY,
	SORT_SET,
	SORT_REVOKE,
	SORT_RELEASE,
	SORT_FAILURE,
	SORT_RESYNC,
	N_SORTS,
};

static const uint8_t sorts[N_EVENT_TYPES] = {
	[EVENT_PIN] = SORT_TRAFFIC,	     [EVENT_PIN_CHANGE] = SORT_TRAFFIC,
	[EVENT_UNPIN] = SORT_TRAFFIC,	     [EVENT_DENY] = SORT_DENY,
	[EVENT_QUOTA_SET] = SORT_SET,	     [EVENT_QUOTA_CLEAR] = SORT_SET,
	[EVENT_POLICY_SET] = SORT_SET,	     [EVENT_POLICY_CLEAR] = SORT_SET,
	[EVENT_HIGH] = SORT_SET,
	[EVENT_REVOKE] = SORT_REVOKE,	     [EVENT_REVOKE_DONE] = SORT_REVOKE,
	[EVENT_RELEASE] = SORT_RELEASE,	     [EVENT_RELEASE_STEP] = SORT_RELEASE,
	[EVENT_RELEASE_DONE] = SORT_RELEASE, [EVENT_FAILURE] = SORT_FAILURE,
	[EVENT_FAILURE_DONE] = SORT_FAILURE, [EVENT_RESYNC] = SORT_RESYNC,
};

/* An event of the traffic as it is kept: by far the most are. */
struct traffic {
	uint64_t number, time_usec, seq;
	uint64_t id, address, bytes, shared_bytes, since_usec;
	struct pin_origin *origin;
	uint32_t flags;
	uint8_t type;
};

/* The last events of a sort. first and next only grow; their slots are those modulo max. */
struct ring {
	struct event **slots; /* NULL for the traffic, which has its own */
	uint32_t types;
	uint64_t max, first, next;
	size_t text_bytes;
	/* The last one that was dropped. */
	bool lost;
	uint64_t lost_number, lost_usec;
};

struct events {
	struct traffic traffic[EVENTS_TRAFFIC_MAX];
	struct origins origins; /* of the traffic */
	struct event shown; /* one of those, for a reader */
	struct event *slots[(N_SORTS - 1) * EVENTS_SORT_MAX];
	struct ring rings[N_SORTS];
	uint64_t next;
	uint64_t started_usec;
	void (*added)(void *userdata);
	void *userdata;
};

struct events *events_new(uint64_t started_usec)
{
	struct events *e = calloc(1, sizeof(*e));
	struct event **slots;

	if (!e)
		return NULL;
	e->started_usec = started_usec;
	origins_init(&e->origins);
	e->rings[SORT_TRAFFIC].max = EVENTS_TRAFFIC_MAX;
	slots = e->slots;
	for (size_t i = SORT_TRAFFIC + 1; i < N_SORTS; i++) {
		e->rings[i].slots = slots;
		e->rings[i].max = EVENTS_SORT_MAX;
		slots += EVENTS_SORT_MAX;
	}
	for (size_t i = 0; i < N_EVENT_TYPES; i++)
		e->rings[sorts[i]].types |= EVENT_BIT(i);
	return e;
}

void events_listen(struct events *e, void (*added)(void *userdata), void *userdata)
{
	e->added = added;
	e->userdata = userdata;
}

struct events *events_free(struct events *e)
{
	if (!e)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(e->slots); i++)
		event_free(e->slots[i]);
	for (size_t i = 0; i < ARRAY_SIZE(e->traffic); i++)
		origin_put(&e->origins, e->traffic[i].origin);
	free(e);
	return NULL;
}

struct event *event_new(enum event_type type, uint64_t time_usec)
{
	struct event *event = calloc(1, sizeof(*event));

	if (!event)
		return NULL;
	event->type = type;
	event->time_usec = time_usec;
	event->max_bytes = UINT64_MAX;
	event->uid = PIN_UID_NONE;
	return event;
}

void event_free(struct event *event)
{
	if (!event)
		return;
	cgroup_node_unref(event->cgroup);
	cgroup_node_unref(event->charged);
	cgroup_node_unref(event->limit);
	free(event->quota_cgroup);
	free(event->release);
	free(event->owner);
	free(event->failure);
	free(event->revoke);
	for (uint32_t i = 0; i < event->n_owners; i++)
		cgroup_node_unref(event->owners[i].cgroup);
	free(event->owners);
	free(event);
}

int event_add_owner(struct event *event, struct cgroup_node *cgroup, uint32_t tgid)
{
	struct event_owner *owners;

	if (event->n_owners == EVENT_OWNERS_MAX) {
		event->owners_left_out = true;
		return 0;
	}
	owners = reallocarray(event->owners, event->n_owners + 1, sizeof(*owners));
	if (!owners)
		return -ENOMEM;
	event->owners = owners;
	owners[event->n_owners++] = (struct event_owner){ cgroup_node_ref(cgroup), tgid };
	return 0;
}

static size_t text_bytes(const struct event *event)
{
	const char *const texts[] = { event->quota_cgroup, event->release, event->owner,
				      event->failure };
	size_t bytes = event->n_owners * sizeof(*event->owners);

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		bytes += texts[i] ? strlen(texts[i]) + 1 : 0;
	return bytes;
}

static const struct traffic *traffic_at(const struct events *e, uint64_t i)
{
	return &e->traffic[i % EVENTS_TRAFFIC_MAX];
}

static uint64_t ring_number(const struct events *e, const struct ring *ring, uint64_t i)
{
	return ring->slots ? ring->slots[i % ring->max]->number : traffic_at(e, i)->number;
}

static uint64_t ring_usec(const struct events *e, const struct ring *ring, uint64_t i)
{
	return ring->slots ? ring->slots[i % ring->max]->time_usec : traffic_at(e, i)->time_usec;
}

/* As a reader wants to have it. */
static const struct event *show(struct event *shown, const struct traffic *t)
{
	const struct pin_origin *origin = t->origin;

	*shown = (struct event){
		.type = t->type,
		.number = t->number,
		.time_usec = t->time_usec,
		.seq = t->seq,
		.pin = {
			.id = t->id,
			.address = t->address,
			.bytes = t->bytes,
			.shared_bytes = t->shared_bytes,
			.since_usec = t->since_usec,
			.cgroup_id = origin->cgroup ? origin->cgroup->id : 0,
			.charged_cgroup_id = origin->charged ? origin->charged->id : 0,
			.kind = origin->kind,
			.tgid = origin->tgid,
			.uid = origin->uid,
			.flags = t->flags,
			.comm_len = origin->comm_len,
		},
		.cgroup = origin->cgroup,
		.charged = origin->charged,
		.max_bytes = UINT64_MAX,
		.uid = PIN_UID_NONE,
	};
	memcpy(shown->pin.comm, origin->comm, origin->comm_len);
	memcpy(shown->pin.device, origin->device, sizeof(origin->device));
	return shown;
}

static const struct event *ring_get(const struct events *e, const struct ring *ring, uint64_t i)
{
	/* the reader's copy is no part of what is kept */
	return ring->slots ? ring->slots[i % ring->max] :
			     show((struct event *)&e->shown, traffic_at(e, i));
}

static void ring_drop(struct events *e, struct ring *ring)
{
	const uint64_t i = ring->first++;
	struct event **slot;

	ring->lost = true;
	ring->lost_number = ring_number(e, ring, i);
	ring->lost_usec = ring_usec(e, ring, i);
	if (!ring->slots) {
		origin_put(&e->origins, TAKE_PTR(e->traffic[i % EVENTS_TRAFFIC_MAX].origin));
		return;
	}
	slot = &ring->slots[i % ring->max];
	ring->text_bytes -= text_bytes(*slot);
	event_free(TAKE_PTR(*slot));
}

/* Without memory it is lost like one that was dropped. */
static void keep_traffic(struct events *e, struct ring *ring, const struct event *event)
{
	const struct pin_info *pin = &event->pin;
	struct pin_origin *origin = origin_get(&e->origins, pin, event->cgroup, event->charged);

	if (!origin) {
		while (ring->first < ring->next)
			ring_drop(e, ring);
		ring->lost = true;
		ring->lost_number = event->number;
		ring->lost_usec = event->time_usec;
		return;
	}
	e->traffic[ring->next++ % EVENTS_TRAFFIC_MAX] = (struct traffic){
		.number = event->number,
		.time_usec = event->time_usec,
		.seq = event->seq,
		.id = pin->id,
		.address = pin->address,
		.bytes = pin->bytes,
		.shared_bytes = pin->shared_bytes,
		.since_usec = pin->since_usec,
		.origin = origin,
		.flags = pin->flags,
		.type = event->type,
	};
}

void events_add(struct events *e, struct event *event)
{
	struct ring *ring = &e->rings[sorts[event->type]];
	const size_t bytes = text_bytes(event);

	while (ring->next - ring->first == ring->max ||
	       (ring->first < ring->next && ring->text_bytes + bytes > EVENTS_TEXT_MAX))
		ring_drop(e, ring);
	event->number = e->next++;
	if (ring->slots) {
		ring->slots[ring->next++ % ring->max] = event;
		ring->text_bytes += bytes;
	} else {
		keep_traffic(e, ring, event);
		event_free(event);
	}
	if (e->added)
		e->added(e->userdata);
}

uint64_t events_next(const struct events *e)
{
	return e->next;
}

uint64_t events_started_usec(const struct events *e)
{
	return e->started_usec;
}

/* Where in the ring the first event at this number or after it is; ring->next for none. */
static uint64_t ring_search(const struct events *e, const struct ring *ring, uint64_t number)
{
	uint64_t low = ring->first, high = ring->next;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (ring_number(e, ring, middle) < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The first of a ring, or what was lost of it, at a number or after it. */
struct ring_place {
	const struct ring *ring; /* NULL for none */
	bool lost;
	uint64_t i, number;
};

/* What was lost is before all that is kept of the sort. */
static bool ring_at(const struct events *e, const struct ring *ring, uint64_t number,
		    struct ring_place *ret)
{
	uint64_t i;

	if (ring->lost && ring->lost_number >= number) {
		*ret = (struct ring_place){ ring, .lost = true, .number = ring->lost_number };
		return true;
	}
	i = ring_search(e, ring, number);
	if (i == ring->next)
		return false;
	*ret = (struct ring_place){ ring, .i = i, .number = ring_number(e, ring, i) };
	return true;
}

bool events_at(const struct events *e, uint64_t number, struct events_item *ret)
{
	struct ring_place place, first = {};
	const struct event *event;

	for (size_t i = 0; i < N_SORTS; i++)
		if (ring_at(e, &e->rings[i], number, &place) &&
		    (!first.ring || place.number < first.number))
			first = place;
	if (!first.ring)
		return false;
	if (first.lost) {
		*ret = (struct events_item){ first.number, NULL, first.ring->lost_usec,
					     first.ring->types };
		return true;
	}
	event = ring_get(e, first.ring, first.i);
	*ret = (struct events_item){ event->number, event, event->time_usec,
				     EVENT_BIT(event->type) };
	return true;
}

const struct event *events_before(const struct events *e, uint64_t number)
{
	struct ring_place last = {};

	for (size_t i = 0; i < N_SORTS; i++) {
		const struct ring *ring = &e->rings[i];
		const uint64_t after = ring_search(e, ring, number);

		if (after > ring->first &&
		    (!last.ring || ring_number(e, ring, after - 1) > last.number))
			last = (struct ring_place){ ring, .i = after - 1,
						    .number = ring_number(e, ring, after - 1) };
	}
	return last.ring ? ring_get(e, last.ring, last.i) : NULL;
}

const struct event *events_before_of(const struct events *e, enum event_type type, uint64_t number)
{
	const struct ring *ring = &e->rings[sorts[type]];

	for (uint64_t i = ring_search(e, ring, number); i > ring->first; i--) {
		const struct event *event = ring_get(e, ring, i - 1);

		if (event->type == type)
			return event;
	}
	return NULL;
}

/* Not a search by halves: the clock may have been set back. */
static uint64_t ring_since(const struct events *e, const struct ring *ring, uint64_t time_usec)
{
	if (ring->lost && ring->lost_usec >= time_usec)
		return ring->lost_number;
	for (uint64_t i = ring->first; i < ring->next; i++)
		if (ring_usec(e, ring, i) >= time_usec)
			return ring_number(e, ring, i);
	return UINT64_MAX;
}

uint64_t events_since(const struct events *e, uint64_t time_usec)
{
	uint64_t first = e->next;

	for (size_t i = 0; i < N_SORTS; i++)
		first = MIN(first, ring_since(e, &e->rings[i], time_usec));
	return first;
}
