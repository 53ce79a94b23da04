/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PINGUARD_FILE_H
#define PINGUARD_FILE_H

#include <stddef.h>
#include <sys/stat.h>

/**
 * file_read() - read a whole regular file
 * @dir_fd: what @path is relative to, as of openat(2)
 * @flags: of openat(2), such as O_NOFOLLOW; a FIFO or a device does not block in
 *	any case
 * @max_bytes: of a file that is no larger
 * @ret_st: of the file that was read, may be NULL
 * @ret: the content, and a NUL after it; the caller frees it
 * @ret_size: of the content without that
 *
 * Return: 0, -EINVAL for what is no regular file, -EFBIG, -ENOMEM, or of
 * open(2), fstat(2), read(2)
 */
int file_read(int dir_fd, const char *path, int flags, size_t max_bytes, struct stat *ret_st,
	      char **ret, size_t *ret_size);

/**
 * file_open_dir() - open a directory below another
 * @path: components of names, with any number of slashes between and before
 *	them; none of them may be a symbolic link, "." or ".."
 *
 * One component after the other: the service's sandbox has no openat2(), whose
 * flags a system call filter cannot see.
 *
 * Return: a descriptor to be closed, -EINVAL, -ENAMETOOLONG, or of open(2)
 */
int file_open_dir(int dir_fd, const char *path);

#endif
