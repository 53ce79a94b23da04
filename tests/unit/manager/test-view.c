/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The group that sees everything, and changes nothing: each method. */
#include "tests/unit/manager/kernel-fixture.h"

#include "daemon/varlink/internal.h"

#define DENIED VARLINK_ERROR_PERMISSION_DENIED

/* What it is answered: NULL where that is a reply. */
struct view {
	const char *method, *params;
	bool more;
	const char *view, *user; /* the error for a member, and for anybody else */
};

static const struct view views[] = {
	{ "GetStatus", "{}" },
	{ "ListPins", "{}" },
	{ "SumPins", "{\"by\":\"process\"}" },
	{ "ListQuotas", "{}" },
	{ "ListOwners", "{}" },
	{ "ListPolicies", "{}" },
	{ "Monitor", "{\"since_usec\":0,\"follow\":false}", true },
	{ "Who", "{\"target\":\"nothing0\"}", false, MANAGER("NoSuchTarget"), DENIED },
	{ "Classify", "{\"target\":\"0x1000\"}", false, NULL, DENIED },
	{ "ListFailures", "{}", false, MANAGER("NotSupported"), DENIED },
	{ "Explain", "{\"cgroup\":\"/a\"}", false, NULL, DENIED },
	{ "FollowRelease", "{\"token\":\"0\"}", false, MANAGER("NoSuchToken"),
	  MANAGER("NoSuchToken") },
	{ "SetQuota", "{\"cgroup\":\"/a\",\"max_bytes\":4096}", false, DENIED, DENIED },
	{ "ClearQuota", "{\"cgroup\":\"/a\"}", false, DENIED, DENIED },
	{ "ApplyQuotas", "{\"cgroup\":\"/a\"}", false, DENIED, DENIED },
	{ "SetPolicy", "{\"cgroup\":\"/a\",\"policy\":\"deny\"}", false, DENIED, DENIED },
	{ "ClearPolicy", "{\"cgroup\":\"/a\"}", false, DENIED, DENIED },
	{ "Release", "{\"pid\":1}", false, DENIED, DENIED },
	{ "Release", "{\"cgroup\":\"/a\",\"dry_run\":true}", false, DENIED, DENIED },
	{ "Drain", "{\"target\":\"0x1000\"}", false, DENIED, DENIED },
	{ "Drain", "{\"target\":\"0x1000\",\"dry_run\":true}", false, DENIED, DENIED },
	{ "CancelRelease", "{\"token\":\"0\"}", false, MANAGER("NoSuchToken"),
	  MANAGER("NoSuchToken") },
};

static int setup(void **state)
{
	struct pin_info pin = { .id = 1, .bytes = 4096, .kind = PINGUARD_KIND_RDMA, .tgid = 1 };
	struct manager *m;

	if (geteuid() != 0)
		return 0;
	assert_int_equal(kernel_setup(state), 0);
	m = *state;
	put_cgroup("", "pinned 4096\n", NULL);
	put_cgroup("/a", "pinned 4096\n", "pinned max\n");
	pin.cgroup_id = pin.charged_cgroup_id = id_of(m, "/a");
	assert_int_equal(registry_upsert(m->registry, &pin), 0);
	return 0;
}

static void set_group(struct manager *m, gid_t gid)
{
	m->server->config.admin_gid = PEER_GID_NONE;
	m->server->config.view_gid = gid;
}

static void check(struct manager *m, const struct process *p, const struct view *v,
		  const char *wanted)
{
	char method[64];
	struct client c;
	json_t *reply;
	const char *error;

	snprintf(method, sizeof(method), MANAGER("%s"), v->method);
	client_open(m, &c, p);
	client_send(&c, method, v->more, json_loads(v->params, 0, NULL));
	reply = client_read(m, &c);
	assert_non_null(reply);
	error = json_get_string(reply, "error", "a reply");
	if (strcmp(error, wanted ?: "a reply") != 0)
		fail_msg("%s: %s, not %s", v->method, error, wanted ?: "a reply");
	json_decref(reply);
	client_close(m, &c);
}

/* None is forgotten here. */
static void test_all_are_here(void **state)
{
	const char *at = idl_org_pinguard_Manager;
	size_t n = 0;

	while ((at = strstr(at, "\nmethod "))) {
		const size_t length = strcspn(at += strlen("\nmethod "), "(");
		bool found = false;

		for (size_t i = 0; i < ARRAY_SIZE(views) && !found; i++)
			found = strlen(views[i].method) == length &&
				strncmp(views[i].method, at, length) == 0;
		if (!found)
			fail_msg("%.*s", (int)length, at);
		n++;
	}
	assert_true(n > 0);
}

static void test_each(void **state)
{
	struct manager *m = *state;
	struct process p;

	if (geteuid() != 0)
		skip();
	assert_true(process_start_as(&p, USER_UID));
	for (size_t i = 0; i < ARRAY_SIZE(views); i++) {
		set_group(m, USER_UID);
		check(m, &p, &views[i], views[i].view);
		set_group(m, PEER_GID_NONE);
		check(m, &p, &views[i], views[i].user);
	}
	process_end(&p);
}

static size_t count(struct manager *m, const struct process *p, const char *method,
		    const char *array)
{
	_cleanup_json_ json_t *reply = NULL;
	struct client c;

	client_open(m, &c, p);
	client_send(&c, method, false, NULL);
	reply = client_reply(m, &c, method, false);
	client_close(m, &c);
	return json_array_size(json_object_get(reply, array));
}

/* What is others' is shown as it is to administrators. */
static void test_sees(void **state)
{
	struct manager *m = *state;
	struct process p;

	if (geteuid() != 0)
		skip();
	assert_true(process_start_as(&p, USER_UID));
	set_group(m, PEER_GID_NONE);
	assert_int_equal(count(m, &p, MANAGER("ListPins"), "pins"), 0);
	set_group(m, USER_UID);
	assert_int_equal(count(m, &p, MANAGER("ListPins"), "pins"), 1);
	assert_int_equal(count(m, &p, MANAGER("GetStatus"), "cgroups"), 2);
	process_end(&p);
}

/* A request of another's may be followed, and not ended. */
static void test_requests(void **state)
{
	const uint64_t ids[] = { 1 };
	const struct release_config config = { .pin_ids = (uint64_t *)ids, .n_pins = 1,
					       .reason = RELEASE_ADMINISTRATOR,
					       .timeout_usec = 1000000000 };
	struct view follow = { "FollowRelease", "", true }, cancel = { "CancelRelease", "" };
	struct release *release;
	struct manager *m = *state;
	struct process p;
	char params[128];

	if (geteuid() != 0)
		skip();
	assert_true(process_start_as(&p, USER_UID));
	assert_int_equal(release_start(m->releases, &config, &release), 0);
	snprintf(params, sizeof(params), "{\"token\":\"%s\"}", release_token(release));
	follow.params = cancel.params = params;
	set_group(m, USER_UID);
	check(m, &p, &follow, NULL);
	check(m, &p, &cancel, MANAGER("NoSuchToken"));
	set_group(m, PEER_GID_NONE);
	check(m, &p, &follow, MANAGER("NoSuchToken"));
	m->server->config.admin_gid = USER_UID;
	check(m, &p, &cancel, NULL);
	release_unref(release);
	process_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_are_here),
		cmocka_unit_test_setup_teardown(test_each, setup, kernel_teardown),
		cmocka_unit_test_setup_teardown(test_sees, setup, kernel_teardown),
		cmocka_unit_test_setup_teardown(test_requests, setup, kernel_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
