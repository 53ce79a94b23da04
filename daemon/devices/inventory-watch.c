/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hot-plug. The kernel's own events are followed, not those that udevd passes
 * on: they are there as soon as a device is, so that an answer that is given
 * after they have been read is not behind.
 */
#include <errno.h>
#include <libudev.h>
#include <string.h>
#include <sys/epoll.h>

#include "daemon/devices/inventory-internal.h"

#define DRAIN_MAX 4096 /* events at a time; then all is read anew, and the rest comes later */
#define RCVBUF_BYTES (1 << 20)

struct watch {
	struct inventory *inv;
	struct udev *udev;
	struct udev_monitor *monitor;
	sd_event_source *source;
	void (*changed)(void *userdata);
	void *userdata;
};

/*
 * Of what is kept. Devices that pin memory, and BARs, are looked up when somebody
 * asks: nobody waits for a lock there. But of RDMA devices it is told when they come,
 * go, and get other names.
 */
static const char *const subsystems[] = { "memory", "nd", "dax", "block", "infiniband" };

DEFINE_CLEANUP(struct watch *, watch_free);

static void take(struct watch *w, struct udev_device *device)
{
	const char *action = udev_device_get_action(device);
	const char *subsystem = udev_device_get_subsystem(device);
	const char *name = udev_device_get_sysname(device);

	if (subsystem && strcmp(subsystem, "infiniband") == 0) {
		const char *old = udev_device_get_property_value(device, "DEVPATH_OLD");

		old = old && strrchr(old, '/') ? strrchr(old, '/') + 1 : old;
		if (w->inv->pinner)
			w->inv->pinner(old, name, w->inv->pinner_userdata);
		return;
	}
	/* Most block devices are none of ours. One that comes does so with its namespace. */
	if (!subsystem || strcmp(subsystem, "block") != 0)
		w->inv->current = false;
	if (action && subsystem && name && strcmp(action, "remove") == 0)
		inventory_forget(w->inv, subsystem, name);
}

void watch_drain(struct watch *w)
{
	struct udev_device *device;
	unsigned int i;

	for (i = 0; w && i < DRAIN_MAX; i++) {
		errno = 0;
		device = udev_monitor_receive_device(w->monitor);
		if (!device) {
			/* Nothing more; or something was lost. */
			if (errno != 0 && errno != EAGAIN && errno != EINTR)
				w->inv->current = false;
			return;
		}
		/* What has gone is known to have gone, also while nothing can be read. */
		take(w, device);
		udev_device_unref(device);
	}
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct watch *w = userdata;

	watch_drain(w);
	if (!w->inv->current)
		w->changed(w->userdata);
	return 0;
}

static int open_monitor(struct watch *w)
{
	size_t i;
	int r;

	w->udev = udev_new();
	if (!w->udev)
		return -ENOMEM;
	w->monitor = udev_monitor_new_from_netlink(w->udev, "kernel");
	if (!w->monitor)
		return errno > 0 ? -errno : -EIO;
	for (i = 0; i < ARRAY_SIZE(subsystems); i++) {
		r = udev_monitor_filter_add_match_subsystem_devtype(w->monitor, subsystems[i],
								    NULL);
		if (r < 0)
			return r;
	}
	/* Blocks of memory come by the thousand; what does not fit is noticed. */
	(void)udev_monitor_set_receive_buffer_size(w->monitor, RCVBUF_BYTES);
	return udev_monitor_enable_receiving(w->monitor);
}

int inventory_watch(struct inventory *inv, sd_event *event, void (*changed)(void *userdata),
		    void *userdata)
{
	_cleanup_(watch_freep) struct watch *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return -ENOMEM;
	w->inv = inv;
	w->changed = changed;
	w->userdata = userdata;
	r = open_monitor(w);
	if (r < 0)
		return r;
	r = sd_event_add_io(event, &w->source, udev_monitor_get_fd(w->monitor), EPOLLIN, on_io, w);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(w->source, "inventory-hotplug");
	inv->current = false;
	inv->watch = TAKE_PTR(w);
	return 0;
}

struct watch *watch_free(struct watch *w)
{
	if (!w)
		return NULL;
	sd_event_source_disable_unref(w->source);
	udev_monitor_unref(w->monitor);
	udev_unref(w->udev);
	free(w);
	return NULL;
}
