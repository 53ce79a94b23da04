/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "daemon/kernel/openers-users.h"
#include "daemon/kernel/openers.h"
#include "daemon/kernel/procfs.h"
#include "lib/clock.h"

#define PATH_LEN 64 /* of what is read of a process, below /proc */

DEFINE_CLEANUP(DIR *, closedir);
DEFINE_CLEANUP(FILE *, fclose);

struct pids {
	pid_t *all;
	size_t n, size;
};

struct looking {
	struct openers_scan *scan;
	struct openers_users users;
	bool char_devices, block_devices; /* some are asked about */
	struct pids seen; /* processes, as the first pass came by them */
	ino_t *namespaces; /* of mounts, that were looked at */
	size_t n_namespaces;
	char **mounts; /* where, as told */
	size_t n_mounts;
};

/* What is found out about one process. */
struct process {
	pid_t pid;
	pid_t thread; /* by whose number its files are read */
	struct openers_share *share;
	bool open, mapped, exact, unseen;
	size_t n_files;
};

static bool has_gone(int error)
{
	return error == ENOENT || error == ESRCH || error == ENOTDIR;
}

/* It has gone meanwhile, or it is not all that is there. */
static void missed(struct process *p, int error)
{
	if (!has_gone(error))
		p->unseen = true;
}

static const struct device_number *find_number(const struct looking *l, dev_t number, bool block)
{
	const struct device_numbers *numbers = l->scan->numbers;

	for (size_t i = 0; i < numbers->n; i++)
		if (numbers->all[i].number == number && numbers->all[i].block == block)
			return &numbers->all[i];
	return NULL;
}

/* The device file itself, or a file on what is mounted from it; NULL for neither. */
static const struct device_number *match(const struct looking *l, const struct statx *st)
{
	const dev_t rdev = makedev(st->stx_rdev_major, st->stx_rdev_minor);
	const struct device_number *found = NULL;

	if (S_ISCHR(st->stx_mode))
		found = find_number(l, rdev, false);
	else if (S_ISBLK(st->stx_mode))
		found = find_number(l, rdev, true);
	return found ?: find_number(l, makedev(st->stx_dev_major, st->stx_dev_minor), true);
}

static int list_numbers(int dir_fd, const char *path, DIR **ret)
{
	int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return -errno;
	*ret = fdopendir(fd);
	if (*ret)
		return 0;
	r = -errno;
	close(fd);
	return r;
}

/* The next entry that is a number; 0 at the end. */
static pid_t next_number(DIR *dir, const char **ret_name)
{
	struct dirent *de;

	while ((de = readdir(dir))) {
		long value = strtol(de->d_name, NULL, 10);

		*ret_name = de->d_name;
		if (de->d_name[0] >= '0' && de->d_name[0] <= '9' && value < INT_MAX)
			return (pid_t)value + 1;
	}
	return 0;
}

/* The kernel may answer without asking the file's server. */
static int look_at(int dir_fd, const char *path, struct statx *ret)
{
	return statx(dir_fd, path, AT_STATX_DONT_SYNC, STATX_TYPE, ret) < 0 ? -errno : 0;
}

/*
 * A name of a file that was looked up without opening it is no use of the device:
 * anyone may have that, and hand it to somebody else.
 */
static bool is_open(int dir_fd, const char *name)
{
	_cleanup_(closep) int fd = -1;
	unsigned int flags;
	char path[PATH_LEN], text[256];
	const char *at;
	ssize_t n;

	snprintf(path, sizeof(path), "../fdinfo/%.16s", name);
	fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);
	n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
	if (n < 0)
		return false;
	text[n] = '\0';
	at = strstr(text, "flags:");
	return at && sscanf(at, "flags: %o", &flags) == 1 && !(flags & O_PATH);
}

static void look_at_file(const struct looking *l, struct process *p, int dir_fd, const char *name)
{
	const struct device_number *found;
	struct statx st;
	char first;
	ssize_t n;
	int r;

	/* Sockets, pipes and the like have no path. */
	n = readlinkat(dir_fd, name, &first, 1);
	if (n < 0 || (n == 1 && first != '/')) {
		if (n < 0)
			missed(p, errno);
		return;
	}
	r = look_at(dir_fd, name, &st);
	/* A file that its server shows to nobody else is none of the system's devices. */
	if (r == -EACCES)
		return;
	if (r < 0)
		return missed(p, -r);
	found = match(l, &st);
	if (!found || !is_open(dir_fd, name))
		return;
	p->open = true;
	p->exact |= !found->shared;
}

static void look_at_files(const struct looking *l, struct process *p)
{
	_cleanup_(closedirp) DIR *dir = NULL;
	char path[PATH_LEN];
	const char *name;
	int r;

	snprintf(path, sizeof(path), "%d/fd", p->thread);
	r = list_numbers(l->scan->proc_fd, path, &dir);
	if (r < 0)
		return missed(p, -r);
	while (next_number(dir, &name)) {
		if (p->n_files++ == l->scan->max_files) {
			p->unseen = true;
			break;
		}
		look_at_file(l, p, dirfd(dir), name);
	}
}

/* A main thread that has ended has no files, others may go on with them. */
static void choose_thread(const struct looking *l, struct process *p)
{
	_cleanup_(closedirp) DIR *dir = NULL;
	char path[PATH_LEN];
	const char *name;
	pid_t next;

	snprintf(path, sizeof(path), "%d/task", p->pid);
	if (list_numbers(l->scan->proc_fd, path, &dir) < 0)
		return;
	while (p->thread == p->pid && (next = next_number(dir, &name)))
		p->thread = next - 1;
}

/*
 * Of a device file the list of mappings names the file system that it is on, not
 * the device; the mapping's own link leads to the file.
 */
static void look_at_mapping(const struct looking *l, struct process *p, unsigned long start,
			    unsigned long end)
{
	const struct device_number *found;
	char path[PATH_LEN];
	struct statx st;
	int r;

	snprintf(path, sizeof(path), "%d/map_files/%lx-%lx", p->thread, start, end);
	r = look_at(l->scan->proc_fd, path, &st);
	if (r < 0)
		return missed(p, -r);
	found = match(l, &st);
	if (!found)
		return;
	p->mapped = true;
	p->exact |= !found->shared;
}

/* last: the one before it whose file was looked at */
static void check_mapping(const struct looking *l, struct process *p,
			  const struct proc_mapping *m, struct proc_mapping *last)
{
	const struct device_number *found = find_number(l, m->dev, true);

	if (found) {
		p->mapped = true;
		p->exact |= !found->shared;
	} else if ((l->block_devices || (l->char_devices && m->shared)) &&
		   (m->inode != last->inode || m->dev != last->dev)) {
		/* Of character devices that have memory no private mappings are made. */
		look_at_mapping(l, p, m->start, m->end);
		*last = *m;
	}
}

static FILE *open_text(const struct looking *l, struct process *p, const char *file)
{
	char path[PATH_LEN];
	FILE *f;
	int fd;

	snprintf(path, sizeof(path), "%d/%s", p->thread, file);
	fd = openat(l->scan->proc_fd, path, O_RDONLY | O_CLOEXEC);
	f = fd < 0 ? NULL : fdopen(fd, "r");
	if (!f) {
		missed(p, errno);
		closep(&fd);
	}
	return f;
}

static void look_at_mappings(const struct looking *l, struct process *p)
{
	_cleanup_(fclosep) FILE *f = open_text(l, p, "maps");
	_cleanup_(freep) char *line = NULL;
	struct proc_mapping m, last = {};
	size_t size = 0, n = 0;

	while (f && getline(&line, &size, f) > 0) {
		if (n++ == l->scan->max_files) {
			p->unseen = true;
			break;
		}
		if (procfs_parse_mapping(line, &m) >= 0)
			check_mapping(l, p, &m, &last);
	}
	if (f && ferror(f))
		missed(p, errno);
}

/* 1 where its mounts are those of a process that was looked at. */
static int is_known(struct looking *l, const struct process *p)
{
	char path[PATH_LEN];
	struct stat st;
	ino_t *all;

	snprintf(path, sizeof(path), "%d/ns/mnt", p->thread);
	if (fstatat(l->scan->proc_fd, path, &st, 0) < 0)
		return p->pid != 1;
	for (size_t i = 0; i < l->n_namespaces; i++)
		if (l->namespaces[i] == st.st_ino)
			return 1;
	all = reallocarray(l->namespaces, l->n_namespaces + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	all[l->n_namespaces++] = st.st_ino;
	l->namespaces = all;
	return 0;
}

/* 1 where a mount there has been told: each namespace has copies of the first one's. */
static int is_told(struct looking *l, const char *where)
{
	char **all;

	for (size_t i = 0; i < l->n_mounts; i++)
		if (strcmp(l->mounts[i], where) == 0)
			return 1;
	all = reallocarray(l->mounts, l->n_mounts + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	l->mounts = all;
	all[l->n_mounts] = strdup(where);
	if (!all[l->n_mounts])
		return -ENOMEM;
	l->n_mounts++;
	return 0;
}

static int look_at_mounts(struct looking *l, struct process *p)
{
	_cleanup_(fclosep) FILE *f = NULL;
	_cleanup_(freep) char *line = NULL;
	struct openers_user user = { .pid = p->pid, .how = "mounted", .exact = true };
	const char *where;
	size_t size = 0;
	dev_t dev;
	int r;

	r = is_known(l, p);
	if (r != 0)
		return MIN(r, 0);
	f = open_text(l, p, "mountinfo");
	while (r >= 0 && f && getline(&line, &size, f) > 0) {
		if (procfs_parse_mount(line, &dev, &where) < 0 || !find_number(l, dev, true))
			continue;
		r = is_told(l, where);
		if (r == 0) {
			user.mount = strdup(where);
			r = user.mount ? openers_users_add(&l->users, p->share, &user) : -ENOMEM;
		}
	}
	return MIN(r, 0);
}

static int look_at_all_of(struct looking *l, struct process *p)
{
	struct openers_user user = { .pid = p->pid };
	int r = 0;

	look_at_files(l, p);
	if (p->n_files == 0 && !p->unseen) {
		choose_thread(l, p);
		if (p->thread != p->pid)
			look_at_files(l, p);
	}
	look_at_mappings(l, p);
	if (p->open || p->mapped) {
		user.how = p->mapped ? "mapped" : "open";
		user.exact = p->exact;
		r = openers_users_add(&l->users, p->share, &user);
	}
	if (r >= 0 && l->block_devices)
		r = look_at_mounts(l, p);
	return r;
}

/* Nor does one user's crowd of processes, or of their files, take the time of the others. */
static int look_at_process(struct looking *l, pid_t pid)
{
	struct openers_scan *scan = l->scan;
	struct process p = { .pid = pid, .thread = pid };
	const uint64_t start_usec = clock_usec(CLOCK_MONOTONIC);
	int r = 0;

	p.share = openers_share_of(&l->users, pid);
	if (!p.share)
		return -ENOMEM;
	if (start_usec >= scan->end_usec)
		scan->late = true;
	else if (p.share->uid != 0 && p.share->usec > scan->share_usec)
		p.unseen = true;
	else
		r = look_at_all_of(l, &p);
	p.share->usec += clock_usec(CLOCK_MONOTONIC) - start_usec;
	scan->unseen += p.unseen;
	return r;
}

static int by_number(const void *a, const void *b)
{
	const pid_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int remember(struct pids *pids, pid_t pid)
{
	if (pids->n == pids->size) {
		size_t size = pids->size ? 2 * pids->size : 1024;
		pid_t *all = reallocarray(pids->all, size, sizeof(*all));

		if (!all)
			return -ENOMEM;
		pids->all = all;
		pids->size = size;
	}
	pids->all[pids->n++] = pid;
	return 0;
}

/* New ones alone: those that were before have been looked at. */
static int pass(struct looking *l)
{
	_cleanup_(closedirp) DIR *dir = NULL;
	const size_t before = l->seen.n;
	const char *name;
	pid_t next, pid;
	int r;

	if (before > 0)
		qsort(l->seen.all, before, sizeof(pid_t), by_number);
	r = list_numbers(l->scan->proc_fd, ".", &dir);
	while (r >= 0 && !l->scan->late && (next = next_number(dir, &name))) {
		pid = next - 1;
		if (before > 0 &&
		    bsearch(&pid, l->seen.all, before, sizeof(pid_t), by_number))
			continue;
		l->scan->hidden &= pid != 1;
		r = look_at_process(l, pid);
		if (r >= 0)
			r = remember(&l->seen, pid);
	}
	return r;
}

int openers_scan(struct openers_scan *scan)
{
	struct looking l = { .scan = scan, .users = { .scan = scan } };
	int r;

	for (size_t i = 0; i < scan->numbers->n; i++) {
		l.char_devices |= !scan->numbers->all[i].block;
		l.block_devices |= scan->numbers->all[i].block;
	}
	/* The first process always is there. */
	scan->hidden = true;
	r = pass(&l);
	/* Children that were made meanwhile may have a file that their parent has given up. */
	if (r >= 0)
		r = pass(&l);
	if (r >= 0)
		r = openers_users_tell(&l.users);
	openers_users_done(&l.users);
	free(l.seen.all);
	free(l.namespaces);
	while (l.n_mounts > 0)
		free(l.mounts[--l.n_mounts]);
	free(l.mounts);
	return r;
}
