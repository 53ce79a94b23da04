/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What clients get that send garbage, ask for too much or do not read. */
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/tree.h"
#include "tests/unit/varlink/server-fixture.h"

#include "daemon/varlink/internal.h"

#define INVALID_MESSAGE "org.example.test.InvalidMessage"
#define LIMIT_EXCEEDED	"org.example.test.LimitExceeded"

static void expect_served(struct fixture *f)
{
	_cleanup_json_ json_t *reply = NULL;
	struct client c;

	client_open(f, &c);
	client_send(&c, TEST_CALL("Echo", "{}"));
	reply = client_expect(f, &c, NULL);
	client_close(&c);
	pump(f);
}

static void expect_hangup(struct fixture *f, struct client *c)
{
	pump(f);
	assert_null(client_read(f, c));
	assert_true(c->eof);
	client_close(c);
	pump(f);
	assert_int_equal(server_n_connections(f->server), 0);
	expect_served(f);
}

static void test_malformed(void **state)
{
	static const char *const messages[] = {
		"",
		"{",
		"hello",
		"[]",
		"1",
		"{}",
		"{\"method\":1}",
		"{\"method\":\"org.example.test.Echo\",\"parameters\":[]}",
		"{\"method\":\"org.example.test.Echo\",\"parameters\":\"x\"}",
		"{\"method\":\"org.example.test.Echo\",\"more\":1}",
		"{\"method\":\"org.example.test.Echo\",\"oneway\":\"yes\"}",
		"{\"method\":\"org.example.test.Echo\",\"method\":\"org.example.test.Echo\"}",
		"{\"method\":\"org.example.test.Echo\",\"parameters\":{\"number\":9223372036854775808}}",
		"{\"method\":\"org.example.test.Echo\",\"parameters\":{\"text\":\"\xff\"}}",
		"{\"method\":\"org.example.test.Echo\",\"parameters\":{\"text\":\"\\u0000\"}}",
		"{\"method\":\"org.example.test.Echo\"} {}",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
		_cleanup_json_ json_t *reply = NULL;
		struct client c;

		client_open(f, &c);
		client_send(&c, messages[i]);
		/* what comes after garbage is not believed */
		client_send(&c, TEST_CALL("Echo", "{}"));
		reply = client_expect(f, &c, INVALID_MESSAGE);
		expect_hangup(f, &c);
	}
}

static void test_half(void **state)
{
	struct fixture *f = *state;
	struct client c, idle;

	f->server->config.message_timeout_usec = 1000000;
	client_open(f, &idle);
	client_open(f, &c);
	assert_true(client_send_bytes(f, &c, "{\"method\":", 10));
	pump(f);
	assert_null(client_read(f, &c));
	assert_false(c.eof);
	/* dripping does not extend the deadline */
	while (server_n_connections(f->server) == 2) {
		assert_true(sd_event_run(f->event, 5000000) >= 0);
		(void)send(c.fd, " ", 1, MSG_NOSIGNAL);
	}
	assert_null(client_read(f, &c));
	assert_true(c.eof);
	client_close(&c);
	/* to be idle is no crime */
	assert_null(client_read(f, &idle));
	assert_false(idle.eof);
	client_close(&idle);
	pump(f);
}

/* A call of exactly @size bytes. */
static char *sized_call(size_t size)
{
	static const char head[] = "{\"method\":\"org.example.test.Echo\",\"parameters\":{\"text\":\"";
	static const char tail[] = "\"}}";
	char *text = malloc(size + 1);

	assert_non_null(text);
	memset(text, 'x', size);
	memcpy(text, head, strlen(head));
	memcpy(text + size - strlen(tail), tail, sizeof(tail));
	return text;
}

static void test_sizes(void **state)
{
	struct fixture *f = *state;

	for (size_t size = VARLINK_CALL_MAX_BYTES - 1; size <= VARLINK_CALL_MAX_BYTES + 1; size++) {
		_cleanup_(freep) char *call = sized_call(size);
		_cleanup_json_ json_t *reply = NULL;
		struct client c;
		bool fits = size <= VARLINK_CALL_MAX_BYTES;

		client_open(f, &c);
		(void)client_send_bytes(f, &c, call, size + 1);
		reply = client_expect(f, &c, fits ? NULL : INVALID_MESSAGE);
		if (fits)
			client_close(&c);
		else
			expect_hangup(f, &c);
	}
}

static void test_depth(void **state)
{
	struct fixture *f = *state;

	/* two levels are the call itself and its parameters */
	for (unsigned int depth = VARLINK_DEPTH_MAX - 1; depth <= VARLINK_DEPTH_MAX + 1; depth++) {
		_cleanup_json_ json_t *reply = NULL;
		char call[512], nest[VARLINK_DEPTH_MAX * 2 + 1] = {};
		struct client c;
		bool fits = depth <= VARLINK_DEPTH_MAX;

		memset(nest, '[', depth - 2);
		memset(nest + depth - 2, ']', depth - 2);
		snprintf(call, sizeof(call), TEST_CALL("Echo", "{\"text\":%s}"), nest);
		client_open(f, &c);
		client_send(&c, call);
		reply = client_expect(f, &c, fits ? VARLINK_ERROR_INVALID_PARAMETER : INVALID_MESSAGE);
		if (fits)
			client_close(&c);
		else
			expect_hangup(f, &c);
		pump(f);
	}
}

static void test_stream_waits_for_reader(void **state)
{
	struct fixture *f = *state;
	const int64_t rows = 20000; /* 20 MB, five times what may be queued */
	int64_t expected = rows;
	struct client c;

	client_open(f, &c);
	client_send(&c, TEST_MORE("Stream", "{\"rows\":20000}"));
	pump(f);
	/* it stands, and everybody else goes on */
	assert_int_equal(f->n_kept, 1);
	assert_non_null(f->kept[0]);
	assert_true(varlink_writer_queued(&f->kept[0]->connection->writer) <
		    SERVER_QUEUE_HIGH_BYTES + 2048);
	expect_served(f);
	for (;;) {
		_cleanup_json_ json_t *reply = client_expect(f, &c, NULL);
		json_t *params = json_object_get(reply, "parameters");

		assert_int_equal(json_get_int(params, "row", -1), expected);
		assert_int_equal(json_get_bool(reply, "continues", false), expected > 0);
		if (expected-- == 0)
			break;
	}
	assert_int_equal(f->n_gone, 0);
	client_close(&c);
}

static void test_never_reads(void **state)
{
	struct fixture *f = *state;
	struct client c;

	client_open(f, &c);
	client_send(&c, TEST_MORE("Flood", "{}"));
	pump(f);
	assert_int_equal(f->last_result, -EPIPE);
	assert_true(f->high_water_bytes <= SERVER_QUEUE_MAX_BYTES + 65536);
	assert_int_equal(f->n_gone, 1);
	assert_int_equal(server_n_connections(f->server), 0);
	client_close(&c);
	expect_served(f);
}

/* Calls whose replies nobody reads stall their sender alone. */
static void test_unread_replies(void **state)
{
	struct fixture *f = *state;
	_cleanup_(freep) char *call = sized_call(100000);
	struct client c;
	unsigned int sent = 0;

	client_open(f, &c);
	while (sent < 100 && client_send_bytes(f, &c, call, 100001))
		sent++;
	assert_true(sent < 100);
	assert_true(varlink_writer_queued(&f->server->connections->writer) <
		    SERVER_QUEUE_HIGH_BYTES + 100100);
	expect_served(f);
	client_close(&c);
	pump(f);
	assert_int_equal(server_n_connections(f->server), 0);
}

static void test_connections_per_uid(void **state)
{
	struct fixture *f = *state;
	struct client clients[SERVER_CONNECTIONS_UID_MAX], over, other;
	_cleanup_json_ json_t *reply = NULL, *again = NULL;
	uid_t uid = geteuid() == 0 ? 12345 : geteuid();

	for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
		if (!client_open_as(f, &clients[i], uid))
			skip();
	assert_true(client_open_as(f, &over, uid));
	reply = client_expect(f, &over, LIMIT_EXCEEDED);
	assert_int_equal(json_get_int(json_object_get(reply, "parameters"), "max", 0),
			 SERVER_CONNECTIONS_UID_MAX);
	assert_null(client_read(f, &over));
	assert_true(over.eof);
	client_close(&over);
	if (geteuid() == 0) {
		expect_served(f);
		assert_true(client_open_as(f, &other, 12346));
		assert_int_equal(server_n_connections(f->server), SERVER_CONNECTIONS_UID_MAX + 1);
		client_close(&other);
	}
	/* a place that becomes free can be taken */
	client_close(&clients[0]);
	pump(f);
	assert_true(client_open_as(f, &clients[0], uid));
	client_send(&clients[0], TEST_CALL("Echo", "{}"));
	again = client_expect(f, &clients[0], NULL);
	for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
		client_close(&clients[i]);
	pump(f);
}

static void test_connections_total(void **state)
{
	static struct client clients[SERVER_CONNECTIONS_MAX];
	struct fixture *f = *state;
	const size_t common = SERVER_CONNECTIONS_MAX - SERVER_CONNECTIONS_ROOT;
	_cleanup_json_ json_t *reply = NULL;
	struct rlimit limit;
	struct client over;
	size_t n = 0;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (geteuid() != 0 || limit.rlim_cur < 4 * SERVER_CONNECTIONS_MAX)
		skip();
	for (; n < common; n++)
		assert_true(client_open_as(f, &clients[n], 20000 + n / SERVER_CONNECTIONS_UID_MAX));
	assert_true(client_open_as(f, &over, 30000));
	reply = client_expect(f, &over, LIMIT_EXCEEDED);
	client_close(&over);
	/* the administrator still gets in */
	expect_served(f);
	for (; n < SERVER_CONNECTIONS_MAX; n++)
		client_open(f, &clients[n]);
	assert_int_equal(server_n_connections(f->server), SERVER_CONNECTIONS_MAX);
	client_open(f, &over);
	assert_int_equal(server_n_connections(f->server), SERVER_CONNECTIONS_MAX);
	client_close(&over);
	while (n > 0)
		client_close(&clients[--n]);
	pump(f);
	assert_int_equal(server_n_connections(f->server), 0);
}

static void test_subscriptions(void **state)
{
	struct fixture *f = *state;
	struct client clients[SERVER_SUBSCRIPTIONS_UID_MAX + 1];
	_cleanup_json_ json_t *reply = NULL, *again = NULL;
	uid_t uid = geteuid() == 0 ? 12345 : geteuid();
	size_t last = SERVER_SUBSCRIPTIONS_UID_MAX;

	for (size_t i = 0; i <= last; i++) {
		if (!client_open_as(f, &clients[i], uid))
			skip();
		client_send(&clients[i], TEST_MORE("Subscribe", "{}"));
		pump(f);
	}
	reply = client_expect(f, &clients[last], LIMIT_EXCEEDED);
	client_close(&clients[0]);
	pump(f);
	assert_int_equal(f->n_gone, 1);
	client_send(&clients[last], TEST_MORE("Subscribe", "{}"));
	pump(f);
	assert_null(client_read(f, &clients[last]));
	assert_int_equal(f->n_kept, last + 1);
	for (size_t i = 1; i <= last; i++)
		client_close(&clients[i]);
	pump(f);
	assert_int_equal(f->n_gone, last + 1);
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void test_socket_path(void **state)
{
	char path[128], file[128];
	struct fixture *f = *state, *other;
	int dead, fd;
	struct stat st;

	tree_new();
	tree_path(path, sizeof(path), "socket");
	tree_path(file, sizeof(file), "file");
	assert_int_equal(server_listen_path(f->server, path), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0666);

	/* a second service is refused, one that died is succeeded */
	assert_int_equal(fixture_setup((void **)&other), 0);
	assert_int_equal(server_listen_path(other->server, path), -EADDRINUSE);
	f->server = server_free(f->server);
	assert_int_equal(server_listen_path(other->server, path), 0);
	fd = connect_to(path);
	pump(other);
	assert_int_equal(server_n_connections(other->server), 1);
	close(fd);

	dead = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(dead >= 0);
	assert_int_equal(server_listen_path(other->server, file), -EEXIST);
	assert_int_equal(server_listen_fd(other->server, dead), -ENOTSOCK);
	close(dead);
	assert_int_equal(access(file, F_OK), 0);
	fixture_teardown((void **)&other);
	tree_remove(NULL);
}

static void test_out_of_descriptors(void **state)
{
	char path[128];
	struct fixture *f = *state;
	struct rlimit all, few;
	unsigned int rounds = 0;
	int fds[2], probe;

	tree_new();
	tree_path(path, sizeof(path), "socket");
	assert_int_equal(server_listen_path(f->server, path), 0);
	fds[0] = connect_to(path);
	fds[1] = connect_to(path);
	probe = dup(fds[0]);
	close(probe);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
	few = all;
	few.rlim_cur = (rlim_t)probe;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	while (rounds < 100 && sd_event_run(f->event, 0) > 0)
		rounds++;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
	/* it does not spin, and comes back by itself */
	assert_in_range(rounds, 1, 10);
	assert_int_equal(server_n_connections(f->server), 0);
	while (server_n_connections(f->server) < 2)
		assert_true(sd_event_run(f->event, 10000000) >= 0);
	close(fds[0]);
	close(fds[1]);
	tree_remove(NULL);
}

/* A user's thousand calls on all connections it may have, and another's one. */
static void test_turns(void **state)
{
	struct client flood[SERVER_CONNECTIONS_UID_MAX], other;
	struct fixture *f = *state;
	unsigned int answered = 0;
	_cleanup_json_ json_t *reply = NULL;
	char byte;

	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(flood); i++) {
		client_open_as(f, &flood[i], 12345);
		for (int n = 0; n < 16; n++)
			client_send(&flood[i], TEST_CALL("Echo", "{}"));
	}
	client_open(f, &other);
	client_send(&other, TEST_CALL("Echo", "{\"text\":\"other\"}"));
	while (recv(other.fd, &byte, 1, MSG_PEEK) < 0)
		assert_true(sd_event_run(f->event, 0) > 0);
	assert_in_range(f->n_echoes, 1, 4);
	reply = client_expect(f, &other, NULL);

	pump(f);
	for (size_t i = 0; i < ARRAY_SIZE(flood); i++) {
		json_t *message;

		while ((message = client_read(f, &flood[i]))) {
			json_decref(message);
			answered++;
		}
		client_close(&flood[i]);
	}
	assert_int_equal(answered, 16 * ARRAY_SIZE(flood));
	client_close(&other);
	pump(f);
}

/* Those that have hung up and wait for their turn are not looked at again and again. */
static void test_hangups(void **state)
{
	struct fixture *f = *state;
	struct client clients[50];
	unsigned int n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(clients); i++) {
		client_open(f, &clients[i]);
		client_send(&clients[i], TEST_CALL("Echo", "{}"));
		client_send(&clients[i], TEST_CALL("Echo", "{}"));
		client_close(&clients[i]);
	}
	while (sd_event_run(f->event, 0) > 0)
		n++;
	assert_int_equal(f->n_echoes, 2 * ARRAY_SIZE(clients));
	assert_int_equal(server_n_connections(f->server), 0);
	assert_in_range(n, 1, 20 * ARRAY_SIZE(clients));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_malformed),
		TEST(test_half),
		TEST(test_sizes),
		TEST(test_depth),
		TEST(test_stream_waits_for_reader),
		TEST(test_never_reads),
		TEST(test_unread_replies),
		TEST(test_connections_per_uid),
		TEST(test_connections_total),
		TEST(test_subscriptions),
		TEST(test_turns),
		TEST(test_hangups),
		TEST(test_socket_path),
		TEST(test_out_of_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
