/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Units that are stopped, processes that are killed, and those that are not. */
#include <stdio.h>
#include <unistd.h>

#include "tests/unit/ladder/action-fixture.h"

static void stop_child(int error, const char *text)
{
	struct action *a;

	assert_int_equal(action_stop_unit(f.actions, f.pidfd, NULL, on_done_free, &f, &a), 0);
	expect_end(error, text);
}

/* The child is in that cgroup, which has processes. */
static void make_child_in(const char *path)
{
	make_child();
	set_cgroup(f.child, path);
	make_cgroup(path, "domain\n", "1\n");
}

static void test_stop_unit(void **state)
{
	struct systemd *s = &f.systemd;

	make_child_in("/system.slice/vm@a\\x2d1.service");
	s->unit = "vm@a\\x2d1.service";
	s->job_result = "done";
	stop_child(0, "was stopped");
	assert_string_equal(s->stopped, s->unit);
	assert_int_equal(s->n_by_pid, 0);

	s->no_pidfd = true;
	free(s->stopped);
	s->stopped = NULL;
	stop_child(0, "was stopped");
	assert_string_equal(s->stopped, s->unit);
	assert_int_equal(s->n_by_pid, 1);

	s->job_result = "timeout";
	stop_child(-EIO, "ended as: timeout");
	s->job_result = NULL;
	stop_child(-EIO, "no \\x1b[1munit");
	s->unit = NULL;
	stop_child(-ENOENT, "no unit of the process");
}

static void test_stop_forged(void **state)
{
	make_child_in("/a.service");
	f.systemd.unit = "a.service";
	f.systemd.forged = true;
	f.systemd.job_result = "timeout";
	stop_child(-EIO, "ended as: timeout");
}

static void test_stop_protected(void **state)
{
	static const char *const protected[] = {
		"init.scope", "-.slice", "system.slice", "user@1000.service", "pinguard.service",
		"pinguard-hook-0123456789abcdef.service",
	};

	make_child();
	f.systemd.job_result = "done";
	for (size_t i = 0; i < ARRAY_SIZE(protected); i++) {
		f.systemd.unit = protected[i];
		stop_child(-EPERM, "is protected");
		assert_null(f.systemd.stopped);
	}
}

static void end_child(void *userdata)
{
	kill(f.child, SIGKILL);
	assert_int_equal(waitpid(f.child, NULL, 0), f.child);
	f.child = 0;
}

/* The process ends while systemd looks its unit up: that may be another's by now. */
static void test_stop_too_late(void **state)
{
	make_child_in("/a.service");
	f.systemd.unit = "a.service";
	f.systemd.job_result = "done";
	f.systemd.before_stop = end_child;
	stop_child(-ESRCH, "is gone");
	assert_null(f.systemd.stopped);
	stop_child(-ESRCH, "is gone");
}

static void test_stop_freed(void **state)
{
	struct action *a;

	make_child_in("/a.service");
	f.systemd.unit = "a.service";
	f.systemd.silent = true;
	assert_int_equal(action_stop_unit(f.actions, f.pidfd, NULL, on_done, &f, &a), 0);
	settle();
	assert_non_null(f.systemd.stopped);
	action_free(a);
	settle();
	assert_int_equal(f.n_done, 0);
}

static void test_kill(void **state)
{
	struct action *a;
	int status;

	make_child();
	assert_int_equal(action_kill(f.actions, f.pidfd, NULL, on_done_free, &f, &a), 0);
	expect_end(0, "has ended");
	assert_int_equal(waitpid(f.child, &status, 0), f.child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	f.child = 0;
	assert_int_equal(action_kill(f.actions, f.pidfd, NULL, on_done_free, &f, &a), 0);
	expect_end(-ESRCH, "is gone");
	assert_int_equal(action_kill(f.actions, -1, NULL, on_done_free, &f, &a), 0);
	expect_end(-EBADF, "cannot be told");
}

/* A unit that is too much to be stopped may well have processes that are killed. */
static void test_kill_units(void **state)
{
	static const struct {
		const char *cgroup;
		int error;
		const char *text;
	} units[] = {
		{ "/init.scope", -EPERM, "init.scope is protected" },
		{ "/system.slice/pinguard.service", -EPERM, "pinguard.service is protected" },
		{ "/system.slice/pinguard-hook-00.service/x", -EPERM, "is protected" },
		{ "/user.slice/user-1000.slice/user@1000.service/a.service", 0, "has ended" },
	};
	struct action *a;

	make_child();
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		set_cgroup(f.child, units[i].cgroup);
		assert_int_equal(action_kill(f.actions, f.pidfd, NULL, on_done_free, &f, &a), 0);
		expect_end(units[i].error, units[i].text);
	}
}

/* It is known before systemd is asked. */
static void test_stop_users(void **state)
{
	make_child();
	set_cgroup(f.child, "/user.slice/user-1000.slice/user@1000.service/app.slice/a.service");
	stop_child(-EPERM, "user@1000.service is protected");
}

static void test_kill_protected(void **state)
{
	_cleanup_(closep) int init = pidfd_open(1, 0), self = pidfd_open(getpid(), 0);
	struct action *a;

	assert_true(init >= 0 && self >= 0);
	assert_int_equal(action_kill(f.actions, init, NULL, on_done_free, &f, &a), 0);
	expect_end(-EPERM, "process 1 is protected");
	assert_int_equal(action_stop_unit(f.actions, init, NULL, on_done_free, &f, &a), 0);
	expect_end(-EPERM, "process 1 is protected");
	assert_int_equal(action_kill(f.actions, self, NULL, on_done_free, &f, &a), 0);
	expect_end(-EPERM, "is protected");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, action_setup, action_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_stop_unit),
		TEST(test_stop_forged),
		TEST(test_stop_protected),
		TEST(test_stop_too_late),
		TEST(test_stop_freed),
		TEST(test_kill),
		TEST(test_kill_units),
		TEST(test_stop_users),
		TEST(test_kill_protected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
