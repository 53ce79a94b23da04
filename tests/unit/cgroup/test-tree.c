/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the controller is turned on, on a tree of plain directories. */
#include "tests/unit/tree.h"

#include "daemon/cgroup/tree.h"

struct env {
	struct registry *registry;
	struct cgroupfs *fs;
	sd_event *event;
	struct cgroup_tree *tree;
	char appeared[256];
};

/* A cgroup that has the controller off. */
static void make(const char *path)
{
	char file[256];

	snprintf(file, sizeof(file), "%s/cgroup.subtree_control", path);
	tree_put(file, "cpu memory\n");
}

static bool is_on(const char *path)
{
	char full[256], text[32] = "";
	FILE *file;

	snprintf(full, sizeof(full), "%s/%s/cgroup.subtree_control", tree, path);
	file = fopen(full, "re");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	fclose(file);
	return strncmp(text, "+misc", 5) == 0;
}

static int setup(void **state)
{
	static const char *const paths[] = {
		".", "system.slice", "system.slice/a.service", "system.slice/a.service/job",
		"system.slice/a.service/job/step", "system.slice/b.service",
		"system.slice/b.service/job", "docker", "pods.slice", "pods.slice/one.slice",
		"pods.slice/one.slice/c.scope",
	};
	struct env *env = calloc(1, sizeof(*env));
	char *reason = NULL;

	assert_non_null(env);
	tree_new();
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		make(paths[i]);
	env->registry = registry_new();
	assert_int_equal(cgroupfs_new(tree, env->registry, &env->fs, &reason), 0);
	assert_int_equal(sd_event_new(&env->event), 0);
	*state = env;
	return 0;
}

static int teardown(void **state)
{
	struct env *env = *state;

	cgroup_tree_free(env->tree);
	cgroupfs_free(env->fs);
	registry_free(env->registry);
	sd_event_unref(env->event);
	free(env);
	tree_remove(NULL);
	return 0;
}

static int on_appeared(const char *path, void *userdata)
{
	struct env *env = userdata;

	snprintf(env->appeared, sizeof(env->appeared), "%s", path);
	return 0;
}

static void start(struct env *env, bool control, char *const *enabled)
{
	assert_int_equal(cgroup_tree_new(env->event, env->fs, control, enabled, on_appeared, env,
					 &env->tree), 0);
}

static void run(struct env *env)
{
	while (sd_event_run(env->event, 0) > 0)
		;
}

/* Slices alone, where nothing else is said. */
static void test_slices(void **state)
{
	struct env *env = *state;

	start(env, true, NULL);
	assert_true(is_on(".") && is_on("system.slice") && is_on("pods.slice") &&
		    is_on("pods.slice/one.slice"));
	assert_false(is_on("system.slice/a.service") || is_on("docker") ||
		     is_on("pods.slice/one.slice/c.scope"));
	assert_null(cgroup_tree_uncontrolled(env->tree));
}

static void test_watch(void **state)
{
	char *const enabled[] = { (char *)"/docker", NULL };
	struct env *env = *state;

	start(env, false, enabled);
	assert_false(is_on(".") || is_on("system.slice") || is_on("docker"));
}

/* In it level by level where there are children; in it itself, and in slices, beforehand. */
static void test_enabled(void **state)
{
	char *const enabled[] = { (char *)"/system.slice/a.service", (char *)"/docker",
				  (char *)"/none", NULL };
	struct env *env = *state;

	start(env, true, enabled);
	assert_true(is_on("system.slice/a.service") && is_on("system.slice/a.service/job") &&
		    is_on("docker"));
	assert_false(is_on("system.slice/a.service/job/step") ||
		     is_on("system.slice/b.service") || is_on("pods.slice/one.slice/c.scope"));

	/* One that has no child may be about to get processes. */
	make("docker/c1");
	run(env);
	assert_string_equal(env->appeared, "/docker/c1");
	assert_false(is_on("docker/c1"));
	make("docker/c1/init");
	run(env);
	assert_true(is_on("docker/c1"));
	assert_false(is_on("docker/c1/init"));
	make("docker/c.slice");
	run(env);
	assert_true(is_on("docker/c.slice"));
	/* What is named, and comes later. */
	make("none");
	make("none/child");
	run(env);
	assert_true(is_on("none"));
	assert_false(is_on("none/child"));
}

/* The way to what is named is left as it is. */
static void test_above(void **state)
{
	char *const enabled[] = { (char *)"/system.slice/b.service/job", NULL };
	struct env *env = *state;

	start(env, true, enabled);
	assert_false(is_on("system.slice/b.service"));
	assert_true(is_on("system.slice/b.service/job"));
	assert_false(is_on("system.slice/a.service"));
}

/* Others are named: the old ones are left as they are, and are no concern any more. */
static void test_others(void **state)
{
	char *const first[] = { (char *)"/docker", (char *)"/bad", NULL };
	char *const second[] = { (char *)"/system.slice/a.service", NULL };
	struct env *env = *state;

	tree_put("bad/cgroup.subtree_control/", NULL);
	start(env, true, first);
	assert_string_equal(cgroup_tree_uncontrolled(env->tree)->path, "/bad");
	assert_non_null(cgroup_tree_uncontrolled(env->tree)->reason);
	cgroup_tree_set_enabled(env->tree, second);
	assert_int_equal(cgroup_tree_scan(env->tree), 0);
	assert_null(cgroup_tree_uncontrolled(env->tree));
	assert_true(is_on("system.slice/a.service/job") && is_on("docker"));
	make("docker/c1");
	make("docker/c1/init");
	run(env);
	assert_false(is_on("docker/c1"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_slices), TEST(test_watch), TEST(test_enabled),
		TEST(test_above),  TEST(test_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
