/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All ladders: which files there are, and whose each ladder is. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/ladder/ladders.h"
#include "daemon/ladder/parse.h"
#include "daemon/ladder/units.h"
#include "lib/escape.h"
#include "lib/file.h"
#include "lib/log.h"

struct ladders {
	unsigned int n_refs;
	size_t n;
	struct ladder *all[LADDERS_MAX];
};

struct ladders *ladders_ref(struct ladders *ladders)
{
	ladders->n_refs++;
	return ladders;
}

struct ladders *ladders_free(struct ladders *ladders)
{
	if (!ladders || --ladders->n_refs > 0)
		return NULL;
	for (size_t i = 0; i < ladders->n; i++)
		ladder_free(ladders->all[i]);
	free(ladders);
	return NULL;
}

static bool unit_matches(char **patterns, const char *path)
{
	bool slice = true;

	while (slice) {
		_cleanup_(freep) char *unit = NULL;
		const char *name;
		size_t n = unit_next(&path, &name, &slice);

		if (n == 0)
			return false;
		unit = strndup(name, n);
		if (!unit)
			return false;
		for (char **p = patterns; *p; p++)
			if (fnmatch(*p, unit, FNM_NOESCAPE) == 0)
				return true;
	}
	return false;
}

/* A pattern of a cgroup stands for all below it, too. */
static bool cgroup_matches(char **patterns, const char *path)
{
	for (char **p = patterns; *p; p++)
		if (fnmatch(*p, path, FNM_NOESCAPE | FNM_PATHNAME | FNM_LEADING_DIR) == 0)
			return true;
	return false;
}

const struct ladder *ladders_match(const struct ladders *ladders, const char *cgroup_path)
{
	for (size_t i = 0; cgroup_path && i < ladders->n; i++) {
		const struct ladder *l = ladders->all[i];

		if ((!l->units || unit_matches(l->units, cgroup_path)) &&
		    (!l->cgroups || cgroup_matches(l->cgroups, cgroup_path)))
			return l;
	}
	return &policy_default_ladder;
}

/* What others could have written is no configuration of root. */
static const char *distrusted(const struct stat *st)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return "it does not belong to root";
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return "others than root may write it";
	return NULL;
}

/* 0; -EINVAL with a reason; else another error. */
static int read_file(int dir_fd, const char *name, char **ret, const char **ret_reason)
{
	_cleanup_(freep) char *text = NULL;
	struct stat st;
	size_t size;
	int r = file_read(dir_fd, name, O_NOFOLLOW, LADDER_FILE_BYTES, &st, &text, &size);

	*ret_reason = NULL;
	if (r == -ELOOP)
		*ret_reason = "it is a symbolic link";
	else if (r == -EINVAL)
		*ret_reason = "it is no regular file";
	else if (r == -EFBIG)
		*ret_reason = "it is too large";
	else if (r >= 0)
		*ret_reason = distrusted(&st) ?: strlen(text) != size ? "it has a NUL byte" : NULL;
	if (*ret_reason)
		return -EINVAL;
	if (r >= 0)
		*ret = TAKE_PTR(text);
	return r;
}

/* Only -ENOMEM is an error: what is wrong with one file is told, and it is left out. */
static int load_file(struct ladders *ladders, int dir_fd, const char *dir, const char *name)
{
	_cleanup_(freep) char *text = NULL, *shown = escape_string(name);
	const char *reason = NULL;
	unsigned int line = 0;
	int r;

	if (!shown)
		return -ENOMEM;
	r = read_file(dir_fd, name, &text, &reason);
	if (r >= 0 && ladders->n >= LADDERS_MAX) {
		r = -EINVAL;
		reason = "too many files";
	}
	if (r >= 0)
		r = ladder_parse(text, name, &ladders->all[ladders->n], &line, &reason);
	if (r == -ENOMEM)
		return r;
	if (r == -EINVAL && line > 0)
		log_warning("%s/%s:%u: %s; the file is left out", dir, shown, line, reason);
	else if (r == -EINVAL)
		log_warning("%s/%s: %s; the file is left out", dir, shown, reason);
	else if (r < 0)
		(void)log_warning_errno(r, "%s/%s cannot be read: %m", dir, shown);
	else
		ladders->n++;
	return 0;
}

static int is_conf(const struct dirent *entry)
{
	const char *suffix = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && suffix && strcmp(suffix, ".conf") == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int load_dir(struct ladders *ladders, int dir_fd, const char *dir)
{
	struct dirent **entries;
	const char *reason;
	struct stat st;
	int n, r = 0;

	if (fstat(dir_fd, &st) < 0)
		return -errno;
	reason = distrusted(&st);
	if (reason) {
		log_warning("%s: %s; its files are left out", dir, reason);
		return 0;
	}
	n = scandirat(dir_fd, ".", &entries, is_conf, by_name);
	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++) {
		if (r >= 0)
			r = load_file(ladders, dir_fd, dir, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return r;
}

int ladders_load(const char *dir, struct ladders **ret)
{
	_cleanup_(ladders_freep) struct ladders *ladders = calloc(1, sizeof(*ladders));
	_cleanup_(closep) int fd = -1;
	int r = 0;

	if (!ladders)
		return -ENOMEM;
	ladders->n_refs = 1;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		r = load_dir(ladders, fd, dir);
	else if (errno != ENOENT)
		r = -errno;
	if (r < 0)
		return r;
	*ret = TAKE_PTR(ladders);
	return 0;
}
