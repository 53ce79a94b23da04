/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Refused pins, as the kernel tells of them: which limit it was, and where they count. */
#include <sys/resource.h>

#include "tests/unit/manager/owner-fixture.h"

#include "daemon/cgroup/cgroups-internal.h"
#include "daemon/kernel/source-internal.h"
#include "daemon/manager/internal.h"
#include "tests/unit/tree.h"

/* --- in the place of the kernel's family --- */

enum genl_state __wrap_genl_state(const struct genl *g);
int __wrap_genl_get_info(struct genl *g, struct pin_kernel_info *ret);

enum genl_state __wrap_genl_state(const struct genl *g)
{
	return GENL_SYNCED;
}

int __wrap_genl_get_info(struct genl *g, struct pin_kernel_info *ret)
{
	*ret = (struct pin_kernel_info){ .pins = 1, .bytes = 4096, .denied = 100 };
	return 0;
}

/* --- the tests --- */

static struct pin_event refusal(struct manager *m, uint32_t reason, pid_t pid, const char *comm)
{
	struct pin_event e = {
		.type = PIN_EVENT_DENY,
		.seq = registry_seq(m->registry) + 1,
		.pin = { .cgroup_id = TEST_CGROUP, .charged_cgroup_id = TEST_CGROUP,
			 .tgid = pid, .bytes = 4096, .comm_len = strlen(comm) },
		.reason = reason,
		.max_bytes = UINT64_MAX,
	};

	memcpy(e.pin.comm, comm, e.pin.comm_len);
	return e;
}

/* What the history tells of the last one. */
static json_t *told(struct manager *m, const struct pin_event *e)
{
	json_t *json;

	assert_int_equal(manager_listener.event(e, m), 0);
	json = render_event(events_before(m->events, UINT64_MAX), true);
	idl_check_type(idl_org_pinguard_Manager, "Event", json);
	return json;
}

static void check_max(struct manager *m, const struct pin_event *e, int64_t max_bytes,
		      const char *source)
{
	_cleanup_json_ json_t *json = told(m, e);

	assert_int_equal(json_get_int(json, "max_bytes", -1), max_bytes);
	assert_string_equal(json_get_string(json, "max_source", "none"), source);
	assert_true(json_is_null(json_object_get(json, "limit_cgroup")));
	assert_true(json_is_null(json_object_get(json, "usage_bytes")));
}

/* RLIMIT_MEMLOCK: the kernel's word where it has one, else what /proc says. */
static void test_rlimit(void **state)
{
	const struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };
	struct rlimit limit;
	struct manager *m = *state;
	struct pin_event e;
	struct process p;
	char comm[64];
	FILE *file;

	process_start(&p);
	snprintf(comm, sizeof(comm), "/proc/%d/comm", p.pid);
	file = fopen(comm, "r");
	assert_non_null(file);
	assert_non_null(fgets(comm, sizeof(comm), file));
	fclose(file);
	comm[strcspn(comm, "\n")] = '\0';

	assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
	limit.rlim_cur = 4096;
	assert_int_equal(prlimit(p.pid, RLIMIT_MEMLOCK, &limit, NULL), 0);
	e = refusal(m, PINGUARD_REASON_RLIMIT, p.pid, comm);
	check_max(m, &e, 4096, "proc");
	e = refusal(m, PINGUARD_REASON_RLIMIT, p.pid, comm);
	e.max_bytes = 1 << 20;
	check_max(m, &e, 1 << 20, "kernel");
	e = refusal(m, PINGUARD_REASON_POLICY, p.pid, comm);
	check_max(m, &e, -1, "none");
	/* another process by now */
	e = refusal(m, PINGUARD_REASON_RLIMIT, p.pid, "another");
	check_max(m, &e, -1, "none");
	/* it has raised its limit, or the number is another's */
	if (prlimit(p.pid, RLIMIT_MEMLOCK, &none, NULL) == 0) {
		e = refusal(m, PINGUARD_REASON_RLIMIT, p.pid, comm);
		check_max(m, &e, -1, "none");
	}
	process_end(&p);
	e = refusal(m, PINGUARD_REASON_RLIMIT, p.pid, comm);
	check_max(m, &e, -1, "none");
}

/* A tree of cgroups, of which each has refused two pins by its limit. */
static int setup_tree(void **state)
{
	static const char *const paths[] = { "", "a/", "a/b/", "c/" };
	struct cgroups_config config = {};
	struct manager *m;
	char name[64];

	assert_int_equal(owner_setup(state), 0);
	m = *state;
	tree_new();
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		snprintf(name, sizeof(name), "%smisc.current", paths[i]);
		tree_put(name, "pinned 4096\n");
		snprintf(name, sizeof(name), "%smisc.events", paths[i]);
		if (i > 0)
			tree_put(name, "pinned.max 2\n");
	}
	config.mount = tree;
	config.registry = m->registry;
	cgroups_free(m->cgroups);
	assert_int_equal(cgroups_new(m->event, &config, &m->cgroups), 0);
	m->cgroups->misc = true;
	/* never looked into: what would be asked of it is answered above */
	m->source->genl = (struct genl *)m;
	return 0;
}

static int teardown_tree(void **state)
{
	struct manager *m = *state;

	m->source->genl = NULL;
	tree_remove(NULL);
	return owner_teardown(state);
}

static void refuse(struct manager *m, uint32_t reason, const char *path)
{
	struct pin_event e = refusal(m, reason, 0, "x");
	struct cgroup_node *node;

	assert_int_equal(cgroupfs_resolve_path(cgroups_fs(m->cgroups), path, &node), 0);
	e.pin.cgroup_id = e.pin.charged_cgroup_id = node->id;
	assert_int_equal(manager_listener.event(&e, m), 0);
}

/* -1 is null. */
static void expect_denied_to(struct manager *m, const struct process *p, bool is_admin,
			     const char *expected)
{
	_cleanup_json_ json_t *reply = NULL;
	char text[256] = "", *at = text;
	const json_t *cgroup;
	struct client c;
	size_t i;

	m->cgroups->noted_usec = 0;
	client_open(m, &c, p);
	client_send(&c, MANAGER("GetStatus"), false, NULL);
	reply = client_reply(m, &c, MANAGER("GetStatus"), false);
	client_close(m, &c);
	assert_int_equal(json_get_int(json_object_get(reply, "totals"), "denied", -1),
			 is_admin ? 100 : -1);
	json_array_foreach(json_object_get(reply, "cgroups"), i, cgroup)
		at += sprintf(at, "%s=%d ", json_get_string(cgroup, "path", "?"),
			      (int)json_get_int(cgroup, "denied", -1));
	assert_string_equal(text, expected);
}

static void expect_denied(struct manager *m, const struct process *p, const char *expected)
{
	expect_denied_to(m, p, true, expected);
}

/* By a cgroup's limit where that is, by anything else where the process is, and all at the root. */
static void test_denied(void **state)
{
	struct manager *m = *state;
	struct process p;

	if (geteuid() != 0)
		skip();
	process_start(&p);
	expect_denied(m, &p, "/=100 /a=2 /a/b=2 /c=2 ");
	refuse(m, PINGUARD_REASON_LIMIT, "/a/b");
	refuse(m, PINGUARD_REASON_RLIMIT, "/a/b");
	refuse(m, PINGUARD_REASON_POLICY, "/a/b");
	refuse(m, PINGUARD_REASON_REVOKE, "/c");
	expect_denied(m, &p, "/=100 /a=4 /a/b=4 /c=3 ");
	process_end(&p);
}

/* What was refused to others is not 0, but not for a user to know. */
static void test_denied_to_others(void **state)
{
	struct pin_info pin = { .id = 1, .bytes = 4096, .kind = PINGUARD_KIND_RDMA, .tgid = 1,
				.uid = USER_UID };
	struct manager *m = *state;
	struct cgroup_node *node;
	struct process p;
	char path[64];

	if (geteuid() != 0)
		skip();
	snprintf(path, sizeof(path), "%s/c", tree);
	assert_int_equal(chown(path, USER_UID, USER_UID), 0);
	assert_int_equal(cgroupfs_resolve_path(cgroups_fs(m->cgroups), "/a/b", &node), 0);
	pin.cgroup_id = pin.charged_cgroup_id = node->id;
	assert_int_equal(registry_upsert(m->registry, &pin), 0);
	assert_true(process_start_as(&p, USER_UID));
	expect_denied_to(m, &p, false, "/=-1 /a=-1 /a/b=-1 /c=2 ");
	process_end(&p);
}

/* Kept without a limit, a pin or an event, as long as the cgroup is there; and not for ever. */
static void test_kept(void **state)
{
	struct manager *m = *state;
	struct process p;

	if (geteuid() != 0)
		skip();
	process_start(&p);
	tree_put("c/misc.events", "pinned.max 0\n");
	tree_put("a/misc.events", "pinned.max 0\n");
	tree_put("a/b/misc.events", "pinned.max 0\n");
	refuse(m, PINGUARD_REASON_RLIMIT, "/c");
	for (size_t i = 0; i < EVENTS_SORT_MAX; i++)
		events_add(m->events, event_new(EVENT_DENY, 1));
	registry_trim(m->registry, 0);
	expect_denied(m, &p, "/=100 /c=1 ");
	registry_trim(m->registry, 0);
	expect_denied(m, &p, "/=100 /c=1 ");
	tree_remove("c");
	for (struct cgroup_node *node = NULL; (node = registry_cgroup_next(m->registry, node));)
		node->checked_usec = 0;
	expect_denied(m, &p, "");
	process_end(&p);
}

static void test_limit(void **state)
{
	struct cgroups c = {};
	struct registry *r = registry_new();
	struct cgroup_node *node;

	for (size_t i = 1; i <= CGROUPS_REFUSED_MAX + 1; i++) {
		assert_int_equal(registry_cgroup_get(r, i, &node), 0);
		assert_int_equal(cgroups_refused(&c, node), 0);
		assert_int_equal(cgroups_refused(&c, node), 0);
		assert_int_equal(node->refused, 2);
		assert_int_equal(c.n_noted, i <= CGROUPS_REFUSED_MAX ? i : CGROUPS_REFUSED_MAX);
	}
	for (size_t i = 0; i < c.n_noted; i++)
		cgroup_node_unref(c.noted[i]);
	free(c.noted);
	registry_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rlimit, owner_setup, owner_teardown),
		cmocka_unit_test_setup_teardown(test_denied, setup_tree, teardown_tree),
		cmocka_unit_test_setup_teardown(test_denied_to_others, setup_tree, teardown_tree),
		cmocka_unit_test_setup_teardown(test_kept, setup_tree, teardown_tree),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
