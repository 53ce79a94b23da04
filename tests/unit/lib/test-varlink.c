/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/json.h"
#include "lib/socket.h"
#include "lib/varlink.h"

static void feed(struct varlink_reader *reader, const char *bytes, size_t size)
{
	while (size > 0) {
		size_t room_size, n;
		void *room;

		assert_int_equal(varlink_reader_reserve(reader, &room, &room_size), 0);
		n = MIN(size, room_size);
		memcpy(room, bytes, n);
		varlink_reader_commit(reader, n);
		bytes += n;
		size -= n;
	}
}

static void expect(struct varlink_reader *reader, const char *message)
{
	const char *text;
	size_t size;

	assert_int_equal(varlink_reader_next(reader, &text, &size), 1);
	assert_int_equal(size, strlen(message));
	assert_string_equal(text, message);
}

static void test_reader(void **state)
{
	static const char stream[] = "{\"a\":1}\0\0{\"b\":2}\0{\"c\"";
	struct varlink_reader reader;
	const char *text;
	size_t size;

	/* in one piece */
	varlink_reader_init(&reader, 100);
	assert_int_equal(varlink_reader_next(&reader, &text, &size), 0);
	feed(&reader, stream, sizeof(stream) - 1);
	expect(&reader, "{\"a\":1}");
	expect(&reader, "");
	expect(&reader, "{\"b\":2}");
	assert_int_equal(varlink_reader_next(&reader, &text, &size), 0);
	assert_true(varlink_reader_pending(&reader));
	feed(&reader, ":3}", 4);
	expect(&reader, "{\"c\":3}");
	assert_false(varlink_reader_pending(&reader));
	varlink_reader_done(&reader);

	/* byte by byte */
	varlink_reader_init(&reader, 100);
	for (size_t i = 0; i < 7; i++) {
		feed(&reader, stream + i, 1);
		assert_int_equal(varlink_reader_next(&reader, &text, &size), 0);
	}
	feed(&reader, "", 1);
	expect(&reader, "{\"a\":1}");
	varlink_reader_done(&reader);
}

static void test_reader_limit(void **state)
{
	for (size_t size = 9; size <= 11; size++) {
		struct varlink_reader reader;
		const char *text;
		size_t text_size;
		void *room;

		varlink_reader_init(&reader, 10);
		if (size <= 10) {
			feed(&reader, "xxxxxxxxxxxx", size);
			feed(&reader, "", 1);
			assert_int_equal(varlink_reader_next(&reader, &text, &text_size), 1);
			assert_int_equal(text_size, size);
		} else {
			feed(&reader, "xxxxxxxxxxxx", size);
			assert_int_equal(varlink_reader_next(&reader, &text, &text_size), -EMSGSIZE);
			assert_int_equal(varlink_reader_reserve(&reader, &room, &text_size), -EMSGSIZE);
		}
		varlink_reader_done(&reader);
	}
}

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		int result;
	} cases[] = {
		{ "{}", 0 },
		{ "{\"a\":[1,2,{\"b\":null}]}", 0 },
		{ "{\"a\":9223372036854775807}", 0 },
		{ "{\"a\":\"]]]]}}}}[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"}", 0 },
		{ "{\"a\":\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"}", 0 },
		{ "", -EBADMSG },
		{ "[]", -EBADMSG },
		{ "\"a\"", -EBADMSG },
		{ "null", -EBADMSG },
		{ "{\"a\":1,\"a\":2}", -EBADMSG },
		{ "{\"a\":9223372036854775808}", -EBADMSG },
		{ "{\"a\":1e999}", -EBADMSG },
		{ "{\"a\":NaN}", -EBADMSG },
		{ "{'a':1}", -EBADMSG },
		{ "{\"a\":1}x", -EBADMSG },
		{ "{\"a\":\"\xc3\"}", -EBADMSG },
		{ "{\"a\":\"\\ud800\"}", -EBADMSG },
		{ "\\", -EBADMSG },
		{ "}}}}", -EBADMSG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *json = NULL;

		assert_int_equal(varlink_parse(cases[i].text, strlen(cases[i].text), &json),
				 cases[i].result);
		assert_true(!json == (cases[i].result < 0));
		json_decref(json);
	}
}

static void test_depth(void **state)
{
	for (int extra = -1; extra <= 1; extra++) {
		int depth = VARLINK_DEPTH_MAX + extra;
		char text[4 * VARLINK_DEPTH_MAX + 16] = "{\"a\":";
		json_t *json = NULL;

		memset(text + 5, '[', (size_t)depth - 1);
		memset(text + 5 + depth - 1, ']', (size_t)depth - 1);
		strcpy(text + 5 + 2 * (depth - 1), "}");
		assert_int_equal(varlink_parse(text, strlen(text), &json), extra > 0 ? -ELOOP : 0);
		json_decref(json);
	}
}

static void test_writer(void **state)
{
	_cleanup_json_ json_t *message = json_pack("{ss}", "k", "0123456789"); /* 18 bytes */
	struct varlink_writer writer;
	int fds[2];
	char buf[64];

	varlink_writer_init(&writer);
	assert_int_equal(varlink_writer_add(&writer, message, 17, 100), -EMSGSIZE);
	assert_int_equal(varlink_writer_queued(&writer), 0);
	/* alone, a message may pass the limit of the queue */
	assert_int_equal(varlink_writer_add(&writer, message, 18, 10), 0);
	assert_int_equal(varlink_writer_queued(&writer), 19);
	assert_int_equal(varlink_writer_add(&writer, message, 18, 37), -ENOBUFS);
	assert_int_equal(varlink_writer_queued(&writer), 19);
	assert_int_equal(varlink_writer_add(&writer, message, 18, 38), 0);

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(varlink_writer_send(&writer, fds[0]), 0);
	assert_int_equal(varlink_writer_queued(&writer), 0);
	assert_int_equal(read(fds[1], buf, sizeof(buf)), 38);
	assert_string_equal(buf, "{\"k\":\"0123456789\"}");
	close(fds[1]);
	assert_int_equal(varlink_writer_add(&writer, message, 18, 38), 0);
	assert_int_equal(varlink_writer_send(&writer, fds[0]), -EPIPE);
	close(fds[0]);
	varlink_writer_done(&writer);
}

/* A service in a child that answers one call with @reply, verbatim, and hangs up. */
static pid_t serve_once(const char *name, const char *reply, size_t size, bool hang)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), client;
	struct sockaddr_un address;
	char call[4096];
	socklen_t length;
	pid_t pid;

	assert_int_equal(socket_address(name, &address, &length), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
	assert_int_equal(listen(fd, 1), 0);
	pid = fork();
	if (pid == 0) {
		client = accept(fd, NULL, NULL);
		if (read(client, call, sizeof(call)) < 0)
			_exit(1);
		/* on a busy machine the client that is kept waiting may have gone by now */
		if (send(client, reply, size, MSG_NOSIGNAL) < 0 && !hang)
			_exit(1);
		/* until the client goes */
		while (hang && read(client, call, sizeof(call)) > 0)
			;
		_exit(0);
	}
	close(fd);
	return pid;
}

static int call_once(const char *reply, size_t size, bool hang, json_t **ret, char **ret_error)
{
	struct varlink_client *client;
	char name[64];
	int r, status;
	pid_t pid;

	snprintf(name, sizeof(name), "@test-varlink-%d", (int)getpid());
	pid = serve_once(name, reply, size, hang);
	assert_int_equal(varlink_client_connect(name, hang ? 50000 : 10000000, &client), 0);
	r = varlink_client_call(client, "a.b.C", json_object(), ret, ret_error);
	varlink_client_free(client);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return r;
}

#define CALL(reply, hang) call_once(reply, sizeof(reply), hang, &json, &error)

static void test_client(void **state)
{
	json_t *json = NULL;
	char *error = NULL;

	assert_int_equal(CALL("{\"parameters\":{\"x\":7}}", false), 0);
	assert_null(error);
	assert_int_equal(json_get_int(json, "x", 0), 7);
	json_decref(json);
	assert_int_equal(CALL("{}", false), 0);
	assert_int_equal(json_object_size(json), 0);
	json_decref(json);
	assert_int_equal(CALL("{\"error\":\"a.b.E\",\"parameters\":{\"y\":8}}", false), 0);
	assert_string_equal(error, "a.b.E");
	assert_int_equal(json_get_int(json, "y", 0), 8);
	json_decref(json);
	free(error);
	assert_int_equal(CALL("{\"continues\":true}", false), -EBADMSG);
	assert_int_equal(CALL("{\"error\":1}", false), -EBADMSG);
	assert_int_equal(CALL("{\"parameters\":[]}", false), -EBADMSG);
	assert_int_equal(CALL("hello", false), -EBADMSG);
	assert_int_equal(call_once("{\"par", 5, false, &json, &error), -ECONNRESET);
	assert_int_equal(call_once("{\"par", 5, true, &json, &error), -ETIMEDOUT);
}

static void test_connect(void **state)
{
	struct varlink_client *client;
	char path[200];

	assert_int_equal(varlink_client_connect("/nonexistent/socket", 1000, &client), -ENOENT);
	assert_int_equal(varlink_client_connect("@nobody-listens-here", 1000, &client), -ECONNREFUSED);
	assert_int_equal(varlink_client_connect("", 1000, &client), -EINVAL);
	memset(path, 'p', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(varlink_client_connect(path, 1000, &client), -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reader), cmocka_unit_test(test_reader_limit),
		cmocka_unit_test(test_parse),  cmocka_unit_test(test_depth),
		cmocka_unit_test(test_writer), cmocka_unit_test(test_client),
		cmocka_unit_test(test_connect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
