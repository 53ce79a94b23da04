/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The child that looks who has devices open, and those who wait for it. */
#include <stdlib.h>
#include <sys/wait.h>

#include "tests/unit/kernel/openers-fixture.h"

struct answer {
	unsigned int n;
	json_t *users;
	char unknown[128];
	struct openers_query *query;
};

static void on_done(const json_t *users, const char *unknown, void *userdata)
{
	struct answer *a = userdata;

	a->n++;
	a->users = json_deep_copy(users);
	snprintf(a->unknown, sizeof(a->unknown), "%s", unknown ?: "");
	a->query = openers_query_free(a->query);
}

static void run_until(sd_event *event, const struct answer *a)
{
	for (int i = 0; i < 20 && a->n == 0; i++)
		assert_true(sd_event_run(event, 1000000) >= 0);
	assert_int_equal(a->n, 1);
}

static sd_event *new_event(void)
{
	sd_event *event;

	assert_true(sd_event_new(&event) >= 0);
	return event;
}

static void test_child(void **state)
{
	sd_event *event = new_event();
	struct answer first = {}, none = {}, second = {}, dropped = {}, urgent = {};
	const struct device_numbers no = {};
	struct openers *openers;

	put_process(21, "dax\n");
	put_link(21, "fd/7", "/dev/zero");
	assert_int_equal(openers_new(event, tree, &openers), 0);
	assert_int_equal(openers_find(openers, &zero, false, on_done, &first, &first.query), 0);
	assert_int_equal(openers_find(openers, &zero, false, on_done, &dropped, &dropped.query), 0);
	assert_int_equal(openers_find(openers, &no, false, on_done, &none, &none.query), 0);
	assert_int_equal(openers_find(openers, &zero, false, on_done, &second, &second.query), 0);
	assert_int_equal(openers_find(openers, &zero, true, on_done, &urgent, &urgent.query), 0);
	openers_query_free(dropped.query);
	run_until(event, &urgent);
	assert_int_equal(first.n + none.n + second.n, 0);
	run_until(event, &second);
	assert_int_equal(dropped.n, 0);
	assert_int_equal(first.n, 1);
	assert_int_equal(none.n, 1);
	only(first.users, 21, "open");
	only(second.users, 21, "open");
	only(urgent.users, 21, "open");
	json_decref(urgent.users);
	assert_int_equal(json_array_size(none.users), 0);
	assert_string_equal(first.unknown, "");
	assert_string_equal(none.unknown, "");
	json_decref(first.users);
	json_decref(second.users);
	json_decref(none.users);
	openers_free(openers);
	/* No child is left behind. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	sd_event_unref(event);
}

/* A reader that stands is killed, what it found is told, and the next one is answered. */
static void test_child_stands(void **state)
{
	sd_event *event = new_event();
	struct answer first = {}, second = {};
	struct openers *openers;
	char path[64];

	put_process(2, "dax\n");
	put_link(2, "fd/7", "/dev/zero");
	put_process(3, "stands\n");
	snprintf(path, sizeof(path), "%s/3/maps", tree);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(openers_new(event, tree, &openers), 0);
	assert_int_equal(openers_find(openers, &zero, false, on_done, &first, &first.query), 0);
	run_until(event, &first);
	assert_string_equal(first.unknown,
			    "not all processes could be looked at in 5 seconds");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(openers_find(openers, &zero, false, on_done, &second, &second.query), 0);
	run_until(event, &second);
	only(second.users, 2, "open");
	assert_string_equal(second.unknown, "");
	json_decref(first.users);
	json_decref(second.users);
	openers_free(openers);
	sd_event_unref(event);
}

static void test_no_proc(void **state)
{
	sd_event *event = new_event();
	struct answer a = {};
	struct openers *openers;

	assert_int_equal(openers_new(event, "/nonexistent", &openers), 0);
	assert_int_equal(openers_find(openers, &zero, false, on_done, &a, &a.query), 0);
	run_until(event, &a);
	assert_int_equal(json_array_size(a.users), 0);
	assert_string_not_equal(a.unknown, "");
	json_decref(a.users);
	/* One that waits when all ends. */
	assert_int_equal(openers_find(openers, &zero, false, on_done, &a, &a.query), 0);
	openers_query_free(a.query);
	openers_free(openers);
	sd_event_unref(event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_child, setup, tree_teardown),
		cmocka_unit_test_setup_teardown(test_child_stands, setup, tree_teardown),
		cmocka_unit_test_setup_teardown(test_no_proc, setup, tree_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
