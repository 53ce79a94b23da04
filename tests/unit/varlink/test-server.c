/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What calls are answered with. */
#include "tests/unit/varlink/server-fixture.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/varlink/internal.h"

/* Sends one call and returns the parameters of its answer. */
static json_t *ask(struct fixture *f, struct client *c, const char *call, const char *error)
{
	_cleanup_json_ json_t *reply = NULL;

	client_send(c, call);
	reply = client_expect(f, c, error);
	return json_incref(json_object_get(reply, "parameters"));
}

static void check(struct fixture *f, struct client *c, const char *call, const char *error,
		  const char *key, const char *value)
{
	_cleanup_json_ json_t *params = ask(f, c, call, error);

	if (key)
		assert_string_equal(json_get_string(params, key, "(absent)"), value);
}

static void test_echo(void **state)
{
	struct fixture *f = *state;
	struct client c;

	client_open(f, &c);
	check(f, &c, TEST_CALL("Echo", "{\"text\":\"a\"}"), NULL, "text", "a");
	check(f, &c, "{\"method\":\"org.example.test.Echo\"}", NULL, NULL, NULL);
	check(f, &c, TEST_CALL("Echo", "null"), NULL, NULL, NULL);
	check(f, &c, TEST_CALL("Echo", "{\"text\":null}"), NULL, NULL, NULL);
	check(f, &c, "{\"method\":\"org.example.test.Echo\",\"unheard-of\":[1]}", NULL, NULL, NULL);
	client_close(&c);
	pump(f);
	assert_int_equal(server_n_connections(f->server), 0);
}

static void test_service(void **state)
{
	struct fixture *f = *state;
	_cleanup_json_ json_t *info = NULL, *idl = NULL;
	struct client c;

	client_open(f, &c);
	info = ask(f, &c, "{\"method\":\"org.varlink.service.GetInfo\"}", NULL);
	assert_string_equal(json_get_string(info, "vendor", ""), "v");
	assert_int_equal(json_array_size(json_object_get(info, "interfaces")), 2);
	idl = ask(f, &c,
		  "{\"method\":\"org.varlink.service.GetInterfaceDescription\","
		  "\"parameters\":{\"interface\":\"org.varlink.service\"}}",
		  NULL);
	assert_non_null(strstr(json_get_string(idl, "description", ""),
			       "\nerror ExpectedMore ()\n"));
	assert_non_null(strstr(json_get_string(idl, "description", ""),
			       "\ninterface org.varlink.service\n"));
	check(f, &c,
	      "{\"method\":\"org.varlink.service.GetInterfaceDescription\","
	      "\"parameters\":{\"interface\":\"org.nobody\"}}",
	      VARLINK_ERROR_INTERFACE_NOT_FOUND, "interface", "org.nobody");
	client_close(&c);
}

static void test_errors(void **state)
{
	static const struct {
		const char *call, *error, *key, *value;
	} cases[] = {
		{ "{\"method\":\"org.nobody.Echo\"}", VARLINK_ERROR_INTERFACE_NOT_FOUND, "interface",
		  "org.nobody" },
		{ TEST_CALL("Nothing", "{}"), VARLINK_ERROR_METHOD_NOT_FOUND, "method", "Nothing" },
		{ "{\"method\":\"org.varlink.service.X\"}", VARLINK_ERROR_METHOD_NOT_FOUND, "method",
		  "X" },
		{ "{\"method\":\"Echo\"}", VARLINK_ERROR_INVALID_PARAMETER, "parameter", "method" },
		{ "{\"method\":\"\"}", VARLINK_ERROR_INVALID_PARAMETER, "parameter", "method" },
		{ TEST_CALL("Missing", "{}"), VARLINK_ERROR_METHOD_NOT_IMPLEMENTED, "method",
		  "Missing" },
		{ TEST_CALL("Echo", "{\"tex\":\"a\"}"), VARLINK_ERROR_INVALID_PARAMETER, "parameter",
		  "tex" },
		{ TEST_CALL("Echo", "{\"text\":1}"), VARLINK_ERROR_INVALID_PARAMETER, "parameter",
		  "text" },
		{ TEST_CALL("Echo", "{\"number\":1.5}"), VARLINK_ERROR_INVALID_PARAMETER, "parameter",
		  "number" },
		{ TEST_CALL("Echo", "{\"flag\":\"true\"}"), VARLINK_ERROR_INVALID_PARAMETER,
		  "parameter", "flag" },
		{ TEST_CALL("Strict", "{}"), VARLINK_ERROR_INVALID_PARAMETER, "parameter", "text" },
		{ TEST_CALL("Strict", "{\"text\":null}"), VARLINK_ERROR_INVALID_PARAMETER, "parameter",
		  "text" },
		{ TEST_CALL("Stream", "{\"rows\":1}"), VARLINK_ERROR_EXPECTED_MORE, NULL, NULL },
		{ "{\"method\":\"org.example.test.Echo\",\"upgrade\":true}",
		  VARLINK_ERROR_INVALID_PARAMETER, "parameter", "upgrade" },
		{ TEST_CALL("Fail", "{\"result\":-1}"), VARLINK_ERROR_PERMISSION_DENIED, NULL, NULL },
		{ TEST_CALL("Fail", "{\"result\":-5}"), "org.example.test.SystemError", "message",
		  "Input/output error" },
		{ TEST_CALL("Forget", "{}"), "org.example.test.SystemError", "message",
		  "Operation canceled" },
		{ TEST_CALL("Huge", "{}"), "org.example.test.SystemError", "message",
		  "Message too long" },
	};
	struct fixture *f = *state;
	struct client c;

	client_open(f, &c);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check(f, &c, cases[i].call, cases[i].error, cases[i].key, cases[i].value);
	/* none of these costs the connection */
	check(f, &c, TEST_CALL("Echo", "{\"text\":\"still\"}"), NULL, "text", "still");
	client_close(&c);
}

static void test_answered_once(void **state)
{
	struct fixture *f = *state;
	struct client c;

	client_open(f, &c);
	check(f, &c, TEST_CALL("Twice", "{}"), NULL, NULL, NULL);
	assert_int_equal(f->last_result, -EALREADY);
	assert_null(client_read(f, &c));
	client_close(&c);
}

static void test_oneway(void **state)
{
	struct fixture *f = *state;
	struct client c;

	client_open(f, &c);
	client_send(&c, "{\"method\":\"org.example.test.Echo\",\"oneway\":true}");
	client_send(&c, "{\"method\":\"org.nobody.Echo\",\"oneway\":true}");
	client_send(&c, "{\"method\":\"org.example.test.Forget\",\"oneway\":true}");
	check(f, &c, TEST_CALL("Echo", "{\"text\":\"b\"}"), NULL, "text", "b");
	client_send(&c, "{\"method\":\"org.example.test.Stream\",\"oneway\":true,\"more\":true,"
			"\"parameters\":{\"rows\":1}}");
	pump(f);
	assert_null(client_read(f, &c));
	/* a oneway call counts although its sender has left */
	client_send(&c, "{\"method\":\"org.example.test.Twice\",\"oneway\":true}");
	client_close(&c);
	f->last_result = 0;
	pump(f);
	assert_int_equal(f->last_result, -EALREADY);
	assert_int_equal(server_n_connections(f->server), 0);
}

static void test_pipelined(void **state)
{
	struct fixture *f = *state;
	struct client c;
	char call[128];

	/* more than one round of them, behind one that is answered late */
	client_open(f, &c);
	client_send(&c, TEST_CALL("Later", "{}"));
	for (int i = 0; i < 100; i++) {
		snprintf(call, sizeof(call), TEST_CALL("Echo", "{\"number\":%d}"), i);
		client_send(&c, call);
	}
	pump(f);
	assert_null(client_read(f, &c));
	assert_int_equal(f->n_kept, 1);
	assert_int_equal(call_reply(f->kept[0], json_pack("{sb}", "late", 1)), 0);
	f->kept[0] = call_unref(f->kept[0]);
	for (int i = -1; i < 100; i++) {
		_cleanup_json_ json_t *reply = client_expect(f, &c, NULL);
		json_t *params = json_object_get(reply, "parameters");

		if (i < 0)
			assert_true(json_get_bool(params, "late", false));
		else
			assert_int_equal(json_get_int(params, "number", -1), i);
	}
	client_close(&c);
}

static void test_half_close(void **state)
{
	struct fixture *f = *state;
	_cleanup_json_ json_t *first = NULL, *second = NULL;
	struct client c;

	client_open(f, &c);
	client_send(&c, TEST_CALL("Later", "{}"));
	client_send(&c, TEST_CALL("Echo", "{}"));
	shutdown(c.fd, SHUT_WR);
	pump(f);
	assert_int_equal(f->n_gone, 0);
	assert_int_equal(call_reply(f->kept[0], json_object()), 0);
	f->kept[0] = call_unref(f->kept[0]);
	first = client_expect(f, &c, NULL);
	second = client_expect(f, &c, NULL);
	assert_null(client_read(f, &c));
	assert_true(c.eof);
	client_close(&c);
}

static void test_gone(void **state)
{
	struct fixture *f = *state;
	struct call *call;
	struct client c;

	client_open(f, &c);
	client_send(&c, TEST_MORE("Subscribe", "{}"));
	pump(f);
	assert_int_equal(call_reply_continues(f->kept[0], json_object()), 0);
	call = call_ref(f->kept[0]);
	client_close(&c);
	pump(f);
	assert_int_equal(f->n_gone, 1);
	assert_int_equal(server_n_connections(f->server), 0);
	/* whoever still has it is told, and does no harm */
	assert_int_equal(call_peer(call)->uid, geteuid());
	assert_false(call_writable(call));
	assert_int_equal(call_reply_continues(call, json_object()), -EPIPE);
	assert_int_equal(call_reply(call, json_object()), 0);
	call_unref(call);
}

static void test_server_freed_first(void **state)
{
	struct fixture *f = *state;
	struct client c;

	client_open(f, &c);
	client_send(&c, TEST_MORE("Subscribe", "{}"));
	pump(f);
	f->server = server_free(f->server);
	assert_int_equal(f->n_gone, 1);
	client_close(&c);
}

static void test_permission(void **state)
{
	struct fixture *f = *state;
	struct client c;

	client_open(f, &c);
	check(f, &c, TEST_CALL("Admin", "{}"),
	      geteuid() == 0 ? NULL : VARLINK_ERROR_PERMISSION_DENIED, NULL, NULL);
	client_close(&c);
	if (!client_open_as(f, &c, 12345))
		skip();
	check(f, &c, TEST_CALL("Admin", "{}"), VARLINK_ERROR_PERMISSION_DENIED, NULL, NULL);
	check(f, &c, TEST_CALL("SeeAll", "{}"), VARLINK_ERROR_PERMISSION_DENIED, NULL, NULL);
	client_close(&c);
}

/* Whoever is in a group of the server's may do what that is for. */
static void test_groups(void **state)
{
	struct fixture *f = *state;
	struct client c;

	if (geteuid() == 0 && !client_open_as(f, &c, 12345))
		skip();
	if (geteuid() != 0)
		client_open(f, &c);
	f->server->config.view_gid = getegid();
	check(f, &c, TEST_CALL("SeeAll", "{}"), NULL, NULL, NULL);
	check(f, &c, TEST_CALL("Admin", "{}"), VARLINK_ERROR_PERMISSION_DENIED, NULL, NULL);
	f->server->config.view_gid = PEER_GID_NONE;
	f->server->config.admin_gid = getegid();
	check(f, &c, TEST_CALL("SeeAll", "{}"), NULL, NULL, NULL);
	check(f, &c, TEST_CALL("Admin", "{}"), NULL, NULL, NULL);
	client_close(&c);
}

static void test_authorisation(void **state)
{
	gid_t groups[] = { 5, 77 };
	struct peer user = { .uid = 1000, .gid = 1000, .groups = groups, .n_groups = 2 };
	struct peer root = { .uid = 0 };

	assert_true(peer_is_admin(&root, PEER_GID_NONE));
	assert_false(peer_is_admin(&user, PEER_GID_NONE));
	assert_true(peer_is_admin(&user, 77));
	assert_true(peer_is_admin(&user, 1000));
	assert_false(peer_is_admin(&user, 78));
	assert_true(peer_sees_all(&root, PEER_GID_NONE, PEER_GID_NONE));
	assert_true(peer_sees_all(&user, 77, PEER_GID_NONE));
	assert_true(peer_sees_all(&user, PEER_GID_NONE, 77));
	assert_true(peer_sees_all(&user, 78, 1000));
	assert_false(peer_sees_all(&user, 78, 79));
	assert_false(peer_sees_all(&user, PEER_GID_NONE, PEER_GID_NONE));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_echo),       TEST(test_service),	    TEST(test_errors),
		TEST(test_oneway),     TEST(test_answered_once),    TEST(test_pipelined),
		TEST(test_half_close), TEST(test_gone),		    TEST(test_server_freed_first),
		TEST(test_permission), TEST(test_groups), cmocka_unit_test(test_authorisation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
