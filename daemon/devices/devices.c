/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When the inventory of devices is read, and what the kernel adds to it. */
#include <errno.h>

#include "daemon/devices/inventory.h"
#include "daemon/manager/internal.h"
#include "lib/log.h"

/* Devices come and go together: so long after the first event they are looked at. */
#define SETTLE_USEC (100 * 1000ULL)

bool manager_at_rest(const struct manager *m)
{
	return manager_n_revokes(m) == 0;
}

static void read_inventory(struct manager *m, int (*read)(struct inventory *inv))
{
	int r;

	/* Such as one that is under way since before the start. Its end brings us back here. */
	if (!manager_at_rest(m))
		return;
	r = read(m->inventory);
	if (r < 0)
		log_warning_errno(r, "cannot read which devices have memory, it is tried again "
				  "when somebody asks: %m");
}

void manager_read_inventory(struct manager *m)
{
	m->inventory_wanted = true;
	read_inventory(m, inventory_update);
}

static int on_settled(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct manager *m = userdata;

	/* Before the first list of revokes, which brings us here, none is known of. */
	if (!manager_ready(m) || !m->inventory_wanted)
		return 0;
	/* In any case: sysfs may have had it a moment longer than the event. */
	read_inventory(m, inventory_refresh);
	return 0;
}

static void on_changed(void *userdata)
{
	struct manager *m = userdata;
	int enabled, r;

	if (sd_event_source_get_enabled(m->inventory_source, &enabled) >= 0 &&
	    enabled != SD_EVENT_OFF)
		return;
	r = sd_event_source_set_time_relative(m->inventory_source, SETTLE_USEC);
	if (r >= 0)
		r = sd_event_source_set_enabled(m->inventory_source, SD_EVENT_ONESHOT);
	if (r < 0)
		log_warning_errno(r, "cannot look at the devices again soon: %m");
}

int manager_inventory_new(struct manager *m, const char *sys)
{
	int r;

	m->sys = sys;
	r = inventory_new(sys, inventory_read_nd, &m->inventory);
	if (r < 0)
		return r;
	r = sd_event_add_time(m->event, &m->inventory_source, CLOCK_MONOTONIC, 0, 0, on_settled, m);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(m->inventory_source, "inventory-settle");
	r = sd_event_source_set_enabled(m->inventory_source, SD_EVENT_OFF);
	if (r < 0)
		return r;
	r = inventory_watch(m->inventory, m->event, on_changed, m);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		log_warning_errno(r, "cannot follow hot-plug, devices are looked at when somebody "
				  "asks: %m");
	return 0;
}

void manager_inventory_free(struct manager *m)
{
	m->inventory_source = sd_event_source_disable_unref(m->inventory_source);
	m->inventory = inventory_free(m->inventory);
}

static bool kernel_tells(const struct manager *m)
{
	return source_features(m->source) & PINGUARD_FEATURE_MEMORY_FAILURE;
}

void manager_set_proc(struct manager *m, int iomem_fd, int kpageflags_fd)
{
	inventory_set_proc(m->inventory, iomem_fd, kpageflags_fd, !kernel_tells(m));
}

int manager_place(struct manager *m, uint64_t phys, bool at_rest, struct place *ret)
{
	struct frame_info frame;
	int r;

	r = inventory_place(m->inventory, phys, at_rest, ret);
	if (r < 0)
		return r;
	if (!kernel_tells(m))
		return 0;
	r = genl_get_frame(source_genl(m->source), phys / sysconf(_SC_PAGESIZE), &frame);
	if (r < 0) {
		log_debug_errno(r, "the kernel does not say what a page frame is: %m");
		return 0;
	}
	place_set_frame(ret, frame.class, true, frame.has_page_flags ? &frame.page_flags : NULL);
	return 0;
}
