/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests from Release to the kernel's word. */
#include "tests/unit/owner-fixture.h"

#include "daemon/release-internal.h"

#define HOUR_USEC (3600 * 1000000LL)

/* Release of a process's pins, by root. */
static void ask(struct client *c, pid_t pid, bool more, bool async, int64_t timeout_usec)
{
	client_send(c, MANAGER("Release"), more,
		    json_pack("{s:i, s:b, s:I}", "pid", (int)pid, "async", async, "timeout_usec",
			      (json_int_t)timeout_usec));
}

/* The next state of a request: its phase is as said, "owners"[0] is in *ret_owner. */
static json_t *state_of(struct manager *m, struct client *c, const char *method, bool continues,
			const char *phase)
{
	_cleanup_json_ json_t *reply = client_reply(m, c, method, continues);
	json_t *release = json_object_get(reply, "release");

	assert_string_equal(json_get_string(release, "phase", ""), phase);
	return json_incref(release);
}

static const char *owner_state(const json_t *release, size_t i)
{
	return json_get_string(json_array_get(json_object_get(release, "owners"), i), "state", "");
}

/* With "more": until the owner is in a state. */
static void wait_state(struct manager *m, struct client *c, const char *state)
{
	bool there = false;

	while (!there) {
		_cleanup_json_ json_t *r =
			state_of(m, c, MANAGER("Release"), true, "running");

		there = strcmp(owner_state(r, 0), state) == 0;
	}
}

static json_t *last_state(struct manager *m, struct client *c, const char *phase)
{
	for (;;) {
		_cleanup_json_ json_t *message = client_read(m, c);
		json_t *release = json_object_get(json_object_get(message, "parameters"),
						  "release");

		assert_non_null(release);
		if (json_get_bool(message, "continues", false))
			continue;
		assert_string_equal(json_get_string(release, "phase", ""), phase);
		return json_incref(release);
	}
}

struct scene {
	struct manager *m;
	struct process root, owner;
	struct client admin, registered;
};

static void scene_open(struct scene *s, void **state)
{
	s->m = *state;
	if (geteuid() != 0)
		skip();
	process_start(&s->root);
	process_start(&s->owner);
	client_open(s->m, &s->admin, &s->root);
	owner_register(s->m, &s->registered, &s->owner);
	pin_add(s->m, 1, s->owner.pid, 4096);
	pin_add(s->m, 2, s->owner.pid, 8192);
	pin_add(s->m, 3, s->root.pid, 1);
}

static void scene_close(struct scene *s)
{
	client_close(s->m, &s->admin);
	client_close(s->m, &s->registered);
	process_end(&s->root);
	process_end(&s->owner);
}

static void test_released(void **state)
{
	_cleanup_json_ json_t *first = NULL, *request = NULL, *last = NULL;
	char token[64];
	struct scene s;

	scene_open(&s, state);
	ask(&s.admin, s.owner.pid, true, false, HOUR_USEC);
	first = state_of(s.m, &s.admin, MANAGER("Release"), true, "running");
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
	wait_state(s.m, &s.admin, "asked");
	client_silent(s.m, &s.registered);
	pin_remove(s.m, 2);
	last = last_state(s.m, &s.admin, "done");
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
	_cleanup_json_ json_t *first = NULL, *request = NULL, *last = NULL;
	struct client c;
	char token[64];
	struct scene s;

	scene_open(&s, state);
	ask(&s.admin, s.owner.pid, true, false, HOUR_USEC);
	first = state_of(s.m, &s.admin, MANAGER("Release"), true, "running");
	request = owner_request(s.m, &s.registered, token);
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
	last = last_state(s.m, &s.admin, "done");
	client_close(s.m, &c);
	scene_close(&s);
}

static void test_refused(void **state)
{
	_cleanup_json_ json_t *first = NULL, *request = NULL, *last = NULL;
	const json_t *owner;
	struct process other;
	char token[64];
	struct scene s;

	scene_open(&s, state);
	process_start(&other);
	ask(&s.admin, s.owner.pid, true, false, HOUR_USEC);
	first = state_of(s.m, &s.admin, MANAGER("Release"), true, "running");
	request = owner_request(s.m, &s.registered, token);
	/* A token that is nobody's, and one of somebody else: the same. */
	owner_complete(s.m, &s.owner, "0123456789abcdef0123456789abcdef", "refused",
		       OWNER("NoSuchToken"));
	owner_complete(s.m, &other, token, "refused", OWNER("NoSuchToken"));
	owner_complete(s.m, &s.owner, token, "deferred", NULL);
	wait_state(s.m, &s.admin, "deferred");
	owner_complete(s.m, &s.owner, token, "refused", NULL);
	last = last_state(s.m, &s.admin, "refused");
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
	ask(&s.admin, s.owner.pid, false, false, timeout);
	request = owner_request(s.m, &s.registered, token);
	assert_true(json_get_int(request, "deadline_usec", 0) >= (int64_t)(before + timeout));
	last = last_state(s.m, &s.admin, "timed_out");
	after = now_usec();
	assert_true(after >= before + timeout);
	assert_true((int64_t)after >= json_get_int(request, "deadline_usec", 0));
	print_message("the deadline struck %llu usec late\n",
		      (unsigned long long)(after - json_get_int(request, "deadline_usec", 0)));
	assert_string_equal(owner_state(last, 0), "lapsed");
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
	ask(&s.admin, s.owner.pid, false, true, HOUR_USEC);
	first = state_of(s.m, &s.admin, MANAGER("Release"), false, "running");
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
	ask(&c, s.owner.pid, true, false, HOUR_USEC);
	first = state_of(s.m, &c, MANAGER("Release"), true, "running");
	client_close(s.m, &c);
	assert_int_equal(releases_n_running(s.m->releases), 1);
	client_send(&s.admin, MANAGER("FollowRelease"), false,
		    json_pack("{s:s}", "token", json_get_string(first, "token", "")));
	client_silent(s.m, &s.admin);
	pin_remove(s.m, 1);
	pin_remove(s.m, 2);
	over = last_state(s.m, &s.admin, "done");
	scene_close(&s);
}

static void test_owner_leaves(void **state)
{
	_cleanup_json_ json_t *first = NULL, *request = NULL, *last = NULL;
	char token[64];
	struct scene s;

	scene_open(&s, state);
	ask(&s.admin, s.owner.pid, true, false, HOUR_USEC);
	first = state_of(s.m, &s.admin, MANAGER("Release"), true, "running");
	request = owner_request(s.m, &s.registered, token);
	client_close(s.m, &s.registered);
	wait_state(s.m, &s.admin, "lapsed");
	owner_complete(s.m, &s.owner, token, "released", OWNER("NoSuchToken"));
	/* It is back, and is not asked for the same again. */
	owner_register(s.m, &s.registered, &s.owner);
	client_silent(s.m, &s.registered);
	pin_remove(s.m, 1);
	pin_remove(s.m, 2);
	last = last_state(s.m, &s.admin, "done");
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
	ask(&s.admin, s.owner.pid, true, false, HOUR_USEC);
	first = state_of(s.m, &s.admin, MANAGER("Release"), true, "running");
	assert_string_equal(owner_state(first, 0), "waiting");
	owner_register(s.m, &s.registered, &s.owner);
	request = owner_request(s.m, &s.registered, token);
	wait_state(s.m, &s.admin, "asked");
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
	ask(&s.admin, s.owner.pid, false, true, -1);
	client_error(s.m, &s.admin, "org.varlink.service.InvalidParameter");
	ask(&s.admin, s.owner.pid, false, true, RELEASE_TIMEOUT_MAX_USEC + 1);
	client_error(s.m, &s.admin, "org.varlink.service.InvalidParameter");
	/* Nothing matches: it is done. */
	ask(&s.admin, 1, false, false, HOUR_USEC);
	none = last_state(s.m, &s.admin, "done");
	/* The pins are this user's own, and still. */
	ask(&c, s.owner.pid, false, true, HOUR_USEC);
	client_error(s.m, &c, "org.varlink.service.PermissionDenied");
	ask(&c, 1, false, true, HOUR_USEC);
	client_error(s.m, &c, "org.varlink.service.PermissionDenied");
	/* Others' requests do not exist. */
	ask(&s.admin, s.owner.pid, false, true, HOUR_USEC);
	first = state_of(s.m, &s.admin, MANAGER("Release"), false, "running");
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
	ask(&s.admin, s.owner.pid, true, false, HOUR_USEC);
	first = state_of(s.m, &s.admin, MANAGER("Release"), true, "running");
	registry_begin_resync(s.m->registry);
	pin_add(s.m, 3, s.root.pid, 1);
	registry_end_resync(s.m->registry, 9);
	releases_resynced(s.m->releases);
	last = last_state(s.m, &s.admin, "done");
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
	ask(&s.admin, s.owner.pid, false, false, HOUR_USEC);
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
	last = last_state(s.m, &s.admin, "done");
	client_silent(s.m, &s.registered);
	scene_close(&s);
}

static int start(struct scene *s, bool admin, uint32_t uid, struct release **ret)
{
	static const uint64_t ids[] = { 2, 1, 2, 99 };
	const struct release_config config = {
		.reason = RELEASE_ADMINISTRATOR,
		.timeout_usec = HOUR_USEC,
		.admin = admin,
		.uid = uid,
		.pin_ids = ids,
		.n_pins = ARRAY_SIZE(ids),
	};

	return release_start(s->m->releases, &config, ret);
}

static void test_limits(void **state)
{
	_cleanup_(release_unrefp) struct release *kernels = NULL;
	struct release *r[RELEASES_MAX + 1];
	struct scene s;
	size_t i;

	scene_open(&s, state);
	for (i = 0; i < RELEASES_UID_MAX; i++)
		assert_int_equal(start(&s, false, 5, &r[i]), 0);
	assert_int_equal(start(&s, false, 5, &r[i]), -EUSERS);
	for (; i < RELEASES_MAX; i++)
		assert_int_equal(start(&s, true, 0, &r[i]), 0);
	assert_int_equal(start(&s, true, 0, &r[i]), -EBUSY);
	/* The kernel's are not in the way of others, nor others in theirs. */
	assert_int_equal(release_start(s.m->releases,
				       &(struct release_config){ .reason = RELEASE_DEVICE_REMOVAL,
								 .timeout_usec = HOUR_USEC,
								 .admin = true,
								 .uid = PIN_UID_NONE,
								 .has_revoke = true,
								 .revoke_id = 77,
								 .pin_ids = (uint64_t[]){ 1 },
								 .n_pins = 1 },
				       &kernels), 0);
	assert_ptr_equal(release_find_revoke(s.m->releases, 77), kernels);
	for (i = 0; i < RELEASES_MAX; i++) {
		release_cancel(r[i]);
		release_unref(r[i]);
	}
	assert_int_equal(releases_n_running(s.m->releases), 1);
	releases_revoke_done(s.m->releases, 77, PINGUARD_REVOKE_OUTCOME_BUSY);
	assert_int_equal(release_phase(kernels), RELEASE_TIMED_OUT);
	assert_null(release_find_revoke(s.m->releases, 77));
	/* Each of them has asked for each pin once. */
	assert_int_equal(kernels->pins, 1);
	scene_close(&s);
}

/* Those that are over are remembered, but not for ever. */
static void test_forgets(void **state)
{
	char first[RELEASE_TOKEN_LEN + 1];
	struct release *r;
	struct scene s;

	scene_open(&s, state);
	assert_int_equal(start(&s, true, 0, &r), 0);
	strcpy(first, release_token(r));
	release_cancel(r);
	release_unref(r);
	for (int i = 1; i < RELEASES_KEPT_MAX; i++) {
		assert_int_equal(start(&s, true, 0, &r), 0);
		release_cancel(r);
		release_unref(r);
	}
	assert_non_null(release_find(s.m->releases, first));
	assert_int_equal(start(&s, true, 0, &r), 0);
	release_cancel(r);
	assert_null(release_find(s.m->releases, first));
	r->over_usec -= RELEASE_KEPT_USEC;
	assert_null(release_find(s.m->releases, release_token(r)));
	release_unref(r);
	assert_int_equal(s.m->releases->n_pins, 0);
	assert_int_equal(s.m->releases->n_owners, 0);
	scene_close(&s);
}

/* Counts the events of each type; those of a step have an owner. */
static void count_events(struct scene *s, const struct process *p, unsigned int *counts,
			 bool whole)
{
	static const char *const names[] = { "release", "release_step", "release_done" };
	struct client c;
	bool more = true;

	client_open(s->m, &c, p);
	client_send(&c, MANAGER("Monitor"), true,
		    json_pack("{s:i, s:b}", "since_usec", 0, "follow", 0));
	while (more) {
		_cleanup_json_ json_t *message = client_read(s->m, &c);
		json_t *parameters = json_object_get(message, "parameters");
		json_t *event = json_object_get(parameters, "event");

		idl_check_reply(server_idl_org_pinguard_Manager, "Monitor", parameters);
		more = json_get_bool(message, "continues", false);
		for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
			if (strcmp(json_get_string(event, "type", ""), names[i]) != 0)
				continue;
			counts[i]++;
			assert_int_equal(json_is_object(json_object_get(event, "owner")), i == 1);
			assert_int_equal(json_is_object(json_object_get(event, "release")), whole);
		}
	}
	client_close(s->m, &c);
}

static void test_history(void **state)
{
	_cleanup_json_ json_t *first = NULL, *request = NULL;
	unsigned int counts[3] = {}, own[3] = {};
	struct process user;
	char token[64];
	struct scene s;

	scene_open(&s, state);
	assert_true(process_start_as(&user, USER_UID));
	ask(&s.admin, s.owner.pid, false, true, HOUR_USEC);
	first = state_of(s.m, &s.admin, MANAGER("Release"), false, "running");
	request = owner_request(s.m, &s.registered, token);
	owner_complete(s.m, &s.owner, token, "refused", NULL);
	count_events(&s, &s.root, counts, true);
	assert_int_equal(counts[0], 1);
	assert_int_equal(counts[1], 2); /* asked, refused */
	assert_int_equal(counts[2], 1);
	/* The owner sees what is done about itself, not who asked, nor the token. */
	count_events(&s, &user, own, false);
	assert_int_equal(own[0] + own[2], 0);
	assert_int_equal(own[1], 2);
	process_end(&user);
	scene_close(&s);
}

static void test_thousand_owners(void **state)
{
	enum { N = 1000 };
	struct process *p = calloc(N, sizeof(*p));
	struct client *c = calloc(N, sizeof(*c));
	_cleanup_json_ json_t *first = NULL, *last = NULL;
	uint64_t start_usec, asked_usec;
	char token[64];
	struct scene s;

	scene_open(&s, state);
	for (size_t i = 0; i < N; i++)
		process_start(&p[i]);
	for (size_t i = 0; i < N; i++) {
		owner_register(s.m, &c[i], &p[i]);
		pin_add(s.m, 100 + i, p[i].pid, 4096);
	}
	assert_int_equal(owners_count(s.m->owners), N + 1);
	start_usec = now_usec();
	client_send(&s.admin, MANAGER("Release"), true, json_pack("{s:s}", "device", "rxe0"));
	pump(s.m);
	asked_usec = now_usec();
	for (size_t i = 0; i < N; i++)
		json_decref(owner_request(s.m, &c[i], token));
	json_decref(owner_request(s.m, &s.registered, token));
	print_message("%d owners were asked in %llu usec\n", N,
		      (unsigned long long)(asked_usec - start_usec));
	for (size_t i = 0; i < N; i++)
		pin_remove(s.m, 100 + i);
	for (uint64_t id = 1; id <= 3; id++)
		pin_remove(s.m, id);
	last = last_state(s.m, &s.admin, "done");
	assert_int_equal(json_array_size(json_object_get(last, "owners")), N + 2);
	for (size_t i = 0; i < N; i++) {
		client_close(s.m, &c[i]);
		process_end(&p[i]);
	}
	free(p);
	free(c);
	scene_close(&s);
}

/* Its descriptors, calls and timers go with it, and nobody is told that owners lapsed. */
static void test_stop_with_open_requests(void **state)
{
	_cleanup_json_ json_t *first = NULL, *request = NULL;
	struct client waiting;
	char token[64];
	struct scene s;

	scene_open(&s, state);
	ask(&s.admin, s.owner.pid, true, false, HOUR_USEC);
	first = state_of(s.m, &s.admin, MANAGER("Release"), true, "running");
	request = owner_request(s.m, &s.registered, token);
	client_open(s.m, &waiting, &s.owner);
	client_send(&waiting, OWNER("Complete"), false,
		    json_pack("{s:s, s:s}", "token", token, "result", "released"));
	pump(s.m);
	manager_free(s.m);
	*state = NULL;
	close(s.admin.fd);
	close(s.registered.fd);
	close(waiting.fd);
	varlink_reader_done(&s.admin.reader);
	varlink_reader_done(&s.registered.reader);
	varlink_reader_done(&waiting.reader);
	process_end(&s.root);
	process_end(&s.owner);
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
		TEST(test_limits),
		TEST(test_forgets),
		TEST(test_history),
		TEST(test_thousand_owners),
		TEST(test_stop_with_open_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
