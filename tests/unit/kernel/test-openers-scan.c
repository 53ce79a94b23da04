/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who has devices open, as the child sees it that looks. */
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "tests/unit/kernel/openers-fixture.h"

/* Likewise 259, 3. */
#define BLOCK 0x10303

static const struct device_numbers shared = { 1, { { .number = ZERO, .shared = true } } };
static const struct device_numbers block = { 1, { { .number = BLOCK, .block = true } } };

static void collect(json_t *user, void *userdata)
{
	assert_int_equal(json_array_append_new(userdata, user), 0);
}

static json_t *scan_with(struct openers_scan *scan, const struct device_numbers *numbers)
{
	json_t *users = json_array();

	scan->proc_fd = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(scan->proc_fd >= 0);
	scan->numbers = numbers;
	scan->found = collect;
	scan->userdata = users;
	scan->max = scan->max ?: OPENERS_MAX;
	scan->max_files = scan->max_files ?: OPENERS_FILES_MAX;
	scan->end_usec = scan->end_usec ?: UINT64_MAX;
	scan->share_usec = scan->share_usec ?: UINT64_MAX;
	assert_int_equal(openers_scan(scan), 0);
	close(scan->proc_fd);
	return users;
}

static json_t *scan_for(const struct device_numbers *numbers)
{
	struct openers_scan scan = {};
	json_t *users = scan_with(&scan, numbers);

	assert_int_equal(scan.unseen, 0);
	assert_int_equal(scan.omitted, 0);
	assert_false(scan.hidden);
	return users;
}

static void test_open(void **state)
{
	_cleanup_json_ json_t *users = NULL, *maybe = NULL;
	const json_t *user;

	put_process(20, "other\n");
	put_link(20, "fd/0", "/dev/full");
	put_link(20, "fd/1", "socket:[99]");
	put_process(21, "da\033x\n");
	put_link(21, "fd/7", "/dev/zero");
	put_link(21, "fd/8", "/dev/zero");
	users = scan_for(&zero);
	user = only(users, 21, "open");
	assert_string_equal(json_get_string(user, "comm", ""), "da\\x1bx");
	assert_string_equal(json_get_string(user, "cgroup", ""), "/demo/21");
	assert_true(json_get_bool(user, "exact", false));
	assert_true(json_is_null(json_object_get(user, "path")));
	maybe = scan_for(&shared);
	assert_false(json_get_bool(only(maybe, 21, "open"), "exact", true));
}

/* Who has been handed a name of the device does not use it. */
static void test_path_only(void **state)
{
	_cleanup_json_ json_t *none = NULL, *users = NULL;

	put_process(25, "bystander\n");
	put_link(25, "fd/3", "/dev/zero");
	put(25, "fdinfo/3", "pos:\t0\nflags:\t012000000\nmnt_id:\t7\n");
	none = scan_for(&zero);
	assert_int_equal(json_array_size(none), 0);
	put_link(25, "fd/4", "/dev/zero");
	users = scan_for(&zero);
	only(users, 25, "open");
}

/* The file may be closed; the list of mappings does not say which device it is. */
static void test_mapped(void **state)
{
	_cleanup_json_ json_t *users = NULL;

	put_process(30, "dax\n");
	put(30, "maps",
	    "10000-20000 r--p 00000000 00:05 9 /usr/bin/dax\n"
	    "20000-30000 rw-s 00000000 00:05 9 /dev/dax0.0\n"
	    "30000-40000 rw-s 00000000 00:05 9 /dev/dax0.0\n");
	put_link(30, "map_files/20000-30000", "/dev/zero");
	users = scan_for(&zero);
	only(users, 30, "mapped");
}

static void test_block(void **state)
{
	_cleanup_json_ json_t *users = NULL;
	size_t mounts = 0;

	put_process(31, "db\n");
	put(31, "maps", "10000-20000 rw-p 00000000 103:03 77 /mnt/data\n");
	put(1, "mountinfo",
	    "22 1 0:5 / /dev rw - devtmpfs dev rw\n"
	    "23 1 259:3 / /mnt/a\\040b rw,relatime shared:1 - ext4 /dev/pmem0 rw,dax\n");
	/* The same namespace is not told of twice. */
	put(31, "mountinfo", "23 1 259:3 / /mnt/a\\040b rw - ext4 /dev/pmem0 rw,dax\n");
	/* Nor are another's copies. */
	put_process(32, "sandboxed\n");
	tree_remove("32/ns");
	put(32, "ns/mnt", "");
	put(32, "mountinfo", "99 1 259:3 / /mnt/a\\040b rw - ext4 /dev/pmem0 rw,dax\n");
	users = scan_for(&block);
	assert_int_equal(json_array_size(users), 2);
	for (size_t i = 0; i < 2; i++) {
		const json_t *user = json_array_get(users, i);
		const char *how = json_get_string(user, "how", "");

		if (strcmp(how, "mounted") == 0)
			assert_string_equal(json_get_string(user, "path", ""),
					    "/mnt/a\\\\040b");
		else
			assert_int_equal(json_get_int(user, "pid", 0), 31);
		mounts += strcmp(how, "mounted") == 0;
	}
	assert_int_equal(mounts, 1);
	json_decref(users);
	/* Elsewhere it is another mount. */
	put(32, "mountinfo", "99 1 259:3 / /data rw - ext4 /dev/pmem0 rw,dax\n");
	users = scan_for(&block);
	assert_int_equal(json_array_size(users), 3);
}

/* A block device itself is on another file system, too; also a private mapping counts. */
static void test_block_mapped(void **state)
{
	_cleanup_json_ json_t *users = NULL;
	struct device_numbers numbers = { 1, { { .block = true } } };
	struct stat st;

	assert_int_equal(stat(tree, &st), 0);
	numbers.all[0].number = st.st_dev;
	put_process(33, "db\n");
	put(33, "maps", "10000-20000 r--p 00000000 fff:05 9 /dev/pmem0\n");
	put_link(33, "map_files/10000-20000", "../comm");
	users = scan_for(&numbers);
	only(users, 33, "mapped");
}

/* The main thread has ended, another has the files. */
static void test_dead_leader(void **state)
{
	_cleanup_json_ json_t *users = NULL;

	put_process(40, "workers\n");
	put(40, "task/40/", NULL);
	put(40, "task/41/", NULL);
	/* Found by its number, but not listed: a leading dot has the test find it. */
	put_process(41, "worker\n");
	put_link(41, "fd/3", "/dev/zero");
	users = scan_for(&zero);
	assert_int_equal(json_array_size(users), 2);
}

/* Exactly as many files as are looked at, one less, and one more. */
static void test_many_files(void **state)
{
	struct openers_scan scan = {};
	json_t *users;
	char name[32];
	int i;

	put_process(50, "many\n");
	for (i = 0; i < 99999; i++) {
		snprintf(name, sizeof(name), "fd/%d", i);
		put_link(50, name, "anon_inode:[eventpoll]");
	}
	put_link(50, "fd/99999", "/dev/zero");
	for (int more = -1; more <= 1; more++) {
		scan = (struct openers_scan){ .max_files = 100000 + more };
		users = scan_with(&scan, &zero);
		assert_int_equal(scan.unseen, more < 0);
		if (more >= 0)
			only(users, 50, "open");
		json_decref(users);
	}
	users = scan_for(&zero);
	only(users, 50, "open");
	json_decref(users);
}

static void test_many_users(void **state)
{
	struct openers_scan scan;
	json_t *users;
	size_t max;

	for (int pid = 60; pid < 64; pid++) {
		put_process(pid, "user\n");
		put_link(pid, "fd/3", "/dev/zero");
	}
	for (max = 3; max <= 5; max++) {
		scan = (struct openers_scan){ .max = max };
		users = scan_with(&scan, &zero);
		assert_int_equal(json_array_size(users), MIN(max, 4));
		assert_int_equal(scan.omitted, max < 4);
		json_decref(users);
	}
}

static void put_user(int pid, int uid)
{
	char text[64];

	put_process(pid, "user\n");
	put_link(pid, "fd/3", "/dev/zero");
	snprintf(text, sizeof(text), "Tgid:\t%d\nUid:\t%d\t%d\t%d\t%d\n", pid, uid, uid, uid, uid);
	put(pid, "status", text);
}

/* Of each user as many are told as of any other: a crowd hides nobody. */
static void test_crowd(void **state)
{
	struct openers_scan scan = { .max = 32 };
	json_t *users;
	bool found = false;

	for (int i = 0; i < 100; i++)
		put_user(100 + i, 1000);
	put_user(300, 1001);
	put_user(301, 1001);
	users = scan_with(&scan, &zero);
	assert_int_equal(json_array_size(users), 32);
	assert_int_equal(scan.omitted, 70);
	for (int pid = 300; pid <= 301; pid++, found = false) {
		for (size_t i = 0; i < 32; i++)
			found |= json_get_int(json_array_get(users, i), "pid", 0) == pid;
		assert_true(found);
	}
	/* the first ones are told as they are found */
	assert_in_range(json_get_int(json_array_get(users, 0), "pid", 0), 100, 199);
	json_decref(users);
}

/* Nor does what it costs to look at a user's; root's always are looked at. */
static void test_share(void **state)
{
	struct openers_scan scan = { .share_usec = 1 };
	_cleanup_json_ json_t *users = NULL, *late = NULL;
	size_t of_root = 0, others = 0;

	for (int i = 0; i < 8; i++)
		put_user(100 + i, 1000);
	for (int i = 0; i < 8; i++)
		put_user(200 + i, 0);
	put_user(300, 1001);
	users = scan_with(&scan, &zero);
	for (size_t i = 0; i < json_array_size(users); i++) {
		const int64_t pid = json_get_int(json_array_get(users, i), "pid", 0);

		of_root += pid >= 200 && pid < 300;
		others += pid == 300;
	}
	assert_int_equal(of_root, 8);
	assert_int_equal(others, 1);
	assert_int_equal(scan.unseen, 7);
	assert_false(scan.late);
	scan = (struct openers_scan){ .end_usec = 1 };
	late = scan_with(&scan, &zero);
	assert_int_equal(json_array_size(late), 0);
	assert_true(scan.late);
}

/* What goes while it is looked at is no fault; what may not be looked at is one. */
static void test_vanished(void **state)
{
	_cleanup_json_ json_t *users = NULL;

	put_process(70, "closes\n");
	put_link(70, "fd/3", "/nonexistent/closed");
	put_link(70, "fd/4", "/dev/zero");
	put(71, "comm", "ends\n"); /* nothing else of it is there any more */
	put(72, "fd", "not a directory");
	users = scan_for(&zero);
	only(users, 70, "open");
}

static void test_unreadable(void **state)
{
	_cleanup_json_ json_t *users = NULL;
	struct openers_scan scan = {};
	char path[64];

	if (geteuid() == 0)
		skip();
	put_process(80, "secret\n");
	put_process(81, "open\n");
	put_link(81, "fd/3", "/dev/zero");
	snprintf(path, sizeof(path), "%s/80/fd", tree);
	assert_int_equal(chmod(path, 0), 0);
	users = scan_with(&scan, &zero);
	assert_int_equal(chmod(path, 0700), 0);
	only(users, 81, "open");
	assert_int_equal(scan.unseen, 1);
}

/* A link that leads nowhere but to itself: any error other than that it has gone. */
static void test_cannot_tell(void **state)
{
	_cleanup_json_ json_t *users = NULL;
	struct openers_scan scan = {};
	char path[64];

	put_process(82, "loop\n");
	snprintf(path, sizeof(path), "%s/82/fd/3", tree);
	put_link(82, "fd/3", path);
	users = scan_with(&scan, &zero);
	assert_int_equal(json_array_size(users), 0);
	assert_int_equal(scan.unseen, 1);
}

/* The real /proc, while a process that has the device open forks and forks. */
static void test_forks(void **state)
{
	struct openers_scan scan = {
		.numbers = &zero, .found = collect, .max = OPENERS_MAX,
		.max_files = OPENERS_FILES_MAX, .end_usec = UINT64_MAX, .share_usec = UINT64_MAX,
	};
	pid_t pid = fork();
	bool found = false;
	json_t *user;
	size_t i;

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (open("/dev/zero", O_RDONLY) < 0)
			_exit(1);
		for (;;) {
			pid_t child = fork();

			if (child == 0)
				_exit(0);
			(void)waitpid(child, NULL, 0);
		}
	}
	scan.proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int n = 0; n < 20; n++) {
		_cleanup_json_ json_t *users = json_array();

		scan.userdata = users;
		assert_int_equal(openers_scan(&scan), 0);
		assert_false(scan.late);
		json_array_foreach(users, i, user)
			if (json_get_int(user, "pid", 0) == pid)
				break;
		/* It may not have come to open it the first time. */
		assert_true(!found || i < json_array_size(users));
		found = i < json_array_size(users);
	}
	assert_true(found);
	close(scan.proc_fd);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* As with hidepid: the first process is not among those that are shown. */
static void test_hidden(void **state)
{
	_cleanup_json_ json_t *users = NULL;
	struct openers_scan scan = {};

	tree_remove("1");
	put_process(90, "mine\n");
	put_link(90, "fd/3", "/dev/zero");
	users = scan_with(&scan, &zero);
	only(users, 90, "open");
	assert_true(scan.hidden);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_path_only, setup, tree_teardown),
		cmocka_unit_test_setup_teardown(test_open, setup, tree_teardown),
		cmocka_unit_test_setup_teardown(test_mapped, setup, tree_teardown),
		cmocka_unit_test_setup_teardown(test_block, setup, tree_teardown),
		cmocka_unit_test_setup_teardown(test_block_mapped, setup, tree_teardown),
		cmocka_unit_test_setup_teardown(test_dead_leader, setup, tree_teardown),
		cmocka_unit_test_setup_teardown(test_many_files, setup, tree_teardown),
		cmocka_unit_test_setup_teardown(test_many_users, setup, tree_teardown),
		cmocka_unit_test_setup_teardown(test_crowd, setup, tree_teardown),
		cmocka_unit_test_setup_teardown(test_share, setup, tree_teardown),
		cmocka_unit_test_setup_teardown(test_vanished, setup, tree_teardown),
		cmocka_unit_test_setup_teardown(test_unreadable, setup, tree_teardown),
		cmocka_unit_test_setup_teardown(test_cannot_tell, setup, tree_teardown),
		cmocka_unit_test_setup_teardown(test_hidden, setup, tree_teardown),
		cmocka_unit_test(test_forks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
