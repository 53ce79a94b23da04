/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which revokes are under way, and that their numbers leave no gap among those of pins. */
#include "tests/unit/unit.h"

#include "daemon/model/registry.h"
#include "daemon/model/revoke.h"

static uint64_t over_ids[8];
static size_t n_over;

static void on_over(struct revoke *revoke, void *userdata)
{
	assert_true(n_over < ARRAY_SIZE(over_ids));
	over_ids[n_over++] = revoke->info.id;
}

static int add(struct revokes *revokes, uint64_t id)
{
	const struct revoke_info info = { .id = id, .first_pfn = id, .last_pfn = id };
	struct revoke *revoke;

	return revokes_add(revokes, &info, &revoke);
}

static void test_list(void **state)
{
	struct revokes *revokes;

	n_over = 0;
	assert_int_equal(revokes_new(on_over, NULL, &revokes), 0);
	assert_int_equal(add(revokes, 1), 1);
	assert_int_equal(add(revokes, 2), 1);
	assert_int_equal(add(revokes, 1), 0);
	assert_int_equal(revokes_count(revokes), 2);

	/* The kernel lists 2 and a new one: 1 was over unseen. */
	revokes_begin_list(revokes);
	assert_int_equal(add(revokes, 2), 0);
	assert_int_equal(add(revokes, 3), 1);
	revokes_end_list(revokes);
	assert_int_equal(n_over, 1);
	assert_int_equal(over_ids[0], 1);
	assert_null(revokes_find(revokes, 1));
	assert_non_null(revokes_find(revokes, 3));

	revokes_remove(revokes, revokes_find(revokes, 3));
	assert_int_equal(n_over, 2);
	assert_int_equal(revokes_next(revokes, NULL)->info.id, 2);
	assert_null(revokes_next(revokes, revokes_next(revokes, NULL)));
	revokes_free(revokes);
	assert_int_equal(n_over, 2);
}

static void test_limit(void **state)
{
	struct revokes *revokes;
	uint64_t id;

	assert_int_equal(revokes_new(on_over, NULL, &revokes), 0);
	for (id = 1; id <= REVOKES_MAX; id++)
		assert_int_equal(add(revokes, id), 1);
	assert_int_equal(add(revokes, id), -E2BIG);
	assert_int_equal(add(revokes, 1), 0);
	revokes_free(revokes);
}

static void test_time(void **state)
{
	struct revoke_info info = {
		.reason = PINGUARD_REVOKE_REASON_MEMORY_OFFLINE,
		.timeout_usec = 30,
		.started_usec = 1000,
	};

	assert_int_equal(revoke_usec_left(&info, 1010), 20);
	assert_int_equal(revoke_usec_left(&info, 1030), 0);
	assert_int_equal(revoke_usec_left(&info, 5000), 0);
	/* A clock that was set back makes it no longer. */
	assert_int_equal(revoke_usec_left(&info, 900), 30);
	info.started_usec = 0;
	assert_int_equal(revoke_usec_left(&info, 5000), 30);
	/* The kernel does not wait, or for ever. */
	info.timeout_usec = 0;
	assert_true(revoke_usec_left(&info, 1010) == UINT64_MAX);
	info.timeout_usec = 30;
	info.reason = PINGUARD_REVOKE_REASON_DEVICE_REMOVAL;
	assert_true(revoke_usec_left(&info, 1010) == UINT64_MAX);
}

static void test_numbers(void **state)
{
	struct pin_event event = { .type = PIN_EVENT_REVOKE, .seq = 6, .revoke = { .id = 1 } };
	struct registry *r = registry_new();

	registry_begin_resync(r);
	registry_end_resync(r, 5);
	assert_int_equal(registry_apply(r, &event), 1);
	event.type = PIN_EVENT_REVOKE_DONE;
	assert_int_equal(registry_apply(r, &event), 0);
	event.seq = 8;
	assert_int_equal(registry_apply(r, &event), -EILSEQ);
	event.seq = 7;
	assert_int_equal(registry_apply(r, &event), 1);
	assert_int_equal(registry_seq(r), 7);
	assert_int_equal(registry_count(r), 0);
	registry_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
