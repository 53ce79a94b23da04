/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Policies on disk, and in a made-up kernel. Cgroups are plain directories. */
#include <dirent.h>

#include "tests/unit/cgroup/policies-fixture.h"

static void set(struct env *env, const char *path, uint32_t policy, bool runtime)
{
	char *reason = NULL;

	assert_int_equal(policies_set(env->policies, path, policy, 0, runtime, &reason), 0);
	assert_null(reason);
	assert_int_equal(in_kernel(env, path), policy);
}

static void test_kept(void **state)
{
	struct env *env = *state;

	set(env, "/a", DENY, false);
	set(env, "/a/b", REVOCABLE, true);
	set(env, "/a", REVOCABLE, false);
	restart(env);
	assert_int_equal(policies_find(env->policies, "/a")->policy, REVOCABLE);
	assert_null(policies_find(env->policies, "/a/b"));
	assert_null(policies_list(env->policies)->next);

	/* A machine that was started anew has none in the kernel. */
	kernel.n = 0;
	policies_apply(env->policies, NULL);
	assert_int_equal(in_kernel(env, "/a"), REVOCABLE);

	assert_int_equal(policies_clear(env->policies, "/a"), 0);
	assert_int_equal(in_kernel(env, "/a"), ALLOW);
	assert_int_equal(policies_clear(env->policies, "/a"), -ENOENT);
	restart(env);
	assert_null(policies_list(env->policies));
}

static void test_status(void **state)
{
	struct env *env = *state;
	const struct policy_entry *e;
	struct policy_status st;

	set(env, "/a", DENY, false);
	set(env, "/a/b", REVOCABLE, false);
	e = policies_find(env->policies, "/a/b");
	policies_status(env->policies, "/a/b", e, &st);
	assert_int_equal(st.state, POLICY_APPLIED);
	assert_int_equal(st.own, REVOCABLE);
	assert_int_equal(st.effective, DENY);
	assert_true(st.cgroup_id != 0);
	assert_null(st.reason);

	/* Others may set it, too. */
	kernel.n = 0;
	policies_status(env->policies, "/a/b", e, &st);
	assert_int_equal(st.state, POLICY_FAILED);
	assert_int_equal(st.effective, ALLOW);
	assert_non_null(strstr(st.reason, "allow"));
	free(st.reason);

	kernel.error = -EOPNOTSUPP;
	policies_status(env->policies, "/a/b", e, &st);
	assert_int_equal(st.state, POLICY_FAILED);
	assert_string_equal(st.reason, "because");
	free(st.reason);
}

/* The cgroup goes and comes back: so does the policy, and that of those below. */
static void test_appears(void **state)
{
	struct env *env = *state;
	struct policy_status st;
	char full[256];

	set(env, "/a/b", DENY, false);
	snprintf(full, sizeof(full), "%s/a/b", env->root);
	assert_int_equal(rmdir(full), 0);
	policies_status(env->policies, "/a/b", policies_find(env->policies, "/a/b"), &st);
	assert_int_equal(st.state, POLICY_PENDING);
	free(st.reason);
	kernel.n = 0;
	tree_put("cgroup/a/b/", NULL);
	policies_apply(env->policies, "/a/bb");
	policies_apply(env->policies, "/a/b/c");
	assert_int_equal(in_kernel(env, "/a/b"), ALLOW);
	policies_apply(env->policies, "/a");
	assert_int_equal(in_kernel(env, "/a/b"), DENY);
}

/* What cannot be set is not kept either. */
static void test_refused(void **state)
{
	struct env *env = *state;
	char *reason = NULL;

	set(env, "/a", REVOCABLE, false);
	kernel.error = -EOPNOTSUPP;
	assert_int_equal(policies_set(env->policies, "/a", DENY, 0, false, &reason), -EOPNOTSUPP);
	assert_string_equal(reason, "because");
	free(reason);
	reason = NULL;
	kernel.error = 0;
	assert_int_equal(policies_find(env->policies, "/a")->policy, REVOCABLE);
	restart(env);
	assert_int_equal(policies_find(env->policies, "/a")->policy, REVOCABLE);
	assert_int_equal(policies_set(env->policies, "/gone", DENY, 0, false, &reason), -ENOENT);
	assert_null(reason);

	kernel.features = 0;
	assert_int_equal(policies_set(env->policies, "/a", DENY, 0, false, &reason), -EOPNOTSUPP);
	assert_non_null(reason);
	free(reason);
	assert_int_equal(policies_find(env->policies, "/a")->policy, REVOCABLE);
}

/* How memory counts is a policy of its own, beside the other one. */
static void test_count(void **state)
{
	struct env *env = *state;
	struct policy_status st;
	char *reason = NULL;

	set(env, "/a", DENY, false);
	assert_int_equal(policies_set(env->policies, "/a", 0, ONCE, false, &reason), -EOPNOTSUPP);
	assert_non_null(strstr(reason, "for each pin"));
	free(reason);
	reason = NULL;
	assert_int_equal(policies_find(env->policies, "/a")->count, EACH);

	kernel.features |= PINGUARD_FEATURE_ONCE;
	assert_int_equal(policies_set(env->policies, "/a", 0, ONCE, false, &reason), 0);
	assert_int_equal(entry_in_kernel(env, "/a")->count, ONCE);
	assert_int_equal(in_kernel(env, "/a"), DENY);
	set(env, "/a", REVOCABLE, false);
	assert_int_equal(entry_in_kernel(env, "/a")->count, ONCE);

	restart(env);
	kernel.n = 0;
	policies_apply(env->policies, NULL);
	assert_int_equal(entry_in_kernel(env, "/a")->count, ONCE);
	assert_int_equal(in_kernel(env, "/a"), REVOCABLE);

	policies_status(env->policies, "/a/b", NULL, &st);
	assert_int_equal(st.own_count, EACH);
	assert_int_equal(st.effective_count, ONCE);
	entry_in_kernel(env, "/a")->count = EACH;
	policies_status(env->policies, "/a", policies_find(env->policies, "/a"), &st);
	assert_int_equal(st.state, POLICY_FAILED);
	assert_non_null(strstr(st.reason, "each"));
	free(st.reason);

	/* Patches that do not know it, after those that did. */
	kernel.features = PINGUARD_FEATURE_POLICY;
	policies_status(env->policies, "/a", policies_find(env->policies, "/a"), &st);
	assert_int_equal(st.state, POLICY_FAILED);
	assert_non_null(strstr(st.reason, "for each pin"));
	free(st.reason);

	assert_int_equal(policies_clear(env->policies, "/a"), 0);
	assert_int_equal(entry_in_kernel(env, "/a")->count, EACH);
	assert_int_equal(policies_clear(env->policies, "/a"), -ENOENT);
	kernel.features |= PINGUARD_FEATURE_ONCE;
	entry_in_kernel(env, "/a")->count = ONCE;
	assert_int_equal(policies_clear(env->policies, "/a"), 0);
	assert_int_equal(entry_in_kernel(env, "/a")->count, EACH);
}

static void test_limit(void **state)
{
	struct env *env = *state;
	char path[64], *reason = NULL;
	FILE *f;

	snprintf(path, sizeof(path), "%s/" POLICIES_FILE, env->dir);
	f = fopen(path, "we");
	assert_non_null(f);
	fputs("{\"version\":1,\"policies\":[", f);
	for (unsigned int i = 0; i < POLICIES_MAX; i++)
		fprintf(f, "%s{\"cgroup\":\"/%u\",\"policy\":\"deny\"}", i ? "," : "", i);
	fputs("]}", f);
	assert_int_equal(fclose(f), 0);
	restart(env);
	assert_int_equal(policies_set(env->policies, "/a", DENY, 0, true, &reason), -E2BIG);
	assert_null(reason);
}

static unsigned int count_corrupt(struct env *env)
{
	DIR *dir = opendir(env->dir);
	unsigned int n = 0;
	struct dirent *de;

	assert_non_null(dir);
	while ((de = readdir(dir)))
		n += !!strstr(de->d_name, ".corrupt-");
	closedir(dir);
	return n;
}

static void test_damaged(void **state)
{
	static const char *const texts[] = {
		"", "{}", "{\"version\":2,\"policies\":[]}", "{\"version\":1,\"policies\":[1]}",
		"{\"version\":1,\"policies\":[{\"cgroup\":\"/a\"}]}",
		"{\"version\":1,\"policies\":[{\"cgroup\":\"/a\",\"policy\":\"maybe\"}]}",
		"{\"version\":1,\"policies\":[{\"cgroup\":\"a\",\"policy\":\"deny\"}]}",
		"{\"version\":1,\"policies\":[{\"cgroup\":\"/a\",\"policy\":\"deny\"},"
		"{\"cgroup\":\"/a\",\"policy\":\"deny\"}]}",
	};
	struct env *env = *state;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/" POLICIES_FILE, env->dir);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		f = fopen(path, "we");
		assert_non_null(f);
		fputs(texts[i], f);
		assert_int_equal(fclose(f), 0);
		restart(env);
		if (policies_list(env->policies) || access(path, F_OK) == 0)
			fail_msg("accepted: %s", texts[i]);
	}
	assert_true(count_corrupt(env) > 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_kept),    TEST(test_status), TEST(test_appears),
		TEST(test_refused), TEST(test_count), TEST(test_limit),  TEST(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
