/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <utlist.h>

#include "daemon/manager/answers.h"
#include "daemon/manager/inquiry.h"
#include "lib/json.h"
#include "lib/log.h"

static struct inquiry *inquiry_free(struct inquiry *q)
{
	if (!q)
		return NULL;
	DL_DELETE(q->m->calls.inquiries, q);
	openers_query_free(q->opening);
	json_decref(q->users);
	free(q->users_unknown);
	holders_free(q->holders);
	busy_free(q->busy);
	if (!q->handed_on)
		call_set_watch(q->call, NULL, NULL);
	call_unref(q->call);
	json_decref(q->params);
	free(q->ranges);
	free(q);
	return NULL;
}

/* 0; 1 when the call has been answered; or a negative errno */
static int resolve(struct inquiry *q)
{
	/* While memory is being taken away readers of sysfs may wait for as long as that takes. */
	const bool at_rest = devices_at_rest(q->m->devices);
	const char *reason = NULL;
	int r;

	r = inventory_resolve(devices_inventory(q->m->devices), q->text, &q->target, at_rest,
			      &q->ranges, &q->n_ranges, &reason);
	if (r == -ENOENT && !at_rest)
		return reply_invalid_target(q->call, q->text, "it was not known before memory "
					    "began to be taken away, and cannot be looked at "
					    "until that is over") ?: 1;
	if (r == -ENOENT)
		return reply_no_such_target(q->call, q->text) ?: 1;
	if (r == -EINVAL)
		return reply_invalid_target(q->call, q->text, reason) ?: 1;
	return r;
}

static void on_holders(int error, const struct holder *pins, size_t n, void *userdata)
{
	struct inquiry *q = userdata;
	int r = 0;

	if (error >= 0)
		q->kind->answer(q, pins, n);
	else if (error == -E2BIG)
		r = call_error(q->call, MANAGER_INTERFACE ".TooManyPins",
			       json_pack("{s:I}", "pins",
					 (json_int_t)registry_count(q->m->registry)));
	else if (error == -EOPNOTSUPP || error == -EINVAL)
		r = reply_not_supported(q->call, "the kernel does not tell pins by page frame");
	else
		r = call_error_errno(q->call, error);
	if (r < 0)
		log_debug("cannot answer %s", call_method(q->call));
	inquiry_free(q);
}

static struct pfn_range *frames_of(const struct inquiry *q)
{
	struct pfn_range *ranges = calloc(q->n_ranges ?: 1, sizeof(*ranges));
	const uint64_t page_bytes = sysconf(_SC_PAGESIZE);

	for (size_t i = 0; ranges && i < q->n_ranges; i++) {
		ranges[i].first = q->ranges[i].first / page_bytes;
		ranges[i].last = q->ranges[i].last / page_bytes;
	}
	return ranges;
}

static int ask_kernel(struct inquiry *q)
{
	_cleanup_(freep) struct pfn_range *ranges = frames_of(q);
	const struct holders_config config = {
		.genl = source_genl(q->m->source),
		.walks = q->m->walks,
		.registry = q->m->registry,
		.exact = source_features(q->m->source) & GENL_FRAME_FEATURES,
		.max = q->kind->max,
		.ranges = ranges,
		.n_ranges = q->n_ranges,
		.done = on_holders,
		.userdata = q,
	};

	if (!ranges)
		return -ENOMEM;
	return holders_find(q->m->event, &config, &q->holders);
}

static void on_busy(int error, const struct busy_sums *sums, void *userdata)
{
	struct inquiry *q = userdata;
	int r;

	q->has_sums = error >= 0;
	q->sums = *sums;
	q->busy = busy_free(q->busy);
	r = ask_kernel(q);
	if (r >= 0)
		return;
	answer_errno(q->call, r);
	inquiry_free(q);
}

/* Where somebody wants to know that, and it can be told. */
static int look_or_ask(struct inquiry *q)
{
	_cleanup_(freep) struct pfn_range *ranges = NULL;
	struct busy_config config = {
		.kpageflags_fd = inventory_kpageflags_fd(devices_inventory(q->m->devices)),
		.n_ranges = q->n_ranges,
		.done = on_busy,
		.userdata = q,
	};
	int r;

	if (!json_get_bool(q->params, "busy", false))
		return ask_kernel(q);
	config.ranges = ranges = frames_of(q);
	r = ranges ? busy_find(q->m->event, &config, &q->busy) : -ENOMEM;
	return r == -EBADF || r == -E2BIG ? ask_kernel(q) : r;
}

static void on_gone(struct call *call, void *userdata)
{
	inquiry_free(userdata);
}

static const struct call_watch watch = { .gone = on_gone };

static int answer_name(struct inquiry *q)
{
	struct devnames names;
	int r;

	q->name = device_today(q->m, q->text);
	r = devices_find_names(q->m->devices, q->name, &names);
	if (r < 0 && r != -ENOENT)
		return r;
	q->kind->answer_name(q, r < 0 ? NULL : &names);
	return 1;
}

/* 0 where it goes on; 1 when the call has been answered; or a negative errno */
static int ask_for_pins(struct inquiry *q)
{
	return q->target.type == TARGET_NAME ? answer_name(q) : look_or_ask(q);
}

static void on_users(const json_t *users, const char *unknown, void *userdata)
{
	struct inquiry *q = userdata;
	int r = 0;

	q->opening = openers_query_free(q->opening);
	q->users = json_incref((json_t *)users);
	if (unknown && !q->users_unknown && !(q->users_unknown = strdup(unknown)))
		r = -ENOMEM;
	if (r == 0)
		r = ask_for_pins(q);
	if (r == 0)
		return;
	if (r < 0)
		answer_errno(q->call, r);
	inquiry_free(q);
}

/* 0 where it goes on; 1 where nobody can have it open; or a negative errno */
static int ask_for_users(struct inquiry *q)
{
	_cleanup_(freep) struct device_numbers *numbers = calloc(1, sizeof(*numbers));
	int r;

	if (!numbers)
		return -ENOMEM;
	r = devices_find_numbers(q->m->devices, device_today(q->m, q->text), &q->target, numbers);
	if (r == -ENOENT)
		return 1;
	if (r < 0 && r != -E2BIG)
		return r;
	if (r == -E2BIG && !(q->users_unknown = strdup("it has too many device files")))
		return -ENOMEM;
	return openers_find(q->m->openers, numbers, true, on_users, q, &q->opening);
}

/* 0 where it goes on; 1 when the call has been answered; or a negative errno */
static int inquire(struct inquiry *q)
{
	const char *reason;
	int r = 0;

	if (target_parse(q->text, sysconf(_SC_PAGESIZE), &q->target, &reason) < 0)
		return reply_invalid_target(q->call, q->text, reason) ?: 1;
	if (q->target.type != TARGET_NAME)
		r = resolve(q);
	if (r != 0)
		return r;
	if (q->kind->users &&
	    (q->target.type == TARGET_DEVICE || q->target.type == TARGET_NAME)) {
		r = ask_for_users(q);
		if (r <= 0)
			return r;
	}
	return ask_for_pins(q);
}

int inquiry_start(struct manager *m, struct call *call, bool ready, json_t *params,
		  const struct inquiry_kind *kind)
{
	struct inquiry *q;
	unsigned int n;
	int r;

	if (!ready)
		return reply_not_ready(call);
	DL_COUNT(m->calls.inquiries, q, n);
	if (n >= INQUIRIES_MAX)
		return reply_limit(call, "inquiries", INQUIRIES_MAX);
	q = calloc(1, sizeof(*q));
	if (!q)
		return -ENOMEM;
	q->m = m;
	q->call = call_ref(call);
	q->kind = kind;
	q->params = json_incref(params);
	q->text = json_get_string(params, "target", "");
	DL_APPEND(m->calls.inquiries, q);
	call_set_watch(call, &watch, q);
	r = inquire(q);
	if (r == 0)
		return 0;
	inquiry_free(q);
	return MIN(r, 0);
}

int manager_inquire(struct call *call, json_t *params, struct manager *m, manager_waiter start)
{
	if (!source_genl(m->source))
		return reply_not_supported(call, source_reason(m->source));
	return manager_wait_ready(m, call, params, start);
}
