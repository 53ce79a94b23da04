/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "daemon/cgroup/cgroupfs-internal.h"
#include "lib/cgroup-path.h"
#include "lib/escape.h"
#include "lib/file.h"

/* include/linux/exportfs.h: a file handle that is a kernfs id. */
#define FILEID_KERNFS 0xfe
#define CHECK_USEC    (1 * 1000000ULL)

struct cgroupfs {
	char *mount;
	int root_fd;
	struct registry *registry;
	struct cgroup_counter counter; /* without functions: the controller counts */
};

static bool is_cgroup2(const char *path)
{
	struct statfs st;

	return statfs(path, &st) == 0 && st.f_type == CGROUP2_SUPER_MAGIC;
}

static const char *find_mount(void)
{
	static const char *const mounts[] = { CGROUP_MOUNT, CGROUP_MOUNT "/unified" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(mounts); i++)
		if (is_cgroup2(mounts[i]))
			return mounts[i];
	return NULL;
}

int cgroupfs_new(const char *mount, struct registry *registry, struct cgroupfs **ret,
		 char **ret_reason)
{
	_cleanup_(cgroupfs_freep) struct cgroupfs *fs = calloc(1, sizeof(*fs));
	struct cgroup_node *root;
	int r;

	*ret_reason = NULL;
	if (!fs)
		return -ENOMEM;
	fs->root_fd = -1;
	fs->registry = registry;
	mount = mount ?: find_mount();
	if (!mount) {
		*ret_reason = strdup("cgroup2 is not mounted at " CGROUP_MOUNT
				     " nor " CGROUP_MOUNT "/unified");
		return -ENOENT;
	}
	fs->mount = strdup(mount);
	if (!fs->mount)
		return -ENOMEM;
	fs->root_fd = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fs->root_fd < 0) {
		r = -errno;
		if (asprintf(ret_reason, "%s: %s", mount, strerror(-r)) < 0)
			*ret_reason = NULL;
		return r;
	}
	/* Held for good: everything hangs below it. */
	r = cgroupfs_resolve_path(fs, "/", &root);
	if (r < 0)
		return r;
	cgroup_node_ref(root);
	*ret = TAKE_PTR(fs);
	return 0;
}

struct cgroupfs *cgroupfs_free(struct cgroupfs *fs)
{
	if (!fs)
		return NULL;
	closep(&fs->root_fd);
	free(fs->mount);
	free(fs);
	return NULL;
}

const char *cgroupfs_mount(const struct cgroupfs *fs)
{
	return fs->mount;
}

void cgroupfs_set_counter(struct cgroupfs *fs, const struct cgroup_counter *counter)
{
	fs->counter = counter ? *counter : (struct cgroup_counter){};
}

const struct cgroup_counter *cgroupfs_counter(const struct cgroupfs *fs)
{
	return fs->counter.read ? &fs->counter : NULL;
}

uint64_t cgroupfs_root_bytes(const struct cgroupfs *fs)
{
	return registry_charged_bytes(fs->registry, CGROUP_ROOT_ID);
}

int cgroupfs_open(struct cgroupfs *fs, const char *path)
{
	return file_open_dir(fs->root_fd, path);
}

int cgroupfs_id(int fd, uint64_t *ret_id)
{
	struct stat st;

	/* A kernfs id is an inode's number where that has 64 bits. */
	if (fstat(fd, &st) < 0)
		return -errno;
	*ret_id = st.st_ino;
	return 0;
}

static struct cgroup_node *parent_of(struct cgroupfs *fs, const char *path)
{
	_cleanup_(freep) char *up = strdup(path);
	struct cgroup_node *parent = NULL;
	char *slash = up ? strrchr(up, '/') : NULL;

	if (!slash)
		return NULL;
	slash[slash == up ? 1 : 0] = '\0';
	if (cgroupfs_resolve_path(fs, up, &parent) < 0)
		return NULL;
	return parent;
}

static int set_path(struct cgroupfs *fs, struct cgroup_node *node, const char *path)
{
	struct cgroup_node *parent = NULL;

	if (strcmp(path, "/") != 0)
		parent = parent_of(fs, path);
	return registry_cgroup_set(fs->registry, node, parent, path);
}

int cgroupfs_resolve_path(struct cgroupfs *fs, const char *path, struct cgroup_node **ret)
{
	_cleanup_(closep) int fd = cgroupfs_open(fs, path);
	struct cgroup_node *node;
	uint64_t id;
	int r;

	if (fd < 0)
		return fd;
	r = cgroupfs_id(fd, &id);
	if (r < 0)
		return r;
	r = registry_cgroup_get(fs->registry, id, &node);
	if (r < 0)
		return r;
	if (!node->path) {
		r = set_path(fs, node, path);
		if (r < 0)
			return r;
	}
	*ret = node;
	return 0;
}

static int open_by_id(struct cgroupfs *fs, uint64_t id)
{
	union {
		struct file_handle handle;
		char bytes[sizeof(struct file_handle) + sizeof(uint64_t)];
	} h = {};
	int fd;

	h.handle.handle_bytes = sizeof(id);
	h.handle.handle_type = FILEID_KERNFS;
	memcpy(h.handle.f_handle, &id, sizeof(id));
	fd = open_by_handle_at(fs->root_fd, &h.handle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The path of an open directory, below the mount. */
static int path_of(struct cgroupfs *fs, int fd, char *buf, size_t size)
{
	size_t len = strlen(fs->mount);
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, buf, size - 1);
	if (n < 0)
		return -errno;
	if ((size_t)n >= size - 1)
		return -ENAMETOOLONG;
	buf[n] = '\0';
	if (strncmp(buf, fs->mount, len) != 0 || (buf[len] && buf[len] != '/'))
		return -ENOENT;
	memmove(buf, buf + len, n - len + 1);
	if (!buf[0])
		strcpy(buf, "/");
	return 0;
}

/* A place for what has none: below the root, under its number. */
static int set_placeholder(struct cgroupfs *fs, struct cgroup_node *node, const char *what)
{
	struct cgroup_node *root = registry_cgroup_find(fs->registry, CGROUP_ROOT_ID);
	char text[64];

	snprintf(text, sizeof(text), "/(%s 0x%" PRIx64 ")", what, node->id);
	node->unresolved = true;
	return registry_cgroup_set(fs->registry, node, root == node ? NULL : root, text);
}

int cgroupfs_resolve(struct cgroupfs *fs, uint64_t id, struct cgroup_node **ret)
{
	_cleanup_(closep) int fd = -1;
	struct cgroup_node *node;
	char path[PATH_MAX];
	int r;

	r = registry_cgroup_get(fs->registry, id, &node);
	if (r < 0)
		return r;
	*ret = node;
	if (node->path)
		return 0;
	fd = open_by_id(fs, id);
	if (fd == -ESTALE || fd == -ENOENT) {
		node->removed = true;
		return set_placeholder(fs, node, "removed");
	}
	r = fd < 0 ? fd : path_of(fs, fd, path, sizeof(path));
	if (r == -ENOMEM || r == -EMFILE || r == -ENFILE)
		return r;
	if (r < 0)
		return set_placeholder(fs, node, "unknown");
	return set_path(fs, node, path);
}

void cgroupfs_check(struct cgroupfs *fs, struct cgroup_node *node, uint64_t now_usec)
{
	_cleanup_(closep) int fd = -1;
	struct stat st;

	if (node->removed || node->unresolved || !node->path ||
	    (node->checked_usec && now_usec - node->checked_usec < CHECK_USEC))
		return;
	node->checked_usec = now_usec;
	fd = cgroupfs_open(fs, node->path);
	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_ino == node->id) {
		node->owner = st.st_uid;
	} else if (fd >= 0 || fd == -ENOENT || fd == -ENODEV) {
		/* Its path is free, or another's by now. */
		node->removed = true;
		node->owner = (uid_t)-1;
	}
}

uid_t cgroupfs_delegate(struct cgroupfs *fs, struct cgroup_node *node, uid_t uid, uint64_t now_usec)
{
	if (uid == 0)
		return (uid_t)-1;
	for (; node; node = node->parent) {
		cgroupfs_check(fs, node, now_usec);
		if (node->owner == uid)
			return uid;
	}
	return (uid_t)-1;
}

uid_t cgroupfs_delegate_seen(const struct cgroup_node *node, uid_t uid)
{
	while (node && node->owner != uid)
		node = node->parent;
	return node && uid != 0 ? uid : (uid_t)-1;
}

uid_t cgroupfs_delegate_above(struct cgroupfs *fs, const char *path, uid_t uid)
{
	_cleanup_(freep) char *up = strdup(path);
	char *slash;

	while (up && (slash = strrchr(up, '/')) && slash > up) {
		_cleanup_(closep) int fd = -1;
		struct stat st;

		*slash = '\0';
		fd = cgroupfs_open(fs, up);
		if (fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == uid && uid != 0)
			return uid;
	}
	return (uid_t)-1;
}
