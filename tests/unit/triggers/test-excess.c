/* SPDX-License-Identifier: GPL-2.0-or-later */
/* More is pinned than a quota says: who is asked, and how often. */
#include "tests/unit/kernel/genl-fixture.h"
#include "tests/unit/triggers/excess-fixture.h"

#include "daemon/cgroup/cgroups-internal.h"
#include "daemon/kernel/genl-internal.h"
#include "daemon/kernel/source-internal.h"

static void check_quota_error(struct manager *m, const struct process *p, int64_t max_bytes,
			      json_t *high_bytes, const char *error)
{
	struct client c;

	client_open(m, &c, p);
	client_send(&c, MANAGER("SetQuota"), false,
		    json_pack("{s:s, s:I, s:o}", "cgroup", "/a", "max_bytes",
			      (json_int_t)max_bytes, "high_bytes", high_bytes));
	client_error(m, &c, error);
	client_close(m, &c);
}

static json_t *status_of(struct manager *m, const struct process *p, const char *path)
{
	_cleanup_json_ json_t *reply = NULL;
	struct client c;
	json_t *cgroup;
	size_t i;

	client_open(m, &c, p);
	client_send(&c, MANAGER("GetStatus"), false, NULL);
	reply = client_reply(m, &c, MANAGER("GetStatus"), false);
	client_close(m, &c);
	json_array_foreach(json_object_get(reply, "cgroups"), i, cgroup)
		if (strcmp(json_get_string(cgroup, "path", ""), path) == 0)
			return json_incref(cgroup);
	fail_msg("no %s", path);
	return NULL;
}

static void test_set(void **state)
{
	_cleanup_json_ json_t *quota = NULL, *both = NULL, *status = NULL, *none = NULL;
	_cleanup_json_ json_t *empty = NULL;
	struct manager *m = *state;
	struct process p;
	struct client c;

	if (geteuid() != 0)
		skip();
	process_start(&p);
	owner_register(m, &c, &p);
	say_pin(m, 1, p.pid, 1000, "/a/b");
	say_pin(m, 2, p.pid, 3000, "/a/b");
	cgroup_charge("/a", 4000);
	cgroup_charge("/a/b", 4000);
	/* what is too large, or makes no sense, changes nothing */
	check_quota_error(m, &p, 5000, json_integer(5001), MANAGER("QuotaNotPossible"));
	check_quota_error(m, &p, 5000, json_integer(-1),
			  "org.varlink.service.InvalidParameter");
	assert_int_equal(quotas_count(cgroups_quotas(m->cgroups)), 0);

	quota = set_quota(m, &p, "/a", INT64_MAX, 4000);
	assert_true(json_is_null(json_object_get(quota, "max_bytes")));
	assert_int_equal(json_get_int(quota, "high_bytes", 0), 4000);
	client_silent(m, &c);
	both = set_quota(m, &p, "/a", 5000, 3999);
	assert_int_equal(json_get_int(both, "max_bytes", 0), 5000);
	check_asked(m, &c, 3000);
	status = status_of(m, &p, "/a");
	assert_int_equal(json_get_int(status, "high_bytes", 0), 3999);
	/* with no pin, and no limit, the mark alone is worth telling */
	json_decref(set_quota(m, &p, "/u", INT64_MAX, 7));
	m->cgroups->noted_usec = 0;
	empty = status_of(m, &p, "/u");
	assert_int_equal(json_get_int(empty, "high_bytes", 0), 7);
	none = set_quota(m, &p, "/a", 5000, -1);
	assert_true(json_is_null(json_object_get(none, "high_bytes")));
	assert_int_equal(quotas_n_high(cgroups_quotas(m->cgroups)), 1);
	client_close(m, &c);
	process_end(&p);
}

/* What nobody waits for leaves half of all requests to others. */
static void test_share(void **state)
{
	struct release *running[RELEASES_MAX / 2];
	const uint64_t ids[] = { 1 };
	const struct release_config config = {
		.reason = RELEASE_ADMINISTRATOR,
		.timeout_usec = HOUR_USEC,
		.admin = true,
		.pin_ids = ids,
		.n_pins = ARRAY_SIZE(ids),
	};
	struct manager *m = *state;
	struct process p;
	struct client c;

	if (geteuid() != 0)
		skip();
	process_start(&p);
	say_pin(m, 1, p.pid, 1, "/u");
	for (size_t i = 0; i < ARRAY_SIZE(running); i++)
		assert_int_equal(release_start(m->releases, &config, &running[i]), 0);
	owner_register(m, &c, &p);
	for (size_t i = 0; i < ARRAY_SIZE(running); i++)
		json_decref(client_reply(m, &c, OWNER("Register"), true));
	json_decref(set_quota(m, &p, "/a", INT64_MAX, 4000));
	cgroup_charge("/a", 5000);
	set_looked(m, "/a", 0);
	say_pin(m, 2, p.pid, 5000, "/a/b");
	client_silent(m, &c);
	set_looked(m, "/a", 0);
	release_cancel(running[0]);
	json_decref(client_reply(m, &c, OWNER("Register"), true));
	check_asked(m, &c, 5000);
	for (size_t i = 0; i < ARRAY_SIZE(running); i++)
		release_unref(running[i]);
	client_close(m, &c);
	process_end(&p);
}

/* A list of pins may have those that passed the mark. */
static void test_resync(void **state)
{
	struct manager *m = *state;
	struct cgroup_node *node;
	struct pin_info pin;
	struct process p;
	struct client c;

	if (geteuid() != 0)
		skip();
	process_start(&p);
	owner_register(m, &c, &p);
	json_decref(set_quota(m, &p, "/a/b", INT64_MAX, 4000));
	cgroup_charge("/a/b", 8192);
	process_set_cgroup(p.pid, "/a/b");
	assert_int_equal(cgroupfs_resolve_path(cgroups_fs(m->cgroups), "/a/b", &node), 0);
	pin = (struct pin_info){ .id = 1, .tgid = p.pid, .bytes = 8192,
				 .kind = PINGUARD_KIND_RDMA, .since_usec = realtime_usec(),
				 .cgroup_id = node->id, .charged_cgroup_id = node->id };
	client_silent(m, &c);
	m->source->genl->state = GENL_DUMPING;
	assert_int_equal(manager_listener.begin(m), 0);
	assert_int_equal(manager_listener.pin(&pin, m), 0);
	/* Nobody is asked by half a list. */
	set_looked(m, "/a/b", 0);
	say_pin(m, 2, p.pid, 1, "/a/b");
	client_silent(m, &c);
	set_looked(m, "/a/b", 0);
	assert_int_equal(manager_listener.end(1, m), 0);
	m->source->genl->state = GENL_SYNCED;
	check_asked(m, &c, 8192);
	client_close(m, &c);
	process_end(&p);
}

/* With invented times. */
static void test_rate(void **state)
{
	_cleanup_(callers_freep) struct callers *callers = NULL;
	uint64_t now = HOUR_USEC;

	assert_int_equal(callers_new(RELEASE_CALLS_BURST, RELEASE_CALLS_RATE, &callers), 0);
	for (int i = 0; i < RELEASE_CALLS_BURST; i++)
		assert_int_equal(callers_admit(callers, 5, now), 0);
	assert_int_equal(callers_admit(callers, 5, now), -EUSERS);
	assert_int_equal(callers_admit(callers, 6, now), 0);
	now += 1000000 / RELEASE_CALLS_RATE - 1;
	assert_int_equal(callers_admit(callers, 5, now), -EUSERS);
	now++;
	assert_int_equal(callers_admit(callers, 5, now), 0);
	assert_int_equal(callers_admit(callers, 5, now), -EUSERS);
}

static void ask_release(struct client *c)
{
	client_send(c, MANAGER("Release"), false,
		    json_pack("{s:s, s:b, s:b}", "cgroup", "/u", "async", 1, "dry_run", 1));
}

/* How often Release is answered until it is too often. */
static unsigned int count_releases(struct manager *m, struct client *c)
{
	unsigned int n = 0;

	for (;;) {
		_cleanup_json_ json_t *message = NULL;
		const char *error;

		ask_release(c);
		message = client_read(m, c);
		error = json_get_string(message, "error", NULL);
		if (!error) {
			n++;
			continue;
		}
		assert_string_equal(error, MANAGER("LimitExceeded"));
		idl_check_error(idl_org_pinguard_Manager, "LimitExceeded",
				json_object_get(message, "parameters"));
		return n;
	}
}

/* Users may ask as often as their share is; quotas of theirs have part of it. */
static void test_users(void **state)
{
	struct client admin, c, other, owner;
	struct process p, q, boss;
	struct manager *m = *state;
	uint64_t start;
	unsigned int n;

	if (geteuid() != 0)
		skip();
	process_start(&boss);
	assert_true(process_start_as(&p, USER_UID));
	assert_true(process_start_as(&q, USER_UID - 1));
	client_open(m, &admin, &boss);
	client_open(m, &c, &p);
	client_open(m, &other, &q);
	owner_register(m, &owner, &p);
	say_pin(m, 1, p.pid, 4096, "/u/v");
	cgroup_charge("/u/v", 4096);
	start = now_usec();
	n = count_releases(m, &c);
	assert_in_range(n, RELEASE_CALLS_BURST, RELEASE_CALLS_BURST +
			RELEASE_CALLS_RATE * ((now_usec() - start) / 1000000 + 1));
	ask_release(&other);
	client_error(m, &other, "org.varlink.service.PermissionDenied");
	for (int i = 0; i <= RELEASE_CALLS_BURST; i++) {
		ask_release(&admin);
		json_decref(client_reply(m, &admin, MANAGER("Release"), false));
	}
	/* The quota is set, and the asking waits for its turn. */
	json_decref(set_quota(m, &p, "/u/v", INT64_MAX, 4000));
	assert_true(quotas_find(cgroups_quotas(m->cgroups), "/u/v")->raised ||
		    releases_n_running(m->releases) == 1);
	check_asked(m, &owner, 4096);
	client_close(m, &owner);
	client_close(m, &admin);
	client_close(m, &c);
	client_close(m, &other);
	process_end(&p);
	process_end(&q);
	process_end(&boss);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, excess_setup, excess_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_set),
		TEST(test_share),
		TEST(test_resync),
		cmocka_unit_test(test_rate),
		TEST(test_users),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
