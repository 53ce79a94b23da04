/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What files declare: read at the start and by a reload, for what there is and what comes. */
#include "tests/unit/tree.h"

#include "daemon/cgroup/cgroups.h"

struct env {
	char mount[64], files[64];
	const char *dirs[2];
	sd_event *event;
	struct registry *registry;
	struct cgroups *cgroups;
	unsigned int n_done; /* reloads that are over */
	unsigned int n_told; /* of some that have appeared */
};

static void make(const char *path)
{
	char file[256];

	snprintf(file, sizeof(file), "cgroup%s/cgroup.subtree_control", path);
	tree_put(file, "");
	snprintf(file, sizeof(file), "cgroup%s/misc.current", path);
	tree_put(file, "pinned 0\n");
	snprintf(file, sizeof(file), "cgroup%s/misc.max", path);
	tree_put(file, "pinned max\n");
}

static void is_max(struct env *env, const char *path, uint64_t wanted)
{
	_cleanup_(closep) int fd = cgroupfs_open(cgroups_fs(env->cgroups), path);
	struct cgroup_misc misc;

	assert_true(fd >= 0);
	assert_int_equal(cgroupfs_read_misc(NULL, fd, &misc), 0);
	if (misc.max_bytes != wanted)
		fail_msg("%s: %llu", path, (unsigned long long)misc.max_bytes);
}

static int setup(void **state)
{
	static const char *const paths[] = {
		"", "/s.slice", "/s.slice/a.service", "/s.slice/b.service", "/s.slice/a.service/in",
	};
	struct env *env = calloc(1, sizeof(*env));

	assert_non_null(env);
	tree_new();
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		make(paths[i]);
	tree_put("quota.d/", NULL);
	snprintf(env->mount, sizeof(env->mount), "%s/cgroup", tree);
	snprintf(env->files, sizeof(env->files), "%s/quota.d", tree);
	env->dirs[0] = env->files;
	env->registry = registry_new();
	assert_int_equal(sd_event_new(&env->event), 0);
	*state = env;
	return 0;
}

static int teardown(void **state)
{
	struct env *env = *state;

	cgroups_free(env->cgroups);
	registry_free(env->registry);
	sd_event_unref(env->event);
	free(env);
	tree_remove(NULL);
	return 0;
}

static void on_declared(void *userdata)
{
	struct env *env = userdata;

	env->n_told++;
}

static void start(struct env *env)
{
	const struct cgroups_config config = {
		.mount = env->mount,
		.registry = env->registry,
		.quota_dirs = env->dirs,
		.declared = on_declared,
		.userdata = env,
	};

	assert_int_equal(cgroups_new(env->event, &config, &env->cgroups), 0);
	assert_int_equal(cgroups_start(env->cgroups), 0);
}

static void run(struct env *env)
{
	while (sd_event_run(env->event, 0) > 0)
		;
}

static int on_done(void *userdata)
{
	struct env *env = userdata;

	env->n_done++;
	return 0;
}

static void reload(struct env *env)
{
	const unsigned int before = env->n_done;

	assert_true(cgroups_reload(env->cgroups, on_done, env) >= 0);
	run(env);
	assert_int_equal(env->n_done, before + 1);
}

#define OF(match, max) "[Match]\n" match "\n[Quota]\nMax=" max "\n"

static void test_reload(void **state)
{
	struct env *env = *state;

	tree_put("quota.d/10-a.conf", OF("Unit=a.service", "4096"));
	start(env);
	is_max(env, "/s.slice/a.service", 4096);
	is_max(env, "/s.slice/b.service", UINT64_MAX);

	/* one that is wrong: nothing changes, of the others either */
	tree_put("quota.d/10-a.conf", OF("Unit=[ab].service", "8192"));
	tree_put("quota.d/20-b.conf", OF("Unit=b.service", "soon"));
	reload(env);
	is_max(env, "/s.slice/a.service", 4096);
	is_max(env, "/s.slice/b.service", UINT64_MAX);
	tree_remove("quota.d/20-b.conf");
	reload(env);
	is_max(env, "/s.slice/a.service", 8192);
	is_max(env, "/s.slice/b.service", 8192);
	tree_remove("quota.d/10-a.conf");
	reload(env);
	is_max(env, "/s.slice/a.service", UINT64_MAX);
	is_max(env, "/s.slice/b.service", UINT64_MAX);
	assert_int_equal(quotas_declarations(cgroups_quotas(env->cgroups))->n, 0);
}

/* At the start there is nothing that could stay: what is right counts. */
static void test_start(void **state)
{
	struct env *env = *state;

	tree_put("quota.d/10-a.conf", "nonsense");
	tree_put("quota.d/20-b.conf", OF("Unit=b.service", "4096"));
	start(env);
	is_max(env, "/s.slice/b.service", 4096);
}

/* Two reloads at once: the later one takes the place of the other. */
static void test_twice(void **state)
{
	struct env *env = *state;

	start(env);
	tree_put("quota.d/10-a.conf", OF("Unit=a.service", "4096"));
	assert_int_equal(cgroups_reload(env->cgroups, on_done, env), 0);
	tree_put("quota.d/10-a.conf", OF("Unit=a.service", "8192"));
	reload(env);
	is_max(env, "/s.slice/a.service", 8192);
}

static void test_appears(void **state)
{
	struct env *env = *state;

	tree_put("quota.d/10-a.conf", OF("Unit=c.service", "4096") OF("CGroup=jobs/*/step", "8192"));
	start(env);
	make("/s.slice/c.service");
	make("/s.slice/d.service");
	/* below what is no slice; all of it before anybody looks, and one by one */
	make("/jobs");
	make("/jobs/1");
	make("/jobs/1/step");
	make("/jobs/1/other");
	run(env);
	is_max(env, "/s.slice/c.service", 4096);
	is_max(env, "/s.slice/d.service", UINT64_MAX);
	is_max(env, "/jobs/1/step", 8192);
	is_max(env, "/jobs/1/other", UINT64_MAX);
	make("/jobs/2");
	run(env);
	make("/jobs/2/step");
	run(env);
	is_max(env, "/jobs/2/step", 8192);
}

/* What pins there already may be too much: that it has a quota now is told. */
static void test_told(void **state)
{
	struct env *env = *state;
	unsigned int n_told;

	tree_put("quota.d/10-a.conf", OF("Unit=c.service", "4096"));
	start(env);
	make("/s.slice/d.service");
	run(env);
	n_told = env->n_told;
	make("/s.slice/e.service");
	run(env);
	assert_int_equal(env->n_told, n_told);
	make("/s.slice/c.service");
	run(env);
	assert_int_equal(env->n_told, n_told + 1);
	assert_true(quotas_find(cgroups_quotas(env->cgroups), "/s.slice/c.service")->raised);
}

/* Patterns of everything and of nothing, and several that match: one section counts. */
static void test_patterns(void **state)
{
	struct env *env = *state;

	tree_put("quota.d/10-all.conf", OF("Unit=*", "4096") OF("Unit=no-such.service", "1"));
	start(env);
	is_max(env, "/s.slice", 4096);
	is_max(env, "/s.slice/a.service", 4096);
	is_max(env, "/", UINT64_MAX);
	tree_put("quota.d/20-b.conf", OF("Unit=b.*", "8192\nHigh=4096"));
	tree_put("quota.d/30-b.conf", OF("Unit=b.*", "16384"));
	reload(env);
	is_max(env, "/s.slice/a.service", 4096);
	is_max(env, "/s.slice/b.service", 16384);
	/* nothing of the section that does not count */
	assert_true(quotas_find(cgroups_quotas(env->cgroups), "/s.slice/b.service")->high_bytes ==
		    UINT64_MAX);
}

static void enforce(struct env *env, const char *path, int wanted, const char *wanted_at)
{
	_cleanup_(freep) char *at = NULL, *reason = NULL;
	int r = cgroups_enforce(env->cgroups, path, &at, &reason);

	if (r != wanted || !at != !wanted_at || (at && strcmp(at, wanted_at) != 0))
		fail_msg("%s: %d at %s", path, r, at ?: "nowhere");
	assert_true(r != -EOPNOTSUPP || reason);
}

/* For a process that is about to start: its cgroup, and those above. */
static void test_enforce(void **state)
{
	struct env *env = *state;

	tree_put("quota.d/10-a.conf", OF("Unit=a.service s.slice t.service", "4096"));
	start(env);
	tree_put("cgroup/s.slice/misc.max", "pinned max\n");
	tree_put("cgroup/s.slice/a.service/misc.max", "pinned max\n");
	enforce(env, "/s.slice/a.service/in", 0, NULL);
	is_max(env, "/s.slice", 4096);
	is_max(env, "/s.slice/a.service", 4096);
	is_max(env, "/s.slice/a.service/in", UINT64_MAX);
	enforce(env, "/s.slice/none.service", -ENOENT, NULL);
	tree_put("cgroup/s.slice/t.service/cgroup.type", "threaded\n");
	tree_put("cgroup/s.slice/t.service/in/", NULL);
	enforce(env, "/s.slice/t.service/in", -EOPNOTSUPP, "/s.slice/t.service");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_reload),  TEST(test_start),	 TEST(test_twice),
		TEST(test_appears), TEST(test_told), TEST(test_patterns), TEST(test_enforce),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
