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
	uint64_t position; /* of the event to come next */
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

static int tell(struct monitor *mon, const struct events_item *item)
{
	uint32_t lost = item->types & may_see_types(mon->call);

	mon->position = item->number + 1;
	if (item->event)
		return may_see_event(mon->m, mon->call, item->event) ?
			       send_event(mon, item->event) : 0;
	return lost ? send_gap(mon, item->time_usec, lost) : 0;
}

/* 1 when done, 0 to go on later */
static int step(struct monitor *mon)
{
	struct events_item item;
	unsigned int i;
	int r = 0;

	for (i = 0; r >= 0 && i < EVENTS_PER_STEP && call_writable(mon->call); i++) {
		if (mon->gap) {
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
	       (!mon->follow || mon->gap || mon->position < events_next(mon->m->events));
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

int method_monitor(struct call *call, json_t *params, void *userdata)
{
	int64_t since = json_get_int(params, "since_usec", INT64_MAX);
	struct manager *m = userdata;
	struct monitor *mon;
	int r;

	if (since < 0)
		return call_error_invalid(call, "since_usec");
	mon = calloc(1, sizeof(*mon));
	if (!mon)
		return -ENOMEM;
	mon->m = m;
	mon->call = call_ref(call);
	mon->follow = json_get_bool(params, "follow", true);
	mon->position = events_since(m->events, since);
	mon->end = mon->follow ? UINT64_MAX : events_next(m->events);
	/* 0 asks for all there is. */
	mon->gap = since > 0 && (uint64_t)since < events_started_usec(m->events);
	DL_APPEND(m->calls.monitors, mon);
	call_set_watch(call, &watch, mon);
	r = next_step(mon);
	if (r < 0)
		monitor_free(mon);
	return r;
}
