/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/libpinguard/libpinguard-fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/timerfd.h>

#include "lib/socket.h"

unsigned int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void _printf_(2, 3) note(struct fixture *f, const char *format, ...)
{
	size_t used = strlen(f->log);
	va_list args;

	va_start(args, format);
	vsnprintf(f->log + used, sizeof(f->log) - used, format, args);
	va_end(args);
}

void expect_log(struct fixture *f, const char *wanted)
{
	assert_string_equal(f->log, wanted);
	f->log[0] = '\0';
}

static void on_request(struct pinguard_owner *owner, struct pinguard_request *request,
		       void *userdata)
{
	struct fixture *f = userdata;

	note(f, "request %s\n", pinguard_request_token(request));
	if (f->answer[0])
		assert_int_equal(
			pinguard_owner_complete(owner, f->answer, PINGUARD_RESULT_RELEASED, NULL),
			0);
	if (f->reenter)
		assert_int_equal(pinguard_owner_dispatch(owner), -EBUSY);
	if (f->kept)
		assert_null(pinguard_request_unref(f->kept));
	f->kept = pinguard_request_ref(request);
	if (f->drop)
		f->owner = pinguard_owner_unref(owner);
	if (f->fork) {
		f->fork = false;
		assert_true(fork() >= 0);
	}
}

static void on_withdrawn(struct pinguard_owner *owner, const char *token, void *userdata)
{
	note(userdata, "withdrawn %s\n", token);
}

static void on_completed(struct pinguard_owner *owner, const char *token, int error,
			 uint64_t pins_left, uint64_t bytes_left, void *userdata)
{
	struct fixture *f = userdata;

	note(f, "completed %s %d %d %d\n", token, error, (int)pins_left, (int)bytes_left);
	if (f->drop)
		f->owner = pinguard_owner_unref(owner);
	else if (f->reenter)
		note(f, "again %d\n",
		     pinguard_owner_complete(owner, "again", PINGUARD_RESULT_RELEASED, NULL));
}

static void on_state(struct pinguard_owner *owner, enum pinguard_owner_state state, void *userdata)
{
	note(userdata, "state %d\n", state);
}

int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct sockaddr_un address;
	socklen_t length;

	assert_non_null(f);
	f->n_fds = count_fds();
	snprintf(f->path, sizeof(f->path), "@pinguard-test-%d", (int)getpid());
	assert_int_equal(socket_address(f->path, &address, &length), 0);
	f->stream_fd = -1;
	f->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(f->listen_fd, (struct sockaddr *)&address, length), 0);
	assert_int_equal(listen(f->listen_fd, 8), 0);
	assert_int_equal(pinguard_owner_new(f->path, &f->owner), 0);
	pinguard_owner_set_request_callback(f->owner, on_request, f);
	pinguard_owner_set_withdrawn_callback(f->owner, on_withdrawn, f);
	pinguard_owner_set_completed_callback(f->owner, on_completed, f);
	pinguard_owner_set_state_callback(f->owner, on_state, f);
	*state = f;
	return 0;
}

int teardown(void **state)
{
	struct fixture *f = *state;

	assert_null(pinguard_owner_unref(f->owner));
	pinguard_request_unref(f->kept);
	closep(&f->stream_fd);
	closep(&f->listen_fd);
	assert_int_equal(count_fds(), f->n_fds);
	free(f);
	return 0;
}

bool ready(struct fixture *f, int timeout_ms)
{
	struct pollfd pollfd = { .fd = pinguard_owner_fd(f->owner), .events = POLLIN };

	return poll(&pollfd, 1, timeout_ms) == 1;
}

void halt(struct fixture *f)
{
	static const struct itimerspec off;

	assert_int_equal(timerfd_settime(f->owner->stream.timer_fd, 0, &off, NULL), 0);
	assert_int_equal(timerfd_settime(f->owner->answers.timer_fd, 0, &off, NULL), 0);
}

int turn(struct fixture *f)
{
	assert_true(ready(f, 60000));
	return pinguard_owner_dispatch(f->owner);
}

void say(int fd, const char *message)
{
	assert_int_equal(send(fd, message, strlen(message) + 1, MSG_NOSIGNAL), strlen(message) + 1);
}

int take_call(struct fixture *f, const char *call)
{
	int fd = accept4(f->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	char text[2048];

	assert_true(fd >= 0);
	assert_int_equal(recv(fd, text, sizeof(text), 0), strlen(call) + 1);
	assert_string_equal(text, call);
	return fd;
}

void more_calls(int fd, const char *call)
{
	char text[2048];

	assert_int_equal(recv(fd, text, sizeof(text), 0), strlen(call) + 1);
	assert_string_equal(text, call);
}

bool hung_up(int fd)
{
	char byte;

	return recv(fd, &byte, 1, 0) == 0;
}

void enroll(struct fixture *f)
{
	assert_int_equal(turn(f), 0);
	closep(&f->stream_fd);
	f->stream_fd = take_call(f, CALL_REGISTER);
	say(f->stream_fd, REGISTERED);
	assert_int_equal(turn(f), 0);
	assert_int_equal(pinguard_owner_state(f->owner), PINGUARD_OWNER_REGISTERED);
	expect_log(f, "state 2\nstate 3\n");
}

int complete(struct fixture *f, const char *token)
{
	return pinguard_owner_complete(f->owner, token, PINGUARD_RESULT_RELEASED, NULL);
}
