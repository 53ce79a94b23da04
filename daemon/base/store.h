/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files in the state directory that keep something for each cgroup: JSON with
 * a version and an array of objects, each of which has "cgroup". Written
 * whole, or not at all.
 */
#ifndef PINGUARD_BASE_STORE_H
#define PINGUARD_BASE_STORE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_BYTES (4 << 20) /* a larger file is no file of ours */

/* path: raw bytes, good until it returns. 0, -EBADMSG for what makes no sense, another errno */
typedef int (*store_entry)(const char *path, const json_t *item, void *userdata);

/*
 * 0, also where there is no file; -EBADMSG where it is none of ours or
 * damaged, and *ret_reason (a constant text) says what is wrong. key: of the
 * array
 */
int store_load(int dir_fd, const char *file, const char *key, store_entry entry, void *userdata,
	       const char **ret_reason);
/*
 * The same for a file of another content, of up to max_bytes: an object with
 * the version. *ret_root is NULL where there is no file.
 */
int store_read(int dir_fd, const char *file, size_t max_bytes, json_t **ret_root,
	       const char **ret_reason);
/* Takes the object over, which may be NULL, and adds the version. flags: of json_dumps() */
int store_write(int dir_fd, const char *file, json_t *root, size_t flags, size_t max_bytes);
/* Out of the way, to FILE.corrupt-TIME. */
int store_set_aside(int dir_fd, const char *file, uint64_t now_usec, char **ret_name);
/* Takes the array over, which may be NULL: -ENOMEM. -EFBIG: the file would be too large. */
int store_save(int dir_fd, const char *file, const char *key, json_t *array);

#endif
