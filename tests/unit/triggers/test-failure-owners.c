/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the kernel's word that memory failed to the owners, and back. */
#include "tests/unit/triggers/failure-fixture.h"

static void test_asked(void **state)
{
	_cleanup_json_ json_t *request = NULL, *before = NULL, *after = NULL, *event = NULL;
	_cleanup_json_ json_t *done = NULL;
	const json_t *f, *owner;
	struct process other;
	struct client unrelated;
	char token[64];
	struct scene s;

	scene_open(&s, state);
	process_start(&other);
	owner_register(s.m, &unrelated, &other);
	pin_add(s.m, 9, other.pid, 1 << 20);
	fake.pin_of = always_2;
	say_failed(s.m, 1, 1);
	request = owner_request(s.m, &s.registered, token);
	assert_string_equal(json_get_string(request, "reason", ""), "memory_failure");
	assert_int_equal(json_array_size(json_object_get(request, "pins")), 1);
	assert_int_equal(n_parts(request), 1);
	assert_string_equal(part(request, 0, "pin"), "0x2");
	/* The pin is at 0x2000. */
	assert_string_equal(part(request, 0, "address"), "0x3000");
	assert_int_equal(json_get_int(json_array_get(json_object_get(request, "failures"), 0),
				      "bytes", 0), PAGE);
	assert_true(json_get_bool(json_array_get(json_object_get(request, "failures"), 0),
				  "data_lost", false));

	before = list_failures(&s);
	f = failure_at(before, 0);
	assert_string_equal(json_get_string(f, "state", ""), "open");
	assert_string_equal(json_get_string(f, "action", ""), "unsplit thp");
	assert_string_equal(json_get_string(json_object_get(f, "place"), "address", ""), "0x1000");
	assert_string_equal(json_get_string(json_object_get(f, "place"), "class", ""),
			    "system_ram");
	assert_non_null(release_find(s.m->releases, json_get_string(f, "token", "")));
	owner = json_array_get(json_object_get(f, "owners"), 0);
	assert_int_equal(json_get_int(owner, "pid", 0), s.owner.pid);
	assert_string_equal(json_get_string(owner, "address", ""), "0x3000");
	assert_true(json_get_bool(owner, "registered", false));
	event = last_event(s.m, EVENT_FAILURE);
	assert_string_equal(json_get_string(json_object_get(event, "failure"), "state", ""),
			    "open");
	assert_false(has_event(s.m, EVENT_FAILURE_DONE));

	pin_remove(s.m, 2);
	say_done(s.m, 1, PINGUARD_FAILURE_OUTCOME_ISOLATED);
	after = list_failures(&s);
	assert_string_equal(json_get_string(failure_at(after, 0), "state", ""), "isolated");
	assert_int_equal(releases_n_running(s.m->releases), 0);
	done = last_event(s.m, EVENT_FAILURE_DONE);
	assert_string_equal(json_get_string(json_object_get(done, "failure"), "state", ""),
			    "isolated");
	client_silent(s.m, &unrelated);
	client_close(s.m, &unrelated);
	process_end(&other);
	scene_close(&s);
}

/* Where in the pin is not known: then all of it may be what failed. */
static void test_no_address(void **state)
{
	_cleanup_json_ json_t *request = NULL;
	const json_t *first;
	char token[64];
	struct scene s;

	scene_open(&s, state);
	fake.pin_of = always_2;
	fake.no_offset = true;
	say_failed(s.m, 1, 1);
	request = owner_request(s.m, &s.registered, token);
	first = json_array_get(json_object_get(request, "failures"), 0);
	assert_true(json_is_null(json_object_get(first, "address")));
	assert_int_equal(json_get_int(first, "bytes", 0), 8192);
	scene_close(&s);
}

/* A second frame of a pin that is asked for: the same request, and a reminder with both. */
static void test_second_frame(void **state)
{
	_cleanup_json_ json_t *first = NULL, *second = NULL, *third = NULL, *list = NULL;
	char token[64], again[64];
	struct scene s;

	scene_open(&s, state);
	fake.pin_of = always_2;
	say_failed(s.m, 1, 0);
	first = owner_request(s.m, &s.registered, token);
	/* The same frame is nothing new, also where it is looked at again. */
	say_failed(s.m, 2, 0);
	failure_set_step(failures_find(s.m->triggers->failing->failures, 0), FAILURE_WAITING);
	failing_work(s.m->triggers->failing);
	pump(s.m);
	assert_int_equal(fake.n_looks, 2);
	say_failed(s.m, 3, 1);
	second = owner_request(s.m, &s.registered, again);
	assert_string_equal(token, again);
	assert_true(json_get_bool(second, "reminder", false));
	assert_int_equal(n_parts(second), 2);
	assert_string_equal(part(second, 0, "address"), "0x2000");
	assert_string_equal(part(second, 1, "address"), "0x3000");
	assert_int_equal(releases_n_running(s.m->releases), 1);
	list = list_failures(&s);
	assert_string_equal(json_get_string(failure_at(list, 0), "token", "a"),
			    json_get_string(failure_at(list, 1), "token", "b"));
	assert_int_equal(json_get_int(failure_at(list, 0), "count", 0), 2);

	/* One that said no is asked anew for what fails next. */
	owner_complete(s.m, &s.owner, token, "refused", NULL);
	assert_int_equal(releases_n_running(s.m->releases), 0);
	say_failed(s.m, 4, 3);
	third = owner_request(s.m, &s.registered, again);
	assert_string_not_equal(token, again);
	assert_int_equal(n_parts(third), 1);
	scene_close(&s);
}

/* Two owners of a frame: what one refuses is not asked of it in vain for the next frame. */
static void test_one_refused(void **state)
{
	_cleanup_json_ json_t *first = NULL, *its = NULL, *next = NULL;
	char token[64], other_token[64], again[64];
	struct process other;
	struct client c;
	struct scene s;

	scene_open(&s, state);
	process_start(&other);
	owner_register(s.m, &c, &other);
	pin_add(s.m, 9, other.pid, 1 << 20);
	fake.pin_of = always_2;
	fake.more_first = 9;
	fake.n_more = 1;
	say_failed(s.m, 1, 0);
	first = owner_request(s.m, &s.registered, token);
	its = owner_request(s.m, &c, other_token);
	/* Each is told its own. */
	assert_int_equal(n_parts(first), 1);
	assert_string_equal(part(first, 0, "pin"), "0x2");
	assert_string_equal(part(its, 0, "pin"), "0x9");
	owner_complete(s.m, &s.owner, token, "refused", NULL);
	assert_int_equal(releases_n_running(s.m->releases), 1);

	fake.n_more = 0;
	say_failed(s.m, 2, 1);
	next = owner_request(s.m, &s.registered, again);
	assert_string_not_equal(token, again);
	assert_false(json_get_bool(next, "reminder", true));
	assert_int_equal(n_parts(next), 1);
	assert_int_equal(releases_n_running(s.m->releases), 2);
	client_silent(s.m, &c);
	client_close(s.m, &c);
	process_end(&other);
	scene_close(&s);
}

/* Declared good again: nobody need let go of it. */
static void test_unpoisoned(void **state)
{
	_cleanup_json_ json_t *request = NULL, *withdrawn = NULL, *list = NULL;
	char token[64];
	struct scene s;

	scene_open(&s, state);
	fake.pin_of = always_2;
	say_failed(s.m, 1, 0);
	say_failed(s.m, 2, 1);
	request = owner_request(s.m, &s.registered, token);
	pump(s.m);
	say_done(s.m, 0, PINGUARD_FAILURE_OUTCOME_UNPOISONED);
	assert_int_equal(releases_n_running(s.m->releases), 1);
	say_done(s.m, 1, PINGUARD_FAILURE_OUTCOME_GONE);
	assert_int_equal(releases_n_running(s.m->releases), 0);
	withdrawn = client_reply(s.m, &s.registered, OWNER("Register"), true);
	assert_string_equal(json_get_string(withdrawn, "withdrawn", ""), token);
	list = list_failures(&s);
	assert_string_equal(json_get_string(failure_at(list, 0), "state", ""), "unpoisoned");
	assert_string_equal(json_get_string(failure_at(list, 1), "state", ""), "gone");
	scene_close(&s);
}

/* Nobody holds it; and nobody but administrators learns of it. */
static void test_nobody(void **state)
{
	_cleanup_json_ json_t *list = NULL, *event = NULL;
	struct process user;
	struct client c;
	struct scene s;

	scene_open(&s, state);
	say_failed(s.m, 1, 1);
	pump(s.m);
	list = list_failures(&s);
	assert_int_equal(json_array_size(json_object_get(failure_at(list, 0), "owners")), 0);
	assert_true(json_is_null(json_object_get(failure_at(list, 0), "token")));
	assert_int_equal(releases_n_running(s.m->releases), 0);
	client_silent(s.m, &s.registered);

	assert_true(process_start_as(&user, USER_UID));
	client_open(s.m, &c, &user);
	client_send(&c, MANAGER("ListFailures"), false, NULL);
	client_error(s.m, &c, VARLINK_ERROR_PERMISSION_DENIED);
	client_send(&c, MANAGER("Monitor"), true, json_pack("{s:i, s:b}", "since_usec", 0,
							     "follow", 0));
	event = client_reply(s.m, &c, MANAGER("Monitor"), false);
	assert_true(json_is_null(json_object_get(event, "event")));
	assert_int_equal(events_next(s.m->events), 1);
	client_close(s.m, &c);
	process_end(&user);
	scene_close(&s);
}

static void test_not_supported(void **state)
{
	struct scene s;

	scene_open(&s, state);
	client_send(&s.admin, MANAGER("ListFailures"), false, NULL);
	client_error(s.m, &s.admin, MANAGER("NotSupported"));
	scene_close(&s);
}

/* Out of use for all but a device: the kernel's list says so, and then that it is over. */
static void test_recovered(void **state)
{
	const struct pin_event e = {
		.type = PIN_EVENT_FAILURE,
		.failure = report(1, 1, PINGUARD_FAILURE_RESULT_RECOVERED),
	};
	_cleanup_json_ json_t *request = NULL, *list = NULL;
	char token[64];
	struct scene s;

	scene_open(&s, state);
	fake.pin_of = always_2;
	fake.listed[0] = e.failure;
	fake.n_listed = 1;
	say(s.m, &e);
	request = owner_request(s.m, &s.registered, token);
	list = list_failures(&s);
	assert_string_equal(json_get_string(failure_at(list, 0), "state", ""), "open");
	assert_int_equal(json_get_int(list, "unseen", -1), 0);
	pin_remove(s.m, 2);
	say_done(s.m, 1, PINGUARD_FAILURE_OUTCOME_ISOLATED);
	assert_int_equal(failures_find(s.m->triggers->failing->failures, 1)->state, FAILURE_ISOLATED);
	scene_close(&s);
}

/* The kernel cannot tell who holds it at first. */
static void test_look_again(void **state)
{
	_cleanup_json_ json_t *request = NULL;
	char token[64];
	struct scene s;

	scene_open(&s, state);
	fake.pin_of = always_2;
	fake.error = -ENOMEM;
	say_failed(s.m, 1, 1);
	pump(s.m);
	assert_int_equal(fake.n_looks, 1);
	assert_false(has_event(s.m, EVENT_FAILURE));
	fake.error = 0;
	request = owner_request(s.m, &s.registered, token);
	assert_int_equal(fake.n_looks, 2);
	scene_close(&s);
}

/* More pins than are told; and who it was is known when they are gone. */
static void test_many_pins(void **state)
{
	_cleanup_json_ json_t *request = NULL, *before = NULL, *after = NULL;
	char token[64];
	struct scene s;

	scene_open(&s, state);
	fake.more_first = 100;
	fake.n_more = FAILURE_OWNERS_MAX + 5;
	for (unsigned int i = 0; i < fake.n_more; i++)
		pin_add(s.m, fake.more_first + i, s.owner.pid, PAGE);
	say_failed(s.m, 1, 0);
	request = owner_request(s.m, &s.registered, token);
	/* All are asked for, and told to their owner. */
	assert_int_equal(json_array_size(json_object_get(request, "pins")), fake.n_more);
	assert_int_equal(n_parts(request), fake.n_more);
	before = list_failures(&s);
	assert_int_equal(json_array_size(json_object_get(failure_at(before, 0), "owners")),
			 FAILURE_OWNERS_MAX);
	assert_int_equal(json_get_int(failure_at(before, 0), "owners_omitted", 0), 5);

	for (unsigned int i = 0; i < fake.n_more; i++)
		pin_remove(s.m, fake.more_first + i);
	fake.n_more = 0;
	failure_set_step(failures_find(s.m->triggers->failing->failures, 0), FAILURE_WAITING);
	failing_work(s.m->triggers->failing);
	pump(s.m);
	assert_int_equal(fake.n_looks, 2);
	after = list_failures(&s);
	assert_true(json_equal(json_object_get(failure_at(before, 0), "owners"),
			       json_object_get(failure_at(after, 0), "owners")));
	scene_close(&s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, failure_setup, owner_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_asked),      TEST(test_no_address), TEST(test_second_frame),
		TEST(test_one_refused),
		TEST(test_unpoisoned), TEST(test_nobody),     TEST(test_not_supported),
		TEST(test_recovered),  TEST(test_look_again),   TEST(test_many_pins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
