/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole files, up to a size, and nothing else that has a name. */
#include <fcntl.h>
#include <sys/stat.h>

#include "tests/unit/unit.h"

#include "lib/file.h"

struct dir {
	char path[32];
	int fd;
};

static int setup(void **state)
{
	static struct dir d;

	strcpy(d.path, "file-XXXXXX");
	assert_non_null(mkdtemp(d.path));
	d.fd = open(d.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(d.fd >= 0);
	*state = &d;
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = { "file", "link", "fifo", "dir" };
	struct dir *d = *state;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		(void)unlinkat(d->fd, names[i], strcmp(names[i], "dir") == 0 ? AT_REMOVEDIR : 0);
	close(d->fd);
	return rmdir(d->path);
}

static void write_file(struct dir *d, const void *bytes, size_t size)
{
	int fd = openat(d->fd, "file", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	assert_int_equal(fchmod(fd, 0640), 0);
	close(fd);
}

static int try(struct dir *d, const char *name, int flags, size_t max_bytes)
{
	_cleanup_(freep) char *text = NULL;
	size_t size;

	return file_read(d->fd, name, flags, max_bytes, NULL, &text, &size);
}

static void test_content(void **state)
{
	static const char bytes[] = { 'a', '\0', '\n', 'b' };
	_cleanup_(freep) char *text = NULL, *none = NULL;
	struct dir *d = *state;
	struct stat st = {};
	size_t size;

	write_file(d, bytes, sizeof(bytes));
	assert_int_equal(file_read(d->fd, "file", 0, sizeof(bytes), &st, &text, &size), 0);
	assert_int_equal(size, sizeof(bytes));
	assert_memory_equal(text, bytes, sizeof(bytes));
	assert_int_equal(text[size], 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	write_file(d, "", 0);
	assert_int_equal(file_read(d->fd, "file", 0, 0, NULL, &none, &size), 0);
	assert_int_equal(size, 0);
	assert_string_equal(none, "");
}

static void test_refused(void **state)
{
	struct dir *d = *state;

	write_file(d, "1234", 4);
	assert_int_equal(try(d, "file", O_NOFOLLOW, 4), 0);
	assert_int_equal(try(d, "file", O_NOFOLLOW, 3), -EFBIG);
	assert_int_equal(try(d, "nothing", 0, 4), -ENOENT);
	assert_int_equal(symlinkat("file", d->fd, "link"), 0);
	assert_int_equal(try(d, "link", 0, 4), 0);
	assert_int_equal(try(d, "link", O_NOFOLLOW, 4), -ELOOP);
	assert_int_equal(mkdirat(d->fd, "dir", 0700), 0);
	assert_int_equal(try(d, "dir", 0, 4), -EINVAL);
	/* It does not wait for who writes into it. */
	assert_int_equal(mkfifoat(d->fd, "fifo", 0600), 0);
	assert_int_equal(try(d, "fifo", 0, 4), -EINVAL);
}

/* Whether it is the directory that is meant; an error where there is none. */
static int open_dir(struct dir *d, const char *path)
{
	_cleanup_(closep) int fd = file_open_dir(d->fd, path);
	struct stat st;

	return fd < 0 ? fd : fstat(fd, &st) < 0 || !S_ISDIR(st.st_mode);
}

static void test_open_dir(void **state)
{
	char name[300];
	struct dir *d = *state;

	assert_int_equal(mkdirat(d->fd, "dir", 0700), 0);
	assert_int_equal(mkdirat(d->fd, "dir/below", 0700), 0);
	assert_int_equal(symlinkat("dir", d->fd, "link"), 0);
	write_file(d, "x", 1);
	assert_int_equal(open_dir(d, ""), 0);
	assert_int_equal(open_dir(d, "/"), 0);
	assert_int_equal(open_dir(d, "//dir//below/"), 0);
	assert_int_equal(open_dir(d, "dir/none"), -ENOENT);
	assert_int_equal(open_dir(d, "file"), -ENOTDIR);
	assert_int_equal(open_dir(d, "link"), -ENOTDIR);
	assert_int_equal(open_dir(d, "link/below"), -ENOTDIR);
	assert_int_equal(open_dir(d, "dir/../dir"), -EINVAL);
	assert_int_equal(open_dir(d, "./dir"), -EINVAL);
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(open_dir(d, name), -ENAMETOOLONG);
	assert_int_equal(unlinkat(d->fd, "dir/below", AT_REMOVEDIR), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_content, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_open_dir, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
