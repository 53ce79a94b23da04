/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Of processes: when they were started, what memory they have pinned, and may lock; lines about it. */
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

#define HEAD "Name:\tx\nTgid:\t7\nUid:\t1\t2\t3\t4\n"
#define MEMORY "VmLck:\t      8 kB\nVmPin:\t     64 kB\n"

/* Of so many bytes, with supplementary groups before what is of interest. */
static char *status_of(size_t bytes)
{
	static const char groups[] = HEAD "Groups:\t", after[] = "\n" MEMORY "Threads:\t1\n";
	char *text = malloc(bytes + 1);
	size_t n = strlen(groups), end = bytes - strlen(after);

	assert_non_null(text);
	strcpy(text, groups);
	for (; n < end; n++)
		text[n] = n % 7 ? '1' : ' ';
	strcpy(text + end, after);
	return text;
}

static int read_status(const char *text, struct proc_status *ret)
{
	_cleanup_(closep) int proc = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	tree_put("7/status", text);
	return procfs_read_status(proc, 7, ret);
}

static void test_length(void **state)
{
	static const size_t sizes[] = { 100, 4094, 4095, 4096, 4097, 8192, 8193, 100000,
					PROCFS_FILE_MAX - 1, PROCFS_FILE_MAX };
	struct proc_status st = {};
	char *text;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		text = status_of(sizes[i]);
		st = (struct proc_status){};
		assert_int_equal(read_status(text, &st), 0);
		assert_int_equal(st.pinned_bytes, 64 << 10);
		assert_int_equal(st.locked_bytes, 8 << 10);
		assert_int_equal(st.tgid, 7);
		assert_int_equal(st.uid, 2);
		assert_true(st.has_memory);
		free(text);
	}
	/* In part it would say that nothing is pinned. */
	text = status_of(PROCFS_FILE_MAX + 1);
	assert_int_equal(read_status(text, &st), -EFBIG);
	free(text);
	tree_remove("7");
}

/* Hierarchies of cgroup v1 come first. */
static void test_long_cgroup(void **state)
{
	_cleanup_(closep) int proc = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(freep) char *path = NULL;
	char text[20000];

	memset(text, 'x', sizeof(text));
	memcpy(text, "1:name=a:/", 10);
	strcpy(text + sizeof(text) - 10, "\n0::/b/c\n");
	tree_put("7/cgroup", text);
	assert_int_equal(procfs_read_cgroup(proc, 7, &path), 0);
	assert_string_equal(path, "/b/c");
	tree_remove("7");
}

static void put_thread(unsigned int tid, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "7/task/%u/status", tid);
	tree_put(path, text);
}

/* The main thread has left: the process goes on, and holds what it has pinned. */
static void test_threads(void **state)
{
	struct proc_status st;

	put_thread(7, HEAD "Threads:\t3\n");
	put_thread(8, HEAD "Threads:\t3\n");
	put_thread(9, HEAD MEMORY "Threads:\t3\n");
	assert_int_equal(read_status(HEAD "Threads:\t3\n", &st), 0);
	assert_true(st.has_memory);
	assert_int_equal(st.pinned_bytes, 64 << 10);
	assert_int_equal(st.locked_bytes, 8 << 10);
	/* All have exited. */
	assert_int_equal(read_status(HEAD "Threads:\t1\n", &st), 0);
	assert_false(st.has_memory);
	assert_int_equal(st.pinned_bytes, 0);
	/* Or do so while they are looked at. */
	tree_remove("7/task");
	assert_int_equal(read_status(HEAD "Threads:\t3\n", &st), 0);
	assert_false(st.has_memory);
	tree_remove("7");
}

/* Not one after the other for ever: so many, in the order of the directory. */
static void test_many_threads(void **state)
{
	unsigned int tids[PROCFS_TASKS_MAX + 1], n = 0;
	struct proc_status st;
	struct dirent *de;
	char path[64];
	DIR *dir;

	for (unsigned int i = 0; i < ARRAY_SIZE(tids); i++)
		put_thread(100 + i, HEAD);
	snprintf(path, sizeof(path), "%s/7/task", tree);
	dir = opendir(path);
	assert_non_null(dir);
	while ((de = readdir(dir)))
		if (de->d_name[0] != '.')
			tids[n++] = atoi(de->d_name);
	closedir(dir);
	assert_int_equal(n, ARRAY_SIZE(tids));
	for (unsigned int i = 0; i < n; i++) {
		put_thread(tids[i], HEAD MEMORY);
		assert_int_equal(read_status(HEAD "Threads:\t3\n", &st), 0);
		assert_int_equal(st.has_memory, i < PROCFS_TASKS_MAX);
		put_thread(tids[i], HEAD);
	}
	tree_remove("7");
}

static void *wait_for_end(void *arg)
{
	char byte;

	(void)!read(*(int *)arg, &byte, 1);
	_exit(0);
}

/* The same of the kernel that runs the test. */
static void test_main_thread_gone(void **state)
{
	_cleanup_(closep) int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct proc_status st = {};
	pthread_t thread;
	int fds[2];
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(fds[1]);
		if (pthread_create(&thread, NULL, wait_for_end, &fds[0]) != 0)
			_exit(1);
		pthread_exit(NULL);
	}
	close(fds[0]);
	/* Until it has left, the main thread answers for itself. */
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(procfs_read_status(proc, pid, &st), 0);
		if (st.threads == 2)
			assert_true(st.has_memory);
		usleep(100);
	}
	close(fds[1]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

#define LIMITS "Limit                     Soft Limit           Hard Limit           Units     \n" \
	       "Max open files            1024                 524288               files     \n"
#define MEMLOCK "Max locked memory         "

static void check_memlock(const char *text, int result, uint64_t soft_bytes, uint64_t hard_bytes)
{
	struct proc_memlock limit = {};

	assert_int_equal(procfs_parse_memlock(text, &limit), result);
	assert_int_equal(limit.soft_bytes, soft_bytes);
	assert_int_equal(limit.hard_bytes, hard_bytes);
}

static void test_memlock(void **state)
{
	_cleanup_(closep) int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct proc_memlock told;
	struct rlimit limit;

	check_memlock(LIMITS MEMLOCK "8388608              16777216             bytes     \n", 0,
		      8388608, 16777216);
	check_memlock(MEMLOCK "0                    0                    bytes     \n", 0, 0, 0);
	check_memlock(MEMLOCK "0                    unlimited            bytes     \n", 0, 0,
		      UINT64_MAX);
	check_memlock(MEMLOCK "unlimited            unlimited            bytes     \n", 0,
		      UINT64_MAX, UINT64_MAX);
	check_memlock(LIMITS, -ENODATA, 0, 0);
	check_memlock("", -ENODATA, 0, 0);
	check_memlock(MEMLOCK, -ENODATA, 0, 0);
	check_memlock(MEMLOCK "5", -ENODATA, 0, 0);
	check_memlock(MEMLOCK "5 ", -ENODATA, 0, 0);
	check_memlock(MEMLOCK "5 6", -ENODATA, 0, 0);
	check_memlock(MEMLOCK "-5 ", -ENODATA, 0, 0);
	check_memlock(MEMLOCK "99999999999999999999 ", -ENODATA, 0, 0);
	if (proc < 0 || procfs_read_memlock(proc, getpid(), &told) < 0)
		skip();
	assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
	assert_int_equal(told.soft_bytes,
			 limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : limit.rlim_cur);
	assert_int_equal(told.hard_bytes,
			 limit.rlim_max == RLIM_INFINITY ? UINT64_MAX : limit.rlim_max);
	assert_int_equal(procfs_read_memlock(proc, 0x7fffffff, &told), -ENOENT);
}

static void check_user_ns(const char *link, int result, bool expected)
{
	bool initial = !expected;

	assert_int_equal(procfs_parse_user_ns(link, &initial), result);
	if (result == 0)
		assert_int_equal(initial, expected);
}

static void test_capabilities(void **state)
{
	_cleanup_(closep) int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct proc_status status;
	bool initial;

	assert_int_equal(procfs_parse_status("Uid:\t1\t1\n", &status), 0);
	assert_false(status.has_capabilities);
	assert_int_equal(procfs_parse_status("Uid:\t1\t1\nCapEff:\t0000000000004000\n", &status), 0);
	assert_true(status.has_capabilities);
	assert_int_equal(status.capabilities, 1 << 14);
	check_user_ns("user:[4026531837]", 0, true);
	check_user_ns("user:[4026531836]", 0, false);
	check_user_ns("user:[4026531837", -ENODATA, false);
	check_user_ns("mnt:[4026531837]", -ENODATA, false);
	check_user_ns("", -ENODATA, false);
	if (proc < 0 || access("/proc/self/ns/user", F_OK) < 0)
		skip();
	assert_int_equal(procfs_read_user_ns(proc, getpid(), &initial), 0);
	assert_int_equal(procfs_read_user_ns(proc, 0x7fffffff, &initial), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_mapping),
		cmocka_unit_test(test_mount),
		cmocka_unit_test(test_own),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_long_cgroup),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_many_threads),
		cmocka_unit_test(test_main_thread_gone),
		cmocka_unit_test(test_memlock),
		cmocka_unit_test(test_capabilities),
	};

	return cmocka_run_group_tests(tests, tree_setup, tree_teardown);
}
