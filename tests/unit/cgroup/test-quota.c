/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shares of users: of the quotas, and of walks over the tree. On plain directories. */
#include "tests/unit/tree.h"

#include "daemon/cgroup/quotas.h"

#define USER ((uid_t)12345)
#define ADMIN ((uid_t)-1)

struct env {
	struct registry *registry;
	struct cgroupfs *fs;
	struct quotas *quotas;
};

static void make(const char *path, uid_t owner)
{
	char full[256];

	snprintf(full, sizeof(full), "%s/misc.current", path);
	tree_put(full, "pinned 0\n");
	snprintf(full, sizeof(full), "%s/misc.max", path);
	tree_put(full, "pinned 0\n");
	snprintf(full, sizeof(full), "%s/%s", tree, path);
	if (geteuid() == 0)
		assert_int_equal(chown(full, owner, owner), 0);
}

static int setup(void **state)
{
	struct env *env = calloc(1, sizeof(*env));
	char *reason = NULL;

	assert_non_null(env);
	tree_new();
	env->registry = registry_new();
	assert_int_equal(cgroupfs_new(tree, env->registry, &env->fs, &reason), 0);
	assert_int_equal(quotas_new(env->fs, NULL, &env->quotas), 0);
	*state = env;
	return 0;
}

static int teardown(void **state)
{
	struct env *env = *state;

	quotas_free(env->quotas);
	cgroupfs_free(env->fs);
	registry_free(env->registry);
	tree_remove(NULL);
	free(env);
	return 0;
}

static int set(struct env *env, const char *path, uid_t uid)
{
	_cleanup_(freep) char *reason = NULL;

	return quotas_set(env->quotas, path, 4096, UINT64_MAX, true, uid, &reason);
}

static int set_high(struct env *env, const char *path, uint64_t high_bytes, uid_t uid)
{
	_cleanup_(freep) char *reason = NULL;

	return quotas_set(env->quotas, path, UINT64_MAX, high_bytes, true, uid, &reason);
}

static void set_current(const char *path, unsigned int bytes)
{
	char file[256], text[32];

	snprintf(file, sizeof(file), "%s/misc.current", path + 1);
	snprintf(text, sizeof(text), "pinned %u\n", bytes);
	tree_put(file, text);
}

/* What users leave behind takes nothing from anybody. */
static void test_user_share(void **state)
{
	struct env *env = *state;
	char path[64];
	int i;

	for (i = 0; i < QUOTAS_UID_MAX; i++) {
		snprintf(path, sizeof(path), "/u%d", i);
		make(path + 1, USER);
		assert_int_equal(set(env, path, USER), 0);
	}
	make("more", USER);
	assert_int_equal(set(env, "/more", USER), -E2BIG);
	assert_int_equal(set(env, "/u0", USER), 0);
	assert_int_equal(set(env, "/more", USER + 1), 0);
	assert_int_equal(quotas_clear(env->quotas, "/more", USER + 1), 0);
	assert_int_equal(set(env, "/more", ADMIN), 0);
	assert_int_equal(set(env, "/more", USER), -EPERM);
	/* The quota goes with its cgroup. */
	tree_remove("u7");
	make("again", USER);
	assert_int_equal(set(env, "/again", USER), 0);
	assert_int_equal(quotas_count(env->quotas), QUOTAS_UID_MAX + 1);
}

/* Another user's cgroup has the path of one that was removed. */
static void test_path_again(void **state)
{
	struct env *env = *state;
	char other[64], path[64];

	make("p", USER);
	assert_int_equal(set(env, "/p", USER), 0);
	assert_int_equal(set(env, "/p", USER + 1), -EPERM);
	/* not removed first: its inode would be free for the next one */
	snprintf(path, sizeof(path), "%s/p", tree);
	snprintf(other, sizeof(other), "%s/old", tree);
	assert_int_equal(rename(path, other), 0);
	make("p", USER + 1);
	assert_int_equal(set(env, "/p", USER + 1), 0);
}

/* Which quotas have a high mark is known after each change, and how much is above it. */
static void test_high(void **state)
{
	struct env *env = *state;
	char path[64];
	uint64_t id;
	int fd;

	assert_int_equal(quotas_n_high(env->quotas), 0);
	assert_null(quotas_find_high(env->quotas, "/p0"));
	for (int i = 0; i < 10; i++) {
		snprintf(path, sizeof(path), "/p%d", i);
		make(path + 1, USER);
		assert_int_equal(set_high(env, path, i % 2 ? 100ULL + i : UINT64_MAX, ADMIN), 0);
	}
	assert_int_equal(quotas_n_high(env->quotas), 5);
	assert_null(quotas_find_high(env->quotas, "/p0"));
	assert_null(quotas_find_high(env->quotas, "/p"));
	assert_int_equal(quotas_find_high(env->quotas, "/p7")->high_bytes, 107);
	assert_int_equal(set(env, "/p7", ADMIN), 0);
	assert_null(quotas_find_high(env->quotas, "/p7"));
	assert_int_equal(quotas_clear(env->quotas, "/p9", ADMIN), 0);
	assert_int_equal(quotas_n_high(env->quotas), 3);

	assert_int_equal(quotas_current_bytes(env->quotas, quotas_find(env->quotas, "/p1")), 0);
	set_current("/p1", 150);
	assert_int_equal(quotas_current_bytes(env->quotas, quotas_find(env->quotas, "/p1")), 150);
	tree_remove("p1");
	assert_int_equal(quotas_current_bytes(env->quotas, quotas_find(env->quotas, "/p1")), 0);

	/* A user's is for one cgroup, not for the next one of that path. */
	make("u", USER);
	assert_int_equal(set_high(env, "/u", 10, USER), 0);
	set_current("/u", 50);
	fd = cgroupfs_open(env->fs, "/u");
	assert_int_equal(cgroupfs_id(fd, &id), 0);
	close(fd);
	assert_int_equal(quotas_high_bytes(env->quotas, "/u", id), 10);
	assert_true(quotas_high_bytes(env->quotas, "/u", id + 1) == UINT64_MAX);
	assert_int_equal(quotas_current_bytes(env->quotas, quotas_find(env->quotas, "/u")), 50);
	quotas_find(env->quotas, "/u")->cgroup_id++;
	assert_int_equal(quotas_current_bytes(env->quotas, quotas_find(env->quotas, "/u")), 0);
}

static int count(int fd, const char *path, void *userdata)
{
	unsigned int *n = userdata;

	n[strncmp(path, "/u", 2) == 0 ? 0 : 1]++;
	return 0;
}

static void test_walk_share(void **state)
{
	struct env *env = *state;
	unsigned int n[2] = {};
	char path[64];
	int i;

	if (geteuid() != 0)
		skip();
	make("u", USER);
	for (i = 0; i < CGROUP_WALK_USER_MAX + 50; i++) {
		snprintf(path, sizeof(path), "/u/%d", i);
		make(path + 1, USER);
	}
	make("a", 0);
	make("a/b", 0);
	make("z", 0);
	assert_int_equal(cgroupfs_walk(env->fs, count, n), -E2BIG);
	assert_int_equal(n[0], CGROUP_WALK_USER_MAX);
	assert_int_equal(n[1], 4);
}

static struct {
	uint64_t id, max_bytes;
	int r;
} counted;

static void read_counted(uint64_t id, struct cgroup_misc *ret, void *userdata)
{
	ret->current_bytes = 512;
	ret->denied = 3;
	if (id == counted.id)
		ret->max_bytes = counted.max_bytes;
}

static int set_counted(uint64_t id, uint64_t max_bytes, void *userdata)
{
	if (counted.r < 0)
		return counted.r;
	counted.id = id;
	counted.max_bytes = max_bytes;
	return 0;
}

/* Something else in place of the controller, whose files are not there. */
static void test_counter(void **state)
{
	const struct cgroup_counter counter = {
		.read = read_counted, .set_max = set_counted, .depth_max = 2,
	};
	struct env *env = *state;
	_cleanup_(freep) char *reason = NULL;
	struct quota_status status;
	struct cgroup_misc misc;
	uint64_t id;
	int fd;

	tree_put("a/b/c/file", "");
	assert_int_equal(set(env, "/a", ADMIN), -EOPNOTSUPP);
	cgroupfs_set_counter(env->fs, &counter);
	assert_int_equal(set(env, "/a/b", ADMIN), 0);
	fd = cgroupfs_open(env->fs, "/a/b");
	assert_int_equal(cgroupfs_id(fd, &id), 0);
	assert_int_equal(counted.id, id);
	assert_int_equal(counted.max_bytes, 4096);
	assert_int_equal(cgroupfs_read_misc(env->fs, fd, &misc), 0);
	assert_true(misc.present);
	assert_int_equal(misc.current_bytes, 512);
	assert_int_equal(misc.max_bytes, 4096);
	assert_int_equal(misc.denied, 3);
	assert_int_equal(misc.peak_bytes, UINT64_MAX);
	close(fd);
	quotas_status(env->quotas, quotas_find(env->quotas, "/a/b"), &status);
	assert_int_equal(status.state, QUOTA_APPLIED);
	assert_int_equal(status.effective_bytes, 4096);
	assert_int_equal(status.current_bytes, 512);

	assert_int_equal(quotas_set(env->quotas, "/a/b/c", 4096, UINT64_MAX, true, ADMIN, &reason),
			 -EOPNOTSUPP);
	assert_string_equal(reason, "it is more than 2 levels below the root");
	counted.r = -ENOSPC;
	assert_int_equal(set(env, "/a", ADMIN), -ENOSPC);
	assert_null(quotas_find(env->quotas, "/a"));
	counted.r = 0;
	assert_int_equal(quotas_clear(env->quotas, "/a/b", ADMIN), 0);
	assert_int_equal(counted.max_bytes, UINT64_MAX);
	cgroupfs_set_counter(env->fs, NULL);
	assert_int_equal(set(env, "/a", ADMIN), -EOPNOTSUPP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_user_share, setup, teardown),
		cmocka_unit_test_setup_teardown(test_path_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_high, setup, teardown),
		cmocka_unit_test_setup_teardown(test_walk_share, setup, teardown),
		cmocka_unit_test_setup_teardown(test_counter, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
