/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/base/config.h"
#include "daemon/model/pin.h"
#include "lib/macros.h"

#define DEFAULT 30, PINGUARD_REVOKE_MODE_WAIT

static const struct {
	const char *text;
	unsigned int seconds, mode, line; /* of the one problem; 0: none */
} cases[] = {
	{ "", DEFAULT, 0 },
	{ "# nothing\n\n[Revoke]\n", DEFAULT, 0 },
	{ "[Revoke]\nMode=notify\nTimeoutSec=5\n", 5, PINGUARD_REVOKE_MODE_NOTIFY, 0 },
	{ "[Revoke]\nMode = wait\nTimeoutSec = 1min 5s\n", 65, PINGUARD_REVOKE_MODE_WAIT, 0 },
	{ "[Revoke]\nTimeoutSec=0", 0, PINGUARD_REVOKE_MODE_WAIT, 0 },
	{ "[Revoke]\nTimeoutSec=100", 100, PINGUARD_REVOKE_MODE_WAIT, 0 },
	{ "[Revoke]\nTimeoutSec=101", DEFAULT, 2 },
	{ "[Revoke]\nTimeoutSec=-1", DEFAULT, 2 },
	{ "[Revoke]\nTimeoutSec=", DEFAULT, 2 },
	{ "[Revoke]\nTimeoutSec=soon\nMode=notify", 30, PINGUARD_REVOKE_MODE_NOTIFY, 2 },
	{ "[Revoke]\n\nMode=Wait\nTimeoutSec=7\n", 7, PINGUARD_REVOKE_MODE_WAIT, 3 },
	{ "[Revoke]\nModus=wait\n", DEFAULT, 2 },
	{ "[revoke]\nMode=notify\n", DEFAULT, 2 },
	{ "Mode=notify\n", DEFAULT, 1 },
	{ "[Revoke]\nnonsense\nTimeoutSec=7\n", 7, PINGUARD_REVOKE_MODE_WAIT, 2 },
	{ "[Revoke\n", DEFAULT, 1 },
};

struct problems {
	unsigned int n, line;
	char text[256];
};

static void on_problem(unsigned int line, const char *text, void *userdata)
{
	struct problems *p = userdata;

	p->n++;
	p->line = line;
	strncpy(p->text, text, sizeof(p->text) - 1);
}

static void test_parse(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct problems problems = {};
		_cleanup_(config_done) struct config config = {};

		assert_int_equal(config_parse(cases[i].text, on_problem, &problems, &config), 0);
		if (config.revoke_timeout_usec != cases[i].seconds * 1000000ULL ||
		    config.revoke_mode != cases[i].mode || problems.line != cases[i].line ||
		    problems.n != (cases[i].line > 0))
			fail_msg("case %zu: %s", i, cases[i].text);
	}
}

/* Nothing of a file obeys a terminal; a line too long hides what comes after it, and says so. */
static void test_hostile(void **state)
{
	struct problems problems = {};
	_cleanup_(config_done) struct config config = {};
	char text[1024];

	assert_int_equal(config_parse("[Revoke]\nMode=\x1b[31m\n", on_problem, &problems, &config),
			 0);
	assert_int_equal(problems.n, 1);
	assert_null(strchr(problems.text, '\x1b'));

	memset(text, 'x', sizeof(text));
	memcpy(text, "[Revoke]\nMode=", 14);
	strcpy(text + sizeof(text) - 20, "\nMode=notify\n");
	problems.n = 0;
	assert_int_equal(config_parse(text, on_problem, &problems, &config), 0);
	assert_int_equal(problems.n, 1);
	assert_int_equal(problems.line, 2);
	assert_int_equal(config.revoke_mode, PINGUARD_REVOKE_MODE_WAIT);
}

static void check_enable(const char *text, const char *expected, unsigned int n_problems)
{
	_cleanup_(config_done) struct config config = {};
	struct problems problems = {};
	char paths[256] = "";

	assert_int_equal(config_parse(text, on_problem, &problems, &config), 0);
	for (char **e = config.enable; e && *e; e++)
		snprintf(paths + strlen(paths), sizeof(paths) - strlen(paths), "%s%s",
			 e == config.enable ? "" : " ", *e);
	assert_string_equal(paths, expected);
	assert_int_equal(problems.n, n_problems);
}

static void test_enable(void **state)
{
	_cleanup_(config_done) struct config config = {};
	struct problems problems = {};
	char text[1024] = "[Control]\n";

	check_enable("[Control]\nEnable=docker\n", "/docker", 0);
	check_enable("[Control]\nEnable=system.slice/s.scope /kubepods.slice/\n",
		     "/system.slice/s.scope /kubepods.slice", 0);
	check_enable("[Control]\nEnable=a\nEnable=b\n", "/a /b", 0);
	check_enable("[Control]\nEnable=a\nEnable=\nEnable=b\n", "/b", 0);
	check_enable("[Control]\nEnable=\n", "", 0);
	check_enable("[Control]\nEnable=/\nEnable=a\n", "/a", 1);
	check_enable("[Control]\nEnable=a/../b c\n", "", 1);
	check_enable("[Control]\nDisable=a\n", "", 1);

	for (int i = 0; i < CONFIG_ENABLE_MAX; i++)
		strcat(text, "Enable=a\n");
	assert_int_equal(config_parse(text, on_problem, &problems, &config), 0);
	assert_int_equal(problems.n, 0);
	config_done(&config);
	strcat(text, "Enable=a\n");
	assert_int_equal(config_parse(text, on_problem, &problems, &config), 0);
	assert_int_equal(problems.n, 1);
	assert_string_equal(config.enable[CONFIG_ENABLE_MAX - 1], "/a");
	assert_null(config.enable[CONFIG_ENABLE_MAX]);
}

static void on_file_problem(const char *file, unsigned int line, const char *text, void *userdata)
{
	snprintf(userdata, 64, "%u %s", line, text);
}

/* What others could have written is no configuration. */
static void test_trust(void **state)
{
	char name[] = "/tmp/pinguard-config-XXXXXX", link_name[64], said[64] = "";
	struct config config;
	int fd = mkstemp(name);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "[Revoke]\nTimeoutSec=9\n", 22), 22);
	snprintf(link_name, sizeof(link_name), "%s.link", name);
	assert_int_equal(symlink(name, link_name), 0);
	assert_int_equal(config_load(link_name, on_file_problem, said, &config), 0);
	assert_string_equal(said, "0 it is a symbolic link");
	assert_int_equal(config.revoke_timeout_usec, CONFIG_TIMEOUT_USEC);
	assert_int_equal(fchmod(fd, 0620), 0);
	assert_int_equal(config_load(name, on_file_problem, said, &config), 0);
	assert_string_equal(said, "0 others than root may write it");
	assert_int_equal(config.revoke_timeout_usec, CONFIG_TIMEOUT_USEC);
	assert_int_equal(fchmod(fd, 0644), 0);
	assert_int_equal(config_load(name, on_file_problem, said, &config), 0);
	assert_int_equal(config.revoke_timeout_usec, 9000000);
	unlink(link_name);
	unlink(name);
	close(fd);
}

static void check_enforce(const char *text, bool limits, unsigned int n_problems)
{
	_cleanup_(config_done) struct config config = {};
	struct problems problems = {};

	assert_int_equal(config_parse(text, on_problem, &problems, &config), 0);
	assert_int_equal(config.limits, limits);
	assert_int_equal(problems.n, n_problems);
}

static void test_enforce(void **state)
{
	check_enforce("", false, 0);
	check_enforce("[Limits]\nEnforce=lsm\n", true, 0);
	check_enforce("[Limits]\nEnforce=lsm\nEnforce=no\n", false, 0);
	check_enforce("[Limits]\nEnforce=yes\n", false, 1);
	check_enforce("[Limits]\nEnforce=lsm\nEnforce=\n", true, 1);
	check_enforce("[Limits]\nEnable=lsm\n", false, 1);
}

static void test_file(void **state)
{
	static const char text[] = "[Revoke]\nTimeoutSec=9\n";
	char name[] = "/tmp/pinguard-config-XXXXXX", *big = calloc(1, CONFIG_FILE_BYTES + 1);
	_cleanup_(config_done) struct config config = {};
	int fd = mkstemp(name);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(config_load(name, NULL, NULL, &config), 0);
	assert_int_equal(config.revoke_timeout_usec, 9000000);

	/* Too large, no text, no file: the defaults. */
	assert_int_equal(pwrite(fd, "", 1, strlen(text)), 1);
	assert_int_equal(config_load(name, NULL, NULL, &config), 0);
	assert_int_equal(config.revoke_timeout_usec, CONFIG_TIMEOUT_USEC);
	memset(big, '\n', CONFIG_FILE_BYTES + 1);
	memcpy(big, text, strlen(text));
	assert_int_equal(pwrite(fd, big, CONFIG_FILE_BYTES + 1, 0), CONFIG_FILE_BYTES + 1);
	assert_int_equal(config_load(name, NULL, NULL, &config), 0);
	assert_int_equal(config.revoke_timeout_usec, CONFIG_TIMEOUT_USEC);
	unlink(name);
	close(fd);
	free(big);
	assert_int_equal(config_load(name, NULL, NULL, &config), 0);
	assert_int_equal(config.revoke_timeout_usec, CONFIG_TIMEOUT_USEC);
	assert_int_equal(config_load(".", NULL, NULL, &config), 0);
	assert_int_equal(config.revoke_timeout_usec, CONFIG_TIMEOUT_USEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_enable),
		cmocka_unit_test(test_enforce),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_trust),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
