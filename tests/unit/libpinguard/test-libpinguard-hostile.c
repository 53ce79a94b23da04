/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A service that breaks the protocol, callbacks and processes that do. */
#include "tests/unit/libpinguard/libpinguard-fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>

#include "lib/varlink.h"

/* Whatever it is, the connection is dropped, and the next one is as good as any. */
static void test_bad_messages(void **state)
{
	static const struct {
		const char *message;
		int error;
	} bad[] = {
		{ "rubbish", -EBADMSG },
		{ "", -EBADMSG },
		{ "[]", -EBADMSG },
		{ "{\"parameters\":{\"request\":7},\"continues\":true}", -EBADMSG },
		{ "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", -ELOOP },
		{ "{\"parameters\":{}}", -ECONNRESET },
		{ ERROR("NotSupported", "\"reason\":\"stock\""), -EOPNOTSUPP },
		{ ERROR("Later", ""), -EPROTO },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		enroll(f);
		say(f->stream_fd, bad[i].message);
		assert_int_equal(turn(f), bad[i].error);
		expect_log(f, "state 1\n");
		assert_true(hung_up(f->stream_fd));
		assert_int_equal(pinguard_owner_state(f->owner), PINGUARD_OWNER_WAITING);
		/* not the time between two tries, which another test sees */
		assert_int_equal(channel_arm(&f->owner->stream, 0), 0);
	}
}

/* The same before the registration. */
static void test_bad_start(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(turn(f), 0);
	f->stream_fd = take_call(f, CALL_REGISTER);
	say(f->stream_fd, ERROR("AlreadyRegistered", ""));
	assert_int_equal(turn(f), -EALREADY);
	expect_log(f, "state 2\nstate 1\n");
}

static void test_endless_message(void **state)
{
	static char piece[1 << 16];
	struct fixture *f = *state;
	size_t sent = 0;
	int r = 0;

	memset(piece, ' ', sizeof(piece));
	enroll(f);
	while (r == 0) {
		ssize_t n = send(f->stream_fd, piece, sizeof(piece), MSG_NOSIGNAL);

		if (n > 0)
			sent += (size_t)n;
		assert_true(sent < 2 * VARLINK_REPLY_MAX_BYTES);
		r = turn(f);
	}
	assert_int_equal(r, -EMSGSIZE);
	assert_true(sent > VARLINK_REPLY_MAX_BYTES);
	/* nor is its memory kept */
	assert_null(f->owner->stream.reader.buf);
}

/* An answer that was not asked for ends up nowhere. */
static void test_two_verdicts(void **state)
{
	static const char two[] = DONE "\0" DONE;
	struct fixture *f = *state;
	int fd;

	enroll(f);
	assert_int_equal(complete(f, "a"), 0);
	assert_int_equal(complete(f, "b"), 0);
	fd = take_call(f, CALL_RELEASED("a"));
	assert_int_equal(send(fd, two, sizeof(two), 0), sizeof(two));
	assert_int_equal(turn(f), -EBADMSG);
	expect_log(f, "");
	close(fd);
}

/* The last reference goes in a callback: nothing is called after it. */
static void test_unref_in_callback(void **state)
{
	static const char two[] = REQUEST("a") "\0" REQUEST("b");
	struct fixture *f = *state;

	enroll(f);
	f->drop = true;
	assert_int_equal(send(f->stream_fd, two, sizeof(two), 0), sizeof(two));
	assert_int_equal(turn(f), 0);
	expect_log(f, "request a\n");
	assert_null(f->owner);
	assert_true(hung_up(f->stream_fd));
}

static void test_unref_when_completed(void **state)
{
	struct fixture *f = *state;
	int fd;

	enroll(f);
	f->drop = true;
	assert_int_equal(complete(f, "a"), 0);
	assert_int_equal(complete(f, "b"), 0);
	fd = take_call(f, CALL_RELEASED("a"));
	say(fd, DONE);
	assert_int_equal(turn(f), 0);
	close(fd);
	expect_log(f, "completed a 0 0 0\n");
	assert_null(f->owner);
}

/* The same where the registration is lost with answers under way. */
static void test_unref_when_lost(void **state)
{
	struct fixture *f = *state;

	enroll(f);
	f->drop = true;
	assert_int_equal(complete(f, "a"), 0);
	assert_int_equal(complete(f, "b"), 0);
	closep(&f->stream_fd);
	f->stream_fd = -1;
	assert_int_equal(turn(f), -ECONNRESET);
	expect_log(f, "completed a -104 0 0\n");
	assert_null(f->owner);
}

/* In the child: every function refuses, and the parent's object is left alone. */
static bool child_is_refused(struct fixture *f)
{
	struct pinguard_owner *owner = f->owner;

	return pinguard_owner_fd(owner) == -ECHILD && pinguard_owner_state(owner) == -ECHILD &&
	       pinguard_owner_dispatch(owner) == -ECHILD && complete(f, "a") == -ECHILD &&
	       !f->log[0] && !pinguard_owner_unref(pinguard_owner_ref(owner)) &&
	       !pinguard_owner_unref(owner);
}

static void test_fork(void **state)
{
	struct fixture *f = *state;
	int status, pipe_fds[2];
	char byte;
	pid_t pid;

	enroll(f);
	assert_int_equal(complete(f, "a"), 0);
	say(f->stream_fd, REQUEST("b"));
	pid = fork();
	if (pid == 0)
		_exit(child_is_refused(f) ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(turn(f), 0);
	expect_log(f, "request b\n");
	assert_int_equal(pinguard_owner_state(f->owner), PINGUARD_OWNER_REGISTERED);

	/* a child that keeps its copies keeps neither connection nor events alive */
	assert_int_equal(pipe(pipe_fds), 0);
	pid = fork();
	if (pid == 0) {
		close(pipe_fds[1]);
		_exit(read(pipe_fds[0], &byte, 1) == 0 ? 0 : 1);
	}
	close(pipe_fds[0]);
	say(f->stream_fd, "rubbish");
	assert_int_equal(turn(f), -EBADMSG);
	assert_true(hung_up(f->stream_fd));
	halt(f);
	assert_false(ready(f, 0));
	assert_int_equal(channel_arm(&f->owner->stream, 0), 0);
	f->log[0] = '\0';
	close(take_call(f, CALL_RELEASED("a")));
	enroll(f);
	f->owner = pinguard_owner_unref(f->owner);
	assert_true(hung_up(f->stream_fd));
	close(pipe_fds[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* A callback that forks, and comes back twice. */
static void test_fork_in_callback(void **state)
{
	static const char two[] = REQUEST("a") "\0" REQUEST("b");
	struct fixture *f = *state;
	pid_t parent = getpid();
	int r, status;

	enroll(f);
	f->fork = true;
	assert_int_equal(send(f->stream_fd, two, sizeof(two), 0), sizeof(two));
	r = pinguard_owner_dispatch(f->owner);
	if (getpid() != parent)
		_exit(r == -ECHILD && !strcmp(f->log, "request a\n") ? 0 : 1);
	assert_int_equal(r, 0);
	assert_true(wait(&status) > 0);
	assert_int_equal(status, 0);
	expect_log(f, "request a\nrequest b\n");
}

/* Every fd of the library's is close-on-exec and non-blocking. */
static void test_fds(void **state)
{
	struct fixture *f = *state;
	int fds[] = { pinguard_owner_fd(f->owner), -1, f->owner->stream.timer_fd,
		      f->owner->answers.timer_fd, -1 };

	enroll(f);
	assert_int_equal(complete(f, "a"), 0);
	fds[1] = f->owner->stream.fd;
	fds[4] = f->owner->answers.fd;
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		assert_true(fds[i] >= 0);
		assert_true(fcntl(fds[i], F_GETFD) & FD_CLOEXEC);
		assert_true(i == 0 || (fcntl(fds[i], F_GETFL) & O_NONBLOCK));
	}
	/* listening, the service's end, and those are all */
	assert_int_equal(count_fds(), f->n_fds + 2 + ARRAY_SIZE(fds));
	close(take_call(f, CALL_RELEASED("a")));
}

static void test_new(void **state)
{
	struct pinguard_owner *owner = NULL;
	char path[200] = {};

	assert_int_equal(pinguard_owner_new("", &owner), -EINVAL);
	memset(path, 'a', sizeof(path) - 1);
	assert_int_equal(pinguard_owner_new(path, &owner), -ENAMETOOLONG);
	assert_null(owner);
	assert_null(pinguard_owner_unref(NULL));
	assert_null(pinguard_request_unref(NULL));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_bad_messages),
		TEST(test_bad_start),
		TEST(test_endless_message),
		TEST(test_two_verdicts),
		TEST(test_unref_in_callback),
		TEST(test_unref_when_completed),
		TEST(test_unref_when_lost),
		TEST(test_fork),
		TEST(test_fork_in_callback),
		TEST(test_fds),
		TEST(test_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
