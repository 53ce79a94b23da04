/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Policies that files declare: applied, changed, given back, beside those that are set. */
#include "tests/unit/cgroup/policies-fixture.h"

static int setup_declared(void **state)
{
	struct env *env;

	/* nobody else can mark a cgroup */
	if (geteuid() != 0)
		return 0;
	assert_int_equal(setup(state), 0);
	env = *state;
	assert_int_equal(quotas_new(env->fs, NULL, &env->quotas), 0);
	restart(env);
	return 0;
}

static int teardown_declared(void **state)
{
	return geteuid() == 0 ? teardown(state) : 0;
}

/* Whether the kernel has had nothing to do. */
static bool look(struct env *env, const char *path)
{
	int fd = cgroupfs_open(env->fs, path);
	const unsigned int before = kernel.n_set;

	assert_true(fd >= 0);
	policies_look(env->policies, fd, path,
		      declarations_match(quotas_declarations(env->quotas), path));
	close(fd);
	return kernel.n_set == before;
}

/* The files say this from now on; policy: NULL for nothing. */
static void declare(struct env *env, const char *policy)
{
	struct declarations *d = declarations_new();
	const char *reason = "";
	unsigned int line;
	char text[128];

	snprintf(text, sizeof(text), "[Match]\nCGroup=/a\n[Quota]\nPolicy=%s\n", policy ?: "allow");
	if (policy && declarations_parse(d, text, "/etc/x.conf", 0, &line, &reason) < 0)
		fail_msg("%u: %s", line, reason);
	quotas_declare(env->quotas, d, true);
}

static void set(struct env *env, uint32_t policy)
{
	char *reason = NULL;

	assert_int_equal(policies_set(env->policies, "/a", policy, 0, false, &reason), 0);
}

static void test_life(void **state)
{
	struct env *env = *state;

	if (geteuid() != 0)
		skip();
	declare(env, "deny");
	assert_false(look(env, "/a"));
	assert_int_equal(in_kernel(env, "/a"), DENY);
	assert_int_equal(entry_in_kernel(env, "/a")->count, EACH);
	assert_true(look(env, "/a"));
	assert_true(look(env, "/a/b"));
	assert_int_equal(in_kernel(env, "/a/b"), ALLOW);
	declare(env, "revocable");
	assert_false(look(env, "/a"));
	assert_int_equal(in_kernel(env, "/a"), REVOCABLE);
	/* a service that starts anew knows what it has written */
	restart(env);
	declare(env, NULL);
	assert_false(look(env, "/a"));
	assert_int_equal(in_kernel(env, "/a"), ALLOW);
	assert_true(look(env, "/a"));
}

/* Somebody else's is left alone, also the same one, and one that was ours. */
static void test_external(void **state)
{
	struct env *env = *state;

	if (geteuid() != 0)
		skip();
	entry_in_kernel(env, "/a")->policy = REVOCABLE;
	declare(env, "deny");
	assert_true(look(env, "/a"));
	declare(env, "revocable");
	assert_true(look(env, "/a"));
	declare(env, NULL);
	assert_true(look(env, "/a"));
	assert_int_equal(in_kernel(env, "/a"), REVOCABLE);

	entry_in_kernel(env, "/a")->policy = ALLOW;
	declare(env, "deny");
	assert_false(look(env, "/a"));
	entry_in_kernel(env, "/a")->policy = REVOCABLE;
	declare(env, NULL);
	assert_true(look(env, "/a"));
	assert_int_equal(in_kernel(env, "/a"), REVOCABLE);
}

/* One that is set counts, and what is declared takes its place at once. */
static void test_set(void **state)
{
	struct env *env = *state;
	unsigned int before;

	if (geteuid() != 0)
		skip();
	declare(env, "deny");
	assert_false(look(env, "/a"));
	set(env, REVOCABLE);
	assert_true(look(env, "/a"));
	assert_int_equal(in_kernel(env, "/a"), REVOCABLE);
	before = kernel.n_set;
	assert_int_equal(policies_clear(env->policies, "/a"), 0);
	assert_int_equal(in_kernel(env, "/a"), DENY);
	/* allowed for no moment */
	assert_int_equal(kernel.n_set, before + 1);
	assert_true(look(env, "/a"));
	/* and is the file's again */
	declare(env, NULL);
	assert_false(look(env, "/a"));
	assert_int_equal(in_kernel(env, "/a"), ALLOW);

	/* its file has gone meanwhile */
	declare(env, "deny");
	assert_false(look(env, "/a"));
	set(env, REVOCABLE);
	declare(env, NULL);
	assert_true(look(env, "/a"));
	assert_int_equal(policies_clear(env->policies, "/a"), 0);
	assert_int_equal(in_kernel(env, "/a"), ALLOW);
	/* nothing is ours now */
	entry_in_kernel(env, "/a")->policy = DENY;
	assert_true(look(env, "/a"));
}

/* What the kernel does not take leaves none, and is tried again. */
static void test_refused(void **state)
{
	struct env *env = *state;

	if (geteuid() != 0)
		skip();
	declare(env, "deny");
	set(env, REVOCABLE);
	kernel.refused = DENY;
	assert_int_equal(policies_clear(env->policies, "/a"), 0);
	assert_int_equal(in_kernel(env, "/a"), ALLOW);
	assert_true(quotas_declarations(env->quotas)->all[0]->failed);
	assert_true(look(env, "/a"));
	kernel.refused = 0;
	assert_false(look(env, "/a"));
	assert_int_equal(in_kernel(env, "/a"), DENY);
	/* the cgroup is gone: so is its policy */
	set(env, REVOCABLE);
	tree_remove("cgroup/a");
	assert_int_equal(policies_clear(env->policies, "/a"), 0);
	assert_null(policies_list(env->policies));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup_declared, teardown_declared)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_life), TEST(test_external), TEST(test_set), TEST(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
