/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths and files of cgroups, on a tree of plain directories. */
#include "tests/unit/tree.h"

#include "daemon/cgroup/cgroupfs.h"

struct env {
	struct registry *registry;
	struct cgroupfs *fs;
};

static int setup(void **state)
{
	static struct env env;
	char *reason = NULL;

	tree_new();
	tree_put("system.slice/", NULL);
	tree_put("system.slice/a.service/", NULL);
	tree_put("system.slice/a.service/sub/", NULL);
	tree_put("user.slice/", NULL);
	tree_put("user.slice/user-1.slice/", NULL);
	tree_put("user.slice/user-1.slice/a.service/", NULL);
	tree_put("user.slice/only.service/", NULL);
	tree_put("system.slice/run-p\xff\x1b.service/", NULL);
	tree_put("system.slice/dev-x\\x2dy.service/", NULL);
	tree_link("link", "system.slice");
	env.registry = registry_new();
	assert_int_equal(cgroupfs_new(tree, env.registry, &env.fs, &reason), 0);
	*state = &env;
	return 0;
}

static int teardown(void **state)
{
	struct env *env = *state;

	cgroupfs_free(env->fs);
	registry_free(env->registry);
	tree_remove(NULL);
	return 0;
}

static void test_open(void **state)
{
	struct env *env = *state;
	int fd = cgroupfs_open(env->fs, "/system.slice//a.service/");

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(cgroupfs_open(env->fs, "/system.slice/../user.slice"), -EINVAL);
	assert_int_equal(cgroupfs_open(env->fs, "/.."), -EINVAL);
	assert_int_equal(cgroupfs_open(env->fs, "/none"), -ENOENT);
	/* Not through links. */
	fd = cgroupfs_open(env->fs, "/link");
	assert_true(fd == -ELOOP || fd == -ENOTDIR);
	fd = cgroupfs_open(env->fs, "/link/a.service");
	assert_true(fd == -ELOOP || fd == -ENOTDIR);
}

static void expect(struct env *env, const char *name, int result, const char *path)
{
	_cleanup_(freep) char *found = NULL;
	const char *reason = NULL;
	int r = cgroupfs_name_to_path(env->fs, name, &found, &reason);
	_cleanup_(closep) int fd = r < 0 ? -1 : cgroupfs_open(env->fs, found);

	/* A unit that is found is there, a path may be none. */
	if (r >= 0 && fd < 0)
		r = -ENOENT;
	if (r != result)
		fail_msg("%s: %d, not %d", name, r, result);
	if (path)
		assert_string_equal(found, path);
	if (r == -EINVAL)
		assert_non_null(reason);
}

static void test_lookup(void **state)
{
	struct env *env = *state;

	expect(env, "/", 0, "/");
	expect(env, "/system.slice/a.service/", 0, "/system.slice/a.service");
	expect(env, "system.slice", 0, "/system.slice");
	expect(env, "user-1.slice", 0, "/user.slice/user-1.slice");
	/* The system's unit before a user's; then whichever there is. */
	expect(env, "a.service", 0, "/system.slice/a.service");
	expect(env, "only", 0, "/user.slice/only.service");
	expect(env, "none.service", -ENOENT, NULL);
	expect(env, "/none", -ENOENT, NULL);
	expect(env, "/link", -ENOENT, NULL);
	expect(env, "/system.slice/../x", -EINVAL, NULL);
	expect(env, "", -EINVAL, NULL);
	/* As it is, and as it was printed. */
	expect(env, "/system.slice/dev-x\\x2dy.service", 0, "/system.slice/dev-x\\x2dy.service");
	expect(env, "/system.slice/dev-x\\\\x2dy.service", 0, "/system.slice/dev-x\\x2dy.service");
	expect(env, "/system.slice/run-p\\xff\\x1b.service", 0,
	       "/system.slice/run-p\xff\x1b.service");
}

static void test_resolve(void **state)
{
	struct env *env = *state;
	struct cgroup_node *node, *top;

	assert_int_equal(cgroupfs_resolve_path(env->fs, "/system.slice/a.service/sub", &node), 0);
	assert_string_equal(node->path, "/system.slice/a.service/sub");
	assert_string_equal(node->parent->path, "/system.slice/a.service");
	assert_string_equal(node->parent->parent->parent->path, "/");
	assert_int_equal(cgroupfs_resolve_path(env->fs, "/system.slice", &top), 0);
	assert_true(cgroup_node_below(node, top->id));
	assert_int_equal(cgroupfs_resolve_path(env->fs, "/none", &node), -ENOENT);
}

static void test_removed(void **state)
{
	struct env *env = *state;
	struct cgroup_node *node;
	char full[256];

	tree_put("system.slice/gone/", NULL);
	assert_int_equal(cgroupfs_resolve_path(env->fs, "/system.slice/gone", &node), 0);
	cgroupfs_check(env->fs, node, 10);
	assert_false(node->removed);
	assert_int_equal(node->owner, getuid());
	snprintf(full, sizeof(full), "%s/system.slice/gone", tree);
	assert_int_equal(rmdir(full), 0);
	cgroupfs_check(env->fs, node, 11); /* looked a moment ago */
	assert_false(node->removed);
	cgroupfs_check(env->fs, node, 2000000);
	assert_true(node->removed);
	assert_string_equal(node->path, "/system.slice/gone");
}

static int count(int fd, const char *path, void *userdata)
{
	unsigned int *n = userdata;

	++*n;
	return strcmp(path, "/user.slice") == 0;
}

static void test_walk(void **state)
{
	struct env *env = *state;
	unsigned int n = 0;

	assert_int_equal(cgroupfs_walk(env->fs, count, &n), 0);
	/* All but the three below user.slice. */
	assert_int_equal(n, 7);
}

/* Directories in a unit, as many as a walk looks at together with @others; one more each time. */
static void fill(const char *unit, unsigned int from, unsigned int to)
{
	char path[128];

	for (unsigned int i = from; i < to; i++) {
		snprintf(path, sizeof(path), "%s/job_%u/", unit, i);
		tree_put(path, NULL);
	}
}

static int count_all(int fd, const char *path, void *userdata)
{
	++*(unsigned int *)userdata;
	return 0;
}

/* A unit with very many cgroups hides no other; and what was not looked at is not "not there". */
static void test_many(void **state)
{
	/* the tree is root's, or all of it is one user's */
	const unsigned int max = geteuid() == 0 ? CGROUP_WALK_MAX : CGROUP_WALK_USER_MAX;
	struct env *env = *state;
	unsigned int n = 0, seen = 0;

	tree_put("system.slice/slurmd.scope/", NULL);
	tree_put("z.slice/z-y.slice/late.service/inner.service/", NULL);
	assert_int_equal(cgroupfs_walk(env->fs, count_all, &n), 0);
	/* one less than the bound, the bound, and one more */
	fill("system.slice/slurmd.scope", n, max - 1);
	expect(env, "none.service", -ENOENT, NULL);
	fill("system.slice/slurmd.scope", max - 1, max);
	expect(env, "none.service", -ENOENT, NULL);
	assert_int_equal(cgroupfs_walk(env->fs, count_all, &seen), 0);
	assert_int_equal(seen, max);
	fill("system.slice/slurmd.scope", max, max + 1);
	expect(env, "none.service", -E2BIG, NULL);
	fill("system.slice/slurmd.scope", max + 1, max + 500);

	expect(env, "a.service", 0, "/system.slice/a.service");
	expect(env, "slurmd.scope", 0, "/system.slice/slurmd.scope");
	expect(env, "only.service", 0, "/user.slice/only.service");
	expect(env, "late.service", 0, "/z.slice/z-y.slice/late.service");
	/* A path needs no look. */
	expect(env, "/z.slice/z-y.slice/late.service/inner.service", 0,
	       "/z.slice/z-y.slice/late.service/inner.service");
	expect(env, "/none", -ENOENT, NULL);
	seen = 0;
	assert_int_equal(cgroupfs_walk(env->fs, count_all, &seen), -E2BIG);
	assert_int_equal(seen, max);
	tree_remove("system.slice/slurmd.scope");
	tree_remove("z.slice");
}

static void test_misc(void **state)
{
	uint64_t value = 5;

	assert_int_equal(cgroup_misc_parse("sev 3\npinned 4096\n", "pinned", &value), 0);
	assert_int_equal(value, 4096);
	assert_int_equal(cgroup_misc_parse("pinned max\n", "pinned", &value), 0);
	assert_true(value == UINT64_MAX);
	assert_int_equal(cgroup_misc_parse("pinned.max 2\n", "pinned.max", &value), 0);
	assert_int_equal(value, 2);
	assert_int_equal(cgroup_misc_parse("pinned.max 2\n", "pinned", &value), -ENODATA);
	assert_int_equal(cgroup_misc_parse("", "pinned", &value), -ENODATA);
	assert_int_equal(cgroup_misc_parse("unpinned 1", "pinned", &value), -ENODATA);
	assert_int_equal(cgroup_misc_parse("pinned x\n", "pinned", &value), -EBADMSG);
	assert_int_equal(cgroup_misc_parse("pinned 99999999999999999999\n", "pinned", &value),
			 -EBADMSG);
	assert_int_equal(value, 2);
}

static void test_delegate(void **state)
{
	struct env *env = *state;
	uid_t me = getuid();

	/* Root owns everything, and delegates nothing to itself. */
	assert_int_equal(cgroupfs_delegate_above(env->fs, "/system.slice/a.service", me),
			 me ? me : (uid_t)-1);
	assert_int_equal(cgroupfs_delegate_above(env->fs, "/system.slice/a.service", 54321),
			 (uid_t)-1);
	/* Strictly above: the root is nobody's. */
	assert_int_equal(cgroupfs_delegate_above(env->fs, "/system.slice", me), (uid_t)-1);
}

static void test_no_mount(void **state)
{
	struct env *env = *state;
	struct cgroupfs *fs = NULL;
	char *reason = NULL;

	assert_int_equal(cgroupfs_new("no-such-mount", env->registry, &fs, &reason), -ENOENT);
	assert_non_null(reason);
	assert_null(fs);
	free(reason);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),	 cmocka_unit_test(test_lookup),
		cmocka_unit_test(test_resolve),	 cmocka_unit_test(test_removed),
		cmocka_unit_test(test_walk),	 cmocka_unit_test(test_many),
		cmocka_unit_test(test_misc),
		cmocka_unit_test(test_delegate), cmocka_unit_test(test_no_mount),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
