/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Readers of sysfs, and the names that are found there. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "daemon/devices/inventory-internal.h"

int inventory_open_sys(const struct inventory *inv, const char *path)
{
	char full[512];
	int fd;

	if ((size_t)snprintf(full, sizeof(full), "%s%s", inv->sys, path) >= sizeof(full))
		return -ENAMETOOLONG;
	fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int inventory_read_line(int dir_fd, const char *file, char *ret, size_t size)
{
	_cleanup_(closep) int fd = openat(dir_fd, file, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, ret, size - 1);
	if (n < 0)
		return -errno;
	ret[n] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	return 0;
}

int inventory_read_number(int dir_fd, const char *file, int base, uint64_t *ret)
{
	unsigned long long value;
	char buf[64], *end;
	int r;

	r = inventory_read_line(dir_fd, file, buf, sizeof(buf));
	if (r < 0)
		return r;
	errno = 0;
	value = strtoull(buf, &end, base);
	if (end == buf || errno || *end)
		return -EBADMSG;
	*ret = value;
	return 0;
}

int inventory_each(int dir_fd, int (*one)(int dir_fd, const char *name, void *userdata),
		   void *userdata)
{
	DIR *dir = fdopendir(dir_fd);
	struct dirent *de;
	int r = 0;

	if (!dir) {
		r = -errno;
		close(dir_fd);
		return r;
	}
	while (r == 0 && (de = readdir(dir)))
		if (de->d_name[0] != '.')
			r = one(dir_fd, de->d_name, userdata);
	closedir(dir);
	return r;
}

bool inventory_parse_numbered(const char *name, const char *prefix, uint64_t *ret)
{
	size_t len = strlen(prefix);
	char *end;

	if (strncmp(name, prefix, len) != 0 || name[len] < '0' || name[len] > '9')
		return false;
	errno = 0;
	*ret = strtoull(name + len, &end, 10);
	return !*end && !errno && *ret < UINT64_MAX;
}

bool inventory_name_ok(const char *name)
{
	size_t i;

	for (i = 0; name[i]; i++)
		if (name[i] <= ' ' || name[i] > '~' || name[i] == '\\' || name[i] == '/')
			return false;
	return i > 0 && i < PLACE_NAME_MAX;
}
