/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/model/events.h"

struct events {
	struct event *ring[EVENTS_MAX];
	uint64_t next;
	uint64_t started_usec;
	void (*added)(void *userdata);
	void *userdata;
};

struct events *events_new(uint64_t started_usec)
{
	struct events *e = calloc(1, sizeof(*e));

	if (e)
		e->started_usec = started_usec;
	return e;
}

void events_listen(struct events *e, void (*added)(void *userdata), void *userdata)
{
	e->added = added;
	e->userdata = userdata;
}

struct events *events_free(struct events *e)
{
	size_t i;

	if (!e)
		return NULL;
	for (i = 0; i < EVENTS_MAX; i++)
		event_free(e->ring[i]);
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
	free(event);
}

void events_add(struct events *e, struct event *event)
{
	struct event **slot = &e->ring[e->next++ % EVENTS_MAX];

	event_free(*slot);
	*slot = event;
	if (e->added)
		e->added(e->userdata);
}

uint64_t events_first(const struct events *e)
{
	return e->next > EVENTS_MAX ? e->next - EVENTS_MAX : 0;
}

uint64_t events_begin_usec(const struct events *e)
{
	const uint64_t first = events_first(e);

	return first > 0 ? events_get(e, first)->time_usec : e->started_usec;
}

uint64_t events_next(const struct events *e)
{
	return e->next;
}

const struct event *events_get(const struct events *e, uint64_t number)
{
	if (number < events_first(e) || number >= e->next)
		return NULL;
	return e->ring[number % EVENTS_MAX];
}

uint64_t events_since(const struct events *e, uint64_t time_usec)
{
	uint64_t n = events_first(e);

	/* Not a search by halves: the clock may have been set back. */
	while (n < e->next && events_get(e, n)->time_usec < time_usec)
		n++;
	return n;
}
