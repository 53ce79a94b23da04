/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of a cgroup, and names that people type. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "daemon/cgroup/cgroupfs.h"
#include "lib/cgroup-path.h"
#include "lib/escape.h"

#define FOUND	      2 /* ends a walk */

int cgroupfs_read(int fd, const char *file, char *buf, size_t size)
{
	_cleanup_(closep) int f = openat(fd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	size_t n = 0;
	ssize_t k;

	if (f < 0)
		return -errno;
	do {
		k = read(f, buf + n, size - 1 - n);
		if (k < 0)
			return -errno;
		n += k;
	} while (k > 0 && n < size - 1);
	if (n == size - 1)
		return -EFBIG;
	buf[n] = '\0';
	return 0;
}

int cgroupfs_write(int fd, const char *file, const char *text)
{
	_cleanup_(closep) int f = openat(fd, file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	size_t len = strlen(text);
	ssize_t n;

	if (f < 0)
		return -errno;
	n = write(f, text, len);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

static bool xattr_is_one(int fd, const char *name)
{
	char value[2];

	return fgetxattr(fd, name, value, sizeof(value)) == 1 && value[0] == '1';
}

bool cgroupfs_is_delegated(int fd, uid_t *ret_owner)
{
	struct stat st;

	*ret_owner = (uid_t)-1;
	if (fstat(fd, &st) < 0)
		return true;
	*ret_owner = st.st_uid;
	/* systemd marks Delegate=yes with one or the other. */
	return st.st_uid != 0 || xattr_is_one(fd, "trusted.delegate") ||
	       xattr_is_one(fd, "user.delegate");
}

struct find {
	const char *name;
	char *path;
};

/* The first one is the one: the walk begins at the root, with the system's units. */
static int find_unit(int fd, const char *path, void *userdata)
{
	struct find *f = userdata;

	if (strcmp(strrchr(path, '/') + 1, f->name) != 0)
		return 0;
	f->path = strdup(path);
	return f->path ? FOUND : -ENOMEM;
}

static int unit_path(struct cgroupfs *fs, const char *unit, char **ret_path)
{
	struct find f = { .name = unit };
	int r = cgroupfs_walk(fs, find_unit, &f);

	if (r != FOUND)
		return r < 0 ? r : -ENOENT;
	*ret_path = f.path;
	return 0;
}

static bool exists(struct cgroupfs *fs, const char *path)
{
	_cleanup_(closep) int fd = cgroupfs_open(fs, path);

	return fd >= 0;
}

/* As it was typed, or as it was printed. */
static int plain_or_unescaped(struct cgroupfs *fs, char *name, enum cgroup_name_type type,
			      char **ret_path)
{
	_cleanup_(freep) char *raw = NULL;
	int r;

	if (type == CGROUP_NAME_UNIT) {
		r = unit_path(fs, name, ret_path);
		if ((r != -ENOENT && r != -E2BIG) || unescape(name, &raw, NULL) < 0 ||
		    strcmp(raw, name) == 0)
			return r;
		return unit_path(fs, raw, ret_path);
	}
	if (!exists(fs, name) && strchr(name, '\\') && unescape(name, &raw, NULL) >= 0 &&
	    exists(fs, raw)) {
		*ret_path = TAKE_PTR(raw);
		return 0;
	}
	*ret_path = strdup(name);
	return *ret_path ? 0 : -ENOMEM;
}

int cgroupfs_name_to_path(struct cgroupfs *fs, const char *name, char **ret_path,
			  const char **ret_reason)
{
	_cleanup_(freep) char *parsed = NULL;
	enum cgroup_name_type type;
	int r;

	r = cgroup_name_parse(name, &type, &parsed, ret_reason);
	if (r < 0)
		return r;
	/* The root of cgroup2 may be a directory below the usual mount. */
	if (type == CGROUP_NAME_PATH && strcmp(cgroupfs_mount(fs), CGROUP_MOUNT) != 0) {
		const char *rest = cgroupfs_mount(fs) + strlen(CGROUP_MOUNT);
		size_t len = strlen(rest);

		if (strncmp(name, cgroupfs_mount(fs), strlen(cgroupfs_mount(fs))) == 0 &&
		    strncmp(parsed, rest, len) == 0 && (!parsed[len] || parsed[len] == '/')) {
			memmove(parsed, parsed + len, strlen(parsed + len) + 1);
			if (!parsed[0]) {
				*ret_path = strdup("/");
				return *ret_path ? 0 : -ENOMEM;
			}
		}
	}
	return plain_or_unescaped(fs, parsed, type, ret_path);
}
