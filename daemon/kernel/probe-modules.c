/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <libudev.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>

#include "daemon/kernel/probe-modules.h"
#include "lib/probe-layout.h"

#define DRAIN_MAX 256 /* events at a time; the rest comes later */

struct probe_modules {
	struct udev *udev;
	struct udev_monitor *monitor;
	sd_event_source *source;
	int (*came)(void *userdata);
	void *userdata;
};

DEFINE_CLEANUP(struct probe_modules *, probe_modules_free);

static bool is_wanted(const char *name)
{
	static const char *const wanted[] = { PROBE_MODULE_RDMA, PROBE_MODULE_VFIO,
					      PROBE_MODULE_VDPA };

	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		if (strcmp(name, wanted[i]) == 0)
			return true;
	return false;
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct probe_modules *m = userdata;
	struct udev_device *device;
	bool any = false;

	for (unsigned int i = 0; i < DRAIN_MAX; i++) {
		errno = 0;
		device = udev_monitor_receive_device(m->monitor);
		if (!device) {
			/* Something was lost: then it may have been among that. */
			any |= errno == ENOBUFS;
			break;
		}
		any |= strcmp(udev_device_get_action(device) ?: "", "add") == 0 &&
		       is_wanted(udev_device_get_sysname(device) ?: "");
		udev_device_unref(device);
	}
	return any ? m->came(m->userdata) : 0;
}

int probe_modules_watch(sd_event *event, int (*came)(void *userdata), void *userdata,
			struct probe_modules **ret)
{
	_cleanup_(probe_modules_freep) struct probe_modules *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return -ENOMEM;
	m->came = came;
	m->userdata = userdata;
	m->udev = udev_new();
	if (!m->udev)
		return -ENOMEM;
	m->monitor = udev_monitor_new_from_netlink(m->udev, "kernel");
	if (!m->monitor)
		return errno > 0 ? -errno : -EIO;
	r = udev_monitor_filter_add_match_subsystem_devtype(m->monitor, "module", NULL);
	if (r >= 0)
		r = udev_monitor_enable_receiving(m->monitor);
	if (r >= 0)
		r = sd_event_add_io(event, &m->source, udev_monitor_get_fd(m->monitor), EPOLLIN,
				    on_io, m);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(m->source, "probe-modules");
	(void)sd_event_source_set_exit_on_failure(m->source, true);
	*ret = TAKE_PTR(m);
	return 0;
}

struct probe_modules *probe_modules_free(struct probe_modules *m)
{
	if (!m)
		return NULL;
	sd_event_source_disable_unref(m->source);
	udev_monitor_unref(m->monitor);
	udev_unref(m->udev);
	free(m);
	return NULL;
}
