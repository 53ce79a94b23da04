/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which pins or events a call means, and how long it may take. */
#include <errno.h>
#include <string.h>

#include "daemon/manager/answers.h"
#include "daemon/model/model.h"
#include "lib/cgroup-path.h"
#include "lib/escape.h"
#include "lib/json.h"
#include "lib/parse.h"

static struct cgroup_node *find_node(struct manager *m, const char *path)
{
	struct cgroup_node *node;

	for (node = registry_cgroup_next(m->registry, NULL); node;
	     node = registry_cgroup_next(m->registry, node))
		if (node->path && strcmp(node->path, path) == 0)
			return node;
	return NULL;
}

/* The id of a cgroup that exists, or did while its pins still live. */
static int find_cgroup(struct manager *m, const char *cgroup, uint64_t *ret,
		       const char **ret_reason)
{
	_cleanup_(freep) char *path = NULL, *raw = NULL;
	struct cgroup_node *node;
	int r = 0;

	if (cgroups_fs(m->cgroups)) {
		r = cgroupfs_name_to_path(cgroups_fs(m->cgroups), cgroup, &path, ret_reason);
		if (r < 0 && r != -ENOENT && r != -E2BIG)
			return r;
		if (path && cgroupfs_resolve_path(cgroups_fs(m->cgroups), path, &node) >= 0) {
			*ret = node->id;
			return 0;
		}
	}
	/* As it was typed, or as it was printed. */
	node = find_node(m, cgroup);
	if (!node && path)
		node = find_node(m, path);
	if (!node && unescape(cgroup, &raw, NULL) >= 0)
		node = find_node(m, raw);
	if (!node)
		return r == -E2BIG ? r : -ENOENT;
	*ret = node->id;
	return 0;
}

int find_path(struct manager *m, struct call *call, const char *cgroup, char **ret_path,
	      int *ret_answer)
{
	const char *reason = NULL;
	int r = cgroupfs_name_to_path(cgroups_fs(m->cgroups), cgroup, ret_path, &reason);

	if (r == -EINVAL)
		*ret_answer = reply_invalid_cgroup(call, cgroup, reason);
	else if (!call_sees_all(call) && (r == -ENOENT || r == -E2BIG))
		*ret_answer = call_error_denied(call); /* which units exist is not for everyone */
	else if (r == -ENOENT)
		*ret_answer = reply_no_such_cgroup(call, cgroup);
	else if (r == -E2BIG)
		*ret_answer = reply_too_many_cgroups(call, cgroup);
	else if (r < 0)
		*ret_answer = call_error_errno(call, r);
	return r < 0;
}

const char *device_today(struct manager *m, const char *name)
{
	const struct pin_filter filter = { .device = name };
	struct pin_origin *origin = NULL;
	const char *today;

	devices_look(m->devices);
	today = devices_name_today(m->devices, name, 0);
	if (today == name || devices_has_name(m->devices, name))
		return name;
	/* One that took the name, and has gone, may have pins yet. */
	while ((origin = registry_origin_next(m->registry, origin)))
		if (pin_filter_match_origin(&filter, origin))
			return name;
	return today;
}

/* The device by the name that its pins have today; points into the parameters. */
static int take_device(struct manager *m, json_t *params, const char **ret)
{
	const char *name = json_get_string(params, "device", NULL);

	if (name && json_object_set_new(params, "device",
					json_string_nocheck(device_today(m, name))) < 0)
		return -ENOMEM;
	*ret = json_get_string(params, "device", NULL);
	return 0;
}

static bool is_given(json_t *params, const char *name)
{
	const json_t *value = json_object_get(params, name);

	return value && !json_is_null(value);
}

int parse_pin_filter(struct manager *m, struct call *call, json_t *params, struct pin_filter *ret)
{
	const char *cgroup = json_get_string(params, "cgroup", NULL);
	const char *kind = json_get_string(params, "kind", NULL);
	const char *id = json_get_string(params, "id", NULL), *reason = NULL;
	int64_t pid = json_get_int(params, "pid", 0);
	struct pin_filter f = {
		.has_tgid = is_given(params, "pid"),
		.tgid = pid,
		.has_kind = kind,
		.has_id = id,
		.has_cgroup = cgroup,
	};
	int r = take_device(m, params, &f.device);

	if (r < 0)
		return r;

	if (f.has_tgid && (pid < 1 || pid > INT32_MAX))
		return call_error_invalid(call, "pid") ?: 1;
	if (kind && render_parse_kind(kind, &f.kind) < 0)
		return call_error_invalid(call, "kind") ?: 1;
	if (id && parse_id(id, &f.id, NULL) < 0)
		return call_error_invalid(call, "id") ?: 1;
	if (cgroup && !cgroups_fs(m->cgroups))
		return reply_not_supported(call, cgroups_reason(m->cgroups)) ?: 1;
	r = cgroup ? find_cgroup(m, cgroup, &f.cgroup_id, &reason) : 0;
	feed_trim(m);
	if (r == -EINVAL)
		return reply_invalid_cgroup(call, cgroup, reason) ?: 1;
	/* Whether others' cgroups exist is not told: no pins are to be seen in either. */
	if (r == -ENOENT && call_sees_all(call))
		return reply_no_such_cgroup(call, cgroup) ?: 1;
	if (r == -E2BIG && call_sees_all(call))
		return reply_too_many_cgroups(call, cgroup) ?: 1;
	if (r < 0 && r != -ENOENT && r != -E2BIG)
		return r;
	*ret = f;
	return 0;
}

/* 0, 1 when the call has been answered */
static int parse_event_types(struct call *call, json_t *params, uint32_t *ret)
{
	const json_t *types = json_object_get(params, "types"), *name;
	uint32_t mask = json_is_array(types) ? 0 : EVENT_ALL_TYPES;
	enum event_type type;
	size_t i;

	json_array_foreach(types, i, name) {
		if (render_parse_event_type(json_string_value(name), &type) < 0)
			return call_error_invalid(call, "types") ?: 1;
		mask |= EVENT_BIT(type);
	}
	*ret = mask & may_see_types(call);
	return 0;
}

/* A unit that is nowhere now is known by its name. */
static int set_event_cgroup(struct manager *m, const char *cgroup, struct event_filter *f,
			    const char **ret_reason)
{
	enum cgroup_name_type type = CGROUP_NAME_PATH;
	char *name;
	int r = cgroupfs_name_to_path(cgroups_fs(m->cgroups), cgroup, &name, ret_reason);

	/* Or that is too far to be looked for. */
	if (r == -ENOENT || r == -E2BIG)
		r = cgroup_name_parse(cgroup, &type, &name, ret_reason);
	return r < 0 ? r : event_filter_set_cgroup(f, name, type == CGROUP_NAME_UNIT);
}

int parse_event_filter(struct manager *m, struct call *call, json_t *params,
		       struct event_filter *ret)
{
	const char *cgroup = json_get_string(params, "cgroup", NULL), *reason = NULL;
	int64_t pid = json_get_int(params, "pid", 0);
	struct event_filter f = { .has_tgid = is_given(params, "pid"), .tgid = pid };
	int r;

	if (f.has_tgid && (pid < 1 || pid > INT32_MAX))
		return call_error_invalid(call, "pid") ?: 1;
	r = parse_event_types(call, params, &f.types);
	if (r != 0)
		return r;
	if (cgroup && !cgroups_fs(m->cgroups))
		return reply_not_supported(call, cgroups_reason(m->cgroups)) ?: 1;
	r = cgroup ? set_event_cgroup(m, cgroup, &f, &reason) : 0;
	if (r < 0)
		event_filter_done(&f);
	if (r == -EINVAL)
		return reply_invalid_cgroup(call, cgroup, reason) ?: 1;
	if (r == 0)
		*ret = f;
	return r;
}

int parse_release_timeout(struct call *call, json_t *params, uint64_t *ret_usec)
{
	int64_t usec = json_get_int(params, "timeout_usec", -1);

	if (!json_is_integer(json_object_get(params, "timeout_usec"))) {
		*ret_usec = RELEASE_TIMEOUT_LADDER;
		return 0;
	}
	if (usec < 0 || (uint64_t)usec > RELEASE_TIMEOUT_MAX_USEC)
		return call_error_invalid(call, "timeout_usec") ?: 1;
	*ret_usec = usec;
	return 0;
}
