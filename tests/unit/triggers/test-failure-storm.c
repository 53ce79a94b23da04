/* SPDX-License-Identifier: GPL-2.0-or-later */
/* More failures, or owners, than are dealt with at a time. */
#include <sys/socket.h>

#include "tests/unit/triggers/failure-fixture.h"

static uint64_t by_frame(uint64_t pfn)
{
	return pfn;
}

/* More owners than may be asked at a time: the rest in order, each when one is done. */
static void test_many_owners(void **state)
{
	const uint64_t n = FAILURES_REQUESTS_MAX + 4, first = 100;
	struct scene s;

	scene_open(&s, state);
	for (uint64_t i = 0; i < n; i++)
		pin_add(s.m, first + i, s.root.pid, PAGE);
	fake.pin_of = by_frame;
	for (uint64_t i = 0; i < n; i++)
		say_failed(s.m, i + 1, first + i);
	pump(s.m);
	assert_int_equal(releases_n_running(s.m->releases), FAILURES_REQUESTS_MAX);
	assert_int_equal(failures_n_step(s.m->triggers->failing->failures, FAILURE_BLOCKED), 4);
	/* What is known already can be told nevertheless. */
	assert_true(has_event(s.m, EVENT_FAILURE));
	pin_remove(s.m, first);
	pump(s.m);
	assert_int_equal(releases_n_running(s.m->releases), FAILURES_REQUESTS_MAX);
	assert_int_equal(failures_n_step(s.m->triggers->failing->failures, FAILURE_BLOCKED), 3);
	assert_non_null(release_find_failure(s.m->releases, first + FAILURES_REQUESTS_MAX));
	assert_null(release_find_failure(s.m->releases, first + n - 1));
	for (uint64_t i = 1; i < n; i++) {
		pin_remove(s.m, first + i);
		pump(s.m);
	}
	assert_int_equal(releases_n_running(s.m->releases), 0);
	assert_int_equal(failures_n_step(s.m->triggers->failing->failures, FAILURE_BLOCKED), 0);
	assert_int_equal(failures_n_step(s.m->triggers->failing->failures, FAILURE_WAITING), 0);
	scene_close(&s);
}

/*
 * 10,000 failures at once, all in one pin: the loop comes by others in between,
 * few are looked at a time, one request tells of as many as fit.
 */
static void test_storm(void **state)
{
	_cleanup_json_ json_t *request = NULL, *status = NULL, *list = NULL, *reminder = NULL;
	char token[64], again[64];
	struct failures *failures;
	struct client c;
	struct scene s;

	scene_open(&s, state);
	failures = s.m->triggers->failing->failures;
	client_open(s.m, &c, &s.root);
	fake.pin_of = always_2;
	for (uint64_t i = 1; i <= 10000; i++)
		say_failed(s.m, i, i);
	assert_int_equal(failures_count(failures), FAILURES_MAX);
	/* A call that comes now does not wait for all of that. */
	client_send(&c, MANAGER("ListOwners"), false, NULL);
	while (!status) {
		json_t *message = NULL;

		assert_true(sd_event_run(s.m->event, 0) >= 0);
		if (recv(c.fd, &message, 1, MSG_PEEK | MSG_DONTWAIT) == 1)
			status = client_reply(s.m, &c, MANAGER("ListOwners"), false);
		else
			assert_true(fake.n_looks < 1000);
	}
	request = owner_request(s.m, &s.registered, token);
	while (!reminder) {
		json_t *more = owner_request(s.m, &s.registered, again);

		assert_string_equal(token, again);
		assert_true(n_parts(more) <= RELEASE_FAILURES_MAX);
		if (n_parts(more) == RELEASE_FAILURES_MAX)
			reminder = more;
		else
			json_decref(more);
	}
	pump(s.m);
	assert_true(fake.n_open_max <= FAILURE_LOOKS_MAX);
	assert_int_equal(releases_n_running(s.m->releases), 1);
	/* The rest is not given up: it waits for that request to end. */
	assert_int_equal(failures_n_step(failures, FAILURE_BLOCKED),
			 FAILURES_MAX - RELEASE_FAILURES_MAX);
	list = list_failures(&s);
	assert_int_equal(json_array_size(json_object_get(list, "failures")), FAILURES_MAX);
	assert_int_equal(json_get_int(list, "unseen", 0), 10000 - FAILURES_MAX);
	fake.pin_of = NULL;
	pin_remove(s.m, 2);
	pump(s.m);
	assert_int_equal(failures_n_step(failures, FAILURE_BLOCKED), 0);
	assert_int_equal(fake.n_open, 0);
	client_close(s.m, &c);
	scene_close(&s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, failure_setup, owner_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_many_owners),
		TEST(test_storm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
