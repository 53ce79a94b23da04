/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The loader of eBPF programs: what it answers, and what becomes of its maps. */
#include "tests/unit/kernel/probe-fixture.h"

static void ask_for_module(const struct probe_hello *hello, unsigned int n_fds)
{
	closep(&loader_fd);
	assert_int_equal(probe_ask(probe), 0);
	loader_fd = accept(listener_fd, NULL, NULL);
	answer(hello, sizeof(*hello), n_fds);
}

static void check_ended(void)
{
	int r = 1;

	for (unsigned int i = 0; i < 100 && r >= 0 && sd_event_get_state(event) != SD_EVENT_FINISHED; i++)
		r = sd_event_run(event, 5000000);
	assert_int_equal(sd_event_get_exit_code(event, &r), 0);
	assert_int_equal(r, -ESTALE);
	assert_int_equal(told.n_begins, 1);
}

/* When a module has come: the same maps. */
static void test_module(void **state)
{
	const struct probe_hello hello = { .layout = PROBE_LAYOUT, .n_fds = PROBE_FDS };
	const struct probe_hello no_maps = { .layout = PROBE_LAYOUT, .reason = "none" };

	kernel.head->build = 3;
	kernel.head->made_nsec = 1000;
	start();
	ask_for_module(&hello, PROBE_FDS);
	run();
	ask_for_module(&no_maps, 0);
	run();
	assert_true(probe_ready(probe));
	assert_int_equal(told.n_begins, 1);
	assert_int_equal(told.n_failed, 0);
	put_event(PROBE_EVENT_PIN, put_pin(0, 1));
	wake();
	assert_int_equal(told.n_events, 1);
}

/* Empty ones would say that all pins were given back. */
static void test_other_maps(void **state)
{
	const struct probe_hello hello = { .layout = PROBE_LAYOUT, .n_fds = PROBE_FDS };
	const int first = kernel.fds[0];
	struct probe_head *other;

	kernel.head->build = 3;
	kernel.head->made_nsec = 1000;
	put_pin(0, 1);
	start();
	other = make(sizeof(*other), &kernel.fds[0]);
	other->build = 3;
	other->made_nsec = 2000;
	ask_for_module(&hello, PROBE_FDS);
	check_ended();
	munmap(other, sizeof(*other));
	close(first);
}

static void test_taken_away(void **state)
{
	kernel.head->build = 3;
	start();
	kernel.head->build = 0;
	check_ended();
}

static void test_another_version(void **state)
{
	const struct probe_hello hello = { .layout = PROBE_LAYOUT + 1, .n_fds = PROBE_FDS };

	kernel.head->build = 3;
	start();
	/* Once it has put its own programs there. */
	kernel.head->build = 0;
	ask_for_module(&hello, PROBE_FDS);
	check_ended();
}

static void check_failure(const void *data, size_t bytes, unsigned int n_fds, const char *reason)
{
	told.n_failed = 0;
	connect_probe();
	if (bytes > 0)
		answer(data, bytes, n_fds);
	close(TAKE_FD(loader_fd));
	run();
	assert_int_equal(told.n_failed, 1);
	assert_non_null(strstr(told.reason, reason));
	assert_int_equal(told.n_begins, 0);
	probe = probe_free(probe);
}

static void test_loader_fails(void **state)
{
	struct probe_hello hello = { .layout = PROBE_LAYOUT, .n_fds = PROBE_FDS };

	check_failure(NULL, 0, 0, "without an answer");
	check_failure(&hello, sizeof(hello) - 1, PROBE_FDS, "another version");
	check_failure(&hello, sizeof(hello), PROBE_FDS - 1, "no maps");
	check_failure(&hello, sizeof(hello), 0, "no maps");
	hello.layout++;
	check_failure(&hello, sizeof(hello), PROBE_FDS, "another version");
	hello.layout = PROBE_LAYOUT;
	hello.n_fds = 0;
	check_failure(&hello, sizeof(hello), 0, "no reason");
	memset(hello.reason, 'x', sizeof(hello.reason));
	check_failure(&hello, sizeof(hello), 0, "xxxx");
	assert_int_equal(strlen(told.reason), sizeof(hello.reason) - 1);
}

static void test_no_loader(void **state)
{
	const struct probe_config config = { .socket = "/nowhere/probe.sock", .listener = &listener };

	assert_int_equal(probe_new(event, &config, &probe), -ENOENT);
}

static struct source *new_source(const char *path)
{
	const struct source_config config = {
		.proc = tree, .probe_socket = path, .listener = &listener,
	};
	struct source *s;

	assert_int_equal(source_new(event, &config, &s), 0);
	return s;
}

/* On any machine without the patches, as those are where this runs. */
static void test_source(void **state)
{
	const struct probe_hello hello = { .layout = PROBE_LAYOUT, .reason = "locked down" };
	const struct probe_hello found = { .layout = PROBE_LAYOUT, .n_fds = PROBE_FDS };
	struct source *s = new_source("/nowhere/probe.sock");

	if (source_genl(s)) {
		source_free(s);
		skip();
	}
	assert_true(source_observes(s));
	assert_string_equal(source_name(s), "proc");
	assert_string_equal(source_caveats(s), source_reason(s));
	source_free(s);

	s = new_source(socket_path);
	assert_string_equal(source_name(s), "probe");
	assert_false(source_observes(s));
	assert_false(source_ready(s));
	assert_non_null(source_reason(s));
	assert_null(source_caveats(s));
	loader_fd = accept(listener_fd, NULL, NULL);
	answer(&hello, sizeof(hello), 0);
	run();
	/* What waits gets what can be observed. */
	assert_true(source_observes(s));
	assert_true(source_ready(s));
	assert_int_equal(told.n_ends, 1);
	assert_non_null(strstr(source_caveats(s), "eBPF does not help: locked down"));
	assert_null(strstr(source_reason(s), "eBPF"));
	assert_null(source_probe(s));
	/* A module has come, and it can be watched after all. */
	closep(&loader_fd);
	assert_int_equal(probe_ask(s->probe), 0);
	loader_fd = accept(listener_fd, NULL, NULL);
	answer(&found, sizeof(found), PROBE_FDS);
	put_pin(0, 1);
	run();
	assert_string_equal(source_name(s), "probe");
	assert_false(source_observes(s));
	assert_null(source_caveats(s));
	assert_true(source_ready(s));
	assert_int_equal(told.n_pins, 1);
	source_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_module),	 TEST(test_other_maps), TEST(test_taken_away),
		TEST(test_another_version), TEST(test_loader_fails), TEST(test_no_loader),
		TEST(test_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
