/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is answered of a kernel that does not tell: /proc and cgroups are files. */
#include "tests/unit/tree.h"

#include "daemon/cgroup/cgroups-internal.h"
#include "daemon/kernel/source-internal.h"
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_cgroups_without_regions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hidden_processes, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
