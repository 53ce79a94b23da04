/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/action-internal.h"
#include "tests/unit/systemd-fixture.h"

struct fixture {
	sd_event *event;
	struct actions *actions;
	struct systemd systemd;
	unsigned int n_done;
	int error;
	char text[256];
	pid_t child;
	int pidfd;
	char *kept_proc;
};

static struct fixture f;

static void on_done(struct action *a, int error, const char *text, void *userdata)
{
	f.n_done++;
	f.error = error;
	snprintf(f.text, sizeof(f.text), "%s", text ?: "(none)");
	assert_ptr_equal(userdata, &f);
}

/* The owner of an action may free it at its end. */
static void on_done_free(struct action *a, int error, const char *text, void *userdata)
{
	on_done(a, error, text, userdata);
	action_free(a);
}

static int setup(void **state)
{
	f = (struct fixture){ .pidfd = -1 };
	if (sd_event_new(&f.event) < 0)
		return -1;
	systemd_start(&f.systemd, f.event);
	systemd_listen(&f.systemd);
	return actions_new(f.event, &f.actions);
}

static int teardown(void **state)
{
	f.actions = actions_free(f.actions);
	systemd_stop(&f.systemd);
	if (f.child > 0) {
		kill(f.child, SIGKILL);
		waitpid(f.child, NULL, 0);
	}
	closep(&f.pidfd);
	sd_event_unref(f.event);
	return 0;
}

/* All that is on its way has arrived when nothing happens any more. */
static void run_until(unsigned int n_done)
{
	while (f.n_done < n_done)
		if (sd_event_run(f.event, 10000000) <= 0)
			fail_msg("nothing happens");
}

static void settle(void)
{
	while (sd_event_run(f.event, 50000) > 0)
		;
}

static void expect_end(int error, const char *text)
{
	assert_int_equal(f.n_done, 0);
	run_until(1);
	if (f.error != error || !strstr(f.text, text))
		fail_msg("%d: %s", f.error, f.text);
	settle();
	assert_int_equal(f.n_done, 1);
	f.n_done = 0;
}

static void make_child(void)
{
	f.child = fork();
	if (f.child == 0) {
		pause();
		_exit(0);
	}
	f.pidfd = pidfd_open(f.child, 0);
	assert_true(f.pidfd >= 0);
}

static struct action *start_hook(char **words, action_done done)
{
	const struct ladder ladder = { .name = (char *)"a.conf", .hook = words };
	json_t *input = json_pack("{s:s, s:s, s:i, s:s, s:I}", "token", "0123456789abcdef",
				  "reason", "drain", "pid", 77, "cgroup",
				  "/system.slice/vm@a\\\\x2d1.service/x", "deadline_usec",
				  (json_int_t)1234567890123);
	struct action *a = NULL;

	assert_int_equal(action_hook(f.actions, &ladder, NULL, input, 5000000, done, &f, &a), 0);
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
					    "PINGUARD_CGROUP=/system.slice/vm@a\\\\x2d1.service/x|"
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
	assert_int_equal(action_hook(f.actions, &ladder, "a.service", input, 1000000, on_done_free,
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
	assert_int_equal(action_stop_unit(f.actions, f.pidfd, on_done_free, &f, &a), 0);
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

static void stop_child(int error, const char *text)
{
	struct action *a;

	assert_int_equal(action_stop_unit(f.actions, f.pidfd, on_done_free, &f, &a), 0);
	expect_end(error, text);
}

static void test_stop_unit(void **state)
{
	struct systemd *s = &f.systemd;

	make_child();
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
	make_child();
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
	make_child();
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

	make_child();
	f.systemd.unit = "a.service";
	f.systemd.silent = true;
	assert_int_equal(action_stop_unit(f.actions, f.pidfd, on_done, &f, &a), 0);
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
	assert_int_equal(action_kill(f.actions, f.pidfd, on_done_free, &f, &a), 0);
	expect_end(0, "has ended");
	assert_int_equal(waitpid(f.child, &status, 0), f.child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	f.child = 0;
	assert_int_equal(action_kill(f.actions, f.pidfd, on_done_free, &f, &a), 0);
	expect_end(-ESRCH, "is gone");
	assert_int_equal(action_kill(f.actions, -1, on_done_free, &f, &a), 0);
	expect_end(-EBADF, "cannot be told");
}

/* Have the child run in a cgroup, as far as the service can see. */
static void set_cgroup(const char *path)
{
	char dir[] = "/tmp/pinguard-proc-XXXXXX", name[64];
	FILE *file;

	assert_non_null(mkdtemp(dir));
	closep(&f.actions->proc_fd);
	f.actions->proc_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(name, sizeof(name), "%s/%d", dir, f.child);
	assert_int_equal(mkdir(name, 0700), 0);
	strcat(name, "/cgroup");
	file = fopen(name, "w");
	assert_non_null(file);
	fprintf(file, "0::%s\n", path);
	assert_int_equal(fclose(file), 0);
	f.kept_proc = strdup(name);
}

static void drop_cgroup(void)
{
	unlink(f.kept_proc);
	rmdir(dirname(f.kept_proc));
	rmdir(dirname(f.kept_proc));
	free(f.kept_proc);
	f.kept_proc = NULL;
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
		set_cgroup(units[i].cgroup);
		assert_int_equal(action_kill(f.actions, f.pidfd, on_done_free, &f, &a), 0);
		expect_end(units[i].error, units[i].text);
		drop_cgroup();
	}
}

/* It is known before systemd is asked. */
static void test_stop_users(void **state)
{
	make_child();
	set_cgroup("/user.slice/user-1000.slice/user@1000.service/app.slice/a.service");
	stop_child(-EPERM, "user@1000.service is protected");
	drop_cgroup();
}

static void test_kill_protected(void **state)
{
	_cleanup_(closep) int init = pidfd_open(1, 0), self = pidfd_open(getpid(), 0);
	struct action *a;

	assert_true(init >= 0 && self >= 0);
	assert_int_equal(action_kill(f.actions, init, on_done_free, &f, &a), 0);
	expect_end(-EPERM, "process 1 is protected");
	assert_int_equal(action_stop_unit(f.actions, init, on_done_free, &f, &a), 0);
	expect_end(-EPERM, "process 1 is protected");
	assert_int_equal(action_kill(f.actions, self, on_done_free, &f, &a), 0);
	expect_end(-EPERM, "is protected");
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

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
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
		TEST(test_stop_unit),
		TEST(test_stop_forged),
		TEST(test_stop_protected),
		TEST(test_stop_too_late),
		TEST(test_stop_freed),
		TEST(test_kill),
		TEST(test_kill_units),
		TEST(test_stop_users),
		TEST(test_kill_protected),
		TEST(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
