/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Walks over the tree of cgroups, those nearest the root first, and the
 * system's units before what they hold: a unit with thousands of cgroups below
 * it hides no other.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <utlist.h>

#include "daemon/cgroup/cgroupfs.h"

/* What is counted of a user's subtree. */
struct share {
	struct share *next;
	unsigned int n;
};

/* A directory that is still to be looked at. */
struct dir {
	struct dir *prev, *next;
	struct share *share; /* NULL: counts for the walk */
	bool in_slices; /* all above it are slices */
	unsigned int depth;
	char path[];
};

struct cgroup_walk {
	int root_fd;
	cgroup_walker walker;
	void *userdata;
	struct dir *units, *others; /* what slices hold, and all that is not there */
	struct share *shares;
	unsigned int n; /* looked at, or going to be */
	bool cut;
	int result; /* once it has ended */
};

bool cgroup_is_slice(const char *path)
{
	size_t len = strlen(path);

	return strcmp(path, "/") == 0 || (len > 6 && strcmp(path + len - 6, ".slice") == 0);
}

/* Where a walk begins. */
static int add_top(struct cgroup_walk *w, const char *path)
{
	struct dir *p = calloc(1, sizeof(*p) + strlen(path) + 1);

	if (!p)
		return -ENOMEM;
	p->in_slices = true;
	strcpy(p->path, path);
	DL_APPEND(w->units, p);
	return 0;
}

static int add(struct cgroup_walk *w, const struct dir *up, const char *name)
{
	size_t len = strlen(up->path) + 1 + strlen(name);
	struct dir *p = malloc(sizeof(*p) + len + 1);

	if (!p)
		return -ENOMEM;
	*p = (struct dir){
		.share = up->share,
		.in_slices = up->in_slices && cgroup_is_slice(up->path),
		.depth = up->depth + 1,
	};
	snprintf(p->path, len + 1, "%s/%s", up->path[1] ? up->path : "", name);
	if (p->in_slices)
		DL_APPEND(w->units, p);
	else
		DL_APPEND(w->others, p);
	return 0;
}

static bool has_room(struct cgroup_walk *w, const struct dir *up)
{
	unsigned int *n = up && up->share ? &up->share->n : &w->n;

	if (*n >= (up && up->share ? CGROUP_WALK_USER_MAX : CGROUP_WALK_MAX)) {
		w->cut = true;
		return false;
	}
	++*n;
	return true;
}

static int add_below(struct cgroup_walk *w, const struct dir *up, int fd)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	struct dirent *de;
	DIR *dir;

	if (copy < 0)
		return errno == ENOENT || errno == ENODEV ? 0 : -errno;
	dir = fdopendir(copy);
	if (!dir) {
		close(copy);
		return -ENOMEM;
	}
	while (r == 0 && (de = readdir(dir))) {
		if (de->d_type != DT_DIR || strcmp(de->d_name, ".") == 0 ||
		    strcmp(de->d_name, "..") == 0)
			continue;
		if (!has_room(w, up))
			break;
		r = add(w, up, de->d_name);
	}
	closedir(dir);
	return r;
}

/* A user's directory, and all below it, counts by itself: nobody can hide the others'. */
static int share_out(struct cgroup_walk *w, struct dir *p, int fd)
{
	struct share *share;
	struct stat st;

	if (p->share || fstat(fd, &st) < 0 || st.st_uid == 0)
		return 0;
	share = malloc(sizeof(*share));
	if (!share)
		return -ENOMEM;
	share->n = 1;
	LL_PREPEND(w->shares, share);
	p->share = share;
	return 0;
}

static int visit(struct cgroup_walk *w, struct dir *p)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
	_cleanup_(closep) int fd = openat(w->root_fd, p->path[1] ? p->path + 1 : ".", flags);
	int r;

	/* Gone by now; or with a path that is too long to be opened, and not looked at. */
	w->cut = w->cut || (fd < 0 && errno == ENAMETOOLONG);
	if (fd < 0)
		return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? -errno : 0;
	r = share_out(w, p, fd);
	if (r == 0)
		r = w->walker(fd, p->path, w->userdata);
	if (r == 0 && p->depth < CGROUP_DEPTH_MAX)
		r = add_below(w, p, fd);
	return r == 1 ? 0 : r;
}

static int walk_new(struct cgroupfs *fs, const char *path, cgroup_walker walker, void *userdata,
		    struct cgroup_walk **ret)
{
	_cleanup_(cgroup_walk_freep) struct cgroup_walk *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return -ENOMEM;
	w->walker = walker;
	w->userdata = userdata;
	w->n = 1;
	w->root_fd = cgroupfs_open(fs, "/");
	if (w->root_fd < 0)
		return w->root_fd;
	r = add_top(w, path);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(w);
	return 0;
}

int cgroup_walk_new(struct cgroupfs *fs, cgroup_walker walker, void *userdata,
		    struct cgroup_walk **ret)
{
	return walk_new(fs, "/", walker, userdata, ret);
}

struct cgroup_walk *cgroup_walk_free(struct cgroup_walk *w)
{
	struct dir *p, *tmp;
	struct share *share, *stmp;

	if (!w)
		return NULL;
	DL_FOREACH_SAFE(w->units, p, tmp)
		free(p);
	DL_FOREACH_SAFE(w->others, p, tmp)
		free(p);
	LL_FOREACH_SAFE(w->shares, share, stmp)
		free(share);
	closep(&w->root_fd);
	free(w);
	return NULL;
}

bool cgroup_walk_step(struct cgroup_walk *w)
{
	struct dir **list = w->units ? &w->units : &w->others, *p = *list;

	if (!p) {
		w->result = w->cut ? -E2BIG : 0;
		return false;
	}
	DL_DELETE(*list, p);
	w->result = visit(w, p);
	free(p);
	return w->result == 0;
}

int cgroup_walk_result(const struct cgroup_walk *w)
{
	return w->result;
}

int cgroupfs_walk(struct cgroupfs *fs, cgroup_walker walker, void *userdata)
{
	return cgroupfs_walk_in(fs, "/", walker, userdata);
}

int cgroupfs_walk_in(struct cgroupfs *fs, const char *path, cgroup_walker walker, void *userdata)
{
	_cleanup_(cgroup_walk_freep) struct cgroup_walk *w = NULL;
	int r = walk_new(fs, path, walker, userdata, &w);

	if (r < 0)
		return r;
	while (cgroup_walk_step(w))
		;
	return w->result;
}
