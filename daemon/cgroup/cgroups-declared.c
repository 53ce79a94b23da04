/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What files declare for cgroups, when it is read, and which cgroups are looked at then. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/base.h"
#include "daemon/cgroup/cgroups-internal.h"
#include "lib/clock.h"
#include "lib/log.h"

#define BELOW_MAX 4096 /* cgroups that are looked at below one that has appeared */

static void log_problem(const char *file, unsigned int line, const char *text, void *userdata)
{
	const char *what = userdata;

	if (line > 0)
		log_error("%s:%u: %s; %s", file, line, text, what);
	else
		log_error("%s: %s; %s", file, text, what);
}

static int look(int fd, const char *path, void *userdata)
{
	struct cgroups *c = userdata;
	struct declarations *d = quotas_declarations(c->quotas);

	if (!path[1])
		return 0;
	(void)quotas_look(c->quotas, fd, path, NULL);
	policies_look(c->policies, fd, path, declarations_match(d, path));
	/* Slices are watched in any case. First the watch: what comes after the look is told. */
	if (c->tree && !cgroup_is_slice(path) && declarations_may_hold(d, path))
		cgroup_tree_watch(c->tree, path);
	return 0;
}

struct below {
	struct cgroups *c;
	unsigned int n;
};

/* What was made in a cgroup before it was watched. */
static void look_below(struct below *b, int fd, const char *path, unsigned int depth)
{
	struct declarations *d = quotas_declarations(b->c->quotas);
	struct dirent *de;
	uid_t owner;
	DIR *dir;

	(void)look(fd, path, b->c);
	if (depth == CGROUP_DEPTH_MAX ||
	    (!declarations_may_hold(d, path) &&
	     (!cgroup_is_slice(path) || cgroupfs_is_delegated(fd, &owner))))
		return;
	fd = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		closep(&fd);
		return;
	}
	while ((de = readdir(dir)) && b->n < BELOW_MAX) {
		_cleanup_(freep) char *child = NULL;
		_cleanup_(closep) int child_fd = -1;

		if (de->d_type != DT_DIR || de->d_name[0] == '.')
			continue;
		b->n++;
		child_fd = openat(fd, de->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (child_fd < 0 || asprintf(&child, "%s/%s", path, de->d_name) < 0)
			child = NULL;
		else
			look_below(b, child_fd, child, depth + 1);
	}
	closedir(dir);
}

static void tell_declared(struct cgroups *c)
{
	if (quotas_take_raised(c->quotas) && c->declared)
		c->declared(c->userdata);
}

void cgroups_look_at(struct cgroups *c, const char *path)
{
	_cleanup_(closep) int fd = path ? cgroupfs_open(c->fs, path) : -1;
	struct below b = { .c = c };

	if (!quotas_declarations(c->quotas))
		return;
	if (fd >= 0)
		look_below(&b, fd, path, 0);
	tell_declared(c);
	/* Anything may have appeared, or too much. */
	if ((!path || b.n >= BELOW_MAX) && cgroups_look_at_all(c) < 0)
		log_warning("cannot look at all cgroups again for what files declare");
}

static int finish(struct cgroups *c, int result)
{
	cgroups_done done = c->declare_done;

	c->look = cgroup_walk_free(c->look);
	c->look_turn = sd_event_source_disable_unref(c->look_turn);
	c->declare_done = NULL;
	if (result == -E2BIG)
		log_warning("there are too many cgroups to look at all of them: some may lack what "
			    "files declare");
	else if (result < 0)
		log_warning_errno(result, "cannot look at all cgroups for what files declare: %m");
	else
		quotas_looked(c->quotas);
	tell_declared(c);
	return done ? done(c->declare_userdata) : 0;
}

static int on_turn(sd_event_source *source, void *userdata)
{
	struct cgroups *c = userdata;
	const uint64_t start_usec = clock_usec(CLOCK_MONOTONIC);
	bool more;
	int r = 0;

	do
		more = cgroup_walk_step(c->look);
	while (more && !turn_is_long(start_usec));
	if (more)
		r = turn_schedule(c->event, &c->look_turn, on_turn, c, "declared");
	return more && r >= 0 ? 0 : finish(c, r < 0 ? r : cgroup_walk_result(c->look));
}

int cgroups_look_at_all(struct cgroups *c)
{
	int r;

	/* What was under way begins anew: it may have come by what has changed. */
	c->look = cgroup_walk_free(c->look);
	r = cgroup_walk_new(c->fs, look, c, &c->look);
	if (r >= 0)
		r = turn_schedule(c->event, &c->look_turn, on_turn, c, "declared");
	if (r < 0) {
		c->look = cgroup_walk_free(c->look);
		c->look_turn = sd_event_source_disable_unref(c->look_turn);
	}
	return r;
}

int cgroups_declare_first(struct cgroups *c)
{
	_cleanup_(declarations_freep) struct declarations *d = NULL;
	int r;

	r = declarations_load(c->quota_dirs, log_problem, "what is in it is left out", &d);
	if (r < 0)
		return r;
	quotas_declare(c->quotas, TAKE_PTR(d), is_counted(c));
	r = cgroupfs_walk(c->fs, look, c);
	return r == -E2BIG ? 0 : r;
}

int cgroups_declare(struct cgroups *c, cgroups_done done, void *userdata)
{
	_cleanup_(declarations_freep) struct declarations *d = NULL;
	int r;

	r = declarations_load(c->quota_dirs, log_problem, "nothing that is declared changes", &d);
	if (r == 0)
		quotas_declare(c->quotas, TAKE_PTR(d), is_counted(c));
	if (r >= 0)
		r = cgroups_look_at_all(c);
	if (r < 0)
		return r;
	c->declare_done = done;
	c->declare_userdata = userdata;
	return 0;
}

/* Those above come first: a limit of theirs holds for the process as well. */
int cgroups_enforce(struct cgroups *c, const char *path, char **ret_at, char **ret_reason)
{
	cgroup_tree_enable_above(c->fs, path);
	for (size_t n = 0; path[n];) {
		_cleanup_(freep) char *up = NULL;
		_cleanup_(closep) int fd = -1;
		int r;

		n += 1 + strcspn(path + n + 1, "/");
		up = strndup(path, n);
		if (!up)
			return -ENOMEM;
		fd = cgroupfs_open(c->fs, up);
		if (fd < 0)
			return fd == -ENODEV ? -ENOENT : fd;
		r = quotas_enforce(c->quotas, fd, up, ret_reason);
		if (r == 0 && quotas_declarations(c->quotas))
			(void)look(fd, up, c);
		if (r < 0) {
			*ret_at = TAKE_PTR(up);
			return r == -ENODEV ? -ENOENT : r;
		}
	}
	return 0;
}
