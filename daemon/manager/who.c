/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who and Classify: what is at physical addresses, and the pins that hold it. */
#include <errno.h>
#include <string.h>

#include "daemon/base/base.h"
#include "daemon/manager/answers.h"
#include "daemon/manager/inquiry.h"
#include "daemon/manager/methods.h"
#include "daemon/model/model.h"
#include "lib/json.h"
#include "lib/parse.h"

#define WHO_PINS_MAX	32768 /* in one reply; more come as sums */
#define WHO_NAMES_BYTES	(8U << 20) /* of theirs, likewise: a deep cgroup's is long */
#define WHO_HOLDERS_MAX 262144 /* that are summed up; more are TooManyPins */

/* --- Who --- */

struct answer {
	json_t *ranges, *places, *pins, *inexact, *by_process, *sums;
	size_t names_bytes;
	int64_t sums_omitted;
};

static void answer_done(struct answer *a)
{
	json_decref(a->ranges);
	json_decref(a->places);
	json_decref(a->pins);
	json_decref(a->inexact);
	json_decref(a->by_process);
	json_decref(a->sums);
}

static int answer_init(struct answer *a)
{
	*a = (struct answer){ json_array(), json_array(), json_array(),
			      json_array(), json_array(), json_array() };
	return a->ranges && a->places && a->pins && a->inexact && a->by_process && a->sums ?
		       0 : -ENOMEM;
}

/* -E2BIG: they are to be summed up instead. */
static int add_pin(struct answer *a, const struct pin *pin)
{
	json_t *json = render_pin(pin);

	a->names_bytes += render_names_bytes(json);
	if (json_array_append_new(a->pins, json) < 0)
		return -ENOMEM;
	if (a->names_bytes <= WHO_NAMES_BYTES)
		return 0;
	json_array_clear(a->pins);
	json_array_clear(a->inexact);
	json_array_clear(a->by_process);
	return -E2BIG;
}

static int append(json_t *array, json_t *value)
{
	return json_array_append_new(array, value) < 0 ? -ENOMEM : 0;
}

static int reply_too_many(struct inquiry *q, size_t n)
{
	return call_error(q->call, MANAGER_INTERFACE ".TooManyPins",
			  json_pack("{s:I}", "pins", (json_int_t)n));
}

/* The largest first. */
static json_t *busy_json(const struct inquiry *q)
{
	const uint64_t page_bytes = sysconf(_SC_PAGESIZE);
	_cleanup_json_ json_t *array = json_array();
	bool told[BUSY_CLASSES] = { [BUSY_NONE] = true };

	if (!q->has_sums)
		return json_null();
	for (size_t i = 1; array && i < BUSY_CLASSES; i++) {
		size_t most = BUSY_NONE;

		for (size_t j = 1; j < BUSY_CLASSES; j++)
			if (!told[j] && (!most || q->sums.frames[j] > q->sums.frames[most]))
				most = j;
		told[most] = true;
		if (q->sums.frames[most] > 0 &&
		    append(array, json_pack("{s:s, s:o}", "class", busy_class_name(most), "bytes",
					    json_bytes(q->sums.frames[most] * page_bytes))) < 0)
			return NULL;
	}
	return TAKE_PTR(array);
}

/* How it is known which pins hold some. */
static const char *test_name(const struct inquiry *q)
{
	if (q->target.type == TARGET_NAME)
		return "device";
	return holder_test_name(source_genl(q->m->source) ? HOLDER_KERNEL : HOLDER_PAGE);
}

static int reply_who(struct inquiry *q, const struct answer *a)
{
	int r = call_reply(q->call, json_pack("{s:o, s:O, s:O, s:O, s:O, s:O, s:s, s:O, s:I, s:o, s:O?, s:o}",
			"target", render_string(q->text), "ranges", a->ranges,
			"places", a->places, "pins", a->pins, "inexact", a->inexact,
			"by_process", a->by_process, "test", test_name(q), "sums", a->sums, "sums_omitted", (json_int_t)a->sums_omitted,
			"busy", busy_json(q), "users", q->users,
			"users_unknown", render_string(q->users_unknown)));

	return r == -EMSGSIZE ? reply_too_many(q, json_array_size(a->pins)) : r;
}

static int add_ranges(struct inquiry *q, bool at_rest, struct answer *a)
{
	struct place place;
	size_t i;
	int r;

	for (i = 0; i < q->n_ranges; i++) {
		r = append(a->ranges, json_pack("{s:o, s:o}", "first", json_hex(q->ranges[i].first),
						"last", json_hex(q->ranges[i].last)));
		if (r < 0)
			return r;
		r = devices_place(q->m->devices, q->ranges[i].first, at_rest, &place);
		if (r < 0)
			return r;
		r = append(a->places, place_to_json(&place));
		if (r < 0)
			return r;
	}
	return 0;
}

/* So many that nobody would read them: by process. */
struct summary {
	struct sums *sums;
	int error;
};

static void sum_pin(struct summary *s, const struct pin *pin)
{
	if (s->error >= 0)
		s->error = sums_note(s->sums, pin);
	if (s->error >= 0)
		s->error = sums_count(s->sums, pin->origin, 1, pin->bytes);
}

static int add_summary(const struct summary *s, struct answer *a)
{
	_cleanup_json_ json_t *json = s->error < 0 ? NULL : sums_json(s->sums);

	if (!json)
		return s->error < 0 ? s->error : -ENOMEM;
	a->sums_omitted = json_get_int(json, "omitted", 0);
	return json_array_extend(a->sums, json_object_get(json, "sums")) < 0 ? -ENOMEM : 0;
}

static int sum_holders(struct inquiry *q, const struct holder *holders, size_t n,
		       struct answer *a)
{
	_cleanup_(sums_freep) struct sums *sums = sums_new(SUM_BY_PROCESS);
	struct summary summary = { .sums = sums, .error = sums ? 0 : -ENOMEM };
	const struct pin *pin;

	for (size_t i = 0; i < n; i++) {
		pin = registry_find(q->m->registry, holders[i].id);
		if (pin)
			sum_pin(&summary, pin);
	}
	return add_summary(&summary, a);
}

static int list_holders(struct inquiry *q, const struct holder *holders, size_t n,
			struct answer *a)
{
	const uint64_t now_usec = loop_usec(q->m->event, CLOCK_MONOTONIC);
	struct pin *pin;
	size_t i;
	int r = 0;

	for (i = 0; i < n && r >= 0; i++) {
		/* One that is being made has no name and no size yet. */
		pin = registry_find(q->m->registry, holders[i].id);
		if (!pin)
			continue;
		makers_check(q->m->makers, pin, now_usec);
		r = add_pin(a, pin);
		if (r >= 0 && holders[i].test == HOLDER_PROCESS)
			r = append(a->by_process, json_hex(pin->id));
		else if (r >= 0 && holders[i].inexact)
			r = append(a->inexact, json_hex(pin->id));
	}
	return r;
}

/* It took the kernel a moment: what has gone or changed meanwhile is not told of. */
static void answer_who(struct inquiry *q, const struct holder *holders, size_t n)
{
	const bool at_rest = devices_at_rest(q->m->devices);
	_cleanup_(answer_done) struct answer a = {};
	int r;

	r = inventory_check(devices_inventory(q->m->devices), q->text, &q->target, at_rest,
			    q->ranges, q->n_ranges);
	if (r == -ENOENT)
		r = reply_no_such_target(q->call, q->text);
	else if (r == -ESTALE)
		r = call_error(q->call, MANAGER_INTERFACE ".NotReady",
			       json_pack("{s:s}", "reason", "the device has been changed "
					 "meanwhile"));
	else if (r >= 0) {
		r = answer_init(&a);
		if (r >= 0)
			r = add_ranges(q, at_rest, &a);
		if (r >= 0)
			r = n > WHO_PINS_MAX ? -E2BIG : list_holders(q, holders, n, &a);
		if (r == -E2BIG)
			r = sum_holders(q, holders, n, &a);
		if (r >= 0)
			r = reply_who(q, &a);
	}
	if (r < 0)
		answer_errno(q->call, r);
}

/* Whether a pin is one of the device's. */
static bool is_of(const struct pin_origin *origin, const char *name,
		  const struct devnames *names)
{
	size_t i;

	if (!names)
		return *name && strcmp(origin->device, name) == 0;
	for (i = 0; i < names->n; i++)
		if (strcmp(origin->device, names->all[i].name) == 0 &&
		    (!names->all[i].kind || origin->kind == names->all[i].kind))
			return true;
	return false;
}

static size_t count_of(struct inquiry *q, const struct devnames *names)
{
	struct pin_origin *origin = NULL;
	size_t n = 0;

	while ((origin = registry_origin_next(q->m->registry, origin)))
		if (is_of(origin, q->name, names))
			n += origin->pins;
	return n;
}

static int add_of(struct inquiry *q, const struct devnames *names, bool summed, struct answer *a)
{
	_cleanup_(sums_freep) struct sums *sums = sums_new(SUM_BY_PROCESS);
	struct summary summary = { .sums = sums, .error = sums ? 0 : -ENOMEM };
	const uint64_t now_usec = loop_usec(q->m->event, CLOCK_MONOTONIC);
	_cleanup_(pin_cursor_done) struct pin_cursor cursor;
	struct pin *pin;
	int r = 0;

	pin_cursor_init(&cursor, q->m->registry);
	while (r >= 0 && (pin = pin_cursor_next(&cursor))) {
		if (!is_of(pin->origin, q->name, names))
			continue;
		if (summed) {
			sum_pin(&summary, pin);
			continue;
		}
		makers_check(q->m->makers, pin, now_usec);
		r = add_pin(a, pin);
	}
	return r < 0 || !summed ? r : add_summary(&summary, a);
}

static void answer_name(struct inquiry *q, const struct devnames *names)
{
	_cleanup_(answer_done) struct answer a = {};
	size_t n = count_of(q, names);
	int r;

	r = answer_init(&a);
	/* One that has gone may have pins yet, and one that is there none. */
	if (r >= 0 && n == 0 && !names)
		r = reply_no_such_target(q->call, q->text);
	else if (r >= 0) {
		r = n > WHO_PINS_MAX ? -E2BIG : add_of(q, names, false, &a);
		if (r == -E2BIG)
			r = add_of(q, names, true, &a);
		if (r >= 0)
			r = reply_who(q, &a);
	}
	if (r < 0)
		answer_errno(q->call, r);
}

static const struct inquiry_kind who = {
	.max = WHO_HOLDERS_MAX,
	.users = true,
	.answer = answer_who,
	.answer_name = answer_name,
};

static int start(struct manager *m, struct call *call, bool ready, json_t *params)
{
	return inquiry_start(m, call, ready, params, &who);
}

/*
 * The pins of a device, and who has it open, are known of any kernel. Whose some memory
 * is can be looked at where all pins are known.
 */
int method_who(struct call *call, json_t *params, void *userdata)
{
	const char *text = json_get_string(params, "target", ""), *reason;
	struct manager *m = userdata;
	struct target target;

	if (target_parse(text, sysconf(_SC_PAGESIZE), &target, &reason) >= 0 &&
	    (target.type == TARGET_NAME || source_probe(m->source)))
		return manager_wait_ready(m, call, params, start);
	return manager_inquire(call, params, m, start);
}

/* --- Classify --- */

/* One address, or one page frame. */
static int parse_address(const char *text, uint64_t *ret, const char **ret_reason)
{
	struct target target;
	int r;

	if (strchr(text, '-')) {
		*ret_reason = "one address is asked about at a time";
		return -EINVAL;
	}
	/* Any that can be written: there is no memory at what no processor can address. */
	if (strncmp(text, "0x", 2) == 0)
		return parse_id(text, ret, ret_reason);
	r = target_parse(text, sysconf(_SC_PAGESIZE), &target, ret_reason);
	if (r < 0)
		return r;
	*ret_reason = "it is no physical address, nor the number of a page frame";
	if (target.type != TARGET_ADDRESSES)
		return -EINVAL;
	*ret = target.range.first;
	return 0;
}

/* Without the list of pins nobody knows what is being taken away: nothing is read. */
static int classify(struct manager *m, struct call *call, bool ready, json_t *params)
{
	const char *text = json_get_string(params, "target", ""), *reason;
	const bool at_rest = ready && devices_at_rest(m->devices);
	struct place place;
	uint64_t phys;
	int r = 0;

	if (parse_address(text, &phys, &reason) < 0)
		return reply_invalid_target(call, text, reason);
	if (at_rest)
		r = inventory_refresh(devices_inventory(m->devices));
	if (r >= 0)
		r = devices_place(m->devices, phys, at_rest, &place);
	if (r < 0)
		return r;
	return call_reply(call, json_pack("{s:o}", "place", place_to_json(&place)));
}

int method_classify(struct call *call, json_t *params, void *userdata)
{
	struct manager *m = userdata;

	return source_genl(m->source) ? manager_wait_ready(m, call, params, classify) :
					classify(m, call, true, params);
}
