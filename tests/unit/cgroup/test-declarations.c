/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of quota.d: what is in them, which of them count, which section is whose. */
#include "tests/unit/tree.h"

#include "daemon/cgroup/declarations.h"
#include "daemon/model/model.h"

#define MEMORY (UINT64_C(8) << 30)

static struct declarations *parsed(const char *text)
{
	struct declarations *d = declarations_new();
	const char *reason = "?";
	unsigned int line = 0;
	int r = declarations_parse(d, text, "x.conf", MEMORY, &line, &reason);

	if (r != 0)
		fail_msg("%d: line %u: %s: %s", r, line, reason, text);
	return d;
}

static void test_full(void **state)
{
	_cleanup_(declarations_freep) struct declarations *d = parsed(
		"# tenants\n"
		"[Match]\n"
		"Unit=a.service vm@*.service\n"
		"Unit=x\\x2dy.scope\n"
		"\n"
		"[Quota]\n"
		"Max=2G\n"
		"High = 12.5%\n"
		"Policy=revocable once\n"
		"[Match]\n"
		"CGroup=/machine.slice/machine-qemu*.scope jobs/*\n"
		"[Quota]\n"
		"Max=infinity\n");
	const struct declaration *a, *b;

	assert_int_equal(d->n, 2);
	a = d->all[0];
	b = d->all[1];
	assert_string_equal(a->file, "x.conf");
	assert_int_equal(a->line, 2);
	assert_false(a->paths);
	assert_string_equal(a->patterns[1], "vm@*.service");
	assert_string_equal(a->patterns[2], "x\\x2dy.scope");
	assert_null(a->patterns[3]);
	assert_int_equal(a->max_line, 7);
	assert_true(a->max_bytes == UINT64_C(2) << 30);
	assert_int_equal(a->high_line, 8);
	assert_true(a->high_bytes == UINT64_C(1) << 30);
	assert_int_equal(a->policy, PINGUARD_POLICY_REVOCABLE);
	assert_int_equal(a->count, PINGUARD_COUNT_ONCE);
	assert_int_equal(a->policy_line, 9);
	assert_int_equal(b->line, 10);
	assert_true(b->paths);
	assert_true(b->max_bytes == UINT64_MAX && b->max_line == 13);
	assert_int_equal(b->high_line, 0);
	assert_int_equal(b->policy, 0);
}

static void check_pressure(const char *value, bool full, uint64_t stall_usec, uint64_t window_usec)
{
	_cleanup_(declarations_freep) struct declarations *d = NULL;
	char text[128];

	snprintf(text, sizeof(text), "[Match]\nUnit=a\n[Quota]\nHigh=1\nPressure=%s\n", value);
	d = parsed(text);
	assert_int_equal(d->all[0]->pressure_line, 5);
	assert_int_equal(d->all[0]->pressure.full, full);
	assert_int_equal(d->all[0]->pressure.stall_usec, stall_usec);
	assert_int_equal(d->all[0]->pressure.window_usec, window_usec);
}

static void test_pressure(void **state)
{
	check_pressure("some 10%/10s", false, 1000000, 10000000);
	check_pressure("full 1%/2s", true, 20000, 2000000);
	check_pressure("some 100%/8", false, 8000000, 8000000);
}

#define M "[Match]\nUnit=a.service\n"

static const struct {
	const char *text, *reason;
	unsigned int line;
} bad[] = {
	{ "", "no section with a key", 0 },
	{ "# nothing\n", "no section with a key", 0 },
	{ "[Match]\nUnit=a.service\n", "no [Quota]", 1 },
	{ M "[Quota]\n", "no [Quota]", 1 },
	{ M "[Match]\nUnit=b.service\n[Quota]\nMax=1\n", "no [Quota]", 1 },
	{ M "[Quota]\nMax=1\n\n[Match]\nUnit=b.service\n", "no [Quota]", 6 },
	{ "[Quota]\nMax=1\n", "no [Match]", 1 },
	{ "[Match]\n[Quota]\nMax=1\n", "no [Match]", 2 },
	{ M "[Quota]\nMax=1\n[Quota]\nHigh=1\n", "a second [Quota]", 5 },
	{ M "[Quota]\nMax=1\n[Match]\n[Quota]\nHigh=1\n", "a second [Quota]", 6 },
	{ M "CGroup=/a\n[Quota]\nMax=1\n", "sections of their own", 3 },
	{ "[Match]\nUnit=a/b\n[Quota]\nMax=1\n", "no slash", 2 },
	{ "[Match]\nUnit=-.slice\n[Quota]\nMax=1\n", "the root", 2 },
	{ "[Match]\nCGroup=/\n[Quota]\nMax=1\n", "the root", 2 },
	{ "[Match]\nCGroup=/a/../b\n[Quota]\nMax=1\n", "\"..\"", 2 },
	{ "[Match]\nCGroup=..\n[Quota]\nMax=1\n", "\"..\"", 2 },
	{ "[Match]\nCGroup=/a//b\n[Quota]\nMax=1\n", "empty", 2 },
	{ "[Match]\nCGroup=//\n[Quota]\nMax=1\n", "empty", 2 },
	{ "[Match]\nCGroup=/a/\n[Quota]\nMax=1\n", "at its end", 2 },
	{ "[Match]\nCgroup=/a\n[Quota]\nMax=1\n", "unknown key", 2 },
	{ "[Match]\nUnit=\n[Quota]\nMax=1\n", "no value", 2 },
	{ M "[Quota]\nMin=1\n", "unknown key", 4 },
	{ M "[quota]\nMax=1\n", "unknown section", 4 },
	{ "Max=1\n", "unknown section", 1 },
	{ M "[Quota]\nMax=8Q\n", "suffix", 4 },
	{ M "[Quota]\nMax=-1\n", "negative", 4 },
	{ M "[Quota]\nMax=100.1%\n", "more than all", 4 },
	{ M "[Quota]\nMax=1\nMax=2\n", "given twice", 5 },
	{ M "[Quota]\nMax=1M\nHigh=1025K\n", "above the limit", 5 },
	{ M "[Quota]\nHigh=1025K\nMax=1M\n[Match]\nUnit=b\n[Quota]\nMax=1\n", "above the limit", 4 },
	{ M "[Quota]\nPolicy=maybe\n", "none of", 4 },
	{ M "[Quota]\nPolicy=revocablerevocablerevocable\n", "none of", 4 },
	{ M "[Quota]\nPolicy=deny allow\n", "same kind", 4 },
	{ M "[Quota]\nPolicy=deny\nPolicy=once\n", "given twice", 5 },
	{ M " b.service\n[Quota]\nMax=1\n", "begins with a blank", 3 },
	{ M "[Quota]\nMax=1\n High=1\n", "begins with a blank", 5 },
	{ M "[Quota]\nnonsense\nMax=1Q\n", "neither", 4 },
	{ M "[Quota\nMax=1\n", "neither", 3 },
	{ M "[Quota]\nPressure=some 10%/10s\n", "wants High=", 4 },
	{ M "[Quota]\nHigh=1\nPressure=some\n", "not as", 5 },
	{ M "[Quota]\nHigh=1\nPressure=any 10%/10s\n", "not as", 5 },
	{ M "[Quota]\nHigh=1\nPressure=some 10/10s\n", "not as", 5 },
	{ M "[Quota]\nHigh=1\nPressure=some 0%/10s\n", "from 1% to 100%", 5 },
	{ M "[Quota]\nHigh=1\nPressure=some 101%/10s\n", "from 1% to 100%", 5 },
	{ M "[Quota]\nHigh=1\nPressure=some 10%/0\n", "2, 4, 6, 8 or 10", 5 },
	{ M "[Quota]\nHigh=1\nPressure=some 10%/3s\n", "2, 4, 6, 8 or 10", 5 },
	{ M "[Quota]\nHigh=1\nPressure=some 10%/12s\n", "2, 4, 6, 8 or 10", 5 },
	{ M "[Quota]\nHigh=1\nPressure=some 10%/soon\n", "", 5 },
	{ M "[Quota]\nHigh=1\nPressure=some 1%/2s\nPressure=some 1%/2s\n", "given twice", 6 },
};

/* What is wrong is named with its line, and nothing of the file counts. */
static void test_bad(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_(declarations_freep) struct declarations *d = parsed(M "[Quota]\nMax=1\n");
		const char *reason = "?";
		unsigned int line = 99;
		int r = declarations_parse(d, bad[i].text, "bad.conf", MEMORY, &line, &reason);

		if (r != -EINVAL || line != bad[i].line || !strstr(reason, bad[i].reason))
			fail_msg("%zu: %d, line %u: %s: %s", i, r, line, reason, bad[i].text);
		assert_int_equal(d->n, 1);
		assert_null(d->files[1]);
	}
}

static int with_patterns(unsigned int n)
{
	_cleanup_(declarations_freep) struct declarations *d = declarations_new();
	_cleanup_(freep) char *text = malloc(n * 16 + 64);
	const char *reason;
	unsigned int line;
	char *s = text + sprintf(text, "[Match]\n");

	for (unsigned int i = 0; i < n; i++)
		s += sprintf(s, "Unit=%u.service\n", i);
	strcpy(s, "[Quota]\nMax=1\n");
	return declarations_parse(d, text, "x", MEMORY, &line, &reason);
}

static void test_limits(void **state)
{
	static const char section[] = "[Match]\nUnit=a\n[Quota]\nMax=1\n";
	_cleanup_(declarations_freep) struct declarations *d = declarations_new();
	const char *reason = "?";
	unsigned int line;

	assert_int_equal(with_patterns(DECLARATION_PATTERNS_MAX), 0);
	assert_int_equal(with_patterns(DECLARATION_PATTERNS_MAX + 1), -EINVAL);
	for (unsigned int i = 0; i < DECLARATIONS_MAX; i++)
		assert_int_equal(declarations_parse(d, section, "x", 0, &line, &reason), 0);
	assert_int_equal(declarations_parse(d, section, "x", 0, &line, &reason), -EINVAL);
	assert_string_equal(reason, "too many sections");
	assert_int_equal(d->n, DECLARATIONS_MAX);
	/* nobody knows of what percent are */
	assert_int_equal(declarations_parse(d, M "[Quota]\nMax=5%\n", "x", 0, &line, &reason),
			 -EINVAL);
}

/* line: of its Max=, 0 for no section */
static void expect(const struct declarations *d, const char *path, unsigned int line)
{
	const struct declaration *found = declarations_match(d, path);

	if ((found ? found->max_line : 0) != line)
		fail_msg("%s: %u, not %u", path, found ? found->max_line : 0, line);
}

#define SECTION(what, name) "[Match]\n" what "=" name "\n[Quota]\nMax=1\n"

static void test_match(void **state)
{
	_cleanup_(declarations_freep) struct declarations *d =
		parsed(SECTION("Unit", "a.service")			/* 4 */
		       SECTION("Unit", "a*.service")			/* 8 */
		       SECTION("Unit", "*.service")			/* 12 */
		       SECTION("Unit", "ab*.service")			/* 16 */
		       SECTION("Unit", "ab?.service")			/* 20 */
		       SECTION("CGroup", "system.slice/ab*")		/* 24 */
		       SECTION("CGroup", "/x.slice/x\\x2dy.scope")	/* 28 */
		       SECTION("CGroup", "/jobs/*/step[0-9]")		/* 32 */
		       SECTION("Unit", "gold.slice silver.slice")	/* 36 */
		       SECTION("Unit", "_odd.service")			/* 40 */
		       SECTION("CGroup", "/x.slice/a.service"));	/* 44 */

	expect(d, "/", 0);
	expect(d, "/system.slice", 0);
	expect(d, "/system.slice/a.service", 4);
	expect(d, "/system.slice/system-a.slice/a.service", 4);
	expect(d, "/system.slice/aa.service", 8);
	expect(d, "/system.slice/b.service", 12);
	/* the longest literal prefix, then the later one; of a path all of it counts */
	expect(d, "/x.slice/abcd.service", 16);
	expect(d, "/x.slice/abc.service", 20);
	expect(d, "/system.slice/abc.service", 24);
	expect(d, "/x.slice/x\\x2dy.scope", 28);
	expect(d, "/jobs/7/step1", 32);
	expect(d, "/jobs/7/stepx", 0);
	expect(d, "/jobs/7/8/step1", 0);
	expect(d, "/jobs/7/step1/below", 0);
	expect(d, "/gold.slice", 36);
	expect(d, "/iron.slice/silver.slice", 36);
	expect(d, "/system.slice/__odd.service", 40);
	/* both exact: the longer one */
	expect(d, "/x.slice/a.service", 44);
	/* what is below a unit has names of its own choice */
	expect(d, "/user.slice/user-1.slice/user@1.service/a.service", 0);
	expect(d, "/docker/a.service", 0);
	expect(d, "/system.slice/a.service/below", 0);

	assert_true(declarations_may_hold(d, "/"));
	assert_true(declarations_may_hold(d, "/jobs"));
	assert_true(declarations_may_hold(d, "/jobs/7"));
	assert_false(declarations_may_hold(d, "/jobs/7/step1"));
	assert_false(declarations_may_hold(d, "/job"));
	assert_false(declarations_may_hold(d, "/system.slice/abc"));
	assert_true(declarations_may_hold(d, "/system.slice"));
}

struct problems {
	unsigned int n, line;
	char all[1024];
};

static void on_problem(const char *file, unsigned int line, const char *text, void *userdata)
{
	struct problems *p = userdata;
	size_t n = strlen(p->all);

	p->n++;
	p->line = line;
	snprintf(p->all + n, sizeof(p->all) - n, "%s:%u: %s\n", strrchr(file, '/') + 1, line, text);
}

static struct declarations *load(struct problems *p, int wanted)
{
	char etc[64], run[64], lib[64];
	const char *const dirs[] = { etc, run, lib, NULL };
	struct declarations *d = NULL;

	snprintf(etc, sizeof(etc), "%s/etc", tree);
	snprintf(run, sizeof(run), "%s/run", tree);
	snprintf(lib, sizeof(lib), "%s/lib", tree);
	memset(p, 0, sizeof(*p));
	assert_int_equal(declarations_load(dirs, on_problem, p, &d), wanted);
	return d;
}

static bool declares(const struct declarations *d, const char *path, uint64_t max_bytes)
{
	const struct declaration *found = declarations_match(d, path);

	return found ? found->max_bytes == max_bytes : max_bytes == UINT64_MAX;
}

#define OF(unit, max) "[Match]\nUnit=" unit ".service\n[Quota]\nMax=" max "\n"

/* The same name in /etc beats /run, and that /usr/lib; names count over all directories. */
static void test_precedence(void **state)
{
	_cleanup_(declarations_freep) struct declarations *d = NULL;
	struct problems p;

	tree_put("lib/10-a.conf", OF("a", "1"));
	tree_put("lib/20-b.conf", OF("b", "1"));
	tree_put("lib/30-c.conf", OF("c", "1"));
	tree_put("lib/40-d.conf", OF("d", "1"));
	tree_put("run/20-b.conf", OF("b", "2"));
	tree_put("run/30-c.conf", OF("c", "2"));
	tree_put("etc/30-c.conf", OF("c", "3"));
	/* an earlier name in a stronger directory: still the later file counts */
	tree_put("etc/05-d.conf", OF("d", "3"));
	/* no files of ours */
	tree_put("etc/.hidden.conf", "nonsense");
	tree_put("etc/a.conf.orig", "nonsense");
	d = load(&p, 0);
	assert_int_equal(d->n, 5);
	assert_true(declares(d, "/s.slice/a.service", 1));
	assert_true(declares(d, "/s.slice/b.service", 2));
	assert_true(declares(d, "/s.slice/c.service", 3));
	assert_true(declares(d, "/s.slice/d.service", 1));
	d = declarations_free(d);

	/* masked by an empty file, and by a link */
	tree_put("etc/10-a.conf", "");
	tree_link("etc/20-b.conf", "/dev/null");
	d = load(&p, 0);
	assert_true(declares(d, "/s.slice/a.service", UINT64_MAX));
	assert_true(declares(d, "/s.slice/b.service", UINT64_MAX));
	assert_int_equal(d->n, 3);
}

static void chmod_in_tree(const char *path, mode_t mode)
{
	char full[128];

	tree_path(full, sizeof(full), path);
	assert_int_equal(chmod(full, mode), 0);
}

/* Each file that is wrong is named, in all directories, and the others are there. */
static void test_problems(void **state)
{
	_cleanup_(declarations_freep) struct declarations *d = NULL;
	struct problems p;

	tree_put("etc/10-bad.conf", M "[Quota]\nMax=x\n");
	tree_put("etc/20-open.conf", OF("b", "1"));
	tree_put("etc/30-good.conf", OF("c", "1"));
	tree_link("etc/40-link.conf", "30-good.conf");
	tree_put("etc/50-dir.conf/", NULL);
	tree_put("lib/60\x1b.conf", "[Match]\n");
	/* what a file that is wrong hides stays hidden */
	tree_put("lib/10-bad.conf", OF("a", "1"));
	chmod_in_tree("etc/20-open.conf", 0620);
	d = load(&p, 1);
	assert_string_equal(p.all, "10-bad.conf:4: it is no number\n"
				   "20-open.conf:0: others than root may write it\n"
				   "40-link.conf:0: it is a symbolic link\n"
				   "50-dir.conf:0: it is no regular file\n"
				   "60\\x1b.conf:0: no section with a key\n");
	assert_int_equal(d->n, 1);
	d = declarations_free(d);

	chmod_in_tree("etc", 0777);
	d = load(&p, 1);
	assert_non_null(strstr(p.all, "etc:0: others than root may write it\n"));
	assert_true(declares(d, "/s.slice/a.service", 1));
}

static void test_many_files(void **state)
{
	_cleanup_(declarations_freep) struct declarations *d = NULL;
	char name[32], text[96];
	struct problems p;

	for (unsigned int i = 0; i <= DECLARATION_FILES_MAX; i++) {
		snprintf(name, sizeof(name), "etc/%04u.conf", i);
		snprintf(text, sizeof(text), "[Match]\nUnit=%u.service\n[Quota]\nMax=1\n", i);
		tree_put(name, text);
	}
	d = load(&p, 1);
	assert_string_equal(p.all, "1024.conf:0: too many files\n");
	assert_int_equal(d->n, DECLARATION_FILES_MAX);
	d = declarations_free(d);
	tree_remove(name);
	d = load(&p, 0);
	assert_int_equal(d->n, DECLARATION_FILES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_pressure),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_match),
		cmocka_unit_test_setup_teardown(test_precedence, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(test_problems, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(test_many_files, tree_setup, tree_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
