/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "daemon/kernel/procfs.h"
#include "lib/macros.h"

/* The value of a key at the start of a line. */
static const char *find_line(const char *text, const char *key)
{
	size_t len = strlen(key);
	const char *line = text;

	while (line) {
		if (strncmp(line, key, len) == 0)
			return line + len;
		line = strchr(line, '\n');
		if (line)
			line++;
	}
	return NULL;
}

static uint64_t kib(const char *text, const char *key)
{
	const char *value = find_line(text, key);
	uint64_t n;

	if (!value)
		return 0;
	n = strtoull(value, NULL, 10);
	return n > UINT64_MAX / 1024 ? UINT64_MAX : n * 1024;
}

int procfs_parse_status(const char *text, struct proc_status *ret)
{
	/* Name comes first, and a newline in it is escaped by the kernel. */
	const char *uid = find_line(text, "Uid:");
	struct proc_status s = {};
	unsigned int real, effective;

	if (!uid || sscanf(uid, "%u %u", &real, &effective) != 2)
		return -ENODATA;
	s.uid = effective;
	s.pinned_bytes = kib(text, "VmPin:");
	s.locked_bytes = kib(text, "VmLck:");
	*ret = s;
	return 0;
}

int procfs_parse_start(const char *text, uint64_t ticks_per_sec, uint64_t *ret_usec)
{
	/* The name may have blanks and brackets in it; nothing after it has. */
	const char *field = strrchr(text, ')');
	unsigned long long ticks;
	char *end;

	/* Number 2 is the name, 22 the start. */
	for (int i = 2; field && i < 22; i++)
		field = strchr(field + 1, ' ');
	if (!field || field[1] < '0' || field[1] > '9')
		return -ENODATA;
	errno = 0;
	ticks = strtoull(field + 1, &end, 10);
	if (errno || (*end != ' ' && *end != '\n') || ticks > UINT64_MAX / 1000000)
		return -ENODATA;
	*ret_usec = ticks * 1000000 / ticks_per_sec;
	return 0;
}

char *procfs_parse_cgroup(char *text)
{
	char *path = (char *)find_line(text, "0::");
	static const char deleted[] = " (deleted)";
	size_t len;

	if (!path || path[0] != '/')
		return NULL;
	len = strcspn(path, "\n");
	path[len] = '\0';
	if (len > sizeof(deleted) - 1 &&
	    strcmp(path + len - (sizeof(deleted) - 1), deleted) == 0)
		path[len - (sizeof(deleted) - 1)] = '\0';
	return path;
}

int procfs_parse_mapping(const char *line, struct proc_mapping *ret)
{
	struct proc_mapping m = {};
	unsigned int major, minor;
	char perms[5], first;

	if (sscanf(line, "%lx-%lx %4s %*x %x:%x %lu %c", &m.start, &m.end, perms, &major, &minor,
		   &m.inode, &first) < 7 || first != '/' || strlen(perms) != 4)
		return -ENODATA;
	m.dev = makedev(major, minor);
	m.shared = perms[3] == 's';
	*ret = m;
	return 0;
}

int procfs_parse_mount(char *line, dev_t *ret_dev, const char **ret_where)
{
	unsigned int major, minor;
	int at = 0, end = 0;

	if (sscanf(line, "%*d %*d %u:%u %*s %n%*s%n", &major, &minor, &at, &end) < 2 || end == 0)
		return -ENODATA;
	line[end] = '\0';
	*ret_dev = makedev(major, minor);
	*ret_where = line + at;
	return 0;
}

static int read_file(int proc_fd, pid_t pid, const char *name, char *buf, size_t size)
{
	_cleanup_(closep) int fd = -1;
	char path[64];
	size_t n = 0;
	ssize_t k;

	snprintf(path, sizeof(path), "%d/%s", pid, name);
	fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	do {
		k = read(fd, buf + n, size - 1 - n);
		if (k < 0)
			return -errno;
		n += k;
	} while (k > 0 && n < size - 1);
	buf[n] = '\0';
	return n;
}

int procfs_read_status(int proc_fd, pid_t pid, struct proc_status *ret)
{
	char buf[4096];
	int r = read_file(proc_fd, pid, "status", buf, sizeof(buf));

	return r < 0 ? r : procfs_parse_status(buf, ret);
}

int procfs_read_cgroup(int proc_fd, pid_t pid, char **ret)
{
	char buf[PATH_MAX + 1024], *path;
	int r = read_file(proc_fd, pid, "cgroup", buf, sizeof(buf));

	if (r < 0)
		return r;
	path = procfs_parse_cgroup(buf);
	if (!path)
		return -ENODATA;
	*ret = strdup(path);
	return *ret ? 0 : -ENOMEM;
}

int procfs_read_comm(int proc_fd, pid_t pid, void *buf, size_t size)
{
	char text[64];
	int r = read_file(proc_fd, pid, "comm", text, sizeof(text));

	if (r < 0)
		return r;
	if (r > 0 && text[r - 1] == '\n')
		r--;
	if ((size_t)r > size)
		r = size;
	memcpy(buf, text, r);
	return r;
}

int procfs_read_start(int proc_fd, pid_t pid, uint64_t *ret_usec)
{
	long ticks = sysconf(_SC_CLK_TCK);
	char buf[4096];
	int r = read_file(proc_fd, pid, "stat", buf, sizeof(buf));

	if (r < 0)
		return r;
	return ticks > 0 ? procfs_parse_start(buf, ticks, ret_usec) : -ENODATA;
}
