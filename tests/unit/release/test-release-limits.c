/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Many requests, many owners, what is remembered of them, and the service's end. */
#include "tests/unit/release/scene.h"

#include "daemon/triggers/internal.h"
#include "daemon/release/internal.h"
#include "daemon/model/render.h"

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

static int start_of(struct scene *s, uint32_t uid, size_t n, struct release **ret)
{
	uint64_t *ids = calloc(n, sizeof(*ids));
	const struct release_config config = {
		.reason = RELEASE_ADMINISTRATOR,
		.timeout_usec = HOUR_USEC,
		.admin = uid == 0,
		.uid = uid,
		.pin_ids = ids,
		.n_pins = n,
	};
	int r;

	assert_non_null(ids);
	for (size_t i = 0; i < n; i++)
		ids[i] = 1000 + i;
	r = release_start(s->m->releases, &config, ret);
	free(ids);
	return r;
}

/* What users do leaves half of everything to administrators and the kernel. */
static void test_share_of_users(void **state)
{
	struct release *r[RELEASES_MAX], *other;
	struct scene s;
	size_t i;

	scene_open(&s, state);
	for (i = 0; i < RELEASES_MAX / 2; i++)
		assert_int_equal(start(&s, false, 100 + i / RELEASES_UID_MAX, &r[i]), 0);
	assert_int_equal(start(&s, false, 99, &other), -EBUSY);
	for (; i < RELEASES_MAX; i++)
		assert_int_equal(start(&s, true, 0, &r[i]), 0);
	for (i = 0; i < RELEASES_MAX; i++) {
		release_cancel(r[i]);
		release_unref(r[i]);
	}
	assert_int_equal(s.m->releases->n_user_running, 0);
	assert_int_equal(s.m->releases->n_user_pins, 0);
	assert_int_equal(s.m->releases->n_user_owners, 0);

	assert_int_equal(start_of(&s, 5, RELEASES_PINS_MAX / 2 + 1, &other), -E2BIG);
	for (i = 0; i <= RELEASES_OWNERS_MAX / 2; i++)
		pin_add(s.m, 1000 + i, 100000 + i, 4096);
	assert_int_equal(start_of(&s, 5, RELEASES_OWNERS_MAX / 2 + 1, &other), -E2BIG);
	assert_int_equal(start_of(&s, 5, RELEASES_OWNERS_MAX / 2, &r[0]), 0);
	assert_int_equal(start_of(&s, 6, 1, &other), -E2BIG);
	assert_int_equal(start_of(&s, 0, RELEASES_OWNERS_MAX / 2, &r[1]), 0);
	for (i = 0; i < 2; i++) {
		release_cancel(r[i]);
		release_unref(r[i]);
	}
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

		idl_check_reply(idl_org_pinguard_Manager, "Monitor", parameters);
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
	release_ask(&s.admin, s.owner.pid, false, true, HOUR_USEC);
	first = release_state(s.m, &s.admin, MANAGER("Release"), false, "running");
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
	last = release_last_state(s.m, &s.admin, "done");
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
	struct client waiting;
	char token[64];
	struct scene s;

	scene_open(&s, state);
	json_decref(scene_ask(&s, token));
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

/* A quota lowered: the largest owner first, no more than is too much. */
static void test_excess(void **state)
{
	_cleanup_(freep) uint64_t *all = NULL, *some = NULL, *none = NULL;
	struct manager *m = *state;
	size_t n;

	pin_add(m, 1, 100, 300);
	pin_add(m, 2, 100, 500);
	pin_add(m, 3, 200, 700);
	pin_add(m, 4, 300, 10);
	assert_int_equal(excess_find_pins(m->registry, TEST_CGROUP, 501, &some, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(some[0], 2);
	assert_int_equal(some[1], 1);
	assert_int_equal(excess_find_pins(m->registry, 1, 100000, &all, &n), 0);
	assert_int_equal(n, 4);
	assert_int_equal(all[2], 3);
	assert_int_equal(all[3], 4);
	assert_int_equal(excess_find_pins(m->registry, 99, 1, &none, &n), 0);
	assert_int_equal(n, 0);
}

/* Names made as long as can be: what is told of them has a limit, and is made once. */
static void test_long_names(void **state)
{
	enum { N = 600 };
	_cleanup_json_ json_t *first = NULL, *same = NULL, *next = NULL, *owners = NULL;
	_cleanup_(release_unrefp) struct release *r = NULL;
	struct cgroup_node *root, *node;
	char path[4001] = "/";
	struct scene s;
	size_t n;

	scene_open(&s, state);
	memset(path + 1, '\n', sizeof(path) - 2);
	assert_int_equal(registry_cgroup_get(s.m->registry, 1, &root), 0);
	assert_int_equal(registry_cgroup_get(s.m->registry, TEST_CGROUP, &node), 0);
	assert_int_equal(registry_cgroup_set(s.m->registry, node, root, path), 0);
	for (size_t i = 0; i < N; i++)
		pin_add(s.m, 1000 + i, 100000 + i, 4096);
	assert_int_equal(start_of(&s, 0, N, &r), 0);
	first = release_shown_json(r);
	same = release_shown_json(r);
	assert_ptr_equal(first, same);
	n = json_array_size(json_object_get(first, "owners"));
	assert_in_range(n, 1, N / 2);
	assert_int_equal(json_get_int(first, "owners_omitted", 0), N - n);
	assert_int_equal(json_get_int(first, "pins_left", 0), N);
	assert_in_range(json_dumpb(first, NULL, 0, JSON_COMPACT), RENDER_NAMES_BYTES,
			2 * RENDER_NAMES_BYTES);
	pin_remove(s.m, 1000);
	next = release_shown_json(r);
	assert_int_equal(json_get_int(next, "pins_left", 0), N - 1);

	client_send(&s.admin, MANAGER("ListOwners"), false, NULL);
	owners = client_reply(s.m, &s.admin, MANAGER("ListOwners"), false);
	n = json_array_size(json_object_get(owners, "owners"));
	assert_in_range(n, 1, N / 2);
	/* The registered one, and those that are asked and have not let go. */
	assert_int_equal(json_get_int(owners, "omitted", 0), 1 + N - 1 - n);
	release_cancel(r);
	scene_close(&s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, owner_setup, owner_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_limits),
		TEST(test_share_of_users),
		TEST(test_long_names),
		TEST(test_forgets),
		TEST(test_history),
		TEST(test_thousand_owners),
		TEST(test_stop_with_open_requests),
		TEST(test_excess),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
