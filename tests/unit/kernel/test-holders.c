/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is made of the kernel's answers, with answers that are made up. */
#include "tests/unit/unit.h"

#include "daemon/kernel/holders.h"

/* In the place of the kernel's family: one answer for each time that it is asked. */
struct answer {
	struct pin_info pins[4];
	size_t n;
	int error;
};

struct range_query {
	const struct range_listener *listener;
	void *userdata;
	sd_event_source *source;
};

static const struct answer *answers;
static size_t n_asked;
static sd_event *loop;

static int on_defer(sd_event_source *source, void *userdata)
{
	const struct answer *a = &answers[n_asked++];
	struct range_query *q = userdata;
	int r = a->error;

	for (size_t i = 0; i < a->n && r >= 0; i++)
		r = q->listener->pin(&a->pins[i], q->userdata);
	q->listener->done(r, q->userdata);
	return 0;
}

int genl_query_range(struct genl *g, const struct pfn_range *ranges, size_t n,
		     const struct range_listener *listener, void *userdata,
		     struct range_query **ret)
{
	struct range_query *q = calloc(1, sizeof(*q));

	assert_non_null(q);
	q->listener = listener;
	q->userdata = userdata;
	assert_int_equal(sd_event_add_defer(loop, &q->source, on_defer, q), 0);
	*ret = q;
	return 0;
}

struct range_query *range_query_free(struct range_query *q)
{
	if (q)
		sd_event_source_disable_unref(q->source);
	free(q);
	return NULL;
}

struct result {
	struct registry *registry;
	struct holders *holders;
	struct holder pins[8];
	size_t n;
	int error;
	bool done;
};

static void on_done(int error, const struct holder *pins, size_t n, void *userdata)
{
	struct result *r = userdata;

	assert_false(r->done);
	r->done = true;
	r->error = error;
	r->n = n;
	assert_true(n <= ARRAY_SIZE(r->pins));
	if (n > 0)
		memcpy(r->pins, pins, n * sizeof(*pins));
	r->holders = holders_free(r->holders);
}

static void know(struct result *r, uint64_t id)
{
	const struct pin_info info = { .id = id, .bytes = 4096 };

	assert_int_equal(registry_upsert(r->registry, &info), 0);
}

static void ask(struct result *r, const struct answer *script, bool exact, size_t max)
{
	const struct pfn_range ranges[] = { { 1, 2 }, { 5, 6 } };
	const struct holders_config config = {
		.registry = r->registry,
		.exact = exact,
		.max = max,
		.ranges = ranges,
		.n_ranges = 2,
		.done = on_done,
		.userdata = r,
	};

	answers = script;
	n_asked = 0;
	r->done = false;
	assert_int_equal(holders_find(loop, &config, &r->holders), 0);
	while (!r->done)
		assert_true(sd_event_run(loop, 10 * 1000000) > 0);
}

static int setup(void **state)
{
	struct result *r = calloc(1, sizeof(*r));

	r->registry = registry_new();
	*state = r;
	return sd_event_new(&loop);
}

static int teardown(void **state)
{
	struct result *r = *state;

	registry_free(r->registry);
	free(r);
	loop = sd_event_unref(loop);
	return 0;
}

/* A pin in both ranges comes once; what is certain of it counts. */
static void test_once(void **state)
{
	static const struct answer script[] = {
		{ .pins = { { .id = 7 }, { .id = 3 }, { .id = 7, .flags = PINGUARD_FLAG_INEXACT } },
		  .n = 3 },
	};
	struct result *r = *state;

	know(r, 3);
	know(r, 7);
	ask(r, script, true, 10);
	assert_int_equal(n_asked, 1);
	assert_int_equal(r->error, 0);
	assert_int_equal(r->n, 2);
	assert_int_equal(r->pins[0].id, 3);
	assert_int_equal(r->pins[1].id, 7);
	assert_false(r->pins[1].inexact);
}

/* A busy pin is asked for again, and turns out not to be there. */
static void test_again(void **state)
{
	static const struct answer script[] = {
		{ .pins = { { .id = 3 }, { .id = 4, .flags = PINGUARD_FLAG_INEXACT } }, .n = 2 },
		{ .pins = { { .id = 3 } }, .n = 1 },
	};
	struct result *r = *state;

	know(r, 3);
	know(r, 4);
	ask(r, script, true, 10);
	assert_int_equal(n_asked, 2);
	assert_int_equal(r->n, 1);
	assert_int_equal(r->pins[0].id, 3);
}

/* One that stays busy, and one that the registry never hears of: told as they are. */
static void test_gives_up(void **state)
{
	static const struct answer vague = {
		.pins = { { .id = 3, .flags = PINGUARD_FLAG_INEXACT }, { .id = 9 } },
		.n = 2,
	};
	struct answer script[HOLDERS_TRIES];
	struct result *r = *state;

	for (size_t i = 0; i < HOLDERS_TRIES; i++)
		script[i] = vague;
	know(r, 3);
	ask(r, script, true, 10);
	assert_int_equal(n_asked, HOLDERS_TRIES);
	assert_int_equal(r->error, 0);
	assert_int_equal(r->n, 2);
	assert_true(r->pins[0].inexact);
	assert_false(r->pins[1].inexact);
}

/* A kernel that does not look at frames is not asked again for what it cannot say. */
static void test_coarse(void **state)
{
	static const struct answer script[] = { { .pins = { { .id = 3 } }, .n = 1 } };
	struct result *r = *state;

	know(r, 3);
	ask(r, script, false, 10);
	assert_int_equal(n_asked, 1);
	assert_true(r->pins[0].inexact);
}

static void test_errors(void **state)
{
	static const struct answer failed[] = { { .error = -EOPNOTSUPP } };
	static const struct answer many[] = {
		{ .pins = { { .id = 1 }, { .id = 2 }, { .id = 3 } }, .n = 3 },
	};
	struct result *r = *state;

	ask(r, failed, true, 10);
	assert_int_equal(r->error, -EOPNOTSUPP);
	assert_int_equal(r->n, 0);
	ask(r, many, true, 2);
	assert_int_equal(r->error, -E2BIG);
	assert_int_equal(r->n, 0);
}

/* Freed while it waits to ask again. */
static void test_ended(void **state)
{
	static const struct answer script[] = {
		{ .pins = { { .id = 3, .flags = PINGUARD_FLAG_INEXACT } }, .n = 1 },
	};
	const struct pfn_range range = { 1, 2 };
	struct result *r = *state;
	const struct holders_config config = {
		.registry = r->registry,
		.exact = true,
		.max = 1,
		.ranges = &range,
		.n_ranges = 1,
		.done = on_done,
		.userdata = r,
	};

	answers = script;
	n_asked = 0;
	assert_int_equal(holders_find(loop, &config, &r->holders), 0);
	while (n_asked == 0)
		assert_true(sd_event_run(loop, 10 * 1000000) > 0);
	r->holders = holders_free(r->holders);
	assert_int_equal(sd_event_run(loop, 0), 0);
	assert_false(r->done);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_once),   TEST(test_again),  TEST(test_gives_up),
		TEST(test_coarse), TEST(test_errors), TEST(test_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
