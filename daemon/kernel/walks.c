/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <utlist.h>

#include "daemon/base/base.h"
#include "daemon/kernel/child.h"
#include "daemon/kernel/walks.h"
#include "lib/clock.h"
#include "lib/log.h"

#define GRACE_USEC (2 * 1000000ULL) /* then it is killed: somebody keeps it waiting */

struct walks_query {
	struct walks_query *prev, *next;
	struct walks *walks; /* NULL: it has been answered */
	bool asked;
	uint32_t question; /* of those that the child looks for */
	walks_done done;
	void *userdata;
	size_t n;
	struct pfn_range ranges[];
};

struct walks {
	sd_event *event;
	const char *proc;
	struct registry *registry;
	const struct source *source;
	struct walks_query *queries; /* in the order in which they came */
	sd_event_source *start, *timeout;
	struct child *child;
	/* What it looks for. */
	struct walk_pin *pins;
	struct walk_range *ranges;
	size_t n_pins, n_ranges;
};

/* --- in the child --- */

static void write_found(const struct walk_found *found, void *userdata)
{
	fwrite(found, sizeof(*found), 1, userdata);
	/* What is known counts where the rest cannot be had. */
	if (found->test != WALK_NONE)
		fflush(userdata);
}

static void run(FILE *out, void *userdata)
{
	const struct walks *w = userdata;
	struct walk walk = {
		.proc_fd = open(w->proc, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
		.pins = w->pins,
		.n_pins = w->n_pins,
		.ranges = w->ranges,
		.n_ranges = w->n_ranges,
		.end_usec = clock_usec(CLOCK_MONOTONIC) + WALKS_USEC,
		.found = write_found,
		.userdata = out,
	};
	const struct walk_found end = {};

	walk_pins(&walk);
	/* Pins have ids from 1. */
	write_found(&end, out);
}

/* --- what it said --- */

/* The better ones first, of each pin. */
static int by_id(const void *a, const void *b)
{
	const struct walk_found *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	if (x->test != y->test)
		return x->test < y->test ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* Those that it did not come to: it was killed, or the text ends in the middle. */
static size_t add_missing(const struct walks *w, struct walk_found *all, size_t n)
{
	const size_t told = n;
	size_t at = 0;

	for (size_t i = 0; i < w->n_pins; i++) {
		const struct walk_found none = {
			.id = w->pins[i].id, .questions = UINT32_MAX, .test = WALK_NONE,
		};

		while (at < told && all[at].id < none.id)
			at++;
		if (at == told || all[at].id != none.id)
			all[n++] = none;
	}
	return n;
}

static int pins_by_id(const void *a, const void *b)
{
	const struct walk_pin *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static void answer(struct walks_query *q, int error, const struct walk_found *found, size_t n)
{
	struct walks *w = q->walks;

	DL_DELETE(w->queries, q);
	q->walks = NULL;
	/* may free it */
	q->done(error, found, n, q->userdata);
}

/* Each pin once; what is not of the question is left out. */
static size_t choose(uint32_t question, const struct walk_found *all, size_t n,
		     struct walk_found *ret)
{
	size_t chosen = 0;

	for (size_t i = 0; i < n; i++)
		if (all[i].questions & UINT32_C(1) << question &&
		    (chosen == 0 || ret[chosen - 1].id != all[i].id))
			ret[chosen++] = all[i];
	return chosen;
}

static void answer_all(struct walks *w, int error, const struct walk_found *all, size_t n)
{
	struct walk_found *own = calloc(n ?: 1, sizeof(*own));
	struct walks_query *q;
	size_t chosen;

	for (;;) {
		DL_FOREACH(w->queries, q)
			if (q->asked)
				break;
		if (!q)
			break;
		chosen = own && error >= 0 ? choose(q->question, all, n, own) : 0;
		answer(q, own ? error : -ENOMEM, own, chosen);
	}
	free(own);
}

static void drop_look(struct walks *w)
{
	w->child = child_free(w->child);
	w->timeout = sd_event_source_disable_unref(w->timeout);
	free(TAKE_PTR(w->pins));
	free(TAKE_PTR(w->ranges));
	w->n_pins = w->n_ranges = 0;
}

static void schedule(struct walks *w)
{
	if (!w->child && w->queries)
		(void)sd_event_source_set_enabled(w->start, SD_EVENT_ONESHOT);
}

static void on_ended(const void *text, size_t n, void *userdata)
{
	struct walks *w = userdata;
	const size_t told = n / sizeof(struct walk_found);
	_cleanup_(freep) struct walk_found *all =
		calloc(told + w->n_pins + 1, sizeof(struct walk_found));
	size_t n_all = told;
	bool whole;

	if (!all || n > WALKS_BYTES) {
		answer_all(w, all ? -E2BIG : -ENOMEM, NULL, 0);
	} else {
		if (told > 0)
			memcpy(all, text, told * sizeof(*all));
		whole = told > 0 && all[told - 1].id == 0;
		n_all -= whole;
		qsort(all, n_all, sizeof(*all), by_id);
		if (!whole) {
			if (w->n_pins > 0)
				qsort(w->pins, w->n_pins, sizeof(*w->pins), pins_by_id);
			n_all = add_missing(w, all, n_all);
			qsort(all, n_all, sizeof(*all), by_id);
		}
		answer_all(w, 0, all, n_all);
	}
	drop_look(w);
	schedule(w);
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct walks *w = userdata;

	child_kill(w->child);
	return 0;
}

/* --- asking --- */

static int take_pins(struct walks *w)
{
	const uint64_t boot_usec = probe_boot_usec(source_probe(w->source));
	_cleanup_(pin_cursor_done) struct pin_cursor cursor;
	const size_t n = registry_count(w->registry);
	struct pin *pin;

	pin_cursor_init(&cursor, w->registry);
	w->pins = calloc(n ?: 1, sizeof(*w->pins));
	if (!w->pins)
		return -ENOMEM;
	while ((pin = pin_cursor_next(&cursor)) && w->n_pins < n) {
		const bool gone = pin->flags & PINGUARD_FLAG_OWNER_GONE;

		/* One that is empty holds nothing. */
		if (pin->bytes == 0)
			continue;
		w->pins[w->n_pins++] = (struct walk_pin){
			.id = pin->id,
			.address = pin->address,
			.bytes = pin->bytes,
			.since_boot_usec = pin->since_usec > boot_usec ? pin->since_usec - boot_usec : 0,
			.tgid = gone ? 0 : pin->origin->tgid,
		};
	}
	return 0;
}

static int take_ranges(struct walks *w)
{
	struct walks_query *q;
	uint32_t question = 0;
	size_t n = 0;

	DL_FOREACH(w->queries, q)
		n += q->n;
	w->ranges = calloc(n ?: 1, sizeof(*w->ranges));
	if (!w->ranges)
		return -ENOMEM;
	DL_FOREACH(w->queries, q) {
		if (question == WALK_QUESTIONS_MAX)
			break;
		q->asked = true;
		q->question = question++;
		for (size_t i = 0; i < q->n; i++)
			w->ranges[w->n_ranges++] = (struct walk_range){
				.first = q->ranges[i].first,
				.last = q->ranges[i].last,
				.question = q->question,
			};
	}
	return 0;
}

static int start_child(struct walks *w)
{
	const struct child_config config = {
		.description = "walks",
		.max_bytes = WALKS_BYTES,
		.run = run,
		.ended = on_ended,
		.userdata = w,
	};
	int r = source_probe(w->source) ? take_pins(w) : -EOPNOTSUPP;

	if (r >= 0)
		r = take_ranges(w);
	if (r >= 0)
		r = sd_event_add_time_relative(w->event, &w->timeout, CLOCK_MONOTONIC,
					       WALKS_USEC + GRACE_USEC, 0, on_timeout, w);
	if (r >= 0)
		r = child_start(w->event, &config, &w->child);
	if (r >= 0)
		(void)sd_event_source_set_description(w->timeout, "walks-timeout");
	return r;
}

static int on_start(sd_event_source *source, void *userdata)
{
	struct walks *w = userdata;
	struct walks_query *q;
	int r;

	if (w->child || !w->queries)
		return 0;
	r = start_child(w);
	if (r >= 0)
		return 0;
	log_debug_errno(r, "cannot look at the memory of processes: %m");
	drop_look(w);
	DL_FOREACH(w->queries, q)
		q->asked = true;
	answer_all(w, r, NULL, 0);
	return 0;
}

int walks_new(sd_event *event, const char *proc, struct registry *registry,
	      const struct source *source, struct walks **ret)
{
	_cleanup_(walks_freep) struct walks *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return -ENOMEM;
	w->event = sd_event_ref(event);
	w->proc = proc;
	w->registry = registry;
	w->source = source;
	r = sd_event_add_defer(event, &w->start, on_start, w);
	if (r >= 0)
		r = sd_event_source_set_enabled(w->start, SD_EVENT_OFF);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(w->start, "walks-start");
	*ret = TAKE_PTR(w);
	return 0;
}

struct walks *walks_free(struct walks *w)
{
	if (!w)
		return NULL;
	drop_look(w);
	sd_event_source_disable_unref(w->start);
	sd_event_unref(w->event);
	free(w);
	return NULL;
}

int walks_find(struct walks *w, const struct pfn_range *ranges, size_t n, walks_done done,
	       void *userdata, struct walks_query **ret)
{
	struct walks_query *q = calloc(1, sizeof(*q) + n * sizeof(*ranges));

	if (!q)
		return -ENOMEM;
	q->walks = w;
	q->done = done;
	q->userdata = userdata;
	q->n = n;
	if (n > 0)
		memcpy(q->ranges, ranges, n * sizeof(*ranges));
	DL_APPEND(w->queries, q);
	schedule(w);
	*ret = q;
	return 0;
}

struct walks_query *walks_query_free(struct walks_query *q)
{
	if (q && q->walks)
		DL_DELETE(q->walks->queries, q);
	free(q);
	return NULL;
}
