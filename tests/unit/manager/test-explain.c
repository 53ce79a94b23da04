/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Explain: which refusal and which process it is about, who may ask, and who is named. */
#include "tests/unit/manager/kernel-fixture.h"

#include <pthread.h>
#include <sched.h>

#include "daemon/manager/explain.h"

static char proc_dir[64], sys_dir[64];
static struct process own;

/* A process that lives, with figures that are made up. */
static void put_process(pid_t pid, uid_t uid, const char *cgroup, const char *caps)
{
	char path[64], text[512];

	snprintf(path, sizeof(path), "proc/%d/status", pid);
	snprintf(text, sizeof(text), "Name:\tx\nTgid:\t%d\nUid:\t%u\t%u\t%u\t%u\nVmLck:\t8 kB\n"
		 "VmPin:\t12 kB\nThreads:\t1\nCapEff:\t%s\n", pid, uid, uid, uid, uid, caps);
	tree_put(path, text);
	snprintf(path, sizeof(path), "proc/%d/limits", pid);
	tree_put(path, "Max locked memory         16384                32768                bytes     \n");
	snprintf(path, sizeof(path), "proc/%d/comm", pid);
	tree_put(path, "pro\x1b\n");
	snprintf(path, sizeof(path), "proc/%d/cgroup", pid);
	snprintf(text, sizeof(text), "0::%s\n", cgroup);
	tree_put(path, text);
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	snprintf(text, sizeof(text), "proc/%d/stat", pid);
	tree_link(text, path);
	snprintf(text, sizeof(text), "proc/%d/ns/user", pid);
	tree_link(text, "user:[4026531837]");
}

static int setup(void **state)
{
	struct manager *m;

	if (geteuid() != 0)
		return 0;
	assert_int_equal(kernel_setup(state), 0);
	m = *state;
	snprintf(proc_dir, sizeof(proc_dir), "%s/proc", tree);
	snprintf(sys_dir, sizeof(sys_dir), "%s/sys", tree);
	put_cgroup("/a", "pinned 61440\n", "pinned 65536\n");
	put_cgroup("/a/b.service", "pinned 12288\n", "pinned max\n");
	tree_put("sys/module/udmabuf/parameters/size_limit_mb", "64\n");
	tree_put("proc/", NULL);
	m->proc = proc_dir;
	m->sys = sys_dir;
	assert_true(process_start_as(&own, USER_UID));
	put_process(own.pid, USER_UID, "/a/b.service", "0000000000000000");
	return 0;
}

static int teardown(void **state)
{
	if (geteuid() == 0)
		process_end(&own);
	return kernel_teardown(state);
}

static struct pin_info pin_of(struct manager *m, uint64_t id, uint32_t tgid, uint32_t uid,
			      const char *path, uint64_t bytes)
{
	struct pin_info pin = { .id = id, .kind = PINGUARD_KIND_RDMA, .device = "rxe0", .tgid = tgid,
				.uid = uid, .bytes = bytes, .comm_len = 1, .comm = "p" };

	pin.cgroup_id = pin.charged_cgroup_id = id_of(m, path);
	return pin;
}

static void add_pin(struct manager *m, uint64_t id, uint32_t tgid, uint32_t uid, const char *path,
		    uint64_t bytes)
{
	struct pin_info pin = pin_of(m, id, tgid, uid, path, bytes);

	assert_int_equal(registry_upsert(m->registry, &pin), 0);
}

/* 1 MiB was refused; limit NULL: by something else than a cgroup. */
static void refuse(struct manager *m, uint32_t reason, uint32_t tgid, uint32_t uid,
		   const char *path, const char *limit)
{
	struct pin_event e = {
		.type = PIN_EVENT_DENY,
		.seq = registry_seq(m->registry) + 1,
		.pin = pin_of(m, 0, tgid, uid, path, 1 << 20),
		.reason = reason,
		.usage_bytes = 61440,
		.max_bytes = limit ? 65536 : UINT64_MAX,
		.limit_cgroup_id = limit ? id_of(m, limit) : 0,
	};

	assert_int_equal(manager_listener.event(&e, m), 0);
}

/* To root, or the user; error: NULL for a reply. */
static json_t *explain(struct manager *m, bool user, const char *params, const char *error)
{
	return ask_as(m, user ? &own : NULL, MANAGER("Explain"), json_loads(params, 0, NULL), error);
}

static const char *params_of(pid_t pid)
{
	static char text[64];

	snprintf(text, sizeof(text), "{\"pid\":%d,\"kind\":\"rdma\"}", pid);
	return text;
}

static json_t *check_of(const json_t *reply, const char *name, const char *cgroup)
{
	json_t *checks = json_object_get(json_array_get(json_object_get(reply, "walks"), 0), "checks");
	json_t *check;
	size_t i;

	json_array_foreach(checks, i, check)
		if (strcmp(json_get_string(check, "check", ""), name) == 0 &&
		    (!cgroup || strcmp(json_get_string(check, "cgroup", ""), cgroup) == 0))
			return check;
	fail_msg("no %s", name);
	return NULL;
}

static void test_process(void **state)
{
	_cleanup_json_ json_t *reply = NULL, *all = NULL;
	struct manager *m = *state;
	const json_t *p, *check;

	if (geteuid() != 0)
		skip();
	reply = explain(m, false, params_of(own.pid), NULL);
	assert_true(json_is_null(json_object_get(reply, "refusal")));
	assert_true(json_is_true(json_object_get(reply, "refusals_known")));
	assert_string_equal(json_get_string(reply, "cgroup", ""), "/a/b.service");
	p = json_object_get(reply, "process");
	assert_int_equal(json_get_int(p, "pid", 0), own.pid);
	assert_int_equal(json_get_int(p, "uid", 0), USER_UID);
	assert_string_equal(json_get_string(p, "comm", ""), "pro\\x1b");
	assert_int_equal(json_get_int(p, "memlock_bytes", 0), 16384);
	assert_int_equal(json_get_int(p, "memlock_max_bytes", 0), 32768);
	assert_int_equal(json_get_int(p, "pinned_bytes", 0), 12288);
	assert_int_equal(json_get_int(p, "locked_bytes", 0), 8192);
	assert_string_equal(json_get_string(p, "user_namespace", ""), "initial");
	assert_int_equal(json_array_size(json_object_get(reply, "walks")), 1);
	check = check_of(reply, "limit", "/a");
	assert_int_equal(json_get_int(check, "left", -1), 4096);
	assert_int_equal(json_get_int(check_of(reply, "rlimit", NULL), "left", -1), 4096);
	/* of two with as much left the one that is asked first */
	assert_true(json_is_true(json_object_get(check_of(reply, "rlimit", NULL), "first")));
	assert_string_equal(json_get_string(check_of(reply, "limit", "/a/b.service"), "state", ""),
			    "unlimited");
	all = explain(m, false, "{}", NULL);
	assert_int_equal(json_array_size(json_object_get(all, "walks")), 0);
	assert_string_equal(json_get_string(all, "process_unknown", ""),
			    "/proc keeps it from the service (hidepid)");
}

static void test_who_may_ask(void **state)
{
	struct manager *m = *state;
	struct process other;
	char path[128];

	if (geteuid() != 0)
		skip();
	process_start(&other);
	put_process(other.pid, 0, "/a/b.service", "0000000000000000");
	json_decref(explain(m, true, params_of(own.pid), NULL));
	(void)explain(m, true, params_of(other.pid), VARLINK_ERROR_PERMISSION_DENIED);
	(void)explain(m, true, "{\"cgroup\":\"/a\"}", VARLINK_ERROR_PERMISSION_DENIED);
	(void)explain(m, true, "{\"cgroup\":\"/nothing\"}", VARLINK_ERROR_PERMISSION_DENIED);
	(void)explain(m, false, "{\"cgroup\":\"/nothing\"}", MANAGER("NoSuchCgroup"));
	(void)explain(m, false, "{\"cgroup\":\"/../x\"}", MANAGER("InvalidCgroup"));
	(void)explain(m, false, "{\"pid\":0}", VARLINK_ERROR_INVALID_PARAMETER);
	(void)explain(m, false, "{\"pid\":1,\"cgroup\":\"/a\"}", VARLINK_ERROR_INVALID_PARAMETER);
	(void)explain(m, false, "{\"kind\":\"unknown\"}", VARLINK_ERROR_INVALID_PARAMETER);
	(void)explain(m, false, "{\"kind\":\"x\"}", VARLINK_ERROR_INVALID_PARAMETER);
	json_decref(explain(m, false, "{\"cgroup\":\"/a\"}", NULL));
	/* once the cgroup is the user's, so is what is in it */
	snprintf(path, sizeof(path), "%s/cgroup/a", tree);
	assert_int_equal(chown(path, USER_UID, USER_UID), 0);
	for (struct cgroup_node *node = NULL; (node = registry_cgroup_next(m->registry, node));)
		node->checked_usec = 0;
	json_decref(explain(m, true, params_of(other.pid), NULL));
	json_decref(explain(m, true, "{\"cgroup\":\"/a\"}", NULL));
	process_end(&other);
	(void)explain(m, false, params_of(other.pid), MANAGER("NoSuchProcess"));
}

/* How often a user may ask: so many, and not one more. */
static void test_rate(void **state)
{
	struct manager *m = *state;
	struct client c;

	if (geteuid() != 0)
		skip();
	client_open(m, &c, &own);
	for (unsigned int i = 0; i < LOOKUPS_BURST; i++) {
		client_send(&c, MANAGER("Explain"), false, json_loads(params_of(own.pid), 0, NULL));
		/* the loop's time does not go on within a turn; it does between them */
		json_decref(client_reply(m, &c, MANAGER("Explain"), false));
	}
	for (unsigned int i = 0; i < LOOKUPS_BURST; i++) {
		_cleanup_json_ json_t *reply = NULL;

		client_send(&c, MANAGER("Explain"), false, json_loads(params_of(own.pid), 0, NULL));
		reply = client_read(m, &c);
		if (json_object_get(reply, "error")) {
			assert_string_equal(json_get_string(reply, "error", ""), MANAGER("LimitExceeded"));
			client_close(m, &c);
			return;
		}
	}
	fail_msg("twice as many are answered");
}

static void test_refusal(void **state)
{
	_cleanup_json_ json_t *reply = NULL, *users = NULL, *gone = NULL;
	struct manager *m = *state;
	const json_t *check, *event;

	if (geteuid() != 0)
		skip();
	add_pin(m, 1, own.pid, USER_UID, "/a/b.service", 8192);
	add_pin(m, 2, own.pid, USER_UID, "/a/b.service", 4096);
	add_pin(m, 3, 4000000, 0, "/a", 49152);
	refuse(m, PINGUARD_REASON_LIMIT, own.pid, USER_UID, "/a/b.service", "/a");
	reply = explain(m, false, "{}", NULL);
	event = json_object_get(json_object_get(reply, "refusal"), "event");
	check = json_object_get(json_object_get(reply, "refusal"), "check");
	assert_string_equal(json_get_string(event, "reason", ""), "limit");
	assert_string_equal(json_get_string(check, "cgroup", ""), "/a");
	assert_int_equal(json_get_int(check, "used", -1), 61440);
	assert_int_equal(json_get_int(check, "max", -1), 65536);
	assert_int_equal(json_array_size(json_object_get(check, "holders")), 2);
	assert_int_equal(json_get_int(json_array_get(json_object_get(check, "holders"), 0), "bytes", 0),
			 49152);
	assert_int_equal(json_get_int(json_array_get(json_object_get(check, "holders"), 1), "bytes", 0),
			 12288);
	assert_string_equal(json_get_string(json_array_get(json_object_get(check, "remedies"), 0),
					    "command", ""), "pinctl quota set /a 2M");
	assert_int_equal(json_get_int(json_object_get(reply, "process"), "pid", 0), own.pid);
	/* the user is told of the limit, and not of others */
	users = explain(m, true, "{}", NULL);
	check = json_object_get(json_object_get(users, "refusal"), "check");
	assert_true(json_is_null(json_object_get(check, "used")));
	assert_string_equal(json_get_string(check, "used_is", ""), "hidden");
	assert_int_equal(json_array_size(json_object_get(check, "holders")), 1);
	check = check_of(users, "limit", "/a");
	assert_true(json_is_null(json_object_get(check, "used")));
	assert_true(json_is_null(json_object_get(check, "left")));
	/* one that has ended is known by its number */
	refuse(m, PINGUARD_REASON_POLICY, 4000001, 0, "/a", NULL);
	gone = explain(m, false, "{\"pid\":4000001}", NULL);
	assert_true(json_is_null(json_object_get(gone, "process")));
	assert_string_equal(json_get_string(gone, "process_unknown", ""), "it has ended");
	assert_string_equal(json_get_string(gone, "cgroup", ""), "/a");
	(void)explain(m, true, "{\"pid\":4000001}", MANAGER("NoSuchProcess"));
	json_decref(users);
	users = explain(m, true, "{}", NULL);
	assert_int_equal(json_get_int(json_object_get(json_object_get(json_object_get(
				 users, "refusal"), "event"), "pin"), "pid", 0), own.pid);
}

static json_t *refusal_of(struct manager *m, const char *params)
{
	json_t *reply = explain(m, false, params, NULL);
	json_t *refusal = json_incref(json_object_get(reply, "refusal"));

	json_decref(reply);
	return refusal;
}

/* What was refused to another process, that had the number before, is not this one's. */
static void test_number_taken_again(void **state)
{
	_cleanup_json_ json_t *before = NULL, *after = NULL, *cgroup = NULL;
	struct manager *m = *state;
	struct event *event = event_new(EVENT_DENY, 1000000);

	if (geteuid() != 0)
		skip();
	event->reason = PINGUARD_REASON_POLICY;
	event->pin = pin_of(m, 0, own.pid, USER_UID, "/a", 4096);
	event->cgroup = cgroup_node_ref(registry_cgroup_find(m->registry, event->pin.cgroup_id));
	events_add(m->events, event);
	before = refusal_of(m, params_of(own.pid));
	assert_true(json_is_null(before));
	/* but it is one in the cgroup, by a process that is gone */
	cgroup = explain(m, false, "{\"cgroup\":\"/a\"}", NULL);
	assert_true(json_is_object(json_object_get(cgroup, "refusal")));
	assert_true(json_is_null(json_object_get(cgroup, "process")));
	refuse(m, PINGUARD_REASON_POLICY, own.pid, USER_UID, "/a", NULL);
	after = refusal_of(m, params_of(own.pid));
	assert_true(json_is_object(after));
}

/* What refused is above a unit that has ended. */
static void test_unit_that_ended(void **state)
{
	_cleanup_json_ json_t *reply = NULL;
	struct manager *m = *state;

	if (geteuid() != 0)
		skip();
	put_cgroup("/a/gone.service", "pinned 0\n", "pinned max\n");
	refuse(m, PINGUARD_REASON_LIMIT, 4000000, 0, "/a/gone.service", "/a");
	tree_remove("cgroup/a/gone.service");
	for (struct cgroup_node *node = NULL; (node = registry_cgroup_next(m->registry, node));)
		node->checked_usec = 0;
	(void)explain(m, false, "{\"cgroup\":\"/a/other.service\"}", MANAGER("NoSuchCgroup"));
	reply = explain(m, false, "{\"cgroup\":\"/a/gone.service\"}", NULL);
	assert_string_equal(json_get_string(reply, "cgroup", ""), "/a");
	assert_int_equal(json_get_int(check_of(reply, "limit", "/a"), "max", 0), 65536);
	json_decref(reply);
	reply = explain(m, false, "{\"cgroup\":\"gone.service\"}", NULL);
	assert_true(json_is_object(json_object_get(reply, "refusal")));
}

/* A cgroup: of the one that pins most there, else of one that lives there. */
static void test_cgroup(void **state)
{
	_cleanup_json_ json_t *lives = NULL, *pins = NULL, *none = NULL;
	struct manager *m = *state;
	struct process other;
	char text[64];

	if (geteuid() != 0)
		skip();
	none = explain(m, false, "{\"cgroup\":\"/a\"}", NULL);
	assert_string_equal(json_get_string(none, "process_unknown", ""), "there is no process in it");
	assert_int_equal(json_array_size(json_object_get(none, "walks")), 7);
	snprintf(text, sizeof(text), "%d\n", own.pid);
	tree_put("cgroup/a/cgroup.procs", text);
	lives = explain(m, false, "{\"cgroup\":\"/a\"}", NULL);
	assert_int_equal(json_get_int(json_object_get(lives, "process"), "pid", 0), own.pid);
	process_start(&other);
	put_process(other.pid, 0, "/a/b.service", "0000000000000000");
	add_pin(m, 1, other.pid, 0, "/a/b.service", 4096);
	pins = explain(m, false, "{\"cgroup\":\"/a\"}", NULL);
	assert_int_equal(json_get_int(json_object_get(pins, "process"), "pid", 0), other.pid);
	process_end(&other);
}

/* Removals of device memory alone refuse what comes. */
static void test_revokes(void **state)
{
	_cleanup_json_ json_t *offline = NULL, *removal = NULL;
	struct manager *m = *state;
	struct pin_event e = {
		.type = PIN_EVENT_REVOKE,
		.revoke = { .id = 1, .reason = PINGUARD_REVOKE_REASON_MEMORY_OFFLINE, .last_pfn = 1 },
	};

	if (geteuid() != 0)
		skip();
	assert_true(manager_listener.event(&e, m) >= 0);
	offline = explain(m, false, params_of(own.pid), NULL);
	assert_string_equal(json_get_string(check_of(offline, "revoke", NULL), "state", ""), "open");
	e.revoke.id = 2;
	e.revoke.reason = PINGUARD_REVOKE_REASON_DEVICE_REMOVAL;
	assert_true(manager_listener.event(&e, m) >= 0);
	removal = explain(m, false, params_of(own.pid), NULL);
	assert_string_equal(json_get_string(check_of(removal, "revoke", NULL), "state", ""),
			    "device_memory");
	assert_int_equal(json_get_int(check_of(removal, "revoke", NULL), "used", -1), 1);
}

/* hidepid: it is there, and its files are not. */
static void test_hidden(void **state)
{
	_cleanup_json_ json_t *reply = NULL;
	struct manager *m = *state;
	char path[64];

	if (geteuid() != 0)
		skip();
	snprintf(path, sizeof(path), "proc/%d", own.pid);
	tree_remove(path);
	reply = explain(m, false, params_of(own.pid), NULL);
	assert_true(json_is_null(json_object_get(reply, "process")));
	assert_string_equal(json_get_string(reply, "process_unknown", ""),
			    "/proc keeps it from the service (hidepid)");
	(void)explain(m, true, params_of(own.pid), VARLINK_ERROR_PERMISSION_DENIED);
}

/* A thread stands for its process. */
static void *run_thread(void *arg)
{
	*(pid_t *)arg = gettid();
	pause();
	return NULL;
}

static void test_thread(void **state)
{
	_cleanup_json_ json_t *reply = NULL;
	struct manager *m = *state;
	volatile pid_t tid = 0;
	pthread_t thread;

	if (geteuid() != 0)
		skip();
	m->proc = "/proc";
	assert_int_equal(pthread_create(&thread, NULL, run_thread, (void *)&tid), 0);
	while (!tid)
		sched_yield();
	reply = explain(m, false, params_of(tid), NULL);
	assert_int_equal(json_get_int(json_object_get(reply, "process"), "pid", 0), getpid());
	assert_int_equal(pthread_cancel(thread), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void test_rdma_and_levels(void **state)
{
	_cleanup_json_ json_t *reply = NULL;
	struct manager *m = *state;
	const json_t *check;

	if (geteuid() != 0)
		skip();
	tree_put("cgroup/a/rdma.max", "rxe1 hca_handle=max hca_object=max\nrxe0 hca_handle=max hca_object=2\n");
	tree_put("cgroup/a/rdma.current", "rxe1 hca_handle=0 hca_object=0\nrxe0 hca_handle=1 hca_object=2\n");
	reply = explain(m, false, params_of(own.pid), NULL);
	check = check_of(reply, "rdma_objects", "/a");
	assert_string_equal(json_get_string(check, "device", ""), "rxe0");
	assert_string_equal(json_get_string(check, "state", ""), "refuses");
	assert_true(json_is_true(json_object_get(check, "first")));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_process), TEST(test_who_may_ask), TEST(test_rate), TEST(test_refusal),
		TEST(test_number_taken_again), TEST(test_cgroup), TEST(test_rdma_and_levels),
		TEST(test_unit_that_ended), TEST(test_revokes), TEST(test_hidden), TEST(test_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
