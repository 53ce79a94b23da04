/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "daemon/base/conf-files.h"
#include "lib/escape.h"
#include "lib/file.h"
#include "lib/macros.h"

/* A name, and the first directory that has it. */
struct entry {
	char *name;
	size_t dir;
};

struct listing {
	const struct conf_files *files;
	struct entry *all;
	size_t n;
	conf_file_handler handler;
	void *userdata;
};

/* What others could have written is no configuration of root. */
static const char *distrusted(const struct stat *st)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return "it does not belong to root";
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return "others than root may write it";
	return NULL;
}

static bool is_dev_null(int dir_fd, const char *name)
{
	struct stat st;

	return fstatat(dir_fd, name, &st, 0) == 0 && S_ISCHR(st.st_mode) &&
	       st.st_rdev == makedev(1, 3);
}

/* 0 and the text; else file says what is wrong. */
static int read_file(int dir_fd, const char *name, size_t max_bytes, char **ret,
		     struct conf_file *file)
{
	_cleanup_(freep) char *text = NULL;
	struct stat st;
	size_t size;
	int r = file_read(dir_fd, name, O_NOFOLLOW, max_bytes, &st, &text, &size);

	file->error = r;
	if (r == -ELOOP)
		file->reason = "it is a symbolic link";
	else if (r == -EINVAL)
		file->reason = "it is no regular file";
	else if (r == -EFBIG)
		file->reason = "it is too large";
	else if (r >= 0)
		file->reason = distrusted(&st) ?: strlen(text) != size ? "it has a NUL byte" : NULL;
	if (file->reason)
		file->error = -EINVAL;
	if (file->error < 0)
		return file->error;
	*ret = TAKE_PTR(text);
	return 0;
}

/* The same of one of many, where NULL masks its name. */
static int read_named(const struct conf_files *files, int dir_fd, const char *name, char **ret,
		      struct conf_file *file)
{
	_cleanup_(freep) char *text = NULL;

	if (files->masks && is_dev_null(dir_fd, name))
		return 0;
	if (read_file(dir_fd, name, files->max_bytes, &text, file) < 0)
		return file->error;
	if (*text || !files->masks)
		*ret = TAKE_PTR(text);
	return 0;
}

int conf_file_read(const char *path, size_t max_bytes, char **ret_text, struct conf_file *ret)
{
	struct conf_file file = { .path = path };
	int r = read_file(AT_FDCWD, path, max_bytes, ret_text, &file);

	file.text = r < 0 ? NULL : *ret_text;
	*ret = file;
	return r;
}

static int hand_on(struct listing *l, size_t i, int dir_fd)
{
	const struct entry *e = &l->all[i];
	_cleanup_(freep) char *text = NULL, *path = NULL, *shown = escape_string(e->name);
	struct conf_file file = { .name = e->name };

	if (!shown || asprintf(&path, "%s/%s", l->files->dirs[e->dir], shown) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	file.path = path;
	if (i >= l->files->max) {
		file.error = -EINVAL;
		file.reason = "too many files";
	} else if (read_named(l->files, dir_fd, e->name, &text, &file) >= 0 && !text) {
		return 0;
	} else if (file.error == -ENOMEM) {
		return -ENOMEM;
	}
	file.text = text;
	return l->handler(&file, l->userdata);
}

static int is_conf(const struct dirent *entry)
{
	const char *suffix = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && suffix && strcmp(suffix, ".conf") == 0;
}

static int by_name(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ?: (x->dir > y->dir) - (x->dir < y->dir);
}

/* All names of one directory. */
static int list_names(struct listing *l, int dir_fd, size_t dir)
{
	struct dirent **entries;
	struct entry *grown;
	int n = scandirat(dir_fd, ".", &entries, is_conf, NULL), r = 0;

	if (n < 0)
		return -errno;
	grown = reallocarray(l->all, l->n + n + 1, sizeof(*grown));
	if (grown)
		l->all = grown;
	for (int i = 0; i < n; i++) {
		char *name = grown ? strdup(entries[i]->d_name) : NULL;

		if (name)
			l->all[l->n++] = (struct entry){ name, dir };
		else
			r = -ENOMEM;
		free(entries[i]);
	}
	free(entries);
	return r;
}

/* Opens it, where there is one to be used. */
static int list_dir(struct listing *l, size_t dir, int *ret_fd)
{
	struct conf_file file = { .path = l->files->dirs[dir] };
	_cleanup_(closep) int fd = open(file.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0) {
		file.error = -errno;
		return l->handler(&file, l->userdata);
	}
	file.reason = distrusted(&st);
	file.error = file.reason ? -EINVAL : list_names(l, fd, dir);
	if (file.error == -ENOMEM)
		return -ENOMEM;
	if (file.error < 0)
		return l->handler(&file, l->userdata);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* Of files with the same name that of the first directory is left. */
static void drop_doubles(struct listing *l)
{
	size_t kept = 0;

	if (l->n > 0)
		qsort(l->all, l->n, sizeof(*l->all), by_name);
	for (size_t i = 0; i < l->n; i++) {
		if (kept > 0 && strcmp(l->all[kept - 1].name, l->all[i].name) == 0)
			free(l->all[i].name);
		else
			l->all[kept++] = l->all[i];
	}
	l->n = kept;
}

int conf_files_read(const struct conf_files *files, conf_file_handler handler, void *userdata)
{
	struct listing l = { .files = files, .handler = handler, .userdata = userdata };
	_cleanup_(freep) int *fds = NULL;
	size_t n_dirs = 0;
	int r = 0;

	while (files->dirs[n_dirs])
		n_dirs++;
	fds = calloc(n_dirs, sizeof(*fds));
	if (!fds)
		return -ENOMEM;
	memset(fds, 0xff, n_dirs * sizeof(*fds));
	for (size_t i = 0; i < n_dirs && r == 0; i++)
		r = list_dir(&l, i, &fds[i]);
	drop_doubles(&l);
	for (size_t i = 0; i < l.n && r == 0; i++)
		r = hand_on(&l, i, fds[l.all[i].dir]);
	for (size_t i = 0; i < l.n; i++)
		free(l.all[i].name);
	free(l.all);
	for (size_t i = 0; i < n_dirs; i++)
		closep(&fds[i]);
	return r;
}

int conf_file_tell(const struct conf_file *file, conf_problem problem, void *userdata)
{
	_cleanup_(freep) char *text = NULL;

	if (file->reason) {
		problem(file->path, 0, file->reason, userdata);
		return 0;
	}
	if (asprintf(&text, "it cannot be read: %s", strerror(-file->error)) < 0) {
		text = NULL;
		return -ENOMEM;
	}
	problem(file->path, 0, text, userdata);
	return 0;
}
