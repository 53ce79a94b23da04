/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <utlist.h>

#include "daemon/base/base.h"
#include "daemon/manager/answers.h"
#include "daemon/manager/methods.h"
#include "daemon/model/model.h"
#include "lib/json.h"
#include "lib/log.h"

#define EVENTS_PER_STEP 256 /* then others have their turn */

/* A Monitor under way: a reader of the history. */
struct monitor {
	struct monitor *prev, *next;
	struct manager *m;
	struct call *call;
	sd_event_source *source;
	struct event_filter filter;
	uint64_t position; /* of the event to come next */
	/* While it is looked for, backwards: how many there still may be, and from where on. */
	uint64_t seek, floor;
	uint64_t end; /* there it ends */
	bool follow;
	bool gap; /* to be told first: the service was not there that early */
	json_t *pending; /* without follow: it may be the last */
};

static struct monitor *monitor_free(struct monitor *mon)
{
	if (!mon)
		return NULL;
	DL_DELETE(mon->m->calls.monitors, mon);
	sd_event_source_disable_unref(mon->source);
	call_set_watch(mon->call, NULL, NULL);
	call_unref(mon->call);
	json_decref(mon->pending);
	event_filter_done(&mon->filter);
	free(mon);
	return NULL;
}

static int on_step(sd_event_source *source, void *userdata);

static int next_step(struct monitor *mon)
{
	return turn_schedule(mon->m->event, &mon->source, on_step, mon, "monitor");
}

static json_t *wrap(json_t *event)
{
	return json_pack("{s:O}", "event", event);
}

static int send_event(struct monitor *mon, const struct event *event)
{
	bool whole = may_see_whole(mon->m, mon->call, event);
	_cleanup_json_ json_t *json = render_event(event, whole), *ready = NULL;

	if (!json)
		return -ENOMEM;
	if (mon->follow)
		return call_reply_continues(mon->call, wrap(json));
	ready = mon->pending;
	mon->pending = TAKE_PTR(json);
	return ready ? call_reply_continues(mon->call, wrap(ready)) : 0;
}

/* What is lost is not passed over in silence. types: EVENT_BIT()s, 0 for everything */
static int send_gap(struct monitor *mon, uint64_t time_usec, uint32_t types)
{
	const struct event gap = {
		.type = EVENT_GAP,
		.time_usec = time_usec,
		.uid = PIN_UID_NONE,
		.missing = types,
	};

	return send_event(mon, &gap);
}

/* After the history without follow: the last event, or an empty reply where there was none. */
static int end(struct monitor *mon)
{
	if (mon->pending)
		return call_reply(mon->call, wrap(mon->pending));
	return call_reply(mon->call, json_pack("{s:n}", "event"));
}

/* What comes next; false for nothing that there is now. */
static bool next_item(struct monitor *mon, struct events_item *ret)
{
	if (mon->position >= mon->end || !events_at(mon->m->events, mon->position, ret))
		return false;
	return !ret->event || ret->number < mon->end;
}

static bool is_wanted(struct monitor *mon, const struct event *event)
{
	return event_filter_match(&mon->filter, event) &&
	       may_see_event(mon->m, mon->call, event);
}

static int tell(struct monitor *mon, const struct events_item *item)
{
	uint32_t lost = item->types & mon->filter.types;

	mon->position = item->number + 1;
	if (item->event)
		return is_wanted(mon, item->event) ? send_event(mon, item->event) : 0;
	return lost ? send_gap(mon, item->time_usec, lost) : 0;
}

/* One event back, to where the last ones begin that are wanted. */
static void seek(struct monitor *mon)
{
	const struct event *event = events_before(mon->m->events, mon->position);

	if (!event || event->number < mon->floor) {
		mon->position = mon->floor;
		mon->seek = 0;
		return;
	}
	mon->position = event->number;
	/* Nothing is said of what was before them. */
	if (is_wanted(mon, event) && --mon->seek == 0)
		mon->gap = false;
}

/* 1 when done, 0 to go on later */
static int step(struct monitor *mon)
{
	struct events_item item;
	unsigned int i;
	int r = 0;

	for (i = 0; r >= 0 && i < EVENTS_PER_STEP && call_writable(mon->call); i++) {
		if (mon->seek > 0) {
			seek(mon);
		} else if (mon->gap) {
			mon->gap = false;
			r = send_gap(mon, events_started_usec(mon->m->events), 0);
		} else if (next_item(mon, &item)) {
			r = tell(mon, &item);
		} else if (mon->follow) {
			return 0;
		} else {
			r = end(mon);
			return r < 0 ? r : 1;
		}
	}
	return MIN(r, 0);
}

static bool has_work(struct monitor *mon)
{
	return call_writable(mon->call) &&
	       (!mon->follow || mon->seek > 0 || mon->gap ||
		mon->position < events_next(mon->m->events));
}

static void finish(struct monitor *mon, int error)
{
	if (error < 0 && error != -EPIPE && call_error_errno(mon->call, error) < 0)
		log_debug("cannot answer Monitor");
	monitor_free(mon);
}

static int on_step(sd_event_source *source, void *userdata)
{
	struct monitor *mon = userdata;
	int r = step(mon);

	if (r == 0 && has_work(mon))
		r = next_step(mon);
	if (r != 0)
		finish(mon, r);
	return 0;
}

void monitors_wake(void *userdata)
{
	struct manager *m = userdata;
	struct monitor *mon;

	/* One that cannot be woken now is at the next event. */
	DL_FOREACH(m->calls.monitors, mon)
		if (has_work(mon))
			(void)next_step(mon);
}

static void on_drained(struct call *call, void *userdata)
{
	struct monitor *mon = userdata;
	int r = next_step(mon);

	if (r < 0)
		finish(mon, r);
}

static void on_gone(struct call *call, void *userdata)
{
	monitor_free(userdata);
}

static const struct call_watch watch = { .drained = on_drained, .gone = on_gone };

static void set_range(struct monitor *mon, uint64_t since_usec, uint64_t last)
{
	const struct events *events = mon->m->events;
	uint64_t next = events_next(events);

	mon->position = events_since(events, since_usec);
	mon->end = mon->follow ? UINT64_MAX : next;
	/* 0 asks for all there is. */
	mon->gap = since_usec > 0 && since_usec < events_started_usec(events);
	if (last > 0) {
		mon->seek = last;
		mon->floor = mon->position;
		mon->position = next;
	}
}

int method_monitor(struct call *call, json_t *params, void *userdata)
{
	const bool has_last = json_is_integer(json_object_get(params, "last"));
	int64_t last = json_get_int(params, "last", 0);
	int64_t since = json_get_int(params, "since_usec", has_last ? 0 : INT64_MAX);
	struct event_filter filter = {};
	struct manager *m = userdata;
	struct monitor *mon;
	int r;

	if (since < 0)
		return call_error_invalid(call, "since_usec");
	if (has_last && last < 1)
		return call_error_invalid(call, "last");
	r = parse_event_filter(m, call, params, &filter);
	if (r != 0)
		return MIN(r, 0);
	mon = calloc(1, sizeof(*mon));
	if (!mon) {
		event_filter_done(&filter);
		return -ENOMEM;
	}
	mon->m = m;
	mon->call = call_ref(call);
	mon->filter = filter;
	mon->follow = json_get_bool(params, "follow", true);
	set_range(mon, since, last);
	DL_APPEND(m->calls.monitors, mon);
	call_set_watch(call, &watch, mon);
	r = next_step(mon);
	if (r < 0)
		monitor_free(mon);
	return r;
}
