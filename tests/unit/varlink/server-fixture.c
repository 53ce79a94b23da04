/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/varlink/server-fixture.h"

#define ROW_BYTES 1000

void pump(struct fixture *f)
{
	int r;

	do {
		r = sd_event_run(f->event, 0);
		assert_true(r >= 0);
	} while (r > 0);
}

static int echo(struct call *call, json_t *params, void *userdata)
{
	struct fixture *f = userdata;

	f->n_echoes++;
	return call_reply(call, json_incref(params));
}

static void on_gone(struct call *call, void *userdata)
{
	struct fixture *f = userdata;

	f->n_gone++;
	for (size_t i = 0; i < f->n_kept; i++)
		if (f->kept[i] == call)
			f->kept[i] = call_unref(call);
}

static const struct call_watch keep_watch = { .gone = on_gone };

static int later(struct call *call, json_t *params, void *userdata)
{
	struct fixture *f = userdata;

	assert_true(f->n_kept < ARRAY_SIZE(f->kept));
	f->kept[f->n_kept++] = call_ref(call);
	call_set_watch(call, &keep_watch, f);
	return 0;
}

/* Counts down in kept[0]'s stead: a stream that heeds the queue. */
static int64_t rows_left;

static json_t *row(int64_t n)
{
	char text[ROW_BYTES + 1];

	memset(text, 'r', ROW_BYTES);
	text[ROW_BYTES] = '\0';
	return json_pack("{sI ss}", "row", (json_int_t)n, "text", text);
}

static void stream_rows(struct call *call, void *userdata)
{
	struct fixture *f = userdata;

	while (rows_left > 0) {
		if (!call_writable(call))
			return;
		assert_int_equal(call_reply_continues(call, row(rows_left--)), 0);
	}
	f->last_result = call_reply(call, row(0));
	for (size_t i = 0; i < f->n_kept; i++)
		if (f->kept[i] == call)
			f->kept[i] = call_unref(call);
}

static const struct call_watch stream_watch = { .drained = stream_rows, .gone = on_gone };

static int stream(struct call *call, json_t *params, void *userdata)
{
	struct fixture *f = userdata;

	rows_left = json_get_int(params, "rows", 0);
	f->kept[f->n_kept++] = call_ref(call);
	call_set_watch(call, &stream_watch, f);
	stream_rows(call, f);
	return 0;
}

/* Heeds nothing, until it is told to stop. */
static int flood(struct call *call, json_t *params, void *userdata)
{
	struct fixture *f = userdata;
	int r;

	f->kept[f->n_kept++] = call_ref(call);
	call_set_watch(call, &keep_watch, f);
	do {
		r = call_reply_continues(call, row(1));
		f->high_water_bytes += ROW_BYTES;
	} while (r == 0);
	f->last_result = r;
	return 0;
}

static int fail_with(struct call *call, json_t *params, void *userdata)
{
	return (int)json_get_int(params, "result", 0);
}

static int forget(struct call *call, json_t *params, void *userdata)
{
	return 0;
}

static int huge(struct call *call, json_t *params, void *userdata)
{
	struct fixture *f = userdata;
	size_t size = VARLINK_REPLY_MAX_BYTES;
	char *text = malloc(size);

	assert_non_null(text);
	memset(text, 'h', size);
	f->last_result = call_reply(call, json_pack("{ss%}", "text", text, size));
	free(text);
	return f->last_result;
}

static int twice(struct call *call, json_t *params, void *userdata)
{
	struct fixture *f = userdata;

	(void)call_reply(call, json_object());
	f->last_result = call_reply(call, json_object());
	return 0;
}

static const struct method_param echo_params[] = { { "text", PARAM_STRING, false },
						   { "number", PARAM_INT, false },
						   { "flag", PARAM_BOOL, false },
						   {} };
static const struct method_param strict_params[] = { { "text", PARAM_STRING, true }, {} };
static const struct method_param rows_params[] = { { "rows", PARAM_INT, true }, {} };
static const struct method_param fail_params[] = { { "result", PARAM_INT, true }, {} };

static const struct method methods[] = {
	{ "org.example.test.Echo", 0, echo_params, echo },
	{ "org.example.test.Strict", 0, strict_params, echo },
	{ "org.example.test.Later", 0, NULL, later },
	{ "org.example.test.Stream", METHOD_MORE, rows_params, stream },
	{ "org.example.test.Subscribe", METHOD_MORE | METHOD_SUBSCRIPTION, NULL, later },
	{ "org.example.test.Flood", METHOD_MORE, NULL, flood },
	{ "org.example.test.Fail", 0, fail_params, fail_with },
	{ "org.example.test.Forget", 0, NULL, forget },
	{ "org.example.test.Huge", 0, NULL, huge },
	{ "org.example.test.Twice", 0, NULL, twice },
	{ "org.example.test.Admin", METHOD_ADMIN, NULL, echo },
	{ "org.example.test.SeeAll", METHOD_SEE_ALL, NULL, echo },
	{ "org.example.test.Missing", 0, NULL, NULL },
	{},
};

static const struct server_interface interfaces[] = {
	{ "org.example.test", "interface org.example.test\n" },
	{},
};

int fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct server_config config = {
		.vendor = "v",
		.product = "p",
		.version = "1",
		.url = "u",
		.interfaces = interfaces,
		.methods = methods,
		.error_interface = "org.example.test",
		.admin_gid = 77777,
		.view_gid = 77778,
		/* Never, on a machine as busy as may be: only one test waits for it. */
		.message_timeout_usec = UINT64_C(3600) * 1000000,
		.userdata = f,
	};
	struct rlimit limit;

	assert_non_null(f);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	assert_true(sd_event_new(&f->event) >= 0);
	assert_int_equal(server_new(f->event, &config, &f->server), 0);
	*state = f;
	return 0;
}

int fixture_teardown(void **state)
{
	struct fixture *f = *state;

	f->server = server_free(f->server);
	for (size_t i = 0; i < f->n_kept; i++)
		call_unref(f->kept[i]);
	sd_event_unref(f->event);
	free(f);
	return 0;
}

bool client_open_as(struct fixture *f, struct client *client, uid_t uid)
{
	int fds[2], r;

	if (uid != geteuid() && seteuid(uid) < 0)
		return false;
	r = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds);
	if (geteuid() != getuid())
		assert_int_equal(seteuid(getuid()), 0);
	assert_int_equal(r, 0);
	*client = (struct client){ .fd = fds[0] };
	varlink_reader_init(&client->reader, VARLINK_REPLY_MAX_BYTES);
	r = server_add_connection(f->server, fds[1]);
	assert_true(r == 0 || r == -EUSERS);
	return true;
}

void client_open(struct fixture *f, struct client *client)
{
	assert_true(client_open_as(f, client, geteuid()));
}

void client_close(struct client *client)
{
	close(client->fd);
	varlink_reader_done(&client->reader);
}

bool client_send_bytes(struct fixture *f, struct client *client, const char *bytes, size_t size)
{
	unsigned int stalls = 0;

	while (size > 0) {
		ssize_t n = send(client->fd, bytes, size, MSG_NOSIGNAL);

		if (n > 0) {
			bytes += n;
			size -= (size_t)n;
			stalls = 0;
			continue;
		}
		if (errno != EAGAIN || ++stalls > 3)
			return false;
		pump(f);
	}
	return true;
}

void client_send(struct client *client, const char *text)
{
	size_t size = strlen(text) + 1;

	assert_int_equal(send(client->fd, text, size, MSG_NOSIGNAL), size);
}

json_t *client_read(struct fixture *f, struct client *client)
{
	bool tried = false;

	for (;;) {
		const char *text;
		json_t *message;
		void *room;
		size_t size;
		ssize_t n;
		int r = varlink_reader_next(&client->reader, &text, &size);

		assert_true(r >= 0);
		if (r > 0) {
			assert_int_equal(varlink_parse(text, size, &message), 0);
			return message;
		}
		assert_int_equal(varlink_reader_reserve(&client->reader, &room, &size), 0);
		n = recv(client->fd, room, size, 0);
		if (n > 0) {
			varlink_reader_commit(&client->reader, (size_t)n);
			tried = false;
			continue;
		}
		client->eof = n == 0 || errno == ECONNRESET;
		if (client->eof || tried)
			return NULL;
		tried = true;
		pump(f);
	}
}

json_t *client_expect(struct fixture *f, struct client *client, const char *error)
{
	json_t *message = client_read(f, client);

	assert_non_null(message);
	if (error)
		assert_string_equal(json_get_string(message, "error", "(a reply)"), error);
	else
		assert_null(json_object_get(message, "error"));
	return message;
}
