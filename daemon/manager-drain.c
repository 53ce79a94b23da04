/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drain and Who: the pins of physical memory. */
#include <errno.h>
#include <string.h>
#include <utlist.h>

#include "daemon/holders.h"
#include "daemon/manager-internal.h"
#include "daemon/manager-methods.h"
#include "daemon/manager-release.h"
#include "daemon/render.h"
#include "daemon/target.h"
#include "lib/json.h"
#include "lib/log.h"

#define WHO_PINS_MAX 32768 /* in one reply */
#define INQUIRIES_MAX 64 /* calls that wait for the kernel's answer */

/* A call that waits for the kernel to tell who holds the memory. */
struct inquiry {
	struct inquiry *prev, *next;
	struct manager *m;
	struct call *call;
	bool handed_on; /* another watches the call */
	json_t *params;
	struct phys_range *ranges;
	size_t n_ranges;
	struct holders *holders;
	void (*answer)(struct inquiry *q, const struct holder *pins, size_t n);
};

/* A drain that runs. */
struct drain {
	struct drain *prev, *next;
	struct manager *m;
	struct release *release;
	struct release_watch watch;
	struct phys_range *ranges;
	size_t n_ranges;
};

static struct inquiry *inquiry_free(struct inquiry *q)
{
	if (!q)
		return NULL;
	DL_DELETE(q->m->inquiries, q);
	holders_free(q->holders);
	if (!q->handed_on)
		call_set_watch(q->call, NULL, NULL);
	call_unref(q->call);
	json_decref(q->params);
	free(q->ranges);
	free(q);
	return NULL;
}

static struct drain *drain_free(struct drain *d)
{
	DL_DELETE(d->m->drains, d);
	release_watch_remove(d->release, &d->watch);
	release_unref(d->release);
	free(d->ranges);
	free(d);
	return NULL;
}

void manager_drains_free(struct manager *m)
{
	while (m->inquiries)
		inquiry_free(m->inquiries);
	while (m->drains)
		drain_free(m->drains);
}

static void answer_errno(struct call *call, int error)
{
	if (call_error_errno(call, error) < 0)
		log_debug("cannot answer %s", call_method(call));
}

/* --- Drain --- */

static struct drain *find_drain(struct manager *m, const struct inquiry *q)
{
	struct drain *d;

	DL_FOREACH(m->drains, d)
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
	DL_APPEND(q->m->drains, d);
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
	r = manager_follow_release(q->m, q->call, release,
				   json_get_bool(q->params, "async", false));
	if (r < 0)
		answer_errno(q->call, r);
}

/* --- Who --- */

static json_t *ranges_json(const struct inquiry *q)
{
	_cleanup_json_ json_t *array = json_array();
	size_t i;

	for (i = 0; array && i < q->n_ranges; i++)
		if (json_array_append_new(array, json_pack("{s:o, s:o}",
				"first", json_hex(q->ranges[i].first),
				"last", json_hex(q->ranges[i].last))) < 0)
			return NULL;
	return TAKE_PTR(array);
}

static int reply_who(struct inquiry *q, json_t *pins, json_t *inexact)
{
	int r = call_reply(q->call, json_pack("{s:o, s:o, s:O, s:O}",
			"target", render_string(json_get_string(q->params, "target", "")),
			"ranges", ranges_json(q), "pins", pins, "inexact", inexact));

	if (r != -EMSGSIZE)
		return r;
	return call_error(q->call, MANAGER_INTERFACE ".TooManyPins",
			  json_pack("{s:I}", "pins", (json_int_t)json_array_size(pins)));
}

static int add_pin(json_t *pins, const struct pin *pin)
{
	return json_array_append_new(pins, render_pin(pin)) < 0 ? -ENOMEM : 0;
}

static void answer_who(struct inquiry *q, const struct holder *holders, size_t n)
{
	_cleanup_json_ json_t *pins = json_array(), *inexact = json_array();
	int r = pins && inexact ? 0 : -ENOMEM;
	struct pin *pin;
	size_t i;

	for (i = 0; i < n && r >= 0; i++) {
		/* One that is being made has no name and no size yet. */
		pin = registry_find(q->m->registry, holders[i].id);
		if (!pin)
			continue;
		r = add_pin(pins, pin);
		if (r >= 0 && holders[i].inexact &&
		    json_array_append_new(inexact, json_hex(pin->id)) < 0)
			r = -ENOMEM;
	}
	if (r >= 0)
		r = reply_who(q, pins, inexact);
	if (r < 0)
		answer_errno(q->call, r);
}

/* A device's name: the pins say which they have. */
static void answer_device(struct inquiry *q, const char *name)
{
	_cleanup_json_ json_t *pins = json_array(), *inexact = json_array();
	const struct pin_filter filter = { .device = name };
	_cleanup_(pin_cursor_done) struct pin_cursor cursor;
	int r = pins && inexact ? 0 : -ENOMEM;
	size_t n = 0;
	struct pin *pin;

	pin_cursor_init(&cursor, q->m->registry);
	while (r >= 0 && (pin = pin_cursor_next(&cursor))) {
		if (!pin_filter_match(&filter, pin) || ++n > WHO_PINS_MAX)
			continue;
		r = add_pin(pins, pin);
	}
	if (r >= 0 && n == 0)
		r = call_error(q->call, MANAGER_INTERFACE ".NoSuchTarget",
			       json_pack("{s:s}", "target", name));
	else if (r >= 0 && n > WHO_PINS_MAX)
		r = call_error(q->call, MANAGER_INTERFACE ".TooManyPins",
			       json_pack("{s:I}", "pins", (json_int_t)n));
	else if (r >= 0)
		r = reply_who(q, pins, inexact);
	if (r < 0)
		answer_errno(q->call, r);
}

/* --- both --- */

static int reply_invalid_target(struct call *call, const char *target, const char *reason)
{
	return call_error(call, MANAGER_INTERFACE ".InvalidTarget",
			  json_pack("{s:s, s:s}", "target", target, "reason", reason));
}

/* No drain of what is no memory, though it may be the name of a device that pins some. */
static int refuse_name(struct inquiry *q, const char *name)
{
	const struct pin_filter filter = { .device = name };
	_cleanup_(pin_cursor_done) struct pin_cursor cursor;
	struct pin *pin;

	pin_cursor_init(&cursor, q->m->registry);
	while ((pin = pin_cursor_next(&cursor)))
		if (pin_filter_match(&filter, pin))
			return reply_invalid_target(q->call, name, "it pins memory and has none of "
						    "its own; its pins can be released by its "
						    "name");
	return call_error(q->call, MANAGER_INTERFACE ".NoSuchTarget",
			  json_pack("{s:s}", "target", name));
}

/* 0; 1 when the call has been answered; or a negative errno */
static int resolve(struct inquiry *q, const char *text, const struct target *target)
{
	/* While memory is being taken away readers of sysfs may wait for as long as that takes. */
	const bool at_rest = manager_n_revokes(q->m) == 0;
	const char *reason = NULL;
	int r;

	r = inventory_resolve(q->m->inventory, text, target, at_rest, &q->ranges, &q->n_ranges,
			      &reason);
	if (r == -ENOENT && !at_rest)
		return reply_invalid_target(q->call, text, "it was not known before memory began "
					    "to be taken away, and cannot be looked at until "
					    "that is over") ?: 1;
	if (r == -ENOENT)
		return call_error(q->call, MANAGER_INTERFACE ".NoSuchTarget",
				  json_pack("{s:s}", "target", text)) ?: 1;
	if (r == -EINVAL)
		return reply_invalid_target(q->call, text, reason) ?: 1;
	return r;
}

static void on_holders(int error, const struct holder *pins, size_t n, void *userdata)
{
	struct inquiry *q = userdata;
	int r = 0;

	if (error >= 0)
		q->answer(q, pins, n);
	else if (error == -E2BIG)
		r = call_error(q->call, MANAGER_INTERFACE ".TooManyPins",
			       json_pack("{s:I}", "pins", (json_int_t)registry_count(q->m->registry)));
	else if (error == -EOPNOTSUPP || error == -EINVAL)
		r = reply_not_supported(q->call, "the kernel does not tell pins by page frame");
	else
		r = call_error_errno(q->call, error);
	if (r < 0)
		log_debug("cannot answer %s", call_method(q->call));
	inquiry_free(q);
}

static int ask_kernel(struct inquiry *q)
{
	_cleanup_(freep) struct pfn_range *ranges = calloc(q->n_ranges, sizeof(*ranges));
	const uint64_t page_bytes = sysconf(_SC_PAGESIZE);
	const struct holders_config config = {
		.genl = q->m->genl,
		.registry = q->m->registry,
		.exact = genl_features(q->m->genl) & MANAGER_REVOKE_FEATURES,
		.max = q->answer == answer_who ? WHO_PINS_MAX : RELEASES_PINS_MAX,
		.ranges = ranges,
		.n_ranges = q->n_ranges,
		.done = on_holders,
		.userdata = q,
	};
	size_t i;

	if (!ranges)
		return -ENOMEM;
	for (i = 0; i < q->n_ranges; i++) {
		ranges[i].first = q->ranges[i].first / page_bytes;
		ranges[i].last = q->ranges[i].last / page_bytes;
	}
	return holders_find(q->m->event, &config, &q->holders);
}

static void on_gone(struct call *call, void *userdata)
{
	inquiry_free(userdata);
}

static const struct call_watch watch = { .gone = on_gone };

/* 0 where it goes on; 1 when the call has been answered; or a negative errno */
static int inquire(struct inquiry *q)
{
	const char *text = json_get_string(q->params, "target", ""), *reason;
	struct target target;
	int r;

	if (target_parse(text, sysconf(_SC_PAGESIZE), &target, &reason) < 0)
		return reply_invalid_target(q->call, text, reason) ?: 1;
	if (target.type != TARGET_NAME) {
		r = resolve(q, text, &target);
		return r != 0 ? r : ask_kernel(q);
	}
	if (q->answer == answer_who) {
		answer_device(q, text);
		return 1;
	}
	return refuse_name(q, text) ?: 1;
}

static int start(struct manager *m, struct call *call, bool ready, json_t *params)
{
	struct inquiry *q;
	unsigned int n;
	int r;

	if (!ready)
		return reply_not_ready(call);
	DL_COUNT(m->inquiries, q, n);
	if (n >= INQUIRIES_MAX)
		return call_error(call, MANAGER_INTERFACE ".LimitExceeded",
				  json_pack("{s:s, s:i}", "limit", "inquiries", "max",
					    INQUIRIES_MAX));
	q = calloc(1, sizeof(*q));
	if (!q)
		return -ENOMEM;
	q->m = m;
	q->call = call_ref(call);
	q->params = json_incref(params);
	q->answer = strcmp(call_method(call), MANAGER_INTERFACE ".Who") == 0 ? answer_who :
									       answer_drain;
	DL_APPEND(m->inquiries, q);
	call_set_watch(call, &watch, q);
	r = inquire(q);
	if (r == 0)
		return 0;
	inquiry_free(q);
	return MIN(r, 0);
}

static int begin(struct call *call, json_t *params, struct manager *m)
{
	const struct support support = manager_support(m);

	if (!m->genl)
		return reply_not_supported(call, support_reason(&support));
	return manager_wait_ready(m, call, params, start);
}

int method_drain(struct call *call, json_t *params, void *userdata)
{
	uint64_t timeout_usec;
	int r = parse_release_timeout(call, params, &timeout_usec);

	return r != 0 ? MIN(r, 0) : begin(call, params, userdata);
}

int method_who(struct call *call, json_t *params, void *userdata)
{
	return begin(call, params, userdata);
}
