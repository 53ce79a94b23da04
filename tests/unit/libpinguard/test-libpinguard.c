/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/libpinguard/libpinguard-fixture.h"

#include "lib/json.h"
#include "lib/socket.h"

#define HOUR_USEC (3600ULL * 1000000)

static void test_requests(void **state)
{
	static const char two[] = REQUEST("b") "\0" WITHDRAWN("a") "\0" REGISTERED;
	struct fixture *f = *state;

	assert_int_equal(pinguard_owner_state(f->owner), PINGUARD_OWNER_WAITING);
	enroll(f);
	/* nothing is left to do */
	assert_false(ready(f, 0));
	assert_int_equal(pinguard_owner_dispatch(f->owner), 0);

	say(f->stream_fd, REQUEST("a"));
	assert_int_equal(turn(f), 0);
	expect_log(f, "request a\n");
	/* several in one, and one in pieces */
	assert_int_equal(send(f->stream_fd, two, sizeof(two), 0), sizeof(two));
	assert_int_equal(turn(f), 0);
	expect_log(f, "request b\nwithdrawn a\n");
	for (const char *p = REQUEST("c");; p++) {
		assert_int_equal(send(f->stream_fd, p, 1, 0), 1);
		assert_int_equal(turn(f), 0);
		if (!*p)
			break;
		expect_log(f, "");
	}
	expect_log(f, "request c\n");
	assert_false(ready(f, 0));

	/* a request outlives what it came with */
	f->owner = pinguard_owner_unref(f->owner);
	assert_int_equal(pinguard_request_is_reminder(f->kept), 1);
	assert_string_equal(pinguard_pin_device(pinguard_request_pin(f->kept, 0)), "rxe0");
}

/* A message that is larger than any buffer is at first. */
static void test_large_request(void **state)
{
	enum { PINS = 20000 };
	struct fixture *f = *state;
	_cleanup_json_ json_t *pins = json_array(), *message = NULL;
	struct varlink_writer writer;

	enroll(f);
	for (int i = 0; i < PINS; i++)
		json_array_append_new(
			pins, json_pack("{ss ss si}", "id", "0x1", "kind", "vfio", "bytes", i));
	message = json_pack("{s{s{ss si sO}} sb}", "parameters", "request", "token", "t",
			    "deadline_usec", 1, "pins", pins, "continues", 1);
	varlink_writer_init(&writer);
	assert_int_equal(varlink_writer_add(&writer, message, VARLINK_REPLY_MAX_BYTES, SIZE_MAX),
			 0);
	while (varlink_writer_queued(&writer) > 0) {
		assert_int_equal(varlink_writer_send(&writer, f->stream_fd), 0);
		assert_int_equal(turn(f), 0);
	}
	while (ready(f, 0))
		assert_int_equal(turn(f), 0);
	varlink_writer_done(&writer);
	expect_log(f, "request t\n");
	assert_int_equal(pinguard_request_n_pins(f->kept), PINS);
	assert_int_equal(pinguard_pin_bytes(pinguard_request_pin(f->kept, PINS - 1)), PINS - 1);
}

static void test_answers(void **state)
{
	struct fixture *f = *state;
	int fd;

	enroll(f);
	/* sent at once, before any dispatch; then one after the other on the same connection */
	assert_int_equal(
		pinguard_owner_complete(f->owner, "a", PINGUARD_RESULT_DEFERRED, "\"s\303\266on"),
		0);
	assert_int_equal(complete(f, "a"), 0);
	assert_int_equal(pinguard_owner_complete(f->owner, "b", PINGUARD_RESULT_REFUSED, NULL), 0);
	fd = take_call(
		f,
		CALL_COMPLETE(
			"\"token\":\"a\",\"result\":\"deferred\",\"reason\":\"\\\"s\303\266on\""));
	say(fd, DONE);
	assert_int_equal(turn(f), 0);
	expect_log(f, "completed a 0 0 0\n");
	more_calls(fd, CALL_RELEASED("a"));
	say(fd, ERROR("StillPinned", "\"pins\":2,\"bytes\":8192"));
	assert_int_equal(turn(f), 0);
	expect_log(f, "completed a -16 2 8192\n");
	more_calls(fd, CALL_COMPLETE("\"token\":\"b\",\"result\":\"refused\""));
	say(fd, ERROR("NoSuchToken", "\"token\":\"b\""));
	assert_int_equal(turn(f), 0);
	expect_log(f, "completed b -2 0 0\n");
	/* the connection is not kept */
	assert_true(hung_up(fd));
	close(fd);
	assert_false(ready(f, 0));
	assert_int_equal(pinguard_owner_state(f->owner), PINGUARD_OWNER_REGISTERED);
}

/* A call that does not fit into the socket goes on when there is room. */
static void test_slow_service(void **state)
{
	struct fixture *f = *state;
	char reason[PINGUARD_REASON_MAX_BYTES + 1] = {}, text[16384];
	int fd, least = 1;
	size_t size = 0;
	ssize_t n;

	enroll(f);
	memset(reason, '\1', PINGUARD_REASON_MAX_BYTES); /* each is six bytes of JSON */
	assert_int_equal(complete(f, "a"), 0);
	assert_int_equal(pinguard_owner_complete(f->owner, "b", PINGUARD_RESULT_REFUSED, reason),
			 0);
	assert_int_equal(
		setsockopt(f->owner->answers.fd, SOL_SOCKET, SO_SNDBUF, &least, sizeof(least)), 0);
	fd = take_call(f, CALL_RELEASED("a"));
	say(fd, DONE);
	assert_int_equal(turn(f), 0);
	expect_log(f, "completed a 0 0 0\n");
	assert_true(varlink_writer_queued(&f->owner->answers.writer) > 0);
	assert_false(ready(f, 0));
	while (size == 0 || text[size - 1] != '\0') {
		n = recv(fd, text + size, sizeof(text) - size, 0);
		assert_true(n > 0);
		size += (size_t)n;
		if (ready(f, 0))
			assert_int_equal(pinguard_owner_dispatch(f->owner), 0);
	}
	assert_true(size > 6 * PINGUARD_REASON_MAX_BYTES);
	say(fd, DONE);
	assert_int_equal(turn(f), 0);
	expect_log(f, "completed b 0 0 0\n");
	close(fd);
}

/* From a callback the dispatch itself sends it. */
static void test_answer_in_callback(void **state)
{
	struct fixture *f = *state;
	int fd;

	enroll(f);
	strcpy(f->answer, "a");
	f->reenter = true;
	say(f->stream_fd, REQUEST("a"));
	assert_int_equal(turn(f), 0);
	while (f->owner->answers.fd < 0)
		assert_int_equal(turn(f), 0);
	expect_log(f, "request a\n");
	fd = take_call(f, CALL_RELEASED("a"));
	say(fd, DONE);
	while (!f->log[0])
		assert_int_equal(turn(f), 0);
	expect_log(f, "completed a 0 0 0\nagain 0\n");
	f->reenter = false;
	more_calls(fd, CALL_RELEASED("again"));
	say(fd, DONE);
	while (!f->log[0])
		assert_int_equal(turn(f), 0);
	expect_log(f, "completed again 0 0 0\n");
	assert_false(ready(f, 0));
	close(fd);
}

/* What keeps an answer from its way makes it try again, and is said by dispatch. */
static void test_answer_is_retried(void **state)
{
	struct fixture *f = *state;
	int fd;

	enroll(f);
	assert_int_equal(complete(f, "a"), 0);
	fd = take_call(f, CALL_RELEASED("a"));
	close(fd);
	assert_int_equal(turn(f), -ECONNRESET);
	assert_int_equal(f->owner->answers.backoff_usec, CHANNEL_BACKOFF_MIN_USEC);
	assert_int_equal(turn(f), 0);
	fd = take_call(f, CALL_RELEASED("a"));
	say(fd, ERROR("LimitExceeded", "\"limit\":\"connections\",\"max\":64"));
	close(fd);
	assert_int_equal(turn(f), -EUSERS);
	assert_int_equal(f->owner->answers.backoff_usec, 2 * CHANNEL_BACKOFF_MIN_USEC);
	assert_int_equal(turn(f), 0);
	fd = take_call(f, CALL_RELEASED("a"));
	say(fd, "rubbish");
	assert_int_equal(turn(f), -EBADMSG);
	close(fd);
	assert_int_equal(turn(f), 0);
	expect_log(f, "");
	fd = take_call(f, CALL_RELEASED("a"));
	say(fd, DONE);
	assert_int_equal(turn(f), 0);
	close(fd);
	expect_log(f, "completed a 0 0 0\n");
	assert_int_equal(f->owner->answers.backoff_usec, 0);
	assert_int_equal(pinguard_owner_state(f->owner), PINGUARD_OWNER_REGISTERED);
}

static void test_bad_answers(void **state)
{
	struct fixture *f = *state;
	char reason[PINGUARD_REASON_MAX_BYTES + 2] = {}, token[66] = {};

	assert_int_equal(complete(f, "a"), -ENOTCONN);
	enroll(f);
	for (int result = -1; result <= 4; result++)
		if (result < 1 || result > 3)
			assert_int_equal(pinguard_owner_complete(f->owner, "a", result, NULL),
					 -EINVAL);
	assert_int_equal(complete(f, ""), -EINVAL);
	assert_int_equal(complete(f, "\xff"), -EINVAL);
	memset(token, 'a', sizeof(token) - 1);
	assert_int_equal(complete(f, token), -EINVAL);
	assert_int_equal(pinguard_owner_complete(f->owner, "a", PINGUARD_RESULT_REFUSED, "\xc3"),
			 -EINVAL);
	memset(reason, 'a', sizeof(reason) - 1);
	assert_int_equal(pinguard_owner_complete(f->owner, "a", PINGUARD_RESULT_REFUSED, reason),
			 -EMSGSIZE);
	reason[PINGUARD_REASON_MAX_BYTES] = '\0';
	for (int i = 0; i < PINGUARD_COMPLETIONS_MAX; i++)
		assert_int_equal(
			pinguard_owner_complete(f->owner, "a", PINGUARD_RESULT_REFUSED, reason), 0);
	assert_int_equal(complete(f, "a"), -ENOBUFS);
}

/* The service restarts: every answer comes to nothing, and the owner registers again. */
static void test_restart(void **state)
{
	struct fixture *f = *state;
	int fd, epoll_fd = pinguard_owner_fd(f->owner);

	enroll(f);
	assert_int_equal(complete(f, "a"), 0);
	assert_int_equal(complete(f, "b"), 0);
	fd = take_call(f, CALL_RELEASED("a"));
	closep(&f->stream_fd);
	f->stream_fd = -1;
	f->reenter = true; /* nothing can be queued for who is not registered */
	assert_int_equal(turn(f), -ECONNRESET);
	f->reenter = false;
	expect_log(f,
		   "completed a -104 0 0\nagain -107\ncompleted b -104 0 0\nagain -107\nstate 1\n");
	assert_true(hung_up(fd));
	close(fd);
	assert_int_equal(f->owner->stream.backoff_usec, CHANNEL_BACKOFF_MIN_USEC);
	enroll(f);
	assert_int_equal(pinguard_owner_fd(f->owner), epoll_fd);
	/* one that says no as soon as it is asked is asked ever less */
	f->owner->stream.since_usec += HOUR_USEC;
	say(f->stream_fd, ERROR("AlreadyRegistered", ""));
	assert_int_equal(turn(f), -EALREADY);
	assert_int_equal(f->owner->stream.backoff_usec, 2 * CHANNEL_BACKOFF_MIN_USEC);
	/* but not one that was there for long */
	assert_int_equal(turn(f), 0);
	f->owner->stream.since_usec = 0;
	closep(&f->stream_fd);
	f->stream_fd = take_call(f, CALL_REGISTER);
	closep(&f->stream_fd);
	f->stream_fd = -1;
	assert_int_equal(turn(f), -ECONNRESET);
	assert_int_equal(f->owner->stream.backoff_usec, CHANNEL_BACKOFF_MIN_USEC);
}

static void test_nobody_there(void **state)
{
	static const int steps[] = { 1, 2, 4, 8, 16, 32, 50, 50 };
	struct fixture *f = *state;

	close(TAKE_FD(f->listen_fd));
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		assert_int_equal(turn(f), -ECONNREFUSED);
		assert_int_equal(f->owner->stream.backoff_usec,
				 steps[i] * CHANNEL_BACKOFF_MIN_USEC);
		/* until then nothing is done, nor is the fd ready */
		halt(f);
		assert_false(ready(f, 0));
		assert_int_equal(pinguard_owner_dispatch(f->owner), 0);
		assert_int_equal(channel_arm(&f->owner->stream, 0), 0);
	}
	expect_log(f, "");
	assert_int_equal(pinguard_owner_state(f->owner), PINGUARD_OWNER_WAITING);
}

/* Too many wait for the service already: connecting would block. */
static void test_crowd(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un address;
	socklen_t length;
	int crowd[2], fd;

	assert_int_equal(listen(f->listen_fd, 0), 0);
	assert_int_equal(socket_address(f->path, &address, &length), 0);
	for (size_t i = 0; i < ARRAY_SIZE(crowd); i++) {
		crowd[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)connect(crowd[i], (struct sockaddr *)&address, length);
	}
	assert_int_equal(turn(f), -EAGAIN);
	while ((fd = accept(f->listen_fd, NULL, NULL)) >= 0)
		close(fd);
	enroll(f);
	for (size_t i = 0; i < ARRAY_SIZE(crowd); i++)
		close(crowd[i]);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_requests),
		TEST(test_large_request),
		TEST(test_answers),
		TEST(test_slow_service),
		TEST(test_answer_in_callback),
		TEST(test_answer_is_retried),
		TEST(test_bad_answers),
		TEST(test_restart),
		TEST(test_nobody_there),
		TEST(test_crowd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
