/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When the inventory of devices is read, and what the kernel adds to it. */
#include <errno.h>
#include <unistd.h>

#include "daemon/devices/devices-internal.h"
#include "lib/clock.h"
#include "lib/log.h"

/* Devices come and go together: so long after the first event they are looked at. */
#define SETTLE_USEC (100 * 1000ULL)

bool devices_at_rest(const struct devices *d)
{
	return d->config.at_rest(d->config.userdata);
}

struct inventory *devices_inventory(const struct devices *d)
{
	return d->inventory;
}

static void read_inventory(struct devices *d, int (*read)(struct inventory *inv))
{
	int r;

	/* Such as one that is under way since before the start. Its end brings us back here. */
	if (!devices_at_rest(d))
		return;
	r = read(d->inventory);
	if (r < 0)
		log_warning_errno(r, "cannot read which devices have memory, it is tried again "
				  "when somebody asks: %m");
}

void devices_read(struct devices *d)
{
	d->wanted = true;
	read_inventory(d, inventory_update);
}

static int on_settled(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct devices *d = userdata;

	/* Before the first list of revokes, which brings us here, none is known of. */
	if (!source_ready(d->config.source) || !d->wanted)
		return 0;
	/* In any case: sysfs may have had it a moment longer than the event. */
	read_inventory(d, inventory_refresh);
	return 0;
}

static void on_changed(void *userdata)
{
	struct devices *d = userdata;
	int enabled, r;

	if (sd_event_source_get_enabled(d->settle, &enabled) >= 0 && enabled != SD_EVENT_OFF)
		return;
	r = sd_event_source_set_time_relative(d->settle, SETTLE_USEC);
	if (r >= 0)
		r = sd_event_source_set_enabled(d->settle, SD_EVENT_ONESHOT);
	if (r < 0)
		log_warning_errno(r, "cannot look at the devices again soon: %m");
}

static int add_settle(struct devices *d, sd_event *event)
{
	int r = sd_event_add_time(event, &d->settle, CLOCK_MONOTONIC, 0, 0, on_settled, d);

	if (r < 0)
		return r;
	(void)sd_event_source_set_description(d->settle, "inventory-settle");
	return sd_event_source_set_enabled(d->settle, SD_EVENT_OFF);
}

static void on_renamed(const struct rename_entry *rename, void *userdata)
{
	struct devices *d = userdata;

	log_info("RDMA device %s is called %s now", rename->old, rename->new);
	if (d->config.renamed)
		d->config.renamed(rename, d->config.userdata);
}

static void on_pinner(const char *old_name, const char *name, void *userdata)
{
	struct devices *d = userdata;
	const uint64_t now = clock_usec(CLOCK_REALTIME);

	if (old_name && name)
		renames_told(d->renames, old_name, name, now);
	renames_look(d->renames, now);
}

void devices_look(struct devices *d)
{
	if (!d->renames)
		return;
	inventory_drain(d->inventory);
	renames_look(d->renames, clock_usec(CLOCK_REALTIME));
}

const char *devices_name_today(const struct devices *d, const char *name, uint64_t usec)
{
	return d && d->renames ? renames_today(d->renames, name, usec) : name;
}

bool devices_has_name(const struct devices *d, const char *name)
{
	return d->renames && renames_is_there(d->renames, name);
}

int devices_start_renames(struct devices *d)
{
	const struct renames_config config = {
		.sys = d->config.sys,
		.state_dir = d->config.state_dir,
		.boot_id = d->config.boot_id ?: "",
		.learned = on_renamed,
		.userdata = d,
	};
	int r;

	r = renames_new(&config, &d->renames);
	if (r < 0)
		return r;
	inventory_follow_pinners(d->inventory, on_pinner, d);
	renames_look(d->renames, clock_usec(CLOCK_REALTIME));
	return 0;
}

int devices_new(sd_event *event, const struct devices_config *config, struct devices **ret)
{
	_cleanup_(devices_freep) struct devices *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return -ENOMEM;
	d->config = *config;
	r = inventory_new(config->sys, inventory_read_nd, &d->inventory);
	if (r >= 0)
		r = add_settle(d, event);
	if (r < 0)
		return r;
	r = inventory_watch(d->inventory, event, on_changed, d);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		log_warning_errno(r, "cannot follow hot-plug, devices are looked at when somebody "
				  "asks: %m");
	/* After the watch is on: none is missed. */
	r = devices_start_renames(d);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(d);
	return 0;
}

struct devices *devices_free(struct devices *d)
{
	if (!d)
		return NULL;
	sd_event_source_disable_unref(d->settle);
	inventory_free(d->inventory);
	renames_free(d->renames);
	free(d);
	return NULL;
}

static bool kernel_tells(const struct devices *d)
{
	return source_features(d->config.source) & PINGUARD_FEATURE_MEMORY_FAILURE;
}

void devices_set_proc(struct devices *d, int iomem_fd, int kpageflags_fd)
{
	inventory_set_proc(d->inventory, iomem_fd, kpageflags_fd, !kernel_tells(d));
}

int devices_place(struct devices *d, uint64_t phys, bool at_rest, struct place *ret)
{
	struct frame_info frame;
	int r;

	r = inventory_place(d->inventory, phys, at_rest, ret);
	if (r < 0 || !kernel_tells(d))
		return r;
	r = genl_get_frame(source_genl(d->config.source), phys / sysconf(_SC_PAGESIZE), &frame);
	if (r < 0) {
		log_debug_errno(r, "the kernel does not say what a page frame is: %m");
		return 0;
	}
	place_set_frame(ret, frame.class, true, frame.has_page_flags ? &frame.page_flags : NULL);
	return 0;
}

int devices_find_names(const struct devices *d, const char *name, struct devnames *ret)
{
	return devnames_find(d->config.sys, name, ret);
}

int devices_find_numbers(const struct devices *d, const char *name,
			 const struct target *target, struct device_numbers *ret)
{
	struct devnames names;
	int r;

	ret->n = 0;
	if (target->type == TARGET_DEVICE)
		return inventory_find_numbers(d->inventory, name, ret);
	r = devnames_find(d->config.sys, name, &names);
	return r < 0 ? r : devnames_find_numbers(d->config.sys, &names, ret);
}

int devices_find_kind_numbers(const struct devices *d, uint32_t kind, struct device_numbers *ret)
{
	return devnames_find_kind_numbers(d->config.sys, kind, ret);
}
