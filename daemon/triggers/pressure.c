/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory is short in a cgroup: the kernel wakes up whoever has asked for that, once in
 * a window. A cgroup is watched from the first look at it on, until it is gone or
 * nothing is declared for it any more.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "daemon/triggers/internal.h"
#include "lib/escape.h"
#include "lib/log.h"

struct watch {
	UT_hash_handle hh;
	struct pressures *all;
	char *path; /* raw */
	uint64_t cgroup_id;
	struct pressure pressure;
	int fd;
	sd_event_source *source;
};

struct pressures {
	const struct triggers_config *config;
	sd_event *event;
	pressure_pressed pressed;
	void *userdata;
	struct watch *watches;
	bool full; /* that there are too many has been said */
};

static void watch_free(struct watch *w)
{
	HASH_DEL(w->all->watches, w);
	sd_event_source_disable_unref(w->source);
	closep(&w->fd);
	free(w->path);
	free(w);
}

static int on_pressure(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct watch *w = userdata;
	struct pressures *p = w->all;

	/* The cgroup is gone, or nobody wants to know any more. */
	if ((revents & (EPOLLERR | EPOLLHUP)) || !p->pressed(w->path, p->userdata))
		watch_free(w);
	return 0;
}

static int arm(struct watch *w, int dir)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "%s %" PRIu64 " %" PRIu64,
			 w->pressure.full ? "full" : "some", w->pressure.stall_usec,
			 w->pressure.window_usec);

	w->fd = openat(dir, "memory.pressure", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (w->fd < 0)
		return -errno;
	/* with the NUL, as the kernel cuts the last byte off */
	if (write(w->fd, text, n + 1) < 0)
		return -errno;
	return sd_event_add_io(w->all->event, &w->source, w->fd, EPOLLPRI, on_pressure, w);
}

static int add(struct pressures *p, const char *path, uint64_t cgroup_id, int dir,
	       const struct pressure *pressure)
{
	struct watch *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return -ENOMEM;
	*w = (struct watch){ .all = p, .path = strdup(path), .cgroup_id = cgroup_id,
			     .pressure = *pressure, .fd = -1 };
	if (!w->path) {
		free(w);
		return -ENOMEM;
	}
	HASH_ADD_KEYPTR(hh, p->watches, w->path, strlen(w->path), w);
	if (!w->hh.tbl) {
		free(w->path);
		free(w);
		return -ENOMEM;
	}
	r = arm(w, dir);
	if (r < 0)
		watch_free(w);
	else
		(void)sd_event_source_set_description(w->source, "pressure");
	return r;
}

static bool is_same(const struct pressure *a, const struct pressure *b)
{
	return a->full == b->full && a->stall_usec == b->stall_usec &&
	       a->window_usec == b->window_usec;
}

void pressures_look(struct pressures *p, const struct quota *quota)
{
	const struct declaration *d = quota->declaration;
	_cleanup_(freep) char *shown = NULL;
	_cleanup_(closep) int dir = -1;
	struct watch *w;
	uint64_t id;
	int r;

	HASH_FIND_STR(p->watches, quota->path, w);
	if (!w && (!d || !d->pressure.stall_usec))
		return;
	dir = cgroupfs_open(cgroups_fs(p->config->cgroups), quota->path);
	r = dir < 0 ? dir : cgroupfs_id(dir, &id);
	if (w && r == 0 && d && w->cgroup_id == id && is_same(&w->pressure, &d->pressure))
		return;
	if (w)
		watch_free(w);
	if (r < 0 || !d || !d->pressure.stall_usec)
		return;
	r = HASH_COUNT(p->watches) < PRESSURES_MAX ? add(p, quota->path, id, dir, &d->pressure) :
						     -E2BIG;
	if (r == 0 || (r == -E2BIG && p->full))
		return;
	p->full = r == -E2BIG;
	shown = escape_name(quota->path);
	log_warning_errno(r, "the memory pressure of %s is not watched: %s", shown ?: "?",
			  r == -E2BIG ? "too many cgroups" : strerror(-r));
}

int pressures_new(sd_event *event, const struct triggers_config *config, pressure_pressed pressed,
		  void *userdata, struct pressures **ret)
{
	struct pressures *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->config = config;
	p->event = sd_event_ref(event);
	p->pressed = pressed;
	p->userdata = userdata;
	*ret = p;
	return 0;
}

struct pressures *pressures_free(struct pressures *p)
{
	struct watch *w, *tmp;

	if (!p)
		return NULL;
	HASH_ITER(hh, p->watches, w, tmp)
		watch_free(w);
	sd_event_unref(p->event);
	free(p);
	return NULL;
}
