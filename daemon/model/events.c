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
	[EVENT_REVOKE] = SORT_REVOKE,	     [EVENT_REVOKE_DONE] = SORT_REVOKE,
	[EVENT_RELEASE] = SORT_RELEASE,	     [EVENT_RELEASE_STEP] = SORT_RELEASE,
	[EVENT_RELEASE_DONE] = SORT_RELEASE, [EVENT_FAILURE] = SORT_FAILURE,
	[EVENT_FAILURE_DONE] = SORT_FAILURE, [EVENT_RESYNC] = SORT_RESYNC,
};

/* The last events of a sort. first and next only grow; their slots are those modulo max. */
struct ring {
	struct event **slots;
	uint32_t types;
	uint64_t max, first, next;
	size_t text_bytes;
	/* The last one that was dropped. */
	bool lost;
	uint64_t lost_number, lost_usec;
};

struct events {
	struct event *slots[EVENTS_TRAFFIC_MAX + (N_SORTS - 1) * EVENTS_SORT_MAX];
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
	slots = e->slots;
	for (size_t i = 0; i < N_SORTS; i++) {
		e->rings[i].slots = slots;
		e->rings[i].max = i == SORT_TRAFFIC ? EVENTS_TRAFFIC_MAX : EVENTS_SORT_MAX;
		slots += e->rings[i].max;
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

static struct event *ring_get(const struct ring *ring, uint64_t i)
{
	return ring->slots[i % ring->max];
}

static void ring_drop(struct ring *ring)
{
	struct event *event = ring_get(ring, ring->first);

	ring->lost = true;
	ring->lost_number = event->number;
	ring->lost_usec = event->time_usec;
	ring->text_bytes -= text_bytes(event);
	ring->slots[ring->first++ % ring->max] = NULL;
	event_free(event);
}

void events_add(struct events *e, struct event *event)
{
	struct ring *ring = &e->rings[sorts[event->type]];
	const size_t bytes = text_bytes(event);

	while (ring->next - ring->first == ring->max ||
	       (ring->first < ring->next && ring->text_bytes + bytes > EVENTS_TEXT_MAX))
		ring_drop(ring);
	event->number = e->next++;
	ring->slots[ring->next++ % ring->max] = event;
	ring->text_bytes += bytes;
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
static uint64_t ring_search(const struct ring *ring, uint64_t number)
{
	uint64_t low = ring->first, high = ring->next;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (ring_get(ring, middle)->number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* What was lost is before all that is kept of the sort. */
static bool ring_at(const struct ring *ring, uint64_t number, struct events_item *ret)
{
	const struct event *event;
	uint64_t i;

	if (ring->lost && ring->lost_number >= number) {
		*ret = (struct events_item){ ring->lost_number, NULL, ring->lost_usec,
					     ring->types };
		return true;
	}
	i = ring_search(ring, number);
	if (i == ring->next)
		return false;
	event = ring_get(ring, i);
	*ret = (struct events_item){ event->number, event, event->time_usec,
				     EVENT_BIT(event->type) };
	return true;
}

bool events_at(const struct events *e, uint64_t number, struct events_item *ret)
{
	struct events_item item;
	bool found = false;

	for (size_t i = 0; i < N_SORTS; i++) {
		if (!ring_at(&e->rings[i], number, &item) || (found && item.number > ret->number))
			continue;
		*ret = item;
		found = true;
	}
	return found;
}

const struct event *events_before(const struct events *e, uint64_t number)
{
	const struct event *last = NULL, *event;

	for (size_t i = 0; i < N_SORTS; i++) {
		const struct ring *ring = &e->rings[i];
		const uint64_t after = ring_search(ring, number);

		if (after == ring->first)
			continue;
		event = ring_get(ring, after - 1);
		if (!last || event->number > last->number)
			last = event;
	}
	return last;
}

/* Not a search by halves: the clock may have been set back. */
static uint64_t ring_since(const struct ring *ring, uint64_t time_usec)
{
	if (ring->lost && ring->lost_usec >= time_usec)
		return ring->lost_number;
	for (uint64_t i = ring->first; i < ring->next; i++)
		if (ring_get(ring, i)->time_usec >= time_usec)
			return ring_get(ring, i)->number;
	return UINT64_MAX;
}

uint64_t events_since(const struct events *e, uint64_t time_usec)
{
	uint64_t first = e->next;

	for (size_t i = 0; i < N_SORTS; i++)
		first = MIN(first, ring_since(&e->rings[i], time_usec));
	return first;
}
