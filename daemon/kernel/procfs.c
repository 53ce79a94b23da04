/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

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

/* 0 where there is no such line. */
static uint64_t number(const char *text, const char *key)
{
	const char *value = find_line(text, key);

	return value ? strtoull(value, NULL, 10) : 0;
}

static uint64_t kib(const char *text, const char *key)
{
	uint64_t n = number(text, key);

	return n > UINT64_MAX / 1024 ? UINT64_MAX : n * 1024;
}

int procfs_parse_status(const char *text, struct proc_status *ret)
{
	/* Name comes first, and a newline in it is escaped by the kernel. */
	const char *uid = find_line(text, "Uid:"), *capabilities;
	struct proc_status s = {};
	unsigned int real, effective;

	if (!uid || sscanf(uid, "%u %u", &real, &effective) != 2)
		return -ENODATA;
	s.uid = effective;
	s.tgid = number(text, "Tgid:");
	s.threads = number(text, "Threads:");
	s.has_memory = find_line(text, "VmLck:");
	capabilities = find_line(text, "CapEff:");
	s.has_capabilities = capabilities && sscanf(capabilities, "%" SCNx64, &s.capabilities) == 1;
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

/* A column of limits, and where it ends; NULL for none. */
static const char *parse_limit(const char *value, uint64_t *ret_bytes)
{
	static const char unlimited[] = "unlimited ";
	unsigned long long bytes;
	char *end;

	value += strspn(value, " ");
	if (strncmp(value, unlimited, strlen(unlimited)) == 0) {
		*ret_bytes = UINT64_MAX;
		return value + strlen(unlimited);
	}
	if (*value < '0' || *value > '9')
		return NULL;
	errno = 0;
	bytes = strtoull(value, &end, 10);
	if (errno || *end != ' ')
		return NULL;
	*ret_bytes = bytes;
	return end;
}

int procfs_parse_memlock(const char *text, struct proc_memlock *ret)
{
	const char *value = find_line(text, "Max locked memory ");
	struct proc_memlock limit;

	value = value ? parse_limit(value, &limit.soft_bytes) : NULL;
	value = value ? parse_limit(value, &limit.hard_bytes) : NULL;
	if (!value)
		return -ENODATA;
	*ret = limit;
	return 0;
}

/* include/linux/proc_ns.h: PROC_USER_INIT_INO */
#define INITIAL_USER_NS 0xeffffffdU

int procfs_parse_user_ns(const char *link, bool *ret_initial)
{
	unsigned int inode;
	char bracket;

	if (sscanf(link, "user:[%u%c", &inode, &bracket) != 2 || bracket != ']')
		return -ENODATA;
	*ret_initial = inode == INITIAL_USER_NS;
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

unsigned int procfs_parse_sockets(const char *text, const char *protocol)
{
	unsigned int size;
	const char *rest;
	char key[32];
	int n;

	/* A name, what one takes, how many there are. */
	snprintf(key, sizeof(key), "%s ", protocol);
	rest = find_line(text, key);
	if (!rest || sscanf(rest, "%u %d", &size, &n) != 2)
		return 0;
	return MAX(n, 0);
}

/* All of a file, NUL-terminated; what it says in part would be taken for all. */
static int read_file(int proc_fd, const char *path, char **ret)
{
	_cleanup_(closep) int fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
	_cleanup_(freep) char *text = NULL;
	size_t size = 0, n = 0;
	ssize_t k;
	char *p;

	if (fd < 0)
		return -errno;
	do {
		if (n == size) {
			size = MIN(MAX(2 * size, (size_t)4096), (size_t)PROCFS_FILE_MAX + 1);
			p = n < size ? realloc(text, size + 1) : NULL;
			if (!p)
				return n < size ? -ENOMEM : -EFBIG;
			text = p;
		}
		k = read(fd, text + n, size - n);
		if (k < 0)
			return -errno;
		n += k;
	} while (k > 0);
	if (n > PROCFS_FILE_MAX)
		return -EFBIG;
	text[n] = '\0';
	*ret = TAKE_PTR(text);
	return n;
}

static int read_pid_file(int proc_fd, pid_t pid, const char *name, char **ret)
{
	char path[64];

	snprintf(path, sizeof(path), "%d/%s", pid, name);
	return read_file(proc_fd, path, ret);
}

/* Memory is the same for all threads of a process: the first that has some says it. */
static void read_threads(int proc_fd, pid_t pid, struct proc_status *status)
{
	struct proc_status thread;
	struct dirent *de;
	char path[NAME_MAX + 64];
	DIR *dir;
	int fd;

	snprintf(path, sizeof(path), "%d/task", pid);
	fd = openat(proc_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (!dir) {
		closep(&fd);
		return;
	}
	for (int i = 0; i < PROCFS_TASKS_MAX && !status->has_memory && (de = readdir(dir));) {
		_cleanup_(freep) char *text = NULL;

		if (de->d_name[0] == '.')
			continue;
		i++;
		snprintf(path, sizeof(path), "%s/status", de->d_name);
		if (read_file(dirfd(dir), path, &text) < 0 ||
		    procfs_parse_status(text, &thread) < 0 || !thread.has_memory)
			continue;
		status->has_memory = true;
		status->pinned_bytes = thread.pinned_bytes;
		status->locked_bytes = thread.locked_bytes;
	}
	closedir(dir);
}

int procfs_read_status(int proc_fd, pid_t pid, struct proc_status *ret)
{
	_cleanup_(freep) char *text = NULL;
	int r = read_pid_file(proc_fd, pid, "status", &text);

	if (r >= 0)
		r = procfs_parse_status(text, ret);
	if (r >= 0 && !ret->has_memory && ret->threads > 1)
		read_threads(proc_fd, pid, ret);
	return MIN(r, 0);
}

int procfs_read_memlock(int proc_fd, pid_t pid, struct proc_memlock *ret)
{
	_cleanup_(freep) char *text = NULL;
	int r = read_pid_file(proc_fd, pid, "limits", &text);

	return r < 0 ? r : procfs_parse_memlock(text, ret);
}

int procfs_read_user_ns(int proc_fd, pid_t pid, bool *ret_initial)
{
	char path[64], link[64];
	ssize_t n;

	snprintf(path, sizeof(path), "%d/ns/user", pid);
	n = readlinkat(proc_fd, path, link, sizeof(link) - 1);
	if (n < 0)
		return -errno;
	link[n] = '\0';
	return procfs_parse_user_ns(link, ret_initial);
}

int procfs_read_cgroup(int proc_fd, pid_t pid, char **ret)
{
	_cleanup_(freep) char *text = NULL;
	char *path;
	int r = read_pid_file(proc_fd, pid, "cgroup", &text);

	if (r < 0)
		return r;
	path = procfs_parse_cgroup(text);
	if (!path)
		return -ENODATA;
	*ret = strdup(path);
	return *ret ? 0 : -ENOMEM;
}

int procfs_read_comm(int proc_fd, pid_t pid, void *buf, size_t size)
{
	_cleanup_(freep) char *text = NULL;
	int r = read_pid_file(proc_fd, pid, "comm", &text);

	if (r < 0)
		return r;
	if (r > 0 && text[r - 1] == '\n')
		r--;
	if ((size_t)r > size)
		r = size;
	memcpy(buf, text, r);
	return r;
}

unsigned int procfs_count_sockets(int proc_fd, const char *protocol)
{
	_cleanup_(freep) char *text = NULL;

	if (read_file(proc_fd, "self/net/protocols", &text) < 0)
		return 0;
	return procfs_parse_sockets(text, protocol);
}

int procfs_read_start(int proc_fd, pid_t pid, uint64_t *ret_usec)
{
	_cleanup_(freep) char *text = NULL;
	long ticks = sysconf(_SC_CLK_TCK);
	int r = read_pid_file(proc_fd, pid, "stat", &text);

	if (r < 0)
		return r;
	return ticks > 0 ? procfs_parse_start(text, ticks, ret_usec) : -ENODATA;
}
