/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is pinned, what is charged, and whose limits there are: on a tree of plain directories. */
#include "tests/unit/manager/kernel-fixture.h"

#include "daemon/manager/unattributed.h"

static int setup(void **state)
{
	if (geteuid() != 0)
		return 0;
	assert_int_equal(kernel_setup(state), 0);
	put_cgroup("/a", "pinned 0\n", "pinned max\n");
	put_cgroup("/a/b", "pinned 0\n", "pinned max\n");
	put_cgroup("/a/c", "pinned 0\n", "pinned max\n");
	return 0;
}

/* The kernel says that a process in cgroup has made a pin that is charged elsewhere. */
static void say_pin(struct manager *m, uint64_t id, uint64_t cgroup, uint64_t charged)
{
	struct pin_event event = {
		.type = PIN_EVENT_PIN,
		.seq = registry_seq(m->registry) + 1,
		.pin = { .id = id, .bytes = 4096, .tgid = 1, .kind = PINGUARD_KIND_RDMA,
			 .cgroup_id = cgroup, .charged_cgroup_id = charged },
	};

	assert_true(manager_listener.event(&event, m) >= 0);
}

/* Of an array of objects, the one that has this value. */
static json_t *one_of(json_t *array, const char *key, const char *value)
{
	json_t *object;
	size_t i;

	json_array_foreach(array, i, object)
		if (strcmp(json_get_string(object, key, ""), value) == 0)
			return object;
	fail_msg("no %s", value);
	return NULL;
}

static void check_cgroup(json_t *status, const char *path, int64_t pinned, int64_t charged,
			 int64_t pins)
{
	json_t *cgroup = one_of(json_object_get(status, "cgroups"), "path", path);

	assert_int_equal(json_get_int(cgroup, "pinned_bytes", -1), pinned);
	assert_int_equal(json_get_int(cgroup, "charged_bytes", -1), charged);
	assert_int_equal(json_get_int(cgroup, "pins", -1), pins);
}

/* The controller was turned on in /a/b after its process had pinned. */
static void test_charged_above(void **state)
{
	_cleanup_json_ json_t *status = NULL;
	struct manager *m = *state;
	json_t *totals;

	if (geteuid() != 0)
		skip();
	say_pin(m, 1, id_of(m, "/a/b"), id_of(m, "/a"));
	say_pin(m, 2, id_of(m, "/a/c"), id_of(m, "/a/c"));
	put_cgroup("", "pinned 8192\n", NULL);
	put_cgroup("/a", "pinned 8192\n", "pinned max\n");
	put_cgroup("/a/c", "pinned 4096\n", "pinned max\n");
	/* the kernel is ahead: one more, of which nothing has been told yet */
	fake_kernel.pins = 3;
	fake_kernel.bytes = 12288;
	status = ask(m, MANAGER("GetStatus"), NULL);
	check_cgroup(status, "/", 8192, 8192, 2);
	check_cgroup(status, "/a", 8192, 8192, 2);
	check_cgroup(status, "/a/b", 4096, 0, 1);
	check_cgroup(status, "/a/c", 4096, 4096, 1);
	totals = json_object_get(status, "totals");
	assert_int_equal(json_get_int(totals, "pinned_bytes", -1), 8192);
	assert_int_equal(json_get_int(totals, "pins", -1), 2);
}

static int64_t usage_of_deny(struct manager *m, uint64_t limit, uint64_t usage_bytes)
{
	_cleanup_json_ json_t *reply = NULL;
	struct pin_event event = {
		.type = PIN_EVENT_DENY,
		.seq = registry_seq(m->registry) + 1,
		.pin = { .bytes = 8192, .tgid = 1, .kind = PINGUARD_KIND_RDMA,
			 .cgroup_id = limit, .charged_cgroup_id = limit },
		.reason = PINGUARD_REASON_LIMIT,
		.limit_cgroup_id = limit,
		.usage_bytes = usage_bytes,
		.max_bytes = 12288,
	};

	assert_true(manager_listener.event(&event, m) >= 0);
	reply = render_event(events_before(m->events, UINT64_MAX), true);
	assert_string_equal(json_get_string(reply, "type", ""), "deny");
	return json_get_int(reply, "usage_bytes", -1);
}

/* What the refused request had charged itself is not in use. */
static void test_usage_of_deny(void **state)
{
	struct manager *m = *state;
	uint64_t a;

	if (geteuid() != 0)
		skip();
	a = id_of(m, "/a");
	say_pin(m, 1, id_of(m, "/a/b"), id_of(m, "/a/b"));
	say_pin(m, 2, a, a);
	say_pin(m, 3, id_of(m, "/"), id_of(m, "/"));
	assert_int_equal(usage_of_deny(m, a, 8192), 8192);
	assert_int_equal(usage_of_deny(m, a, 12288), 8192);
	/* the kernel counts less: pins of before its controller was turned off and on */
	assert_int_equal(usage_of_deny(m, a, 4096), 4096);
	assert_int_equal(usage_of_deny(m, id_of(m, "/a/c"), 4096), 0);
}

/* A limit that somebody else has set is shown as what it is. */
static void test_external(void **state)
{
	_cleanup_json_ json_t *before = NULL, *after = NULL, *set = NULL;
	struct manager *m = *state;
	json_t *quota;

	if (geteuid() != 0)
		skip();
	put_cgroup("/a/b", "pinned 0\n", "pinned 104857600\n");
	before = ask(m, MANAGER("ListQuotas"), NULL);
	assert_int_equal(json_array_size(json_object_get(before, "quotas")), 1);
	assert_true(json_is_integer(json_object_get(before, "others_usec")));
	assert_true(json_is_true(json_object_get(before, "others_complete")));
	quota = one_of(json_object_get(before, "quotas"), "cgroup", "/a/b");
	assert_true(json_is_null(json_object_get(quota, "max_bytes")));
	assert_int_equal(json_get_int(quota, "external_bytes", -1), 104857600);
	assert_int_equal(json_get_int(quota, "effective_bytes", -1), 104857600);
	assert_string_equal(json_get_string(quota, "state", ""), "applied");

	/* One of the service's own is none of others', until they change it. */
	set = ask(m, MANAGER("SetQuota"), json_pack("{s:s, s:i}", "cgroup", "/a/b", "max_bytes",
						    8192));
	quota = json_object_get(set, "quota");
	assert_int_equal(json_get_int(quota, "max_bytes", -1), 8192);
	put_cgroup("/a/b", "pinned 0\n", "pinned 8192\n");
	after = ask(m, MANAGER("ListQuotas"), NULL);
	quota = one_of(json_object_get(after, "quotas"), "cgroup", "/a/b");
	assert_true(json_is_null(json_object_get(quota, "external_bytes")));
	put_cgroup("/a/b", "pinned 0\n", "pinned 4096\n");
	json_decref(after);
	after = ask(m, MANAGER("ListQuotas"), NULL);
	quota = one_of(json_object_get(after, "quotas"), "cgroup", "/a/b");
	assert_string_equal(json_get_string(quota, "state", ""), "failed");
	assert_int_equal(json_get_int(quota, "max_bytes", -1), 8192);
	assert_int_equal(json_get_int(quota, "external_bytes", -1), 4096);
}

static void check_listed(struct manager *m, const char *cgroup, size_t n)
{
	_cleanup_json_ json_t *list = ask(m, MANAGER("ListPins"),
					  json_pack("{s:s}", "cgroup", cgroup));

	assert_int_equal(json_array_size(json_object_get(list, "pins")), n);
}

/* What is shown of a cgroup's path finds it again, also when it is removed. */
static void test_shown_path(void **state)
{
	_cleanup_json_ json_t *all = NULL;
	struct manager *m = *state;
	json_t *pin;

	if (geteuid() != 0)
		skip();
	tree_put("cgroup/m\\x2d1.scope/", NULL);
	tree_put("cgroup/m\\x2d1.scope/\xff/", NULL);
	say_pin(m, 1, id_of(m, "/m\\x2d1.scope"), 0);
	say_pin(m, 2, id_of(m, "/m\\x2d1.scope/\xff"), 0);
	for (int i = 0; i < 2; i++) {
		check_listed(m, "/m\\x2d1.scope", 2);
		check_listed(m, "/m\\\\x2d1.scope", 2); /* as it was shown once */
		check_listed(m, "/m\\\\x2d1.scope/\\xff", 1);
		if (i == 0)
			tree_remove("cgroup/m\\x2d1.scope");
	}
	all = ask(m, MANAGER("ListPins"), NULL);
	pin = one_of(json_object_get(all, "pins"), "id", "0x1");
	assert_string_equal(json_get_string(pin, "cgroup", ""), "/m\\x2d1.scope");
	pin = one_of(json_object_get(all, "pins"), "id", "0x2");
	assert_string_equal(json_get_string(pin, "cgroup", ""), "/m\\\\x2d1.scope/\\xff");
}

/* What is not found where not all was looked at may be there all the same. */
static void test_too_many(void **state)
{
	static const char error[] = MANAGER("TooManyCgroups");
	struct manager *m = *state;
	char path[64];

	if (geteuid() != 0)
		skip();
	for (unsigned int i = 0; i < CGROUP_WALK_USER_MAX; i++) {
		snprintf(path, sizeof(path), "cgroup/u/%u/", i);
		tree_put(path, NULL);
	}
	snprintf(path, sizeof(path), "%s/cgroup/u", tree);
	assert_int_equal(chown(path, USER_UID, USER_UID), 0);
	ask_as(m, NULL, MANAGER("ListPins"), json_pack("{s:s}", "cgroup", "none.service"), error);
	ask_as(m, NULL, MANAGER("ClearQuota"), json_pack("{s:s}", "cgroup", "none.service"), error);
	ask_as(m, NULL, MANAGER("SetPolicy"),
	       json_pack("{s:s, s:s}", "cgroup", "none.service", "policy", "deny"), error);
	/* and those that there are, are found */
	tree_put("cgroup/z.service/", NULL);
	check_listed(m, "z.service", 0);
}

static void say_process(pid_t pid, unsigned int kib)
{
	char path[64], text[128];

	snprintf(path, sizeof(path), "proc/%d/status", (int)pid);
	snprintf(text, sizeof(text), "Name:\tx\nUid:\t0\t0\t0\t0\nVmPin:\t%8u kB\n", kib);
	tree_put(path, text);
}

static void pin_of(struct manager *m, uint64_t id, uint32_t tgid, uint32_t kind)
{
	struct pin_info info = { .id = id, .tgid = tgid, .kind = kind, .bytes = 4096 };

	assert_int_equal(registry_upsert(m->registry, &info), 0);
}

static void check_unattributed(struct manager *m, json_t *expected)
{
	_cleanup_json_ json_t *status = ask(m, MANAGER("GetStatus"), NULL), *wanted = expected;

	assert_true(json_equal(json_object_get(json_object_get(status, "totals"),
					       "unattributed_bytes"), wanted));
}

/* What a process has pinned beyond its pins; more processes and pins than one turn looks at. */
static void test_unattributed(void **state)
{
	struct manager *m = *state;
	char proc[64];

	if (geteuid() != 0)
		skip();
	check_unattributed(m, json_null());
	snprintf(proc, sizeof(proc), "%s/proc", tree);
	say_process(1, 68);
	say_process(2, 8);
	say_process(3, 4);
	say_process(4, 0);
	for (pid_t pid = 1000; pid < 1300; pid++)
		say_process(pid, 4);
	tree_put("proc/self/status", "Uid:\t0\t0\nVmPin:\t4 kB\n");
	assert_int_equal(unattributed_new(m, proc, &m->unattributed), 0);
	pin_of(m, 1, 1, PINGUARD_KIND_RDMA);
	/* counted as locked memory, not as pinned */
	pin_of(m, 2, 2, PINGUARD_KIND_VFIO);
	pin_of(m, 6, 2, PINGUARD_KIND_XDP);
	/* not counted at all */
	pin_of(m, 7, 2, PINGUARD_KIND_UDMABUF);
	/* a process whose pins are all counted, by whichever means they were made */
	say_process(6, 16);
	pin_of(m, 8, 6, PINGUARD_KIND_IOMMUFD);
	pin_of(m, 9, 6, PINGUARD_KIND_IO_URING);
	pin_of(m, 10, 6, PINGUARD_KIND_VDPA);
	pin_of(m, 11, 6, PINGUARD_KIND_RDMA);
	/* as much as another moment has, and no less than nothing */
	pin_of(m, 3, 3, PINGUARD_KIND_RDMA);
	pin_of(m, 4, 3, PINGUARD_KIND_RDMA);
	/* a process that is gone explains nothing of others */
	pin_of(m, 5, 77, PINGUARD_KIND_RDMA);
	check_unattributed(m, json_integer(65536 + 8192 + 300 * 4096));

	say_process(5000, 4 * 5001);
	for (uint64_t id = 20; id < 5020; id++)
		pin_of(m, id, 5000, PINGUARD_KIND_RDMA);
	m->unattributed = unattributed_free(m->unattributed);
	assert_int_equal(unattributed_new(m, proc, &m->unattributed), 0);
	check_unattributed(m, json_integer(65536 + 8192 + 301 * 4096));
}

/* Whoever asks leaves while it is looked, and so does the service. */
static void test_unattributed_gone(void **state)
{
	struct manager *m = *state;
	struct process p;
	struct client c;

	if (geteuid() != 0)
		skip();
	assert_int_equal(unattributed_new(m, "/proc", &m->unattributed), 0);
	process_start(&p);
	client_open(m, &c, &p);
	client_send(&c, MANAGER("GetStatus"), false, NULL);
	assert_true(sd_event_run(m->event, 1000000) >= 0);
	client_close(m, &c);
	process_end(&p);
	m->unattributed = unattributed_free(m->unattributed);
	assert_int_equal(unattributed_new(m, "/proc", &m->unattributed), 0);
	assert_int_equal(unattributed_refresh(m->unattributed), 0);
	assert_true(sd_event_run(m->event, 1000000) >= 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_charged_above, setup, kernel_teardown),
		cmocka_unit_test_setup_teardown(test_usage_of_deny, setup, kernel_teardown),
		cmocka_unit_test_setup_teardown(test_external, setup, kernel_teardown),
		cmocka_unit_test_setup_teardown(test_shown_path, setup, kernel_teardown),
		cmocka_unit_test_setup_teardown(test_too_many, setup, kernel_teardown),
		cmocka_unit_test_setup_teardown(test_unattributed, setup, kernel_teardown),
		cmocka_unit_test_setup_teardown(test_unattributed_gone, setup, kernel_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
