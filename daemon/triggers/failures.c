/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is done when memory fails: the kernel's events and list, who is told, ListFailures. */
#include <errno.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/kernel/holders.h"
#include "daemon/triggers/failures-internal.h"
#include "daemon/manager/internal.h"
#include "daemon/manager/methods.h"
#include "daemon/manager/release.h"
#include "daemon/base/messages.h"
#include "daemon/base/turn.h"
#include "lib/json.h"
#include "lib/log.h"

/* While there is no room for all that is in use; then the list is read again. */
#define FULL_USEC (5 * 1000000ULL)

/* --- who is told --- */

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
	r = sd_event_add_time_relative(failing->m->event, &failing->rest, CLOCK_MONOTONIC,
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
	struct event *event = event_new(type, loop_usec(failing->m->event, CLOCK_REALTIME));

	if (event && json)
		event->failure = json_dumps(json, JSON_COMPACT);
	if (!event || !event->failure) {
		log_warning("out of memory, a failure of memory is missing in the history");
		event_free(event);
		return;
	}
	event->seq = seq;
	manager_add_event(failing->m, event);
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
	f->told_usec = loop_usec(failing->m->event, CLOCK_REALTIME);
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

/* --- the kernel's list --- */

static int on_listed(const struct failure_info *info, void *userdata)
{
	struct failing *failing = userdata;
	struct failure *f;
	int r = failures_list(failing->failures, info, loop_usec(failing->m->event, CLOCK_REALTIME), &f);

	if (r == 1)
		failing_changed(failing);
	/* What there is no room for is in the next list again. */
	failing->list_full = failing->list_full || r == -ENOSPC;
	return r == -ENOMEM ? r : 0;
}

static void on_ended(struct failure *f, void *userdata)
{
	struct failing *failing = userdata;

	failing_drop_work(failing, f);
	failing_tell_done(failing, f);
	failing_changed(failing);
}

static int schedule_list(struct failing *failing, uint64_t usec);

static int list(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct failing *failing = userdata;
	struct manager *m = failing->m;
	struct pin_kernel_info info;
	const bool resynced = failing->resynced;
	int r;

	failing->list = sd_event_source_disable_unref(failing->list);
	failing->listed_usec = clock_usec(CLOCK_MONOTONIC);
	failing->resynced = failing->list_full = false;
	if (resynced && genl_get_info(source_genl(m->source), &info) >= 0)
		failures_counted(failing->failures, info.failures);
	failures_begin_list(failing->failures);
	r = genl_list_failures(source_genl(m->source), on_listed, failing);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		log_warning_errno(r, "cannot list memory that failed and is in use: %m");
	else if (resynced)
		failures_end_list(failing->failures, loop_usec(m->event, CLOCK_REALTIME), on_ended, failing);
	if (resynced)
		failures_unblock(failing->failures);
	failing_work(failing);
	return failing->list_full ? schedule_list(failing, failing->listed_usec + FULL_USEC) : 0;
}

/* Later: nothing is asked of the kernel while an answer of it is being read. */
static int schedule_list(struct failing *failing, uint64_t usec)
{
	int r;

	if (failing->list)
		return sd_event_source_set_time(failing->list, usec);
	r = sd_event_add_time(failing->m->event, &failing->list, CLOCK_MONOTONIC, usec, 1000, list,
			      failing);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(failing->list, "failures-list");
	return 0;
}

int manager_list_failures(struct manager *m)
{
	if (!m->failing || !(source_features(m->source) & PINGUARD_FEATURE_MEMORY_FAILURE))
		return 0;
	m->failing->resynced = true;
	return schedule_list(m->failing, 0);
}

/* --- the kernel's events --- */

static void cancel_request(struct failing *failing, const struct failure *over)
{
	struct release *release = over->token[0] && failing->m->releases ?
					  release_find(failing->m->releases, over->token) : NULL;
	const struct failure *f = NULL;

	if (!release || release_reason(release) != RELEASE_MEMORY_FAILURE)
		return;
	while ((f = failures_next(failing->failures, (struct failure *)f)))
		if (f->state == FAILURE_OPEN && strcmp(f->token, over->token) == 0)
			return;
	release_cancel(release);
}

static void on_failure_done(struct failing *failing, const struct pin_event *e)
{
	const uint64_t now = loop_usec(failing->m->event, CLOCK_REALTIME);
	struct failure *f;

	if (failures_done(failing->failures, &e->failure, now, &f) <= 0)
		return;
	failing_drop_work(failing, f);
	if (!f->told)
		failing_tell(failing, f);
	f->seq = e->seq;
	failing_tell_done(failing, f);
	/* Memory that is good again, or is not there any more, is nobody's to let go of. */
	if (f->state != FAILURE_ISOLATED)
		cancel_request(failing, f);
	failing_changed(failing);
}

static void on_failure(struct failing *failing, const struct pin_event *e)
{
	const uint64_t now = loop_usec(failing->m->event, CLOCK_REALTIME);
	struct failure *f;
	int r = failures_add(failing->failures, &e->failure, now, &f);

	if (r < 0) {
		if (!failing->full)
			log_event(LOG_WARNING, MESSAGE_FAILURES_FULL, NULL,
				  "%zu failures of memory are open, no more are remembered: %s",
				  failures_count(failing->failures), strerror(-r));
		failing->full = true;
		return;
	}
	failing->full = false;
	failing_changed(failing);
	if (!f->told) {
		f->seq = f->seq ?: e->seq;
	} else if (f->step == FAILURE_IDLE && now >= f->told_usec + FAILURES_PAUSE_USEC) {
		f->seq = e->seq;
		failing_tell(failing, f);
	}
}

int manager_on_failure(struct manager *m, const struct pin_event *e)
{
	struct failing *failing = m->failing;
	int r;

	if (!failing)
		return 0;
	if (e->type == PIN_EVENT_FAILURE_DONE) {
		on_failure_done(failing, e);
		return 0;
	}
	on_failure(failing, e);
	/* Whether a device holds on to it. */
	if (!failing->list) {
		r = schedule_list(failing, failing->listed_usec + FAILURES_PAUSE_USEC);
		if (r < 0)
			return r;
	}
	failing_work(failing);
	return 0;
}

void manager_failures_release_over(struct manager *m, const struct release *release)
{
	if (!m->failing || release_reason(release) != RELEASE_MEMORY_FAILURE)
		return;
	failures_unblock(m->failing->failures);
	failing_work(m->failing);
}

/* --- ListFailures --- */

int method_list_failures(struct call *call, json_t *params, void *userdata)
{
	const int64_t since = json_get_int(params, "since_usec", 0);
	_cleanup_json_ json_t *array = json_array();
	struct manager *m = userdata;
	struct failures *failures = m->failing->failures;
	struct failure *f = NULL;

	if (since < 0)
		return call_error_invalid(call, "since_usec");
	/* What was seen when the kernel could tell is told where it cannot, too. */
	if (failures_count(failures) == 0 &&
	    !(source_features(m->source) & PINGUARD_FEATURE_MEMORY_FAILURE))
		return reply_not_supported(call, source_reason(m->source) ?:
					   "the kernel does not tell of failures of memory");
	if (!array)
		return -ENOMEM;
	while ((f = failures_next(failures, f)))
		if (f->last_usec >= (uint64_t)since &&
		    json_array_append_new(array, failure_to_json(f)) < 0)
			return -ENOMEM;
	return call_reply(call, json_pack("{s:O, s:I}", "failures", array, "unseen",
					  (json_int_t)failures_unseen(failures)));
}
