/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <utlist.h>

#include "daemon/base/base.h"
#include "daemon/cgroup/tree.h"
#include "lib/cgroup-path.h"
#include "lib/escape.h"
#include "lib/log.h"

#define WATCH_MASK (IN_CREATE | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK)
struct watch {
	UT_hash_handle hh;
	int wd;
	bool foreign; /* not root's: whoever owns it makes what is in it */
	char *path;
};

struct cgroup_tree {
	struct cgroupfs *fs;
	bool control;
	char *const *enabled; /* delegated subtrees; NULL for none */
	bool warned_watches, warned_uncontrolled;
	cgroup_tree_appeared appeared;
	void *userdata;
	int fd;
	sd_event_source *source;
	struct watch *watches;
	unsigned int n_foreign; /* of them */
	struct cgroup_tree_entry *uncontrolled;
	unsigned int n_uncontrolled;
};

/* Why a write to cgroup.subtree_control failed, for people. */
static const char *explain(int error)
{
	switch (-error) {
	case EBUSY:
		return "it has processes of its own beside child cgroups";
	case EOPNOTSUPP:
		return "it is in a threaded subtree, which cannot have the misc controller";
	case ENOENT:
		return "the misc controller is not available to it (not built into the kernel, "
		       "used by cgroup v1, or not enabled above it)";
	case EROFS:
		return "cgroup2 is mounted read-only";
	case EPERM:
	case EACCES:
		return "not permitted";
	default:
		return strerror(-error);
	}
}

static void entry_free(struct cgroup_tree *tree, struct cgroup_tree_entry *e)
{
	DL_DELETE(tree->uncontrolled, e);
	tree->n_uncontrolled--;
	free(e->path);
	free(e->reason);
	free(e);
}

static struct cgroup_tree_entry *entry_find(struct cgroup_tree *tree, const char *path)
{
	struct cgroup_tree_entry *e;

	DL_FOREACH(tree->uncontrolled, e)
		if (strcmp(e->path, path) == 0)
			return e;
	return NULL;
}

/* Of those in a container it could make as many as it likes. */
static bool has_room(struct cgroup_tree *tree)
{
	if (tree->n_uncontrolled < CGROUP_TREE_UNCONTROLLED_MAX)
		return true;
	if (!tree->warned_uncontrolled)
		log_warning("the misc controller cannot be turned on in more than %d cgroups: of "
			    "the others none is named", CGROUP_TREE_UNCONTROLLED_MAX);
	tree->warned_uncontrolled = true;
	return false;
}

static void record(struct cgroup_tree *tree, const char *path, int error)
{
	struct cgroup_tree_entry *e = entry_find(tree, path);
	_cleanup_(freep) char *shown = NULL;

	if (error == 0) {
		if (e)
			entry_free(tree, e);
		return;
	}
	if (e || !has_room(tree))
		return;
	e = calloc(1, sizeof(*e));
	if (!e)
		return;
	e->path = strdup(path);
	e->reason = strdup(explain(error));
	DL_APPEND(tree->uncontrolled, e);
	tree->n_uncontrolled++;
	if (!e->path || !e->reason) {
		entry_free(tree, e);
		return;
	}
	shown = escape_name(path);
	log_event(LOG_WARNING, MESSAGE_UNCONTROLLED, NULL,
		  "cannot turn the misc controller on in %s: %s", shown ?: "?", e->reason);
}

static int enable(int fd)
{
	char buf[1024], *word, *save;
	int r;

	r = cgroupfs_read(fd, "cgroup.subtree_control", buf, sizeof(buf));
	if (r < 0)
		return r;
	for (word = strtok_r(buf, " \n", &save); word; word = strtok_r(NULL, " \n", &save))
		if (strcmp(word, "misc") == 0)
			return 0;
	return cgroupfs_write(fd, "cgroup.subtree_control", "+misc");
}

void cgroup_tree_watch(struct cgroup_tree *tree, const char *path)
{
	_cleanup_(freep) char *full = NULL;
	struct stat st;
	struct watch *w;
	int wd;

	if (asprintf(&full, "%s%s", cgroupfs_mount(tree->fs), path) < 0) {
		full = NULL;
		return;
	}
	if (lstat(full, &st) < 0)
		return;
	if (HASH_COUNT(tree->watches) >= CGROUP_TREE_WATCHES_MAX ||
	    (st.st_uid != 0 && tree->n_foreign >= CGROUP_TREE_FOREIGN_MAX)) {
		if (!tree->warned_watches)
			log_warning("too many slices, not all are followed");
		tree->warned_watches = true;
		return;
	}
	wd = inotify_add_watch(tree->fd, full, WATCH_MASK);
	if (wd < 0)
		return; /* gone, or out of watches: found at the next scan */
	HASH_FIND_INT(tree->watches, &wd, w);
	if (w)
		return;
	w = calloc(1, sizeof(*w));
	if (!w)
		return;
	w->wd = wd;
	w->path = strdup(path);
	if (!w->path) {
		free(w);
		return;
	}
	w->foreign = st.st_uid != 0;
	HASH_ADD_INT(tree->watches, wd, w);
	if (w->hh.tbl) {
		tree->n_foreign += w->foreign;
	} else {
		free(w->path);
		free(w);
	}
}

static void watch_free(struct cgroup_tree *tree, struct watch *w)
{
	HASH_DEL(tree->watches, w);
	tree->n_foreign -= w->foreign;
	free(w->path);
	free(w);
}

static bool is_enabled(const struct cgroup_tree *tree, const char *path)
{
	for (char *const *e = tree->enabled; e && *e; e++)
		if (cgroup_path_is_in(path, *e))
			return true;
	return false;
}

static bool leads_to_enabled(const struct cgroup_tree *tree, const char *path)
{
	for (char *const *e = tree->enabled; e && *e; e++)
		if (cgroup_path_is_in(*e, path))
			return true;
	return false;
}

/* Of a file system that counts a directory's own as links to it, as kernfs does. */
static bool has_children(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_nlink > 2;
}

/*
 * An empty cgroup may be about to get processes, which it could not have with a
 * controller on; but for one that was named, and for slices.
 */
static bool wants_misc(const struct cgroup_tree *tree, int fd, const char *path)
{
	if (!tree->control || !is_enabled(tree, path))
		return false;
	return cgroup_is_slice(path) || leads_to_enabled(tree, path) || has_children(fd);
}

static int on_directory(int fd, const char *path, void *userdata)
{
	struct cgroup_tree *tree = userdata;
	bool slice, enabled = is_enabled(tree, path) || leads_to_enabled(tree, path);
	uid_t owner;
	int r = 0;

	slice = cgroup_is_slice(path) &&
		(!cgroupfs_is_delegated(fd, &owner) || strcmp(path, "/") == 0);
	if (!slice && !enabled)
		return 1;
	/* First the watch: what comes after the look below is told. */
	cgroup_tree_watch(tree, path);
	if (!(slice && tree->control) && !wants_misc(tree, fd, path))
		return 0;
	r = enable(fd);
	if (r == -ENODEV)
		return 1; /* removed meanwhile */
	record(tree, path, r);
	return r < 0 ? 1 : 0;
}

void cgroup_tree_set_enabled(struct cgroup_tree *tree, char *const *paths)
{
	struct cgroup_tree_entry *e, *tmp;

	tree->enabled = paths;
	/* Some may be of no interest any more. */
	DL_FOREACH_SAFE(tree->uncontrolled, e, tmp)
		entry_free(tree, e);
}

int cgroup_tree_scan(struct cgroup_tree *tree)
{
	struct cgroup_tree_entry *e, *tmp;
	int r;

	DL_FOREACH_SAFE(tree->uncontrolled, e, tmp) {
		_cleanup_(closep) int fd = cgroupfs_open(tree->fs, e->path);

		if (fd < 0)
			entry_free(tree, e);
	}
	r = cgroupfs_walk(tree->fs, on_directory, tree);
	return r == -E2BIG ? 0 : r;
}

void cgroup_tree_enable_above(struct cgroupfs *fs, const char *path)
{
	_cleanup_(freep) char *up = strdup(path);
	size_t n = 0;

	while (up && path[n]) {
		_cleanup_(closep) int fd = -1;
		uid_t owner;

		/* "/", then one more component each time */
		up[n] = '\0';
		fd = cgroupfs_open(fs, n ? up : "/");
		if (fd < 0 || (n > 0 && (!cgroup_is_slice(up) || cgroupfs_is_delegated(fd, &owner))) ||
		    enable(fd) < 0)
			return;
		up[n] = '/';
		n += 1 + strcspn(path + n + 1, "/");
	}
}

int cgroup_tree_watch_above(struct cgroup_tree *tree, const char *path)
{
	_cleanup_(freep) char *up = strdup(path);
	char *slash;

	if (!up)
		return -ENOMEM;
	while ((slash = strrchr(up, '/')) && slash > up) {
		*slash = '\0';
		cgroup_tree_watch(tree, up);
	}
	cgroup_tree_watch(tree, "/");
	return 0;
}

/* In an enabled subtree: the directory above has a child now, and this one may have. */
static int look_at(struct cgroup_tree *tree, const char *dir, const char *path)
{
	_cleanup_(closep) int fd = cgroupfs_open(tree->fs, dir);
	int r;

	if (fd >= 0 && wants_misc(tree, fd, dir))
		(void)on_directory(fd, dir, tree);
	r = cgroupfs_walk_in(tree->fs, path, on_directory, tree);
	return r == -E2BIG ? 0 : r;
}

static int on_created(struct cgroup_tree *tree, const char *dir, const char *name)
{
	_cleanup_(freep) char *path = NULL;
	int r;

	if (asprintf(&path, "%s/%s", strcmp(dir, "/") == 0 ? "" : dir, name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	if (is_enabled(tree, path) || leads_to_enabled(tree, path)) {
		r = look_at(tree, dir, path);
		if (r < 0)
			return r;
	}
	return tree->appeared(path, tree->userdata);
}

static int on_inotify(struct cgroup_tree *tree, const struct inotify_event *ev)
{
	struct watch *w;
	int r;

	if (ev->mask & IN_Q_OVERFLOW) {
		r = cgroup_tree_scan(tree);
		return r < 0 ? r : tree->appeared(NULL, tree->userdata);
	}
	HASH_FIND_INT(tree->watches, &ev->wd, w);
	if (!w)
		return 0;
	if (ev->mask & IN_IGNORED) {
		watch_free(tree, w);
		return 0;
	}
	if ((ev->mask & IN_CREATE) && (ev->mask & IN_ISDIR) && ev->len)
		return on_created(tree, w->path, ev->name);
	return 0;
}

/* Each event in a buffer of them, until one makes the handler return other than 0. */
static int for_each_event(struct cgroup_tree *tree, const char *buf, size_t size,
			  int (*handler)(struct cgroup_tree *, const struct inotify_event *))
{
	const struct inotify_event *ev;
	const char *p;
	int r = 0;

	for (p = buf; p < buf + size && r == 0; p += sizeof(*ev) + ev->len) {
		ev = (const struct inotify_event *)p;
		r = handler(tree, ev);
	}
	return r;
}

/* Not one that a user has made, of any name, in a directory of its own. */
static int is_new_slice(struct cgroup_tree *tree, const struct inotify_event *ev)
{
	const struct watch *w;

	HASH_FIND_INT(tree->watches, &ev->wd, w);
	return w && !w->foreign && cgroup_is_slice(w->path) && (ev->mask & IN_CREATE) && (ev->mask & IN_ISDIR) && ev->len &&
	       cgroup_is_slice(ev->name);
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	char buf[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	struct cgroup_tree *tree = userdata;
	ssize_t n;
	int r = 0;

	/* What does not fit comes next time: users can make many. */
	n = read(fd, buf, sizeof(buf));
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	/* One scan for all new slices; it finds those made in them before they were watched. */
	if (for_each_event(tree, buf, (size_t)n, is_new_slice))
		r = cgroup_tree_scan(tree);
	if (r == 0)
		r = for_each_event(tree, buf, (size_t)n, on_inotify);
	return r < 0 ? log_error_errno(r, "cannot follow the cgroup tree: %m") : 0;
}

int cgroup_tree_new(sd_event *event, struct cgroupfs *fs, bool control, char *const *enabled,
		    cgroup_tree_appeared appeared, void *userdata, struct cgroup_tree **ret)
{
	_cleanup_(cgroup_tree_freep) struct cgroup_tree *tree = calloc(1, sizeof(*tree));
	int r;

	if (!tree)
		return -ENOMEM;
	tree->fs = fs;
	tree->control = control;
	tree->enabled = enabled;
	tree->appeared = appeared;
	tree->userdata = userdata;
	tree->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (tree->fd < 0)
		return -errno;
	r = sd_event_add_io(event, &tree->source, tree->fd, EPOLLIN, on_io, tree);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(tree->source, "cgroup-tree");
	r = sd_event_source_set_exit_on_failure(tree->source, true);
	if (r < 0)
		return r;
	r = cgroup_tree_scan(tree);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(tree);
	return 0;
}

struct cgroup_tree *cgroup_tree_free(struct cgroup_tree *tree)
{
	struct cgroup_tree_entry *e, *etmp;
	struct watch *w, *wtmp;

	if (!tree)
		return NULL;
	sd_event_source_disable_unref(tree->source);
	closep(&tree->fd);
	HASH_ITER(hh, tree->watches, w, wtmp)
		watch_free(tree, w);
	DL_FOREACH_SAFE(tree->uncontrolled, e, etmp)
		entry_free(tree, e);
	free(tree);
	return NULL;
}

const struct cgroup_tree_entry *cgroup_tree_uncontrolled(const struct cgroup_tree *tree)
{
	return tree->uncontrolled;
}
