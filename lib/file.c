/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "lib/file.h"
#include "lib/macros.h"

int file_read(int dir_fd, const char *path, int flags, size_t max_bytes, struct stat *ret_st,
	      char **ret, size_t *ret_size)
{
	_cleanup_(closep) int fd = openat(dir_fd, path,
					  O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags);
	_cleanup_(freep) char *text = NULL;
	size_t size = 0, room;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size < 0 || (size_t)st.st_size > max_bytes)
		return -EFBIG;
	room = st.st_size;
	text = malloc(room + 1);
	if (!text)
		return -ENOMEM;
	while (size < room) {
		n = read(fd, text + size, room - size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		size += n;
	}
	text[size] = '\0';
	if (ret_st)
		*ret_st = st;
	*ret = TAKE_PTR(text);
	*ret_size = size;
	return 0;
}

int file_open_dir(int dir_fd, const char *path)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	char name[NAME_MAX + 1];
	size_t len;
	int fd = openat(dir_fd, ".", flags), up, error;

	for (path += strspn(path, "/"); *path && fd >= 0; path += len + strspn(path + len, "/")) {
		len = strcspn(path, "/");
		error = len > NAME_MAX ? ENAMETOOLONG : 0;
		if (!error) {
			memcpy(name, path, len);
			name[len] = '\0';
			if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
				error = EINVAL;
		}
		up = fd;
		fd = error ? -1 : openat(up, name, flags);
		error = error ?: errno;
		close(up);
		errno = error;
	}
	return fd < 0 ? -errno : fd;
}
