/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <limits.h>
#include <utlist.h>

#include "tests/unit/tree.h"

#include "daemon/cgroup/quota-store.h"

struct dir {
	int fd;
};

static int setup(void **state)
{
	struct dir *d = calloc(1, sizeof(*d));

	tree_new();
	d->fd = open(tree, O_RDONLY | O_DIRECTORY);
	assert_true(d->fd >= 0);
	*state = d;
	return 0;
}

static int teardown(void **state)
{
	struct dir *d = *state;

	close(d->fd);
	tree_remove(NULL);
	free(d);
	return 0;
}

static void test_round_trip(void **state)
{
	struct quota *list = NULL, *again = NULL, *q;
	struct dir *d = *state;
	const char *reason;

	q = quota_new("/a.slice", 4096);
	q->high_bytes = 4096;
	quota_list_add(&list, q);
	quota_list_add(&list, quota_new("/a.slice/\xff\x1b\\x2d.service", UINT64_MAX));
	q = quota_new("/gone", 1);
	q->runtime = true;
	quota_list_add(&list, q);
	assert_int_equal(quota_store_save(d->fd, list), 0);
	assert_int_equal(quota_store_load(d->fd, &again, &reason), 0);
	assert_int_equal(quota_list_find(again, "/a.slice")->max_bytes, 4096);
	assert_int_equal(quota_list_find(again, "/a.slice")->high_bytes, 4096);
	q = quota_list_find(again, "/a.slice/\xff\x1b\\x2d.service");
	assert_non_null(q);
	assert_true(q->max_bytes == UINT64_MAX);
	assert_true(q->high_bytes == UINT64_MAX);
	assert_false(q->runtime);
	assert_null(quota_list_find(again, "/gone"));
	quota_list_clear(&list);
	quota_list_clear(&again);
}

/* Files of versions without high marks, and marks without a limit. */
static void test_high(void **state)
{
	static const char text[] = "{\"version\":1,\"quotas\":["
				   "{\"cgroup\":\"/old\",\"max_bytes\":4096},"
				   "{\"cgroup\":\"/null\",\"max_bytes\":1,\"high_bytes\":null},"
				   "{\"cgroup\":\"/zero\",\"max_bytes\":0,\"high_bytes\":0},"
				   "{\"cgroup\":\"/high\",\"max_bytes\":null,\"high_bytes\":7}]}";
	struct quota *list = NULL;
	struct dir *d = *state;
	const char *reason;

	tree_put(QUOTA_STORE_FILE, text);
	assert_int_equal(quota_store_load(d->fd, &list, &reason), 0);
	assert_int_equal(quota_list_find(list, "/old")->max_bytes, 4096);
	assert_true(quota_list_find(list, "/old")->high_bytes == UINT64_MAX);
	assert_true(quota_list_find(list, "/null")->high_bytes == UINT64_MAX);
	assert_int_equal(quota_list_find(list, "/zero")->high_bytes, 0);
	assert_int_equal(quota_list_find(list, "/high")->high_bytes, 7);
	assert_true(quota_list_find(list, "/high")->max_bytes == UINT64_MAX);
	quota_list_clear(&list);
}

static void test_no_file(void **state)
{
	struct quota *list = (void *)1;
	struct dir *d = *state;
	const char *reason;

	assert_int_equal(quota_store_load(d->fd, &list, &reason), 0);
	assert_null(list);
}

static void test_damaged(void **state)
{
	static const char *const texts[] = {
		"", "{", "[]", "null", "{\"version\":1}", "{\"version\":2,\"quotas\":[]}",
		"{\"version\":1,\"quotas\":[1]}",
		"{\"version\":1,\"quotas\":[{\"cgroup\":\"/a\"}]}",
		"{\"version\":1,\"quotas\":[{\"cgroup\":\"/a\",\"max_bytes\":-1}]}",
		"{\"version\":1,\"quotas\":[{\"cgroup\":\"/a\",\"max_bytes\":1,"
		"\"high_bytes\":-1}]}",
		"{\"version\":1,\"quotas\":[{\"cgroup\":\"/a\",\"max_bytes\":1,"
		"\"high_bytes\":\"1\"}]}",
		"{\"version\":1,\"quotas\":[{\"cgroup\":\"/a\",\"max_bytes\":1,"
		"\"high_bytes\":2}]}",
		"{\"version\":1,\"quotas\":[{\"cgroup\":\"a\",\"max_bytes\":1}]}",
		"{\"version\":1,\"quotas\":[{\"cgroup\":\"/\",\"max_bytes\":1}]}",
		"{\"version\":1,\"quotas\":[{\"cgroup\":\"/a\\\\x00b\",\"max_bytes\":1}]}",
		"{\"version\":1,\"quotas\":[{\"cgroup\":\"/a\\\\\",\"max_bytes\":1}]}",
		"{\"version\":1,\"quotas\":[{\"cgroup\":\"/a\",\"max_bytes\":1},"
		"{\"cgroup\":\"/a\",\"max_bytes\":2}]}",
	};
	struct quota *list = NULL;
	struct dir *d = *state;
	const char *reason;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		tree_put(QUOTA_STORE_FILE, texts[i]);
		if (quota_store_load(d->fd, &list, &reason) != -EBADMSG)
			fail_msg("accepted: %s", texts[i]);
		assert_non_null(reason);
		assert_null(list);
	}
}

static void test_set_aside(void **state)
{
	_cleanup_(freep) char *name = NULL;
	struct quota *list = NULL;
	struct dir *d = *state;
	const char *reason;
	struct stat st;

	tree_put(QUOTA_STORE_FILE, "{");
	assert_int_equal(quota_store_set_aside(d->fd, 1700000000000000, &name), 0);
	assert_string_equal(name, QUOTA_STORE_FILE ".corrupt-1700000000");
	assert_int_equal(fstatat(d->fd, name, &st, 0), 0);
	assert_int_equal(quota_store_load(d->fd, &list, &reason), 0);
	assert_null(list);
}

static void test_no_regular_file(void **state)
{
	struct quota *list = NULL;
	struct dir *d = *state;
	const char *reason;

	assert_int_equal(symlinkat("/dev/zero", d->fd, QUOTA_STORE_FILE), 0);
	assert_int_equal(quota_store_load(d->fd, &list, &reason), -EBADMSG);
	unlinkat(d->fd, QUOTA_STORE_FILE, 0);
	assert_int_equal(mkfifoat(d->fd, QUOTA_STORE_FILE, 0600), 0);
	assert_int_equal(quota_store_load(d->fd, &list, &reason), -EBADMSG);
}

/* Died between writing and renaming: the old file counts, and saving goes on. */
static void test_half_written(void **state)
{
	struct quota *list = NULL, *again = NULL;
	struct dir *d = *state;
	const char *reason;
	struct stat st;

	quota_list_add(&list, quota_new("/a", 1));
	assert_int_equal(quota_store_save(d->fd, list), 0);
	tree_put(QUOTA_STORE_FILE ".tmp", "{\"version\":1,\"quo");
	assert_int_equal(quota_store_load(d->fd, &again, &reason), 0);
	assert_int_equal(quota_list_find(again, "/a")->max_bytes, 1);
	quota_list_clear(&again);

	list->max_bytes = 2;
	assert_int_equal(quota_store_save(d->fd, list), 0);
	assert_int_equal(quota_store_load(d->fd, &again, &reason), 0);
	assert_int_equal(quota_list_find(again, "/a")->max_bytes, 2);
	assert_int_equal(fstatat(d->fd, QUOTA_STORE_FILE ".tmp", &st, 0), -1);
	assert_int_equal(fstatat(d->fd, QUOTA_STORE_FILE, &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	quota_list_clear(&again);
	quota_list_clear(&list);
}

/* What could not be read again is not written, and the file that is there stays. */
static void test_too_large(void **state)
{
	struct quota *list = NULL, *again = NULL, *q;
	char path[PATH_MAX] = "/";
	struct dir *d = *state;
	const char *reason;
	struct stat st;
	int r, n = 0;

	/* 5 bytes each in the file */
	memset(path + 1, 1, sizeof(path) - 2);
	do {
		path[1] = 'a' + n % 26;
		path[2] = 'a' + n / 26;
		quota_list_add(&list, quota_new(path, 1));
		/* near the limit alone: each waits for the disk */
		r = ++n < 200 ? 0 : quota_store_save(d->fd, list);
	} while (r == 0 && n < 220);
	assert_int_equal(r, -EFBIG);
	assert_int_equal(fstatat(d->fd, QUOTA_STORE_FILE ".tmp", &st, 0), -1);
	assert_int_equal(quota_store_load(d->fd, &again, &reason), 0);
	DL_COUNT(again, q, r);
	assert_int_equal(r, n - 1);
	assert_true(n > 200);
	quota_list_clear(&again);
	quota_list_clear(&list);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_round_trip), TEST(test_no_file),	 TEST(test_damaged),
		TEST(test_set_aside),  TEST(test_no_regular_file), TEST(test_half_written),
		TEST(test_too_large),  TEST(test_high),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
