/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When a process was started, and lines about what it has. */
#include <fcntl.h>

#include "daemon/kernel/procfs.h"
#include "tests/unit/unit.h"

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

static void check_mapping(const char *line, bool file, bool shared)
{
	struct proc_mapping m;

	assert_int_equal(procfs_parse_mapping(line, &m), file ? 0 : -ENODATA);
	if (!file)
		return;
	assert_int_equal(m.start, 0x7f0000000000);
	assert_int_equal(m.end, 0x7f0000200000);
	assert_int_equal(m.dev, 0x10303);
	assert_int_equal(m.inode, 77);
	assert_int_equal(m.shared, shared);
}

static void test_mapping(void **state)
{
#define AREA "7f0000000000-7f0000200000 "
	check_mapping(AREA "rw-s 00000000 103:03 77    /dev/dax0.0\n", true, true);
	check_mapping(AREA "rw-p 7fffffffffff000 103:03 77    /mnt/a b (deleted)\n", true, false);
	check_mapping(AREA "rw-p 00000000 00:00 0\n", false, false);
	check_mapping(AREA "rw-p 00000000 00:00 0    [heap]\n", false, false);
	check_mapping(AREA "rw-s 00000000 00:0f 77    anon_inode:x\n", false, false);
	check_mapping(AREA "s 00000000 103:03 77    /dev/dax0.0\n", false, false);
	check_mapping("", false, false);
	check_mapping("rubbish\n", false, false);
}

static void test_mount(void **state)
{
	char line[] = "23 1 259:3 / /mnt/a\\040b rw,relatime shared:1 - ext4 /dev/pmem0 rw,dax\n";
	char last[] = "23 1 259:3 / /mnt", cut[] = "23 1 259:3 /", none[] = "\n";
	const char *where;
	dev_t dev;

	assert_int_equal(procfs_parse_mount(line, &dev, &where), 0);
	assert_string_equal(where, "/mnt/a\\040b");
	assert_int_equal(dev, 0x10303);
	assert_int_equal(procfs_parse_mount(last, &dev, &where), 0);
	assert_string_equal(where, "/mnt");
	assert_int_equal(procfs_parse_mount(cut, &dev, &where), -ENODATA);
	assert_int_equal(procfs_parse_mount(none, &dev, &where), -ENODATA);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_mapping),
		cmocka_unit_test(test_mount),
		cmocka_unit_test(test_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
