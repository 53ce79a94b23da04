/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <utlist.h>

#include "daemon/quota-store.h"
#include "lib/json.h"
#include "lib/macros.h"

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

static int load_one(const char *path, const json_t *item, void *userdata)
{
	json_t *max = json_object_get(item, "max_bytes");
	struct quota **list = userdata, *q;

	if (!(json_is_null(max) || (json_is_integer(max) && json_integer_value(max) >= 0)))
		return -EBADMSG;
	/* The root has no limit. */
	if (!path[1] || quota_list_find(*list, path))
		return -EBADMSG;
	q = quota_new(path, json_is_null(max) ? UINT64_MAX : (uint64_t)json_integer_value(max));
	if (!q)
		return -ENOMEM;
	quota_list_add(list, q);
	return 0;
}

int quota_store_load(int dir_fd, struct quota **ret_list, const char **ret_reason)
{
	struct quota *list = NULL;
	int r = store_load(dir_fd, QUOTA_STORE_FILE, "quotas", load_one, &list, ret_reason);

	if (r < 0) {
		quota_list_clear(&list);
		return r;
	}
	*ret_list = list;
	return 0;
}

int quota_store_set_aside(int dir_fd, uint64_t now_usec, char **ret_name)
{
	return store_set_aside(dir_fd, QUOTA_STORE_FILE, now_usec, ret_name);
}

int quota_store_save(int dir_fd, const struct quota *list)
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
	return store_save(dir_fd, QUOTA_STORE_FILE, "quotas", json_incref(array));
}
