/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "daemon/kernel/holders.h"

struct holders {
	struct holders_config config;
	sd_event_source *pause;
	struct range_query *query;
	struct walks_query *walk;
	struct holder *pins;
	size_t n, size;
	unsigned int tries;
	struct pfn_range ranges[];
};

static int ask(struct holders *h);

const char *holder_test_name(enum holder_test test)
{
	static const char *const names[] = {
		[HOLDER_KERNEL] = "kernel",
		[HOLDER_PAGE] = "page",
		[HOLDER_PROCESS] = "process",
		[HOLDER_NONE] = "maybe",
	};

	return names[test];
}

static int on_pin(const struct pin_info *info, void *userdata)
{
	struct holders *h = userdata;
	struct holder *pins;
	size_t size;

	if (h->n == h->size) {
		/* One pin may come for each range: what is too much is told at the end. */
		size = h->size ? h->size * 2 : 64;
		if (h->n / MAX(h->config.n_ranges, 1U) > h->config.max)
			return -E2BIG;
		pins = reallocarray(h->pins, size, sizeof(*pins));
		if (!pins)
			return -ENOMEM;
		h->pins = pins;
		h->size = size;
	}
	h->pins[h->n++] = (struct holder){
		.id = info->id,
		.inexact = !h->config.exact || info->flags & PINGUARD_FLAG_INEXACT,
		.opening = info->flags & PINGUARD_FLAG_OPENING,
		.has_offset = info->has_offset && h->config.n_ranges == 1,
		.offset = info->offset,
	};
	return 0;
}

static int by_id(const void *a, const void *b)
{
	const struct holder *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

/* Each pin once: what one range says for certain counts. */
static void merge(struct holders *h)
{
	size_t i, n = 0;

	if (h->n > 0)
		qsort(h->pins, h->n, sizeof(*h->pins), by_id);
	for (i = 0; i < h->n; i++) {
		if (n > 0 && h->pins[n - 1].id == h->pins[i].id) {
			h->pins[n - 1].inexact &= h->pins[i].inexact;
			h->pins[n - 1].opening &= h->pins[i].opening;
		} else {
			h->pins[n++] = h->pins[i];
		}
	}
	h->n = n;
}

/* Whether the answer would be a better one in a moment. */
static bool is_vague(const struct holders *h)
{
	size_t i;

	for (i = 0; i < h->n; i++)
		if ((h->pins[i].inexact && h->config.exact) || h->pins[i].opening ||
		    !registry_find(h->config.registry, h->pins[i].id))
			return true;
	return false;
}

static void finish(struct holders *h, int error)
{
	h->config.done(error, h->pins, error < 0 ? 0 : h->n, h->config.userdata);
}

static int on_pause(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct holders *h = userdata;
	int r = ask(h);

	if (r < 0)
		finish(h, r);
	return 0;
}

static int pause_then_ask(struct holders *h)
{
	uint64_t usec = HOLDERS_PAUSE_USEC << h->tries++;
	int r;

	r = sd_event_source_set_time_relative(h->pause, usec);
	return r < 0 ? r : sd_event_source_set_enabled(h->pause, SD_EVENT_ONESHOT);
}

static void on_done(int error, void *userdata)
{
	struct holders *h = userdata;

	h->query = range_query_free(h->query);
	merge(h);
	if (error >= 0 && h->n > h->config.max)
		error = -E2BIG;
	if (error >= 0 && h->tries + 1 < HOLDERS_TRIES && is_vague(h)) {
		error = pause_then_ask(h);
		if (error >= 0)
			return;
	}
	finish(h, error);
}

static const struct range_listener listener = { .pin = on_pin, .done = on_done };

static int take_found(struct holders *h, const struct walk_found *found, size_t n)
{
	static const enum holder_test tests[] = {
		[WALK_PAGE] = HOLDER_PAGE,
		[WALK_PROCESS] = HOLDER_PROCESS,
		[WALK_NONE] = HOLDER_NONE,
	};

	if (n > h->config.max)
		return -E2BIG;
	h->pins = calloc(n ?: 1, sizeof(*h->pins));
	if (!h->pins)
		return -ENOMEM;
	for (size_t i = 0; i < n && found[i].test < ARRAY_SIZE(tests); i++)
		h->pins[h->n++] = (struct holder){
			.id = found[i].id,
			.test = tests[found[i].test],
			.inexact = found[i].test != WALK_PAGE,
			.has_offset = found[i].test == WALK_PAGE && h->config.n_ranges == 1,
			.offset = found[i].offset,
		};
	return 0;
}

static void on_walked(int error, const struct walk_found *found, size_t n, void *userdata)
{
	struct holders *h = userdata;

	h->walk = walks_query_free(h->walk);
	finish(h, error < 0 ? error : take_found(h, found, n));
}

static int ask(struct holders *h)
{
	h->n = 0;
	if (!h->config.genl && h->config.walks)
		return walks_find(h->config.walks, h->ranges, h->config.n_ranges, on_walked, h,
				  &h->walk);
	return genl_query_range(h->config.genl, h->ranges, h->config.n_ranges, &listener, h,
				&h->query);
}

int holders_find(sd_event *event, const struct holders_config *config, struct holders **ret)
{
	_cleanup_(holders_freep) struct holders *h = NULL;
	int r;

	h = calloc(1, sizeof(*h) + config->n_ranges * sizeof(*h->ranges));
	if (!h)
		return -ENOMEM;
	h->config = *config;
	memcpy(h->ranges, config->ranges, config->n_ranges * sizeof(*h->ranges));
	h->config.ranges = h->ranges;
	r = sd_event_add_time(event, &h->pause, CLOCK_MONOTONIC, 0, 0, on_pause, h);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(h->pause, "holders-pause");
	r = sd_event_source_set_enabled(h->pause, SD_EVENT_OFF);
	if (r < 0)
		return r;
	r = ask(h);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(h);
	return 0;
}

struct holders *holders_free(struct holders *h)
{
	if (!h)
		return NULL;
	range_query_free(h->query);
	walks_query_free(h->walk);
	sd_event_source_disable_unref(h->pause);
	free(h->pins);
	free(h);
	return NULL;
}
