/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <utlist.h>

#include "daemon/cgroup/quota-store.h"
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
	q->high_bytes = UINT64_MAX;
	q->uid = (uid_t)-1;
	return q;
}

struct quota *quota_free(struct quota *quota)
{
	if (quota)
		free(quota->path);
	free(quota);
	return NULL;
}

void quota_list_add(struct quota **list, struct quota *quota)
{
	DL_APPEND(*list, quota);
}

void quota_list_remove(struct quota **list, struct quota *quota)
{
	DL_DELETE(*list, quota);
	quota_free(quota);
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

static bool get_bytes(const json_t *value, uint64_t *ret)
{
	if (json_is_null(value))
		*ret = UINT64_MAX;
	else if (json_is_integer(value) && json_integer_value(value) >= 0)
		*ret = json_integer_value(value);
	else
		return false;
	return true;
}

static int load_one(const char *path, const json_t *item, void *userdata)
{
	const json_t *high = json_object_get(item, "high_bytes");
	uint64_t max_bytes, high_bytes = UINT64_MAX;
	struct quota **list = userdata, *q;

	if (!get_bytes(json_object_get(item, "max_bytes"), &max_bytes))
		return -EBADMSG;
	/* Files from before there were high marks have none. */
	if (high && (!get_bytes(high, &high_bytes) ||
		     (high_bytes != UINT64_MAX && high_bytes > max_bytes)))
		return -EBADMSG;
	/* The root has no limit. */
	if (!path[1] || quota_list_find(*list, path))
		return -EBADMSG;
	q = quota_new(path, max_bytes);
	if (!q)
		return -ENOMEM;
	q->high_bytes = high_bytes;
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
		if (json_array_append_new(array, json_pack("{s:o, s:o, s:o}", "cgroup",
				json_escaped(q->path, strlen(q->path)), "max_bytes",
				json_bytes(q->max_bytes), "high_bytes",
				json_bytes(q->high_bytes))) < 0)
			return -ENOMEM;
	}
	return store_save(dir_fd, QUOTA_STORE_FILE, "quotas", json_incref(array));
}
