/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests from Release to the kernel's word. */
#include "tests/unit/release/scene.h"

#include "daemon/release/internal.h"

static void test_released(void **state)
{
	_cleanup_json_ json_t *first = NULL, *request = NULL, *last = NULL;
	char token[64];
	struct scene s;

	scene_open(&s, state);
	release_ask(&s.admin, s.owner.pid, true, false, HOUR_USEC);
	first = release_state(s.m, &s.admin, MANAGER("Release"), true, "running");
	assert_int_equal(json_get_int(first, "pins_left", 0), 2);
	assert_int_equal(json_get_int(first, "bytes_left", 0), 12288);
	assert_string_equal(owner_state(first, 0), "asked");
	request = owner_request(s.m, &s.registered, token);
	assert_string_equal(json_get_string(request, "mode", ""), "sync");
	assert_string_equal(json_get_string(request, "reason", ""), "administrator");
	assert_false(json_get_bool(request, "reminder", true));
	assert_int_equal(json_array_size(json_object_get(request, "pins")), 2);
	/* An owner's token is not the request's. */
	assert_string_not_equal(json_get_string(first, "token", ""), token);

	pin_remove(s.m, 1);
	release_wait_state(s.m, &s.admin, "asked");
	client_silent(s.m, &s.registered);
	pin_remove(s.m, 2);
	last = release_last_state(s.m, &s.admin, "done");
	assert_int_equal(json_get_int(last, "pins_left", -1), 0);
	assert_int_equal(json_get_int(last, "pins", 0), 2);
	assert_string_equal(owner_state(last, 0), "released");
	/* The kernel was faster than the owner: that is no error. */
	owner_complete(s.m, &s.owner, token, "released", NULL);
	client_silent(s.m, &s.registered);
	scene_close(&s);
}

/* Not what the client says counts. */
static void test_still_pinned(void **state)
{
	_cleanup_json_ json_t *request = NULL, *last = NULL;
	struct client c;
	char token[64];
	struct scene s;

	scene_open(&s, state);
	request = scene_ask(&s, token);
	owner_complete(s.m, &s.owner, token, "released", OWNER("StillPinned"));
	/* The request goes on; and what the kernel says a moment later is waited for. */
	client_open(s.m, &c, &s.owner);
	client_send(&c, OWNER("Complete"), false,
		    json_pack("{s:s, s:s}", "token", token, "result", "released"));
	client_silent(s.m, &c);
	pin_remove(s.m, 1);
	client_silent(s.m, &c);
	pin_remove(s.m, 2);
	json_decref(client_reply(s.m, &c, OWNER("Complete"), false));
	last = release_last_state(s.m, &s.admin, "done");
	client_close(s.m, &c);
	scene_close(&s);
}

static void test_refused(void **state)
{
	_cleanup_json_ json_t *last = NULL;
	const json_t *owner;
	struct process other;
	char token[64];
	struct scene s;

	scene_open(&s, state);
	process_start(&other);
	json_decref(scene_ask(&s, token));
	/* A token that is nobody's, and one of somebody else: the same. */
	owner_complete(s.m, &s.owner, "0123456789abcdef0123456789abcdef", "refused",
		       OWNER("NoSuchToken"));
	owner_complete(s.m, &other, token, "refused", OWNER("NoSuchToken"));
	owner_complete(s.m, &s.owner, token, "deferred", NULL);
	release_wait_state(s.m, &s.admin, "deferred");
	owner_complete(s.m, &s.owner, token, "refused", NULL);
	last = release_last_state(s.m, &s.admin, "refused");
	owner = json_array_get(json_object_get(last, "owners"), 0);
	assert_string_equal(json_get_string(owner, "state", ""), "refused");
	assert_string_equal(json_get_string(owner, "reason", ""), "be\\x1bcause");
	assert_true(json_is_null(json_object_get(owner, "next")));
	/* It is over, and nothing need be withdrawn. */
	client_silent(s.m, &s.registered);
	owner_complete(s.m, &s.owner, token, "released", OWNER("NoSuchToken"));
	process_end(&other);
	scene_close(&s);
}

static void test_deadline_is_never_early(void **state)
{
	_cleanup_json_ json_t *request = NULL, *last = NULL, *withdrawn = NULL;
	const uint64_t timeout = 300000;
	uint64_t before, after;
	char token[64];
	struct scene s;

	scene_open(&s, state);
	before = now_usec();
	release_ask(&s.admin, s.owner.pid, false, false, timeout);
	request = owner_request(s.m, &s.registered, token);
	assert_true(json_get_int(request, "deadline_usec", 0) >= (int64_t)(before + timeout));
	last = release_last_state(s.m, &s.admin, "timed_out");
	after = now_usec();
	assert_true(after >= before + timeout);
	assert_true((int64_t)after >= json_get_int(request, "deadline_usec", 0));
	print_message("the deadline struck %llu usec late\n",
		      (unsigned long long)(after - json_get_int(request, "deadline_usec", 0)));
	assert_string_equal(owner_state(last, 0), "asked");
	withdrawn = client_reply(s.m, &s.registered, OWNER("Register"), true);
	assert_string_equal(json_get_string(withdrawn, "withdrawn", ""), token);
	scene_close(&s);
}

static json_t *follow(struct scene *s, const char *method, const char *token)
{
	client_send(&s->admin, method, false, json_pack("{s:s}", "token", token));
	return client_reply(s->m, &s->admin, method, false);
}

static void test_async_and_cancel(void **state)
{
	_cleanup_json_ json_t *first = NULL, *request = NULL, *over = NULL, *withdrawn = NULL;
	char token[64];
	struct scene s;

	scene_open(&s, state);
	release_ask(&s.admin, s.owner.pid, false, true, HOUR_USEC);
	first = release_state(s.m, &s.admin, MANAGER("Release"), false, "running");
	assert_string_equal(json_get_string(first, "mode", ""), "async");
	request = owner_request(s.m, &s.registered, token);
	assert_string_equal(json_get_string(request, "mode", ""), "async");
	json_decref(follow(&s, MANAGER("CancelRelease"), json_get_string(first, "token", "")));
	withdrawn = client_reply(s.m, &s.registered, OWNER("Register"), true);
	assert_string_equal(json_get_string(withdrawn, "withdrawn", ""), token);
	assert_true(json_is_null(json_object_get(withdrawn, "request")));
	over = follow(&s, MANAGER("FollowRelease"), json_get_string(first, "token", ""));
	assert_string_equal(json_get_string(json_object_get(over, "release"), "phase", ""),
			    "cancelled");
	client_send(&s.admin, MANAGER("FollowRelease"), false, json_pack("{s:s}", "token", "x"));
	client_error(s.m, &s.admin, MANAGER("NoSuchToken"));
	scene_close(&s);
}

/* The waiting ends with its client, the request does not. */
static void test_client_leaves(void **state)
{
	_cleanup_json_ json_t *first = NULL, *over = NULL;
	struct client c;
	struct scene s;

	scene_open(&s, state);
	client_open(s.m, &c, &s.root);
	release_ask(&c, s.owner.pid, true, false, HOUR_USEC);
	first = release_state(s.m, &c, MANAGER("Release"), true, "running");
	client_close(s.m, &c);
	assert_int_equal(releases_n_running(s.m->releases), 1);
	client_send(&s.admin, MANAGER("FollowRelease"), false,
		    json_pack("{s:s}", "token", json_get_string(first, "token", "")));
	client_silent(s.m, &s.admin);
	pin_remove(s.m, 1);
	pin_remove(s.m, 2);
	over = release_last_state(s.m, &s.admin, "done");
	scene_close(&s);
}

static void test_owner_leaves(void **state)
{
	_cleanup_json_ json_t *last = NULL;
	char token[64];
	struct scene s;

	scene_open(&s, state);
	json_decref(scene_ask(&s, token));
	client_close(s.m, &s.registered);
	release_wait_state(s.m, &s.admin, "lapsed");
	owner_complete(s.m, &s.owner, token, "released", OWNER("NoSuchToken"));
	/* It is back, and is not asked for the same again. */
	owner_register(s.m, &s.registered, &s.owner);
	client_silent(s.m, &s.registered);
	pin_remove(s.m, 1);
	pin_remove(s.m, 2);
	last = release_last_state(s.m, &s.admin, "done");
	scene_close(&s);
}

/* As after a restart of the service, when the kernel's revoke comes before the owners. */
static void test_owner_comes_late(void **state)
{
	_cleanup_json_ json_t *first = NULL, *request = NULL;
	char token[64];
	struct scene s;

	scene_open(&s, state);
	client_close(s.m, &s.registered);
	release_ask(&s.admin, s.owner.pid, true, false, HOUR_USEC);
	first = release_state(s.m, &s.admin, MANAGER("Release"), true, "running");
	assert_string_equal(owner_state(first, 0), "waiting");
	owner_register(s.m, &s.registered, &s.owner);
	request = owner_request(s.m, &s.registered, token);
	release_wait_state(s.m, &s.admin, "asked");
	scene_close(&s);
}

static void test_dry_run(void **state)
{
	_cleanup_json_ json_t *reply = NULL;
	const json_t *release, *owner;
	struct scene s;

	scene_open(&s, state);
	client_send(&s.admin, MANAGER("Release"), true,
		    json_pack("{s:s, s:b}", "kind", "rdma", "dry_run", 1));
	reply = client_reply(s.m, &s.admin, MANAGER("Release"), false);
	release = json_object_get(reply, "release");
	assert_true(json_get_bool(release, "dry_run", false));
	assert_int_equal(json_array_size(json_object_get(release, "owners")), 2);
	owner = json_array_get(json_object_get(release, "owners"), 1);
	assert_int_equal(json_get_int(owner, "pid", 0), s.owner.pid);
	assert_true(json_get_bool(owner, "registered", false));
	assert_string_equal(json_get_string(owner, "next", ""), "give_up");
	assert_int_equal(releases_n_running(s.m->releases), 0);
	client_silent(s.m, &s.registered);
	scene_close(&s);
}

static void test_who_may_ask(void **state)
{
	_cleanup_json_ json_t *first = NULL, *none = NULL;
	struct process user;
	struct client c;
	struct scene s;

	scene_open(&s, state);
	assert_true(process_start_as(&user, USER_UID));
	client_open(s.m, &c, &user);
	client_send(&s.admin, MANAGER("Release"), false, NULL);
	client_error(s.m, &s.admin, MANAGER("NoSelector"));
	client_send(&s.admin, MANAGER("Release"), false, json_pack("{s:n}", "pid"));
	client_error(s.m, &s.admin, MANAGER("NoSelector"));
	client_send(&s.admin, MANAGER("Release"), false, json_pack("{s:s}", "kind", "disk"));
	client_error(s.m, &s.admin, "org.varlink.service.InvalidParameter");
	release_ask(&s.admin, s.owner.pid, false, true, -1);
	client_error(s.m, &s.admin, "org.varlink.service.InvalidParameter");
	release_ask(&s.admin, s.owner.pid, false, true, RELEASE_TIMEOUT_MAX_USEC + 1);
	client_error(s.m, &s.admin, "org.varlink.service.InvalidParameter");
	/* Nothing matches: it is done. */
	release_ask(&s.admin, 1, false, false, HOUR_USEC);
	none = release_last_state(s.m, &s.admin, "done");
	/* The pins are this user's own, and still. */
	release_ask(&c, s.owner.pid, false, true, HOUR_USEC);
	client_error(s.m, &c, "org.varlink.service.PermissionDenied");
	release_ask(&c, 1, false, true, HOUR_USEC);
	client_error(s.m, &c, "org.varlink.service.PermissionDenied");
	/* Others' requests do not exist. */
	release_ask(&s.admin, s.owner.pid, false, true, HOUR_USEC);
	first = release_state(s.m, &s.admin, MANAGER("Release"), false, "running");
	client_send(&c, MANAGER("FollowRelease"), false,
		    json_pack("{s:s}", "token", json_get_string(first, "token", "")));
	client_error(s.m, &c, MANAGER("NoSuchToken"));
	client_send(&c, MANAGER("CancelRelease"), false,
		    json_pack("{s:s}", "token", json_get_string(first, "token", "")));
	client_error(s.m, &c, MANAGER("NoSuchToken"));
	assert_int_equal(releases_n_running(s.m->releases), 1);
	client_close(s.m, &c);
	process_end(&user);
	scene_close(&s);
}

/* What the list does not have after a loss is gone. */
static void test_resync(void **state)
{
	_cleanup_json_ json_t *first = NULL, *last = NULL;
	struct scene s;

	scene_open(&s, state);
	release_ask(&s.admin, s.owner.pid, true, false, HOUR_USEC);
	first = release_state(s.m, &s.admin, MANAGER("Release"), true, "running");
	registry_begin_resync(s.m->registry);
	pin_add(s.m, 3, s.root.pid, 1);
	registry_end_resync(s.m->registry, 9);
	releases_resynced(s.m->releases);
	last = release_last_state(s.m, &s.admin, "done");
	scene_close(&s);
}

static void test_many_pins(void **state)
{
	_cleanup_json_ json_t *request = NULL, *next = NULL, *last = NULL;
	const uint64_t n = RELEASE_OWNER_PINS_MAX + 10;
	char token[64], again[64];
	struct scene s;

	scene_open(&s, state);
	for (uint64_t id = 10; id < 10 + n - 2; id++)
		pin_add(s.m, id, s.owner.pid, 4096);
	release_ask(&s.admin, s.owner.pid, false, false, HOUR_USEC);
	request = owner_request(s.m, &s.registered, token);
	assert_int_equal(json_array_size(json_object_get(request, "pins")), RELEASE_OWNER_PINS_MAX);
	for (uint64_t id = 1; id < 10 + n - 2 - 10; id++)
		if (id < 3 || id >= 10)
			pin_remove(s.m, id);
	/* Those that did not fit follow. */
	next = owner_request(s.m, &s.registered, again);
	assert_string_equal(token, again);
	assert_int_equal(json_array_size(json_object_get(next, "pins")), 10);
	for (uint64_t id = 10 + n - 2 - 10; id < 10 + n - 2; id++)
		pin_remove(s.m, id);
	last = release_last_state(s.m, &s.admin, "done");
	client_silent(s.m, &s.registered);
	scene_close(&s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, owner_setup, owner_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_released),
		TEST(test_still_pinned),
		TEST(test_refused),
		TEST(test_deadline_is_never_early),
		TEST(test_async_and_cancel),
		TEST(test_client_leaves),
		TEST(test_owner_leaves),
		TEST(test_owner_comes_late),
		TEST(test_dry_run),
		TEST(test_who_may_ask),
		TEST(test_resync),
		TEST(test_many_pins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
