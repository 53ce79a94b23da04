/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Regions whose makers have ended, on a kernel that does not tell whose they are:
 * whoever has the device open holds them. Where all of those are in or below one
 * cgroup the regions are, too.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "daemon/base/base.h"
#include "daemon/manager/left.h"
#include "lib/json.h"
#include "lib/log.h"

/* Then they are nobody's in this answer: others wait for it. */
#define LOOK_USEC (1 * 1000000ULL)

struct left {
	struct manager *m;
	int proc_fd;
	/* The look that is under way, for the devices one by one. */
	struct openers_query *query;
	sd_event_source *timeout;
	char devices[LEFT_DEVICES_MAX][PINGUARD_DEVICE_NAME_MAX];
	size_t n, at;
};

static bool is_left(const struct pin_origin *origin)
{
	return origin->kind == PINGUARD_KIND_RDMA && origin->tgid == 0 && !origin->cgroup &&
	       *origin->device;
}

static void add_device(struct left *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->devices[i], name) == 0)
			return;
	if (l->n < LEFT_DEVICES_MAX)
		strcpy(l->devices[l->n++], name);
}

/* Cuts a path to what it has in common with another one: "/" for nothing. */
static void cut_to_common(char *path, const char *other)
{
	size_t n = 0, end = 0;

	if (strcmp(path, "/") == 0 || strcmp(other, "/") == 0) {
		path[1] = '\0';
		return;
	}
	for (;; n++) {
		bool at_end = !path[n] || path[n] == '/';

		if (at_end && (!other[n] || other[n] == '/'))
			end = n;
		if (!path[n] || path[n] != other[n])
			break;
	}
	path[MAX(end, (size_t)1)] = '\0';
}

/* Of all that have it open; NULL where that is the root, or not known. */
static char *common_cgroup(struct left *l, const json_t *users)
{
	char *common = NULL;
	const json_t *user;
	size_t i;

	json_array_foreach(users, i, user) {
		_cleanup_(freep) char *path = NULL;

		if (procfs_read_cgroup(l->proc_fd, json_get_int(user, "pid", 0), &path) < 0 ||
		    *path != '/') {
			free(common);
			return NULL;
		}
		if (common)
			cut_to_common(common, path);
		else
			common = TAKE_PTR(path);
	}
	if (common && strcmp(common, "/") == 0) {
		free(common);
		return NULL;
	}
	return common;
}

/* Those of a device. */
static int give(struct left *l, const char *device, struct cgroup_node *cgroup)
{
	_cleanup_(pin_cursor_done) struct pin_cursor cursor;
	struct pin *pin;
	int r = 0;

	pin_cursor_init(&cursor, l->m->registry);
	while (r >= 0 && (pin = pin_cursor_next(&cursor)))
		if (is_left(pin->origin) && strcmp(pin->origin->device, device) == 0)
			r = registry_set_cgroup(l->m->registry, pin, cgroup);
	return r;
}

static int finish(struct left *l)
{
	left_stop(l);
	return waiters_settle(l->m);
}

static int next_device(struct left *l);

static void on_users(const json_t *users, const char *unknown, void *userdata)
{
	struct left *l = userdata;
	struct cgroupfs *fs = cgroups_fs(l->m->cgroups);
	_cleanup_(freep) char *path = unknown || !fs ? NULL : common_cgroup(l, users);
	struct cgroup_node *cgroup;
	int r = 0;

	l->query = openers_query_free(l->query);
	if (path && cgroupfs_resolve_path(fs, path, &cgroup) >= 0)
		r = give(l, l->devices[l->at], cgroup);
	l->at++;
	if (r >= 0)
		r = next_device(l);
	if (r < 0) {
		log_warning_errno(r, "cannot tell who holds what others have left: %m");
		(void)finish(l);
	}
}

static int next_device(struct left *l)
{
	struct manager *m = l->m;
	const struct target target = { .type = TARGET_NAME };
	_cleanup_(freep) struct device_numbers *numbers = malloc(sizeof(*numbers));

	if (!numbers)
		return -ENOMEM;
	for (; l->at < l->n; l->at++)
		if (devices_find_numbers(m->devices, l->devices[l->at], &target, numbers) >= 0 &&
		    numbers->n > 0)
			return openers_find(m->openers, numbers, false, on_users, l, &l->query);
	return finish(l);
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata)
{
	return finish(userdata);
}

int left_look(struct left *l)
{
	struct pin_origin *origin = NULL;
	int r;

	left_stop(l);
	while ((origin = registry_origin_next(l->m->registry, origin)))
		if (is_left(origin))
			add_device(l, origin->device);
	if (l->n == 0)
		return 0;
	l->m->calls.held = true;
	r = sd_event_add_time_relative(l->m->event, &l->timeout, CLOCK_MONOTONIC, LOOK_USEC, 0,
				       on_timeout, l);
	if (r >= 0) {
		(void)sd_event_source_set_description(l->timeout, "left-timeout");
		r = next_device(l);
	}
	if (r < 0)
		left_stop(l);
	return r;
}

void left_stop(struct left *l)
{
	l->query = openers_query_free(l->query);
	l->timeout = sd_event_source_disable_unref(l->timeout);
	l->m->calls.held = false;
	l->n = l->at = 0;
}

int left_new(struct manager *m, const char *proc, struct left **ret)
{
	_cleanup_(freep) struct left *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->m = m;
	l->proc_fd = open(proc, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (l->proc_fd < 0)
		return -errno;
	*ret = TAKE_PTR(l);
	return 0;
}

struct left *left_free(struct left *l)
{
	if (!l)
		return NULL;
	left_stop(l);
	closep(&l->proc_fd);
	free(l);
	return NULL;
}
