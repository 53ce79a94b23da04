/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls that wait until the registry is what the kernel says. */
#include <errno.h>
#include <utlist.h>

#include "daemon/base/base.h"
#include "daemon/manager/internal.h"
#include "lib/log.h"

#define READY_TIMEOUT_USEC (5 * 1000000ULL)

struct waiter {
	struct waiter *prev, *next;
	struct manager *m;
	struct call *call;
	json_t *params;
	bool (*is_ready)(const struct manager *m);
	manager_waiter done;
	sd_event_source *timeout;
};

static struct waiter *waiter_free(struct waiter *w)
{
	if (!w)
		return NULL;
	DL_DELETE(w->m->calls.waiters, w);
	sd_event_source_disable_unref(w->timeout);
	call_set_watch(w->call, NULL, NULL);
	call_unref(w->call);
	json_decref(w->params);
	free(w);
	return NULL;
}

static void settle(struct waiter *w, bool ready)
{
	_cleanup_(call_unrefp) struct call *call = call_ref(w->call);
	json_t *params = json_incref(w->params);
	manager_waiter done = w->done;
	struct manager *m = w->m;
	int r;

	waiter_free(w);
	r = done(m, call, ready, params);
	json_decref(params);
	if (r < 0)
		(void)call_error_errno(call, r); /* or it has been answered */
}

static int on_settle(sd_event_source *source, void *userdata)
{
	struct manager *m = userdata;
	struct waiter *w;

	/* Or it is no more, and they go on waiting. */
	DL_FOREACH(m->calls.waiters, w)
		if (w->is_ready(m)) {
			settle(w, true);
			return waiters_settle(m);
		}
	return 0;
}

int waiters_settle(struct manager *m)
{
	int r;

	if (!m->calls.waiters)
		return 0;
	r = turn_schedule(m->event, &m->calls.settle, on_settle, m, "settle");
	return r < 0 ? log_error_errno(r, "cannot go on with calls that wait: %m") : 0;
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata)
{
	settle(userdata, false);
	return 0;
}

static void on_gone(struct call *call, void *userdata)
{
	waiter_free(userdata);
}

static const struct call_watch watch = { .gone = on_gone };

static bool list_is_ready(const struct manager *m)
{
	return source_ready(m->source) && !m->calls.held;
}

int manager_wait_ready(struct manager *m, struct call *call, json_t *params, manager_waiter done)
{
	int r = source_refresh(m->source);

	if (r < 0)
		return r;
	return r > 0 && list_is_ready(m) ? done(m, call, true, params) :
					   manager_wait_for(m, call, params, list_is_ready, done);
}

static int on_noted(void *userdata)
{
	return waiters_settle(userdata);
}

static bool limits_are_noted(const struct manager *m)
{
	return !cgroups_are_walked(m->cgroups);
}

int manager_wait_limits(struct manager *m, struct call *call, json_t *params, manager_waiter done)
{
	int r = cgroups_note_limits(m->cgroups, on_noted, m);

	if (r < 0)
		return r;
	return r > 0 ? done(m, call, true, params) :
		       manager_wait_for(m, call, params, limits_are_noted, done);
}

int manager_wait_for(struct manager *m, struct call *call, json_t *params,
		     bool (*is_ready)(const struct manager *m), manager_waiter done)
{
	struct waiter *w;
	int r;

	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->m = m;
	w->call = call_ref(call);
	w->params = json_incref(params);
	w->is_ready = is_ready;
	w->done = done;
	DL_APPEND(m->calls.waiters, w);
	call_set_watch(call, &watch, w);
	r = sd_event_add_time_relative(m->event, &w->timeout, CLOCK_MONOTONIC,
				       READY_TIMEOUT_USEC, 0, on_timeout, w);
	if (r < 0) {
		waiter_free(w);
		return r;
	}
	(void)sd_event_source_set_description(w->timeout, "wait-ready");
	return 0;
}
