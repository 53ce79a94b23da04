/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is answered of a kernel that does not tell: /proc and cgroups are files. */
#include "tests/unit/tree.h"

#include "daemon/cgroup/cgroups-internal.h"
#include "daemon/devices/devices-internal.h"
#include "daemon/kernel/source-internal.h"
#include "daemon/manager/left.h"
#include "tests/unit/manager/owner-fixture.h"

#define IDLE_CGROUPS 512 /* of the feed */

static char proc_dir[64];

static uint64_t cgroup_id(const char *path, void *userdata)
{
	struct manager *m = userdata;
	struct cgroup_node *node;

	return cgroupfs_resolve_path(m->cgroups->fs, path, &node) >= 0 ? node->id : 0;
}

static void put_process(unsigned int pid)
{
	char path[64], text[128];

	snprintf(path, sizeof(path), "cgroup/%u/", pid);
	tree_put(path, NULL);
	snprintf(path, sizeof(path), "proc/%u/cgroup", pid);
	snprintf(text, sizeof(text), "0::/%u\n", pid);
	tree_put(path, text);
	snprintf(path, sizeof(path), "proc/%u/status", pid);
	tree_put(path, "Name:\tx\nUid:\t0\t0\t0\t0\nVmLck:\t0 kB\nVmPin:\t4 kB\n");
}

/* A region that netlink would have listed. */
static int end_with_a_pin(uint64_t seq, void *userdata)
{
	pin_add(userdata, 9, 0, 8192);
	return manager_listener.end(seq, userdata);
}

static void observe(struct manager *m, bool pin)
{
	static struct source_listener listener;

	struct observe_config config = { .proc = proc_dir, .reason = "why",
					 .cgroup_id = cgroup_id,
					 .listener = &listener, .userdata = m };

	listener = manager_listener;
	if (pin)
		listener.end = end_with_a_pin;
	observe_free(m->source->observe);
	m->source->observe = NULL;
	assert_int_equal(observe_new(m->event, &config, &m->source->observe), 0);
}

static int setup(void **state)
{
	char mount[64], *reason = NULL;
	struct manager *m;

	assert_int_equal(owner_setup(state), 0);
	m = *state;
	tree_new();
	tree_put("cgroup/", NULL);
	put_process(1);
	snprintf(mount, sizeof(mount), "%s/cgroup", tree);
	snprintf(proc_dir, sizeof(proc_dir), "%s/proc", tree);
	assert_int_equal(cgroupfs_new(mount, m->registry, &m->cgroups->fs, &reason), 0);
	observe(m, false);
	return 0;
}

static int teardown(void **state)
{
	tree_remove(NULL);
	return owner_teardown(state);
}

/* The cgroups that GetStatus tells, but for those above. */
static size_t count_cgroups(struct manager *m, struct client *c)
{
	_cleanup_json_ json_t *reply = NULL;
	const json_t *cgroups, *cgroup;
	size_t i, n = 0;

	client_send(c, MANAGER("GetStatus"), false, NULL);
	reply = client_reply(m, c, MANAGER("GetStatus"), false);
	cgroups = json_object_get(reply, "cgroups");
	json_array_foreach (cgroups, i, cgroup)
		n += strcmp(json_get_string(cgroup, "path", "/"), "/") != 0 &&
		     json_get_int(cgroup, "pinned_bytes", 0) == 4096;
	return n;
}

/* The first answer, and one with more cgroups than are kept for nobody. */
static void test_cgroups_without_regions(void **state)
{
	struct manager *m = *state;
	struct process p;
	struct client c;
	unsigned int pid = 1;

	process_start(&p);
	client_open(m, &c, &p);
	assert_int_equal(count_cgroups(m, &c), 1);
	while (pid < 2 * IDLE_CGROUPS + 3)
		put_process(++pid);
	observe(m, false);
	assert_int_equal(count_cgroups(m, &c), pid);
	/* Those of processes that are gone do not stay for ever. */
	while (pid > 1) {
		char path[64];

		snprintf(path, sizeof(path), "proc/%u", pid--);
		tree_remove(path);
	}
	m->feed.trim_at = 0;
	observe(m, false);
	assert_int_equal(count_cgroups(m, &c), 1);
	assert_in_range(registry_n_cgroups(m->registry), 1, 8);
	client_close(m, &c);
	process_end(&p);
}

static int64_t total(struct manager *m, struct client *c, bool hidden, const char *reason)
{
	_cleanup_json_ json_t *reply = NULL;
	const json_t *kernel;

	client_send(c, MANAGER("GetStatus"), false, NULL);
	reply = client_reply(m, c, MANAGER("GetStatus"), false);
	kernel = json_object_get(reply, "kernel");
	assert_int_equal(json_get_bool(kernel, "processes_hidden", !hidden), hidden);
	assert_string_equal(json_get_string(kernel, "reason", ""), reason);
	return json_get_int(json_object_get(reply, "totals"), "pinned_bytes", -1);
}

/* What processes pin is not 0 then, but what is known of it. */
static void test_hidden_processes(void **state)
{
	struct manager *m = *state;
	struct process p;
	struct client c;

	process_start(&p);
	client_open(m, &c, &p);
	observe(m, true);
	assert_int_equal(total(m, &c, false, "why"), 4096);
	tree_remove("proc/1");
	observe(m, true);
	assert_int_equal(total(m, &c, true, "why; processes of others cannot be read (hidepid of "
					    "/proc), what they pin is not known"), 8192);
	client_close(m, &c);
	process_end(&p);
}

/* --- regions whose makers have ended --- */

static int no_devices(struct inventory *inv)
{
	return 0;
}

static uint32_t left_kind;
static char sys_dir[64];

static int end_with_left_pins(uint64_t seq, void *userdata)
{
	struct pin_info pin = { .id = 1, .bytes = 8192, .kind = left_kind, .uid = PIN_UID_NONE,
				.device = "rxe0", .flags = PINGUARD_FLAG_OWNER_GONE };

	if (left_kind == PINGUARD_KIND_XDP)
		pin.flags = 0;
	assert_int_equal(manager_listener.pin(&pin, userdata), 0);
	return manager_listener.end(seq, userdata);
}

/* A process in a cgroup, maybe with /dev/zero open, which is rxe0 here. */
static void put_opener(unsigned int pid, const char *cgroup, bool opens)
{
	char path[64], text[128];

	put_process(pid);
	snprintf(path, sizeof(path), "cgroup%s/", cgroup);
	tree_put(path, NULL);
	snprintf(path, sizeof(path), "proc/%u/cgroup", pid);
	snprintf(text, sizeof(text), "0::%s\n", cgroup);
	tree_put(path, text);
	snprintf(path, sizeof(path), "proc/%u/comm", pid);
	tree_put(path, "x\n");
	snprintf(path, sizeof(path), "proc/%u/maps", pid);
	tree_put(path, "");
	snprintf(path, sizeof(path), "proc/%u/mountinfo", pid);
	tree_put(path, "");
	snprintf(path, sizeof(path), "proc/%u/fd/", pid);
	tree_put(path, NULL);
	snprintf(path, sizeof(path), "proc/%u/ns/mnt", pid);
	tree_link(path, "../../1/cgroup");
	if (!opens)
		return;
	snprintf(path, sizeof(path), "proc/%u/fd/3", pid);
	tree_link(path, "/dev/zero");
	snprintf(path, sizeof(path), "proc/%u/fdinfo/3", pid);
	tree_put(path, "pos:\t0\nflags:\t0100002\nmnt_id:\t7\n");
}

static int setup_left(void **state)
{
	struct manager *m;

	assert_int_equal(setup(state), 0);
	m = *state;
	tree_put("sys/class/infiniband/rxe0/", NULL);
	tree_put("sys/class/infiniband_verbs/uverbs0/ibdev", "rxe0\n");
	tree_put("sys/class/infiniband_verbs/uverbs0/dev", "1:5\n");
	snprintf(sys_dir, sizeof(sys_dir), "%s/sys", tree);
	make_devices(m, sys_dir, no_devices);
	openers_free(m->openers);
	assert_int_equal(openers_new(m->event, proc_dir, &m->openers), 0);
	assert_int_equal(left_new(m, proc_dir, &m->left), 0);
	return 0;
}

static int teardown_left(void **state)
{
	struct manager *m = *state;

	m->left = left_free(m->left);
	return teardown(state);
}

static void check_sum(json_t *status, const char *path, int64_t bytes)
{
	const json_t *cgroup;
	size_t i;

	json_array_foreach(json_object_get(status, "cgroups"), i, cgroup)
		if (strcmp(json_get_string(cgroup, "path", ""), path) == 0)
			assert_int_equal(json_get_int(cgroup, "pinned_bytes", -1), bytes);
}

/* Read anew: what counts where, in the cgroup of those that have it open, NULL for none. */
static void check_left(struct manager *m, const char *cgroup, int64_t total, int64_t unattributed)
{
	_cleanup_json_ json_t *status = NULL, *pins = NULL;
	static struct source_listener listener;
	const struct observe_config config = { .proc = proc_dir, .reason = "why",
					       .cgroup_id = cgroup_id, .listener = &listener,
					       .userdata = m };
	struct process p;
	struct client c;
	json_t *pin, *totals;

	listener = manager_listener;
	listener.end = end_with_left_pins;
	observe_free(m->source->observe);
	m->source->observe = NULL;
	assert_int_equal(observe_new(m->event, &config, &m->source->observe), 0);
	process_start(&p);
	client_open(m, &c, &p);
	client_send(&c, MANAGER("GetStatus"), false, NULL);
	status = client_reply(m, &c, MANAGER("GetStatus"), false);
	totals = json_object_get(status, "totals");
	assert_int_equal(json_get_int(totals, "pinned_bytes", -1), total);
	assert_int_equal(json_get_int(totals, "unattributed_bytes", -1), unattributed);
	assert_true(json_is_null(json_object_get(totals, "denied")));
	client_send(&c, MANAGER("ListPins"), false, NULL);
	pins = client_reply(m, &c, MANAGER("ListPins"), false);
	pin = json_array_get(json_object_get(pins, "pins"), 0);
	assert_string_equal(json_get_string(pin, "cgroup", "none"), cgroup ?: "none");
	assert_int_equal(json_get_bool(pin, "owner_gone", false),
			 left_kind == PINGUARD_KIND_RDMA);
	if (cgroup)
		check_sum(status, cgroup, 8192 + (strcmp(cgroup, "/a") == 0 ? 8192 : 4096));
	client_close(m, &c);
	process_end(&p);
}

/* A region whose maker has ended is where all are that have the device open. */
static void test_left(void **state)
{
	struct manager *m = *state;
	char path[128];

	put_opener(1, "/1", false);
	left_kind = PINGUARD_KIND_RDMA;
	check_left(m, NULL, 4096, 8192);
	put_opener(20, "/a/b", true);
	check_left(m, "/a/b", 2 * 4096 + 8192, 0);
	put_opener(21, "/a/bc", true);
	check_left(m, "/a", 3 * 4096 + 8192, 0);
	/* nothing in common */
	put_opener(22, "/1", true);
	check_left(m, NULL, 4 * 4096, 8192);
	tree_remove("proc/22");
	check_left(m, "/a", 3 * 4096 + 8192, 0);
	/* one that could not be looked at may have it open */
	put_opener(23, "/1", false);
	snprintf(path, sizeof(path), "%s/23/fd/3", proc_dir);
	tree_link("proc/23/fd/3", path);
	check_left(m, NULL, 4 * 4096, 8192);
	tree_remove("proc/23");
	/* a device of which nobody knows the files */
	tree_remove("sys/class/infiniband_verbs/uverbs0");
	check_left(m, NULL, 3 * 4096, 8192);
	/* the memory of a socket is in no VmPin either */
	left_kind = PINGUARD_KIND_XDP;
	check_left(m, NULL, 3 * 4096, 8192);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_cgroups_without_regions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hidden_processes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_left, setup_left, teardown_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
