/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hooks, and the bus that they and other actions go over. */
#include <stdio.h>

#include "tests/unit/ladder/action-fixture.h"

static struct action *start_hook(char **words, action_done done)
{
	const struct ladder ladder = { .name = (char *)"a.conf", .hook = words };
	json_t *input = json_pack("{s:s, s:s, s:i, s:s, s:s, s:I}", "token", "0123456789abcdef",
				  "reason", "drain", "pid", 77, "stop_refused", "more", "cgroup",
				  "/system.slice/vm@a\\x2d1.service/x", "deadline_usec",
				  (json_int_t)1234567890123);
	struct action *a = NULL;

	assert_int_equal(action_hook(f.actions, &ladder, "/system.slice/vm@a\\x2d1.service/x",
				     input, 5000000, done, &f, &a), 0);
	json_decref(input);
	return a;
}

static char *hook_words[] = { (char *)"/usr/bin/hook", (char *)"a b", (char *)"$HOME", NULL };

static void expect_has(const char *text, const char *part)
{
	if (!text || !strstr(text, part))
		fail_msg("no %s in %s", part, text ?: "(none)");
}

static void test_hook(void **state)
{
	struct systemd *s = &f.systemd;

	s->result = "success";
	start_hook(hook_words, on_done_free);
	expect_end(0, "succeeded");
	assert_int_equal(strncmp(s->started, "pinguard-hook-", 14), 0);
	assert_string_equal(s->command, "/usr/bin/hook:/usr/bin/hook|a b|$HOME|:no-env-expand|");
	assert_string_equal(s->environment, "PINGUARD_TOKEN=0123456789abcdef|PINGUARD_REASON=drain|"
					    "PINGUARD_PID=77|PINGUARD_DEADLINE_USEC=1234567890123|"
					    "PINGUARD_CGROUP=/system.slice/vm@a\\x2d1.service/x|"
					    "PINGUARD_STOP_REFUSED=more|"
					    "PINGUARD_UNIT=vm@a\\x2d1.service|");
	expect_has(s->strings, "Type=exec\n");
	expect_has(s->strings, "RuntimeMaxUSec=5000000\n");
	expect_has(s->strings, "KillMode=control-group\n");
	expect_has(s->strings, "CollectMode=inactive-or-failed\n");
	expect_has(s->strings, "StandardInputFileDescriptor\n");
	expect_has(s->strings, "StandardOutput=journal\n");
	expect_has(s->strings, "LogRateLimitBurst=");
	expect_has(s->strings, "TasksMax=");
	expect_has(s->strings, "MemoryMax=");
	expect_has(s->strings, "NoNewPrivileges=1\n");
	expect_has(s->strings,
		   "Description=Release hook /usr/bin/hook for process 77, request 01234567\n");
	expect_has(s->input, "\"reason\":\"drain\"");
	assert_int_equal(s->n_subscribed, 1);
	/* it is over: let go of, not stopped */
	assert_string_equal(s->unreferenced, s->started);
	assert_null(s->stopped);
}

static void test_hook_ends(void **state)
{
	static const struct {
		const char *result;
		int status, error;
		const char *text;
	} ends[] = {
		{ "exit-code", 3, -ECHILD, "failed with status 3" },
		{ "exit-code", 203, -ECHILD, "cannot be executed" },
		{ "timeout", 15, -ETIMEDOUT, "ran out of time" },
		{ "signal", 9, -ECHILD, "signal 9" },
		{ "oom-kill", 9, -ECHILD, "failed: oom-kill" },
		{ "a\033[2Jb", 0, -ECHILD, "a\\x1b[2Jb" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		f.systemd.result = ends[i].result;
		f.systemd.status = ends[i].status;
		start_hook(hook_words, on_done_free);
		expect_end(ends[i].error, ends[i].text);
	}
	/* one connection for all of them */
	assert_int_equal(f.systemd.n_subscribed, 1);
}

static void test_hook_not_started(void **state)
{
	f.systemd.start_error = "no\033[1m such file";
	start_hook(hook_words, on_done_free);
	expect_end(-ECHILD, "no\\x1b[1m such file");
}

/* What somebody else says of the hook ends nothing. */
static void test_hook_forged(void **state)
{
	struct action *a;

	f.systemd.forged = true;
	a = start_hook(hook_words, on_done);
	settle();
	assert_non_null(f.systemd.started);
	assert_int_equal(f.n_done, 0);
	assert_int_equal(f.systemd.n_asked, 0);
	action_free(a);
	f.systemd.result = "exit-code";
	f.systemd.status = 3;
	start_hook(hook_words, on_done_free);
	expect_end(-ECHILD, "failed with status 3");
	assert_int_equal(f.systemd.n_asked, 1);
}

static void test_hook_reexecuted(void **state)
{
	start_hook(hook_words, on_done_free);
	settle();
	assert_int_equal(f.n_done, 0);
	f.systemd.result = "exit-code";
	f.systemd.status = 3;
	systemd_reexecute(&f.systemd);
	expect_end(-ECHILD, "failed with status 3");
	assert_int_equal(f.systemd.n_asked, 1);
}

/* Nobody waits for it any more: it is stopped, and nothing is told. */
static void test_hook_freed(void **state)
{
	struct action *a = start_hook(hook_words, on_done);

	settle();
	assert_non_null(f.systemd.started);
	action_free(a);
	settle();
	assert_string_equal(f.systemd.stopped, f.systemd.started);
	assert_string_equal(f.systemd.unreferenced, f.systemd.started);
	assert_int_equal(f.n_done, 0);

	/* also one of which systemd has not heard yet */
	a = start_hook(hook_words, on_done);
	action_free(a);
	settle();
	assert_string_equal(f.systemd.stopped, f.systemd.started);
	assert_int_equal(f.n_done, 0);
}

static void test_input_too_large(void **state)
{
	const struct ladder ladder = { .hook = hook_words };
	char *text = malloc(ACTION_INPUT_BYTES + 1);
	struct action *a;
	json_t *input;

	memset(text, 'x', ACTION_INPUT_BYTES);
	text[ACTION_INPUT_BYTES] = '\0';
	input = json_pack("{s:s}", "token", text);
	assert_int_equal(action_hook(f.actions, &ladder, "/a.service", input, 1000000, on_done_free,
				     &f, &a), 0);
	expect_end(-E2BIG, "cannot be started");
	assert_null(f.systemd.started);
	json_decref(input);
	free(text);
}

/* Without a bus each says so; when it is back, so are they. */
static void test_no_bus(void **state)
{
	struct action *a;

	close(f.systemd.listen_fd);
	f.systemd.listen_fd = -1;
	f.systemd.source = sd_event_source_disable_unref(f.systemd.source);
	make_child();
	start_hook(hook_words, on_done_free);
	expect_end(-EOPNOTSUPP, "no connection to systemd");
	assert_int_equal(action_stop_unit(f.actions, f.pidfd, NULL, on_done_free, &f, &a), 0);
	expect_end(-EOPNOTSUPP, "no connection to systemd");

	systemd_listen(&f.systemd);
	f.systemd.result = "success";
	start_hook(hook_words, on_done_free);
	expect_end(0, "succeeded");
}

static void test_bus_lost(void **state)
{
	struct action *a = start_hook(hook_words, on_done);

	settle();
	assert_non_null(f.systemd.started);
	systemd_drop(&f.systemd);
	expect_end(-ECONNRESET, "connection to systemd was lost");
	action_free(a);

	f.systemd.result = "success";
	start_hook(hook_words, on_done_free);
	expect_end(0, "succeeded");
	assert_int_equal(f.systemd.n_subscribed, 2);
}

static void test_limit(void **state)
{
	struct action *all[ACTIONS_MAX], *a;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		all[i] = start_hook(hook_words, on_done);
	a = start_hook(hook_words, on_done);
	expect_end(-EBUSY, "too many");
	action_free(a);
	action_free(all[0]);
	f.systemd.result = "success";
	all[0] = start_hook(hook_words, on_done);
	expect_end(0, "succeeded");
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		action_free(all[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, action_setup, action_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_hook),
		TEST(test_hook_ends),
		TEST(test_hook_not_started),
		TEST(test_hook_forged),
		TEST(test_hook_reexecuted),
		TEST(test_hook_freed),
		TEST(test_input_too_large),
		TEST(test_no_bus),
		TEST(test_bus_lost),
		TEST(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
