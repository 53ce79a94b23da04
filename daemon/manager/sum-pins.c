/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SumPins: sums where a list would be too long to read. */
#include <errno.h>
#include <string.h>
#include <utlist.h>

#include "daemon/base/base.h"
#include "daemon/manager/answers.h"
#include "daemon/manager/methods.h"
#include "daemon/model/model.h"
#include "lib/clock.h"
#include "lib/json.h"

#define STEP_PINS	 8192 /* then others have their turn */
#define LOOK_PINS	 64 /* as many as a look at whose a cgroup is */
#define SUMMINGS_MAX	 32 /* at a time; half of them for others than administrators */
#define SUMMINGS_UID_MAX 4 /* of one user who is none */

/* A SumPins under way. */
struct summing {
	struct summing *prev, *next;
	struct manager *m;
	struct call *call;
	json_t *params; /* the filter points into it */
	sd_event_source *source;
	struct pin_cursor cursor;
	struct pin_filter filter;
	struct sums *sums;
};

static struct summing *summing_free(struct summing *s)
{
	if (!s)
		return NULL;
	DL_DELETE(s->m->calls.summings, s);
	pin_cursor_done(&s->cursor);
	sd_event_source_disable_unref(s->source);
	call_set_watch(s->call, NULL, NULL);
	call_unref(s->call);
	json_decref(s->params);
	sums_free(s->sums);
	free(s);
	return NULL;
}

static bool is_meant(struct summing *s, const struct pin_origin *origin)
{
	return pin_filter_match_origin(&s->filter, origin) &&
	       may_see_pin(s->m, s->call, origin->uid, origin->cgroup);
}

/* As it was when its pins were noted. */
static bool was_meant(struct summing *s, const struct pin_origin *origin)
{
	return pin_filter_match_origin(&s->filter, origin) &&
	       could_see_pin(s->call, origin->uid, origin->cgroup);
}

/* How many there are, all of this moment: no file is looked at. */
static int count(struct summing *s)
{
	struct pin_origin *origin = NULL;
	const struct pin *pin;
	int r = 0;

	if (s->filter.has_id) {
		pin = registry_find(s->m->registry, s->filter.id);
		return pin && was_meant(s, pin->origin) ?
			       sums_count(s->sums, pin->origin, 1, pin->bytes) : 0;
	}
	while (r == 0 && (origin = registry_origin_next(s->m->registry, origin)))
		if (was_meant(s, origin))
			r = sums_count(s->sums, origin, origin->pins, origin->bytes);
	return r;
}

/* 1 when done, 0 to go on later. */
static int step(struct summing *s)
{
	const uint64_t start_usec = clock_usec(CLOCK_MONOTONIC);
	const struct pin_origin *last = NULL;
	bool meant = false;
	struct pin *pin;
	int r;

	for (unsigned int i = 0; i < STEP_PINS; i++) {
		if (i > 0 && i % LOOK_PINS == 0 && turn_is_long(start_usec))
			return 0;
		pin = pin_cursor_next(&s->cursor);
		if (!pin) {
			r = count(s);
			if (r == 0)
				r = call_reply(s->call, sums_json(s->sums));
			return r < 0 ? r : 1;
		}
		if (s->filter.has_id && pin->id != s->filter.id)
			continue;
		if (pin->origin != last) {
			meant = is_meant(s, pin->origin);
			/* Whose a pin in a deep tree is takes long to see. */
			i += call_sees_all(s->call) ? 0 : LOOK_PINS - 1 - i % LOOK_PINS;
		}
		last = pin->origin;
		r = meant ? sums_note(s->sums, pin) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

static int on_step(sd_event_source *source, void *userdata)
{
	struct summing *s = userdata;
	int r = step(s);

	if (r == 0)
		r = turn_schedule(s->m->event, &s->source, on_step, s, "sum-pins");
	if (r < 0)
		answer_errno(s->call, r);
	if (r != 0)
		summing_free(s);
	return 0;
}

static void on_gone(struct call *call, void *userdata)
{
	summing_free(userdata);
}

static const struct call_watch watch = { .gone = on_gone };

static int start(struct manager *m, struct call *call, bool ready, json_t *params)
{
	const bool trusted = call_sees_all(call);
	const unsigned int max = trusted ? SUMMINGS_MAX : SUMMINGS_MAX / 2;
	unsigned int own = 0;
	struct summing *s;
	enum sum_by by;
	unsigned int n;
	int r;

	if (!ready)
		return reply_not_ready(call);
	if (sums_parse_by(json_get_string(params, "by", ""), &by) < 0)
		return call_error_invalid(call, "by");
	DL_COUNT(m->calls.summings, s, n);
	DL_FOREACH(m->calls.summings, s)
		own += call_peer(s->call)->uid == call_peer(call)->uid;
	if (!trusted && own >= SUMMINGS_UID_MAX)
		return reply_limit(call, "sums at a time of one user", SUMMINGS_UID_MAX);
	if (n >= max)
		return reply_limit(call, "sums at a time", max);
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->m = m;
	s->call = call_ref(call);
	s->params = json_incref(params);
	s->sums = sums_new(by);
	DL_APPEND(m->calls.summings, s);
	r = s->sums ? parse_pin_filter(m, call, params, &s->filter) : -ENOMEM;
	if (r == 0) {
		pin_cursor_init(&s->cursor, m->registry);
		call_set_watch(call, &watch, s);
		r = turn_schedule(m->event, &s->source, on_step, s, "sum-pins");
	}
	if (r != 0)
		summing_free(s);
	return MIN(r, 0);
}

int method_sum_pins(struct call *call, json_t *params, void *userdata)
{
	return manager_wait_ready(userdata, call, params, start);
}
