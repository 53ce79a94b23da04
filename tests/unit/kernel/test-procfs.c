/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Of processes: when they were started, what memory they have pinned and how much they may lock. */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "tests/unit/tree.h"

#include "daemon/kernel/procfs.h"

#define AFTER_NAME " S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 "

static void check(const char *text, int result, uint64_t expected_usec)
{
	uint64_t usec = 0;

	assert_int_equal(procfs_parse_start(text, 100, &usec), result);
	assert_int_equal(usec, expected_usec);
}

static void test_parse(void **state)
{
	check("7 (name)" AFTER_NAME "1234 99 0\n", 0, 12340000);
	/* Users choose the name. */
	check("7 (a) b) S 1 (c)" AFTER_NAME "1234 99\n", 0, 12340000);
	check("7 ()" AFTER_NAME "0\n", 0, 0);
	check("", -ENODATA, 0);
	check("7 (name", -ENODATA, 0);
	check("7 (name) S 1 2", -ENODATA, 0);
	check("7 (name)" AFTER_NAME, -ENODATA, 0);
	check("7 (name)" AFTER_NAME "-5 0\n", -ENODATA, 0);
	check("7 (name)" AFTER_NAME "5x 0\n", -ENODATA, 0);
	check("7 (name)" AFTER_NAME "99999999999999999999 0\n", -ENODATA, 0);
	check("7 (name)" AFTER_NAME "18446744073709551615 0\n", -ENODATA, 0);
}

static void test_own(void **state)
{
	_cleanup_(closep) int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	uint64_t own, first;

	if (proc < 0 || procfs_read_start(proc, 1, &first) < 0)
		skip();
	assert_int_equal(procfs_read_start(proc, getpid(), &own), 0);
	assert_true(own >= first);
	assert_int_equal(procfs_read_start(proc, 0x7fffffff, &own), -ENOENT);
}

/* Of processes: when they were started, what memory they have pinned and how much they may lock. */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "tests/unit/tree.h"
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_own),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_long_cgroup),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_many_threads),
		cmocka_unit_test(test_main_thread_gone),
		cmocka_unit_test(test_memlock),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
