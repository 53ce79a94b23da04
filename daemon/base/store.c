/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/store.h"
#include "lib/escape.h"
#include "lib/file.h"
#include "lib/json.h"

#define STORE_VERSION 1

static const char not_ours[] = "it is not the JSON that this service writes";

static int load_one(json_t *item, store_entry entry, void *userdata)
{
	const char *shown = json_get_string(item, "cgroup", NULL);
	_cleanup_(freep) char *path = NULL;
	size_t size;
	int r;

	if (!shown)
		return -EBADMSG;
	r = unescape(shown, &path, &size);
	if (r == -EINVAL || (r >= 0 && (strlen(path) != size || path[0] != '/')))
		return -EBADMSG;
	return r < 0 ? r : entry(path, item, userdata);
}

int store_read(int dir_fd, const char *file, size_t max_bytes, json_t **ret_root,
	       const char **ret_reason)
{
	_cleanup_(freep) char *text = NULL;
	_cleanup_json_ json_t *root = NULL;
	size_t size = 0;
	int r;

	*ret_reason = NULL;
	r = file_read(dir_fd, file, O_NOFOLLOW, max_bytes, NULL, &text, &size);
	if (r == -ENOENT) {
		*ret_root = NULL;
		return 0;
	}
	if (r == -EINVAL || r == -EFBIG || r == -ELOOP) {
		*ret_reason = "it is no regular file, or too large";
		return -EBADMSG;
	}
	if (r < 0)
		return r;

	root = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(root)) {
		*ret_reason = not_ours;
		return -EBADMSG;
	}
	if (json_get_int(root, "version", 0) != STORE_VERSION) {
		*ret_reason = "its version is unknown";
		return -EBADMSG;
	}
	*ret_root = TAKE_PTR(root);
	return 0;
}

int store_load(int dir_fd, const char *file, const char *key, store_entry entry, void *userdata,
	       const char **ret_reason)
{
	_cleanup_json_ json_t *root = NULL;
	json_t *array, *item;
	size_t i;
	int r;

	r = store_read(dir_fd, file, STORE_BYTES, &root, ret_reason);
	if (r < 0 || !root)
		return r;
	array = json_object_get(root, key);
	if (!json_is_array(array)) {
		*ret_reason = not_ours;
		return -EBADMSG;
	}
	json_array_foreach(array, i, item) {
		r = load_one(item, entry, userdata);
		if (r == -EBADMSG)
			*ret_reason = "an entry of it makes no sense";
		if (r < 0)
			return r;
	}
	return 0;
}

int store_set_aside(int dir_fd, const char *file, uint64_t now_usec, char **ret_name)
{
	_cleanup_(freep) char *name = NULL;

	if (asprintf(&name, "%s.corrupt-%" PRIu64, file, now_usec / 1000000) < 0) {
		name = NULL;
		return -ENOMEM;
	}
	if (renameat(dir_fd, file, dir_fd, name) < 0)
		return -errno;
	*ret_name = TAKE_PTR(name);
	return 0;
}

static int write_all(int fd, const char *text, size_t size)
{
	ssize_t n;

	while (size > 0) {
		n = write(fd, text, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		size -= n;
	}
	return 0;
}

/*
 * Waits for the disk, and all clients with it: nobody is told of what is not
 * durable. Administrators' calls come here, and failures of memory now and
 * then. A disk that stalls for longer than the watchdog allows costs a restart,
 * which finds the old file or the new one.
 */
int store_write(int dir_fd, const char *file, json_t *object, size_t flags, size_t max_bytes)
{
	_cleanup_json_ json_t *root = object;
	_cleanup_(freep) char *text = NULL, *temp = NULL;
	_cleanup_(closep) int fd = -1;
	size_t size;
	int r;

	if (!root || json_object_set_new(root, "version", json_integer(STORE_VERSION)) < 0)
		return -ENOMEM;
	text = json_dumps(root, flags);
	if (!text)
		return -ENOMEM;
	/* with the newline: what could not be read again is not written */
	size = strlen(text) + 1;
	if (size > max_bytes)
		return -EFBIG;
	text[size - 1] = '\n';
	if (asprintf(&temp, "%s.tmp", file) < 0) {
		temp = NULL;
		return -ENOMEM;
	}
	fd = openat(dir_fd, temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = write_all(fd, text, size);
	if (r >= 0 && fsync(fd) < 0)
		r = -errno;
	if (r >= 0 && renameat(dir_fd, temp, dir_fd, file) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlinkat(dir_fd, temp, 0);
		return r;
	}
	/* The name is durable with its directory. */
	return fsync(dir_fd) < 0 ? -errno : 0;
}

int store_save(int dir_fd, const char *file, const char *key, json_t *array)
{
	json_t *root = array ? json_pack("{s:o}", key, array) : NULL;

	return store_write(dir_fd, file, root, JSON_INDENT(2), STORE_BYTES);
}
