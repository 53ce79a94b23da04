/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A made-up tree of files, such as /sys; the user's own alone. */
#ifndef PINGUARD_TEST_TREE_H
#define PINGUARD_TEST_TREE_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

#include "tests/unit/unit.h"

static char tree[32];

static inline void tree_path(char *full, size_t size, const char *path)
{
	char *slash;

	snprintf(full, size, "%s/%s", tree, path);
	for (slash = strchr(full + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(full, 0700);
		*slash = '/';
	}
}

/* text NULL: the directory alone, if the path ends with a slash */
static inline void tree_put(const char *path, const char *text)
{
	char full[512];
	int fd;

	tree_path(full, sizeof(full), path);
	if (!text)
		return;
	fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static inline void tree_link(const char *path, const char *target)
{
	char full[512];

	tree_path(full, sizeof(full), path);
	assert_int_equal(symlink(target, full), 0);
}

static inline int tree_remove_one(const char *path, const struct stat *st, int type,
				  struct FTW *ftw)
{
	return remove(path);
}

/* path NULL: all of it */
static inline void tree_remove(const char *path)
{
	char full[512];

	snprintf(full, sizeof(full), "%s/%s", tree, path ?: "");
	assert_int_equal(nftw(full, tree_remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static inline void tree_new(void)
{
	strcpy(tree, "/tmp/pinguard-tree-XXXXXX");
	assert_non_null(mkdtemp(tree));
}

/* Of a test that needs nothing else. */
static inline int tree_setup(void **state)
{
	tree_new();
	return 0;
}

static inline int tree_teardown(void **state)
{
	tree_remove(NULL);
	return 0;
}

#endif
