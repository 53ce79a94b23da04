/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is told of memory that failed: the history of events, and the journal as far as it goes. */
#include "daemon/base/base.h"
#include "daemon/triggers/failures-internal.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "lib/log.h"

static int on_rest(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct failing *failing = userdata;
	unsigned int n = failure_pace_rest(&failing->pace, clock_usec(CLOCK_MONOTONIC));

	failing->rest = sd_event_source_disable_unref(failing->rest);
	if (n > 0)
		failure_log_more(n);
	return 0;
}

static bool may_log(struct failing *failing)
{
	int r;

	if (failure_pace_pass(&failing->pace, clock_usec(CLOCK_MONOTONIC)))
		return true;
	if (failing->rest)
		return false;
	r = sd_event_add_time_relative(failing->event, &failing->rest, CLOCK_MONOTONIC,
				       FAILURE_LOG_USEC, 0, on_rest, failing);
	if (r < 0)
		log_warning_errno(r, "failures of memory are not in the journal: %m");
	else
		(void)sd_event_source_set_description(failing->rest, "failures-rest");
	return false;
}

static void tell(struct failing *failing, struct failure *f, enum event_type type, uint64_t seq)
{
	_cleanup_json_ json_t *json = failure_to_json(f);
	struct event *event = event_new(type, loop_usec(failing->event, CLOCK_REALTIME));

	if (event && json)
		event->failure = json_dumps(json, JSON_COMPACT);
	if (!event || !event->failure) {
		log_warning("out of memory, a failure of memory is missing in the history");
		event_free(event);
		return;
	}
	event->seq = seq;
	events_add(failing->config->events, event);
	if (!may_log(failing))
		return;
	if (type == EVENT_FAILURE)
		failure_log(json);
	else
		failure_log_done(json);
}

void failing_tell(struct failing *failing, struct failure *f)
{
	f->told = true;
	f->told_usec = loop_usec(failing->event, CLOCK_REALTIME);
	tell(failing, f, EVENT_FAILURE, f->seq);
	f->seq = 0;
}

void failing_tell_done(struct failing *failing, struct failure *f)
{
	if (!f->told)
		failing_tell(failing, f);
	tell(failing, f, EVENT_FAILURE_DONE, f->seq);
	f->seq = 0;
}
