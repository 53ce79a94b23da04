/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/ladder/ladders.h"
#include "daemon/ladder/parse.h"
#include "daemon/ladder/units.h"
#include "lib/macros.h"
#include "tests/unit/unit.h"

#define SEC UINT64_C(1000000)

static void test_full(void **state)
{
	_cleanup_(ladder_freep) struct ladder *l = NULL;
	const char *reason;
	unsigned int line;

	assert_int_equal(ladder_parse("# of QEMU\n"
				      "[Match]\n"
				      "Unit=vm-*.service machine-qemu\\x2d*.scope\n"
				      "Cgroup=/machine.slice /vm.slice/*\n"
				      "\n"
				      "[Release]\n"
				      "AskSec=10\n"
				      "RemindSec=5s\n"
				      "Hook=/usr/bin/hook \"a b\" c\\ d 'e\"f' \"\"g \\\\ ; comment\n"
				      "\tmore $PATH %n\n"
				      "HookSec=1min 30s\n"
				      "StopUnit=yes\n"
				      "StopSec=20\n"
				      "Kill=no\n",
				      "a.conf", &l, &line, &reason), 0);
	assert_string_equal(l->name, "a.conf");
	assert_string_equal(l->units[0], "vm-*.service");
	assert_string_equal(l->units[1], "machine-qemu\\x2d*.scope");
	assert_null(l->units[2]);
	assert_string_equal(l->cgroups[1], "/vm.slice/*");
	assert_null(l->cgroups[2]);
	assert_true(l->on[STEP_ASK] && l->usec[STEP_ASK] == 10 * SEC);
	assert_true(l->on[STEP_REMIND] && l->usec[STEP_REMIND] == 5 * SEC);
	assert_true(l->on[STEP_HOOK] && l->usec[STEP_HOOK] == 90 * SEC);
	assert_true(l->on[STEP_STOP_UNIT] && l->usec[STEP_STOP_UNIT] == 20 * SEC);
	assert_false(l->on[STEP_KILL]);
	assert_string_equal(l->hook[0], "/usr/bin/hook");
	assert_string_equal(l->hook[1], "a b");
	assert_string_equal(l->hook[2], "c d");
	assert_string_equal(l->hook[3], "e\"f");
	assert_string_equal(l->hook[4], "g");
	assert_string_equal(l->hook[5], "\\");
	assert_string_equal(l->hook[6], "more");
	assert_string_equal(l->hook[7], "$PATH");
	assert_string_equal(l->hook[8], "%n");
	assert_null(l->hook[9]);
}

/* What is not said: ask, and no more. */
static void test_defaults(void **state)
{
	_cleanup_(ladder_freep) struct ladder *l = NULL;
	const char *reason;
	unsigned int line;

	assert_int_equal(ladder_parse("[Match]\nUnit=*\n", "a", &l, &line, &reason), 0);
	assert_true(l->on[STEP_ASK] && l->usec[STEP_ASK] == 30 * SEC);
	for (int step = STEP_REMIND; step < N_STEPS; step++)
		assert_false(l->on[step]);
	assert_null(l->hook);
	l = ladder_free(l);
	assert_int_equal(ladder_parse("[Match]\nUnit=*\n[Release]\nAskSec=0\nHook=/x\nKill=1\n", "a",
				      &l, &line, &reason), 0);
	assert_true(!l->on[STEP_ASK] && l->usec[STEP_ASK] == 0);
	assert_true(l->on[STEP_HOOK] && l->usec[STEP_HOOK] == 60 * SEC);
	assert_true(l->on[STEP_KILL] && l->usec[STEP_KILL] == 10 * SEC);
	assert_false(l->on[STEP_STOP_UNIT]);
}

static void test_bad(void **state)
{
	static const struct {
		const char *text;
		unsigned int line;
		const char *reason;
	} bad[] = {
		{ "", 0, "neither Unit= nor" },
		{ "[Release]\nKill=yes\n", 0, "neither Unit= nor" },
		{ "Unit=a\n", 1, "unknown section" },
		{ "[Match]\nExecutable=/usr/bin/qemu\n", 2, "unknown key" },
		{ "[Match]\nUnit=*\n[Release]\n\nkill=yes\n", 5, "unknown key" },
		{ "[Match]\nUnit=*\n[Releases]\nKill=yes\n", 4, "unknown section" },
		{ "[Match]\nUnit=*\nwhat is this\n", 3, "neither [Section]" },
		{ "[Match\nUnit=*\n", 1, "neither [Section]" },
		{ "[Match]\nUnit=\n", 2, "no value" },
		{ "[Match]\nUnit=/a.service\n", 2, "no slash" },
		{ "[Match]\nCgroup=a.slice\n", 2, "a slash" },
		{ "[Match]\nUnit=a\n  Kill=yes\n", 3, "begins with a blank" },
		{ "[Match]\nUnit=*\n[Release]\nAskSec=1\n Kill=yes\n", 5, "begins with a blank" },
		{ "[Match]\nUnit=*\n[Release]\nHook=/x\n Kill =yes\n", 5, "begins with a blank" },
		{ "[Match]\nUnit=*\n[Release]\nKill=maybe\n", 4, "neither yes nor no" },
		{ "[Match]\nUnit=*\n[Release]\nKill=yes\nKill=no\n", 5, "given twice" },
		{ "[Match]\nUnit=*\n[Release]\nAskSec=1\nAskSec=2\n", 5, "given twice" },
		{ "[Match]\nUnit=*\n[Release]\nHook=/x\nHook=/y\n", 5, "given twice" },
		{ "[Match]\nUnit=*\n[Release]\nAskSec=-1\n", 4, "negative" },
		{ "[Match]\nUnit=*\n[Release]\nAskSec=2d\n", 4, "more than a day" },
		{ "[Match]\nUnit=*\n[Release]\nKillSec=0\n", 4, "less than a second" },
		{ "[Match]\nUnit=*\n[Release]\nHookSec=5\n", 0, "without Hook=" },
		{ "[Match]\nUnit=*\n[Release]\nHook=virsh\n", 4, "absolute path" },
		{ "[Match]\nUnit=*\n[Release]\nHook=-/bin/x\n", 4, "absolute path" },
		{ "[Match]\nUnit=*\n[Release]\nHook=/x 'a\n", 4, "a quote" },
		{ "[Match]\nUnit=*\n[Release]\nHook=/x \\x41\n", 4, "unknown escape" },
		{ "[Match]\nUnit=*\n[Release]\nHook=/x \xff\n", 4, "no UTF-8" },
		{ "[Match]\nUnit=*\n[Release]\nHook=/x \033[1m\n", 4, "control character" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct ladder *l = NULL;
		const char *reason = "none";
		unsigned int line = 77;

		if (ladder_parse(bad[i].text, "a", &l, &line, &reason) != -EINVAL ||
		    line != bad[i].line || !strstr(reason, bad[i].reason))
			fail_msg("%zu: line %u, reason %s", i, line, reason);
		assert_null(l);
	}
}

static void expect_limit(const char *head, const char *word, size_t n, const char *sep, int wanted)
{
	_cleanup_(ladder_freep) struct ladder *l = NULL;
	_cleanup_(freep) char *text = NULL;
	const char *reason = NULL;
	unsigned int line;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	fputs(head, f);
	for (size_t i = 0; i < n; i++)
		fprintf(f, "%s%s", word, sep);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(ladder_parse(text, "a", &l, &line, &reason), wanted);
	if (wanted < 0)
		assert_true(strstr(reason, "too many") || strstr(reason, "too long"));
}

static void test_limits(void **state)
{
	static const char unit[] = "[Match]\nUnit=*\n[Release]\nHook=/x\n";

	expect_limit("[Match]\n", "Unit=a b c d", LADDER_PATTERNS_MAX / 4, "\n", 0);
	expect_limit("[Match]\nUnit=x\n", "Unit=a b c d", LADDER_PATTERNS_MAX / 4, "\n", -EINVAL);
	expect_limit("[Match]\n", "Cgroup=/a /b", LADDER_PATTERNS_MAX / 2, "\n", 0);
	expect_limit("[Match]\nCgroup=/x\n", "Cgroup=/a /b", LADDER_PATTERNS_MAX / 2, "\n", -EINVAL);
	expect_limit(unit, " w", LADDER_WORDS_MAX - 1, "\n", 0);
	expect_limit(unit, " w", LADDER_WORDS_MAX, "\n", -EINVAL);
	/* a line that libinih would read as two */
	expect_limit("[Match]\nUnit=*\n[Release]\nHook=/x", "y", 100000, "", -EINVAL);
}

static void expect_unit(const char *path, const char *wanted)
{
	_cleanup_(freep) char *unit = cgroup_unit(path);

	if (!wanted)
		assert_null(unit);
	else
		assert_string_equal(unit, wanted);
}

static void test_unit(void **state)
{
	expect_unit("/system.slice/a.service", "a.service");
	expect_unit("/system.slice/a.service/below/b.service", "a.service");
	expect_unit("/a.slice/a-b.slice/vm\\x2d1.scope/libvirt", "vm\\x2d1.scope");
	expect_unit("/user.slice/user-1.slice/user@1.service/app.slice/a.service", "user@1.service");
	expect_unit("/system.slice/_cpu.service", "cpu.service");
	expect_unit("/init.scope", "init.scope");
	expect_unit("/system.slice", NULL);
	expect_unit("/container/a.service", NULL);
	expect_unit("/.service", NULL);
	expect_unit("/", NULL);
	expect_unit("", NULL);
	expect_unit(NULL, NULL);
}

static char dir[64];

static int make_dir(void **state)
{
	strcpy(dir, "/tmp/pinguard-ladder-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static void put(const char *name, mode_t mode, const char *text, size_t size)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, size), size);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void put_text(const char *name, const char *text)
{
	put(name, 0644, text, strlen(text));
}

static void expect_match(const struct ladders *ladders, const char *cgroup, const char *name)
{
	const struct ladder *l = ladders_match(ladders, cgroup);

	assert_non_null(l);
	if (!name)
		assert_ptr_equal(l, &policy_default_ladder);
	else if (!l->name || strcmp(l->name, name) != 0)
		fail_msg("%s: %s instead of %s", cgroup, l->name ?: "built-in", name);
}

static void test_match(void **state)
{
	_cleanup_(ladders_freep) struct ladders *ladders = NULL;

	put_text("50-b.conf", "[Match]\nUnit=db-*.service\n");
	put_text("10-a.conf", "[Match]\nUnit=db-1.service\nCgroup=/gold.slice\n");
	put_text("60-slice.conf", "[Match]\nUnit=silver.slice\n");
	put_text("70-path.conf", "[Match]\nCgroup=/tenants.slice/*.service /x\\x2dy\n");
	put_text("80-hidden.conf.bak", "[Match]\nUnit=*\n");
	put_text(".90.conf", "[Match]\nUnit=*\n");
	assert_int_equal(ladders_load(dir, NULL, NULL, &ladders), 0);
	expect_match(ladders, "/gold.slice/db-1.service", "10-a.conf");
	expect_match(ladders, "/iron.slice/db-1.service", "50-b.conf");
	expect_match(ladders, "/gold.slice/db-2.service/below", "50-b.conf");
	expect_match(ladders, "/silver.slice/silver-x.slice/a.service", "60-slice.conf");
	expect_match(ladders, "/tenants.slice/a.service", "70-path.conf");
	expect_match(ladders, "/tenants.slice/a.service/b/c", "70-path.conf");
	expect_match(ladders, "/tenants.slice/b/a.service", NULL);
	expect_match(ladders, "/tenants.slice", NULL);
	expect_match(ladders, "/x\\x2dy/z", "70-path.conf");
	/* names of a user's own choice */
	expect_match(ladders, "/user.slice/user-1.slice/user@1.service/db-1.service", NULL);
	expect_match(ladders, "/", NULL);
	expect_match(ladders, NULL, NULL);
}

static void test_distrust(void **state)
{
	_cleanup_(ladders_freep) struct ladders *ladders = NULL, *kept = NULL;
	static const char all[] = "[Match]\nUnit=*\n";
	_cleanup_(freep) char *large = malloc(LADDER_FILE_BYTES + 1);
	char link[128];

	memset(large, '\n', LADDER_FILE_BYTES + 1);
	memcpy(large, all, sizeof(all) - 1);
	put("10-group.conf", 0664, all, sizeof(all) - 1);
	put("11-world.conf", 0646, all, sizeof(all) - 1);
	put("12-nul.conf", 0644, all, sizeof(all));
	put("13-large.conf", 0644, large, LADDER_FILE_BYTES + 1);
	put_text("14-bad.conf", "[Match]\nUnit=*\n[Release]\nKill=yes\nStopUnit=perhaps\n");
	snprintf(link, sizeof(link), "%s/15-link.conf", dir);
	assert_int_equal(symlink("14-bad.conf", link), 0);
	snprintf(link, sizeof(link), "%s/16-dir.conf", dir);
	assert_int_equal(mkdir(link, 0755), 0);
	assert_int_equal(ladders_load(dir, NULL, NULL, &ladders), 0);
	expect_match(ladders, "/a.service", NULL);
	ladders = ladders_free(ladders);

	put("13-large.conf", 0644, large, LADDER_FILE_BYTES);
	assert_int_equal(ladders_load(dir, NULL, NULL, &ladders), 0);
	expect_match(ladders, "/a.service", "13-large.conf");
	/* a matched ladder stays with its reference */
	kept = ladders_ref(ladders);
	ladders = ladders_free(ladders);
	expect_match(kept, "/a.service", "13-large.conf");

	if (getuid() == 0) {
		snprintf(link, sizeof(link), "%s/13-large.conf", dir);
		assert_int_equal(chown(link, 65534, 0), 0);
		assert_int_equal(ladders_load(dir, NULL, NULL, &ladders), 0);
		expect_match(ladders, "/a.service", NULL);
		assert_int_equal(chown(link, 0, 0), 0);
		ladders = ladders_free(ladders);
	}
	assert_int_equal(chmod(dir, 0777), 0);
	assert_int_equal(ladders_load(dir, NULL, NULL, &ladders), 0);
	expect_match(ladders, "/a.service", NULL);
}

static void test_many(void **state)
{
	_cleanup_(ladders_freep) struct ladders *ladders = NULL;
	char name[32], text[64];

	for (unsigned int i = 0; i <= LADDERS_MAX; i++) {
		snprintf(name, sizeof(name), "%04u.conf", i);
		snprintf(text, sizeof(text), "[Match]\nUnit=%u.service\n", i);
		put_text(name, text);
	}
	assert_int_equal(ladders_load(dir, NULL, NULL, &ladders), 0);
	snprintf(name, sizeof(name), "/%u.service", LADDERS_MAX - 1);
	expect_match(ladders, name, "0255.conf");
	snprintf(name, sizeof(name), "/%u.service", LADDERS_MAX);
	expect_match(ladders, name, NULL);
}

static void test_no_dir(void **state)
{
	_cleanup_(ladders_freep) struct ladders *ladders = NULL;

	assert_int_equal(ladders_load("/nonexistent/release.d", NULL, NULL, &ladders), 0);
	expect_match(ladders, "/a.service", NULL);
	assert_int_equal(ladders_load("/dev/null", NULL, NULL, &ladders), -ENOTDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_unit),
		cmocka_unit_test_setup_teardown(test_match, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(test_distrust, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(test_many, make_dir, remove_dir),
		cmocka_unit_test(test_no_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
