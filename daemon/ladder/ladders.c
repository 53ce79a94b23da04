/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All ladders: which files there are, and whose each ladder is. */
#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "daemon/ladder/ladders.h"
#include "daemon/ladder/parse.h"
#include "daemon/ladder/units.h"
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

struct loading {
	struct ladders *ladders;
	conf_problem problem;
	void *userdata;
};

/* Errors are those of memory and of the directory: one file that is wrong is left out. */
static int load_file(const struct conf_file *file, void *userdata)
{
	struct loading *l = userdata;
	const char *reason = NULL;
	unsigned int line = 0;
	int r;

	if (!file->name && !file->reason)
		return file->error;
	if (!file->text)
		return conf_file_tell(file, l->problem, l->userdata);
	r = ladder_parse(file->text, file->name, &l->ladders->all[l->ladders->n], &line, &reason);
	if (r == -EINVAL) {
		l->problem(file->path, line, reason, l->userdata);
		return 0;
	}
	l->ladders->n += r == 0;
	return r;
}

static void log_problem(const char *file, unsigned int line, const char *text, void *userdata)
{
	if (line > 0)
		log_warning("%s:%u: %s; the file is left out", file, line, text);
	else
		log_warning("%s: %s; what is in it is left out", file, text);
}

int ladders_load(const char *dir, conf_problem problem, void *userdata, struct ladders **ret)
{
	_cleanup_(ladders_freep) struct ladders *ladders = calloc(1, sizeof(*ladders));
	const char *const dirs[] = { dir, NULL };
	const struct conf_files files = {
		.dirs = dirs,
		.max = LADDERS_MAX,
		.max_bytes = LADDER_FILE_BYTES,
	};
	struct loading loading = { ladders, problem ?: log_problem, userdata };
	int r;

	if (!ladders)
		return -ENOMEM;
	ladders->n_refs = 1;
	r = conf_files_read(&files, load_file, &loading);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(ladders);
	return 0;
}
