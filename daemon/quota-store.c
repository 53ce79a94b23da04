/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <utlist.h>

#include "daemon/quota-store.h"
#include "lib/escape.h"
#include "lib/json.h"
#include "lib/macros.h"

#define TEMP_FILE QUOTA_STORE_FILE ".tmp"
#define STORE_VERSION 1

struct quota *quota_new(const char *path, uint64_t max_bytes)
{
	struct quota *q = calloc(1, sizeof(*q));

	if (!q)
		return NULL;
	q->path = strdup(path);
	if (!q->path) {
		free(q);
		return NULL;
	}
	q->max_bytes = max_bytes;
	q->uid = (uid_t)-1;
	return q;
}

void quota_list_add(struct quota **list, struct quota *quota)
{
	DL_APPEND(*list, quota);
}

void quota_list_remove(struct quota **list, struct quota *quota)
{
	DL_DELETE(*list, quota);
	free(quota->path);
	free(quota);
}

void quota_list_clear(struct quota **list)
{
	while (*list)
		quota_list_remove(list, *list);
}

struct quota *quota_list_find(struct quota *list, const char *path)
{
	struct quota *q;

	DL_FOREACH(list, q)
		if (strcmp(q->path, path) == 0)
			return q;
	return NULL;
}

static int read_file(int dir_fd, char **ret, size_t *ret_size)
{
	_cleanup_(closep) int fd = openat(dir_fd, QUOTA_STORE_FILE,
					  O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	_cleanup_(freep) char *buf = NULL;
	struct stat st;
	size_t size = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > QUOTA_STORE_BYTES)
		return -EBADMSG;
	buf = malloc(st.st_size + 1);
	if (!buf)
		return -ENOMEM;
	while (size < (size_t)st.st_size) {
		n = read(fd, buf + size, st.st_size - size);
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		size += n;
	}
	*ret = TAKE_PTR(buf);
	*ret_size = size;
	return 0;
}

static int load_one(struct quota **list, json_t *item)
{
	const char *shown = json_get_string(item, "cgroup", NULL);
	json_t *max = json_object_get(item, "max_bytes");
	_cleanup_(freep) char *path = NULL;
	struct quota *q;
	size_t size;
	int r;

	if (!shown || !(json_is_null(max) || (json_is_integer(max) && json_integer_value(max) >= 0)))
		return -EBADMSG;
	r = unescape(shown, &path, &size);
	if (r == -EINVAL || (r >= 0 && (strlen(path) != size || path[0] != '/' || !path[1])))
		return -EBADMSG;
	if (r < 0)
		return r;
	if (quota_list_find(*list, path))
		return -EBADMSG;
	q = quota_new(path, json_is_null(max) ? UINT64_MAX : (uint64_t)json_integer_value(max));
	if (!q)
		return -ENOMEM;
	quota_list_add(list, q);
	return 0;
}

int quota_store_load(int dir_fd, struct quota **ret_list, const char **ret_reason)
{
	_cleanup_(freep) char *text = NULL;
	_cleanup_json_ json_t *root = NULL;
	struct quota *list = NULL;
	json_t *quotas, *item;
	size_t size = 0, i;
	int r;

	*ret_reason = NULL;
	r = read_file(dir_fd, &text, &size);
	if (r == -ENOENT) {
		*ret_list = NULL;
		return 0;
	}
	if (r == -EBADMSG || r == -ELOOP)
		*ret_reason = "it is no regular file, or too large";
	if (r < 0)
		return r == -ELOOP ? -EBADMSG : r;

	root = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
	quotas = json_object_get(root, "quotas");
	if (!json_is_object(root) || !json_is_array(quotas)) {
		*ret_reason = "it is not the JSON that this service writes";
		return -EBADMSG;
	}
	if (json_get_int(root, "version", 0) != STORE_VERSION) {
		*ret_reason = "its version is unknown";
		return -EBADMSG;
	}
	json_array_foreach(quotas, i, item) {
		r = load_one(&list, item);
		if (r < 0) {
			if (r == -EBADMSG)
				*ret_reason = "an entry of it makes no sense";
			quota_list_clear(&list);
			return r;
		}
	}
	*ret_list = list;
	return 0;
}

int quota_store_set_aside(int dir_fd, uint64_t now_usec, char **ret_name)
{
	_cleanup_(freep) char *name = NULL;

	if (asprintf(&name, QUOTA_STORE_FILE ".corrupt-%" PRIu64, now_usec / 1000000) < 0) {
		name = NULL;
		return -ENOMEM;
	}
	if (renameat(dir_fd, QUOTA_STORE_FILE, dir_fd, name) < 0)
		return -errno;
	*ret_name = TAKE_PTR(name);
	return 0;
}

static int to_json(const struct quota *list, json_t **ret)
{
	_cleanup_json_ json_t *array = json_array();
	const struct quota *q;

	if (!array)
		return -ENOMEM;
	DL_FOREACH(list, q) {
		if (q->runtime)
			continue;
		if (json_array_append_new(array, json_pack("{s:o, s:o}", "cgroup",
				json_escaped(q->path, strlen(q->path)), "max_bytes",
				json_bytes(q->max_bytes))) < 0)
			return -ENOMEM;
	}
	*ret = json_pack("{s:i, s:O}", "version", STORE_VERSION, "quotas", array);
	return *ret ? 0 : -ENOMEM;
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
 * Waits for the disk, and all clients with it: nobody is told of a quota that
 * is not durable. Only administrators' calls come here. A disk that stalls for
 * longer than the watchdog allows costs a restart, which finds the old file or
 * the new one.
 */
int quota_store_save(int dir_fd, const struct quota *list)
{
	_cleanup_(closep) int fd = -1;
	_cleanup_json_ json_t *root = NULL;
	_cleanup_(freep) char *text = NULL;
	int r;

	r = to_json(list, &root);
	if (r < 0)
		return r;
	text = json_dumps(root, JSON_INDENT(2));
	if (!text)
		return -ENOMEM;
	fd = openat(dir_fd, TEMP_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = write_all(fd, text, strlen(text));
	if (r >= 0)
		r = write_all(fd, "\n", 1);
	if (r >= 0 && fsync(fd) < 0)
		r = -errno;
	if (r >= 0 && renameat(dir_fd, TEMP_FILE, dir_fd, QUOTA_STORE_FILE) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlinkat(dir_fd, TEMP_FILE, 0);
		return r;
	}
	/* The name is durable with its directory. */
	return fsync(dir_fd) < 0 ? -errno : 0;
}
