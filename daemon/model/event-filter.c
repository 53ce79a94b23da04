/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "daemon/model/event-filter.h"
#include "lib/cgroup-path.h"
#include "lib/escape.h"
#include "lib/json.h"

int event_filter_set_cgroup(struct event_filter *f, char *cgroup, bool is_unit)
{
	event_filter_done(f);
	f->cgroup = cgroup;
	f->is_unit = is_unit;
	f->shown = escape_name(cgroup);
	return f->shown ? 0 : -ENOMEM;
}

void event_filter_done(struct event_filter *f)
{
	free(f->cgroup);
	free(f->shown);
	f->cgroup = NULL;
	f->shown = NULL;
}

static bool ends_component(char c)
{
	return c == '/' || c == '\0';
}

/* Whether a path is this cgroup's or below it. */
static bool is_in(const char *path, const char *cgroup, bool is_unit)
{
	const size_t len = strlen(cgroup);
	const char *at;

	if (!path || path[0] != '/')
		return false;
	if (!is_unit)
		return cgroup_path_is_in(path, cgroup);
	for (at = strstr(path, cgroup); at; at = strstr(at + 1, cgroup))
		if (at[-1] == '/' && ends_component(at[len]))
			return true;
	return false;
}

static bool matches_node(const struct event_filter *f, const struct cgroup_node *node)
{
	return !f->cgroup || (node && is_in(node->path, f->cgroup, f->is_unit));
}

static bool matches_tgid(const struct event_filter *f, uint32_t tgid)
{
	return !f->has_tgid || tgid == f->tgid;
}

static bool matches_failure(const struct event_filter *f, const char *text)
{
	_cleanup_json_ json_t *failure = json_loads(text, 0, NULL);
	const json_t *owner;
	size_t i;

	json_array_foreach(json_object_get(failure, "owners"), i, owner)
		if ((!f->has_tgid || json_get_int(owner, "pid", 0) == f->tgid) &&
		    (!f->cgroup ||
		     is_in(json_get_string(owner, "cgroup", NULL), f->shown, f->is_unit)))
			return true;
	return false;
}

static bool matches_request(const struct event_filter *f, const struct event *event)
{
	for (uint32_t i = 0; i < event->n_owners; i++)
		if (matches_tgid(f, event->owners[i].tgid) &&
		    matches_node(f, event->owners[i].cgroup))
			return true;
	return event->owners_left_out;
}

bool event_filter_match(const struct event_filter *f, const struct event *event)
{
	if (!(f->types & EVENT_BIT(event->type)))
		return false;
	if (!f->cgroup && !f->has_tgid)
		return true;
	switch (event->type) {
	case EVENT_RESYNC:
		return true;
	case EVENT_FAILURE:
	case EVENT_FAILURE_DONE:
		return event->failure && matches_failure(f, event->failure);
	case EVENT_RELEASE:
	case EVENT_RELEASE_DONE:
		return matches_request(f, event);
	case EVENT_REVOKE:
	case EVENT_REVOKE_DONE:
		return !f->cgroup && event->revoke && matches_tgid(f, event->revoke->tgid);
	case EVENT_QUOTA_SET:
	case EVENT_QUOTA_CLEAR:
	case EVENT_POLICY_SET:
	case EVENT_POLICY_CLEAR:
	case EVENT_HIGH:
		return !f->has_tgid && is_in(event->quota_cgroup, f->cgroup, f->is_unit);
	default:
		return matches_tgid(f, event->pin.tgid) &&
		       (matches_node(f, event->cgroup) || matches_node(f, event->charged) ||
			matches_node(f, event->limit));
	}
}
