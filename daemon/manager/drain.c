/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drain: the pins of physical memory are asked for. */
#include <errno.h>
#include <string.h>
#include <utlist.h>

#include "daemon/manager/answers.h"
#include "daemon/manager/inquiry.h"
#include "daemon/manager/methods.h"
#include "lib/json.h"
#include "lib/log.h"

/* A drain that runs. */
struct drain {
	struct drain *prev, *next;
	struct manager *m;
	struct release *release;
	struct release_watch watch;
	struct phys_range *ranges;
	size_t n_ranges;
};

static struct drain *drain_free(struct drain *d)
{
	DL_DELETE(d->m->calls.drains, d);
	release_watch_remove(d->release, &d->watch);
	release_unref(d->release);
	free(d->ranges);
	free(d);
	return NULL;
}

void drains_free(struct manager *m)
{
	while (m->calls.drains)
		drain_free(m->calls.drains);
}

static struct drain *find_drain(struct manager *m, const struct inquiry *q)
{
	struct drain *d;

	DL_FOREACH(m->calls.drains, d)
		if (release_phase(d->release) == RELEASE_RUNNING && d->n_ranges == q->n_ranges &&
		    memcmp(d->ranges, q->ranges, q->n_ranges * sizeof(*q->ranges)) == 0)
			return d;
	return NULL;
}

static void on_changed(struct release *release, void *userdata)
{
	if (release_phase(release) != RELEASE_RUNNING)
		drain_free(userdata);
}

/* So that the next one of the same ranges follows it; takes the ranges over. */
static void remember(struct inquiry *q, struct release *release)
{
	struct drain *d = release_phase(release) == RELEASE_RUNNING ? calloc(1, sizeof(*d)) : NULL;

	if (!d)
		return;
	d->m = q->m;
	d->release = release_ref(release);
	d->ranges = TAKE_PTR(q->ranges);
	d->n_ranges = q->n_ranges;
	d->watch.changed = on_changed;
	d->watch.userdata = d;
	DL_APPEND(q->m->calls.drains, d);
	release_watch_add(release, &d->watch);
}

static int start_release(struct inquiry *q, const struct holder *pins, size_t n,
			 struct release **ret)
{
	_cleanup_(freep) uint64_t *ids = calloc(n ?: 1, sizeof(*ids));
	struct release_config config = {
		.reason = RELEASE_DRAIN,
		.target = json_get_string(q->params, "target", ""),
		.mode = json_get_bool(q->params, "async", false) ? RELEASE_ASYNC : RELEASE_SYNC,
		.dry_run = json_get_bool(q->params, "dry_run", false),
		.admin = true,
		.uid = call_peer(q->call)->uid,
		.pin_ids = ids,
		.n_pins = n,
	};
	size_t i;
	int r;

	if (!ids)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		ids[i] = pins[i].id;
	r = parse_release_timeout(q->call, q->params, &config.timeout_usec);
	if (r != 0)
		return r;
	return release_start(q->m->releases, &config, ret);
}

static void answer_drain(struct inquiry *q, const struct holder *pins, size_t n)
{
	_cleanup_(release_unrefp) struct release *release = NULL;
	bool dry_run = json_get_bool(q->params, "dry_run", false);
	struct drain *same = dry_run ? NULL : find_drain(q->m, q);
	int r = 0;

	if (same)
		release = release_ref(same->release);
	else
		r = start_release(q, pins, n, &release);
	if (r > 0)
		return;
	if (r < 0) {
		if (reply_release_error(q->call, r) < 0)
			log_debug("cannot answer Drain");
		return;
	}
	if (!same && !dry_run)
		remember(q, release);
	q->handed_on = true;
	call_set_watch(q->call, NULL, NULL);
	r = follow_release(q->call, release, json_get_bool(q->params, "async", false));
	if (r < 0)
		answer_errno(q->call, r);
}

/* No drain of what is no memory, though it may be the name of a device that pins some. */
static void answer_name(struct inquiry *q, const struct devnames *names)
{
	const struct pin_filter filter = { .device = q->name };
	_cleanup_(pin_cursor_done) struct pin_cursor cursor;
	bool known = names;
	struct pin *pin;
	int r;

	pin_cursor_init(&cursor, q->m->registry);
	while (!known && (pin = pin_cursor_next(&cursor)))
		known = pin_filter_match(&filter, pin);
	r = known ? reply_invalid_target(q->call, q->text,
					 "it pins memory and has none of its own; "
					 "its pins can be released by its name") :
		    reply_no_such_target(q->call, q->text);
	if (r < 0)
		answer_errno(q->call, r);
}

static const struct inquiry_kind drain = {
	.max = RELEASES_PINS_MAX,
	.answer = answer_drain,
	.answer_name = answer_name,
};

static int start(struct manager *m, struct call *call, bool ready, json_t *params)
{
	return inquiry_start(m, call, ready, params, &drain);
}

int method_drain(struct call *call, json_t *params, void *userdata)
{
	uint64_t timeout_usec;
	int r = parse_release_timeout(call, params, &timeout_usec);

	return r != 0 ? MIN(r, 0) : manager_inquire(call, params, userdata, start);
}
