/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the program does without being the service. */
#include "tests/unit/tree.h"

#include "daemon/offline/internal.h"

static const struct {
	const char *match, *names[DROP_IN_NAMES];
	bool impossible;
} cases[] = {
	{ "Unit=a.service", { "a.service" } },
	{ "Unit=a@b.service", { "a@b.service" } },
	{ "Unit=x\\x2dy.service", { "x\\x2dy.service" } },
	{ "Unit=a@*.service", { "a@.service" } },
	{ "Unit=a-b@*.service", { "a-b@.service" } },
	{ "Unit=a-*.service", { "a-.service", "a-@.service" } },
	{ "Unit=a-b-*.service", { "a-b-.service", "a-b-@.service" } },
	{ "CGroup=/system.slice/a.service", { "a.service" } },
	{ "CGroup=system.slice/*.slice/a@*.service", { "a@.service" } },
	{ "CGroup=/system.slice/_a.service", { "a.service" } },
	{ "CGroup=a.service", { "a.service" } },
	/* it would wait for itself */
	{ "Unit=pinguard.service", {} },
	{ "Unit=*.service", {}, true },
	{ "Unit=-*.service", {}, true },
	{ "Unit=@*.service", {}, true },
	{ "Unit=a*.service", {}, true },
	{ "Unit=a@b-*.service", {}, true },
	{ "Unit=a@*x.service", {}, true },
	{ "Unit=a-?.service", {}, true },
	{ "Unit=a-*b*.service", {}, true },
	{ "Unit=[ab]-*.service", {}, true },
	{ "Unit=a.slice", {}, true },
	{ "Unit=a-*.scope", {}, true },
	{ "Unit=.service", {}, true },
	{ "Unit=a$b.service", {}, true },
	{ "CGroup=/docker/a.service", {}, true },
	{ "CGroup=/a.service/b.service", {}, true },
	{ "CGroup=/*/a.service", {}, true },
};

static void test_names(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(declarations_freep) struct declarations *d = declarations_new();
		char text[128], *names[DROP_IN_NAMES];
		const char *reason = NULL;
		unsigned int line;
		int r;

		snprintf(text, sizeof(text), "[Match]\n%s\n[Quota]\nMax=1\n", cases[i].match);
		assert_int_equal(declarations_parse(d, text, "x", 0, &line, &reason), 0);
		r = drop_in_names(d->all[0], d->all[0]->patterns[0], names, &reason);
		if ((r == -EOPNOTSUPP) != cases[i].impossible || (cases[i].impossible && !reason))
			fail_msg("%s: %d", cases[i].match, r);
		for (size_t j = 0; j < DROP_IN_NAMES; j++) {
			if (!names[j] != !cases[i].names[j] ||
			    (names[j] && strcmp(names[j], cases[i].names[j]) != 0))
				fail_msg("%s: %s", cases[i].match, names[j] ?: "-");
			free(names[j]);
		}
	}
}

struct env {
	char config[64], release[64], quota[64], units[64], mount[64], state[64];
	const char *dirs[2];
	struct offline_config offline;
};

static int setup(void **state)
{
	static struct env env;

	tree_new();
	snprintf(env.config, sizeof(env.config), "%s/pinguard.conf", tree);
	snprintf(env.release, sizeof(env.release), "%s/release.d", tree);
	snprintf(env.quota, sizeof(env.quota), "%s/quota.d", tree);
	snprintf(env.units, sizeof(env.units), "%s/units", tree);
	snprintf(env.mount, sizeof(env.mount), "%s/cgroup", tree);
	snprintf(env.state, sizeof(env.state), "%s/state", tree);
	env.dirs[0] = env.quota;
	env.offline = (struct offline_config){ env.config, env.release, env.dirs, env.state,
					       env.mount };
	*state = &env;
	return 0;
}

/* The paths that are printed, without the tree's own. */
static void expect_output(struct env *env, int wanted, const char *output)
{
	char *text = NULL, *s;
	size_t size, n = strlen(tree) + 1;
	FILE *out = open_memstream(&text, &size);
	int r;

	assert_non_null(out);
	r = offline_check(&env->offline, out);
	assert_int_equal(fclose(out), 0);
	while ((s = strstr(text, tree)))
		memmove(s, s + n, strlen(s + n) + 1);
	if (r != wanted || strcmp(text, output) != 0)
		fail_msg("%d, not %d:\n%s", r, wanted, text);
	free(text);
}

#define OF(match, max) "[Match]\n" match "\n[Quota]\nMax=" max "\n"

static void test_check(void **state)
{
	struct env *env = *state;

	/* nothing is right, too */
	expect_output(env, 0, "");
	tree_put("pinguard.conf", "[Revoke]\nMode=notify\n");
	tree_put("release.d/a.conf", "[Match]\nUnit=*\n");
	tree_put("quota.d/a.conf", OF("Unit=a.service", "1") OF("Unit=b-*.service", "1"));
	expect_output(env, 0, "");

	tree_put("pinguard.conf", "[Revoke]\nMode=never\nTimeoutSec=101\n");
	tree_put("release.d/b.conf", "[Match]\nUnit=*\n[Release]\nKill=perhaps\n");
	tree_put("quota.d/b.conf", OF("Unit=a.service", "x"));
	tree_put("quota.d/c.conf", "nonsense\n");
	expect_output(env, 1,
		     "pinguard.conf:2: error: Mode=never: neither wait nor notify\n"
		     "pinguard.conf:3: error: TimeoutSec=101: more than 100 seconds\n"
		     "release.d/b.conf:4: error: neither yes nor no\n"
		     "quota.d/b.conf:4: error: it is no number\n"
		     "quota.d/c.conf:1: error: neither [Section], Key=value nor a comment\n");
}

static void test_warnings(void **state)
{
	static const char late[] = "the first process there may pin before it has its quota: only a "
				   "service waits for its quota; the limits above hold until this is "
				   "seen\n";
	struct env *env = *state;
	char wanted[1024];

	/* a mark comes early enough */
	tree_put("quota.d/a.conf", OF("Unit=a.slice", "1") "[Match]\nUnit=b.slice\n[Quota]\nHigh=1\n");
	snprintf(wanted, sizeof(wanted), "quota.d/a.conf:1: warning: a.slice: %s", late);
	expect_output(env, 0, wanted);

	/* only the order says which one counts */
	tree_put("quota.d/a.conf", OF("Unit=a@*.service", "1") OF("Unit=b.service", "1"));
	tree_put("quota.d/b.conf", OF("Unit=b.service", "2"));
	tree_put("quota.d/c.conf", OF("Unit=b.service x.service", "3") OF("Unit=a@*.service", "2"));
	expect_output(env, 0,
		     "quota.d/c.conf:5: warning: a@*.service may be of the same cgroups as "
		     "quota.d/a.conf:1, and counts for them since it comes later\n"
		     "quota.d/b.conf:1: warning: b.service may be of the same cgroups as "
		     "quota.d/a.conf:5, and counts for them since it comes later\n"
		     "quota.d/c.conf:1: warning: b.service may be of the same cgroups as "
		     "quota.d/b.conf:1, and counts for them since it comes later\n");
	/* the longer prefix does, or they cannot overlap */
	tree_remove("quota.d");
	tree_put("quota.d/a.conf", OF("Unit=a-*.service", "1") OF("Unit=a-b-*.service", "1")
				   OF("Unit=a-b@*.service", "1") OF("Unit=a-b-c.service", "1"));
	expect_output(env, 0, "");
}

static bool has_drop_in(const char *name)
{
	char path[256], text[256] = "";
	FILE *file;

	snprintf(path, sizeof(path), "%s/units/%s.d/50-pinguard-quota.conf", tree, name);
	file = fopen(path, "re");
	if (!file)
		return false;
	assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
	fclose(file);
	assert_non_null(strstr(text, "[Service]\nRootDirectoryStartOnly=yes\nExecCondition=+"));
	assert_non_null(strstr(text, "/apply-own-quotas\n"));
	return true;
}

static void test_drop_ins(void **state)
{
	struct env *env = *state;

	assert_int_equal(offline_write_drop_ins(&env->offline, env->units), 1);
	tree_put("units/", NULL);
	tree_put("quota.d/a.conf", OF("Unit=a.service b-*.service b.slice", "1"));
	tree_put("quota.d/b.conf", OF("Unit=a.service x*.service", "1"));
	assert_int_equal(offline_write_drop_ins(&env->offline, env->units), 0);
	assert_true(has_drop_in("a.service"));
	assert_true(has_drop_in("b-.service"));
	assert_true(has_drop_in("b-@.service"));
	assert_false(has_drop_in("b.slice"));
	assert_false(has_drop_in("x.service"));
	/* one file that is wrong, and one that is in the way, stop no other */
	tree_remove("units");
	tree_put("units/a.service.d", "");
	tree_put("quota.d/c.conf", "nonsense");
	tree_put("quota.d/d.conf", OF("Unit=z.service", "1"));
	assert_int_equal(offline_write_drop_ins(&env->offline, env->units), 1);
	assert_true(has_drop_in("z.service"));
	assert_false(has_drop_in("a.service"));
}

static void make(const char *path, const char *max)
{
	char full[256], text[64];

	snprintf(full, sizeof(full), "cgroup%s/misc.current", path);
	tree_put(full, "pinned 0\n");
	snprintf(full, sizeof(full), "cgroup%s/cgroup.subtree_control", path);
	tree_put(full, "");
	snprintf(full, sizeof(full), "cgroup%s/misc.max", path);
	snprintf(text, sizeof(text), "pinned %s\n", max);
	tree_put(full, text);
}

static void expect_file(const char *path, const char *wanted)
{
	char full[256], text[64] = "";
	FILE *file;

	snprintf(full, sizeof(full), "%s/cgroup%s", tree, path);
	file = fopen(full, "re");
	assert_non_null(file);
	(void)fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	if (strncmp(text, wanted, strlen(wanted)) != 0)
		fail_msg("%s: %s, not %s", path, text, wanted);
}

static void test_apply(void **state)
{
	struct env *env = *state;

	make("", "max");
	make("/s.slice", "max");
	make("/s.slice/a.service", "max");
	make("/s.slice/a.service/.control", "max");
	make("/s.slice/b.service", "max");
	tree_put("quota.d/a.conf", OF("Unit=a.service s.slice", "4096") OF("Unit=b.service", "1"));
	assert_int_equal(offline_apply(&env->offline, "/"), 1);
	assert_int_equal(offline_apply(&env->offline, ""), 1);
	assert_int_equal(offline_apply(&env->offline, "/s.slice/none.service"), 1);
	expect_file("/s.slice/misc.max", "pinned 4096");
	/* a process that systemd starts first may be below its service's cgroup */
	assert_int_equal(offline_apply(&env->offline, "/s.slice/a.service/.control"), 0);
	expect_file("/s.slice/a.service/misc.max", "pinned 4096");
	expect_file("/s.slice/a.service/.control/misc.max", "pinned max");
	expect_file("/s.slice/b.service/misc.max", "pinned max");
	/* the controller where it is the service's to turn on */
	expect_file("/cgroup.subtree_control", "+misc");
	expect_file("/s.slice/cgroup.subtree_control", "+misc");
	expect_file("/s.slice/a.service/cgroup.subtree_control", "");

	/* what was set is before the file; a damaged one is left where it is */
	tree_put("state/quotas.json", "{\"version\":1,\"quotas\":[{\"cgroup\":\"/s.slice/b.service\","
				      "\"max_bytes\":8192}]}");
	assert_int_equal(offline_apply(&env->offline, "/s.slice/b.service"), 0);
	expect_file("/s.slice/b.service/misc.max", "pinned 8192");
	tree_put("state/quotas.json", "{");
	make("/s.slice/b.service", "max");
	assert_int_equal(offline_apply(&env->offline, "/s.slice/b.service"), 0);
	expect_file("/s.slice/b.service/misc.max", "pinned 1");
	expect_file("/../state/quotas.json", "{");

	/* a file that is wrong now takes no limit away */
	tree_put("quota.d/a.conf", OF("Unit=s.slice", "soon"));
	assert_int_equal(offline_apply(&env->offline, "/s.slice/b.service"), 0);
	expect_file("/s.slice/misc.max", "pinned 4096");
	expect_file("/s.slice/b.service/misc.max", "pinned 1");

	/* no limit is possible: said, and no failure */
	tree_put("cgroup/s.slice/c.service/", NULL);
	tree_put("quota.d/c.conf", OF("Unit=c.service", "1"));
	assert_int_equal(offline_apply(&env->offline, "/s.slice/c.service"), 0);
	tree_remove("cgroup/misc.current");
	assert_int_equal(offline_apply(&env->offline, "/s.slice/b.service"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test_setup_teardown(test_check, setup, tree_teardown),
		cmocka_unit_test_setup_teardown(test_warnings, setup, tree_teardown),
		cmocka_unit_test_setup_teardown(test_drop_ins, setup, tree_teardown),
		cmocka_unit_test_setup_teardown(test_apply, setup, tree_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
