/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "daemon/base/turn.h"
#include "daemon/manager/internal.h"
#include "daemon/manager/methods.h"
#include "daemon/cgroup/policies.h"
#include "daemon/manager/release.h"
#include "daemon/triggers/triggers.h"
#include "lib/clock.h"
#include "lib/log.h"

#define STATUS_PAUSE_USEC  (2 * 1000000ULL)
#define IDLE_CGROUPS	   512

/* A path for each cgroup that a pin names, while it is still there to be asked. */
static int resolve(struct manager *m, uint64_t id, struct cgroup_node **ret)
{
	struct cgroupfs *fs = cgroups_fs(m->cgroups);

	*ret = NULL;
	if (!id)
		return 0;
	if (fs)
		return cgroupfs_resolve(fs, id, ret);
	return registry_cgroup_get(m->registry, id, ret);
}

static int on_begin(void *userdata)
{
	struct manager *m = userdata;

	registry_begin_resync(m->registry);
	manager_status_changed(m);
	return 0;
}

static int on_pin(const struct pin_info *pin, void *userdata)
{
	struct manager *m = userdata;
	struct cgroup_node *node;
	int r;

	r = resolve(m, pin->cgroup_id, &node);
	if (r < 0)
		return r;
	r = resolve(m, pin->charged_cgroup_id, &node);
	if (r < 0)
		return r;
	return registry_upsert(m->registry, pin);
}

/* Cgroups that nothing refers to any more; not each time one is added. */
static void trim(struct manager *m)
{
	if (registry_n_cgroups(m->registry) <= m->trim_at)
		return;
	registry_trim(m->registry, 0);
	m->trim_at = IDLE_CGROUPS + 2 * registry_n_cgroups(m->registry);
}

static int on_end(uint64_t seq, void *userdata)
{
	struct manager *m = userdata;
	struct event *event;
	int r;

	registry_end_resync(m->registry, seq);
	r = manager_releases_resynced(m);
	if (r < 0)
		return r;
	trim(m);
	/* The first one is no loss: there was nothing before it. */
	if (source_n_resyncs(m->source) != m->told_resyncs) {
		m->told_resyncs = source_n_resyncs(m->source);
		event = event_new(EVENT_RESYNC, loop_usec(m->event, CLOCK_REALTIME));
		if (event)
			events_add(m->events, event);
	}
	manager_status_changed(m);
	r = triggers_resynced(m->triggers);
	if (r >= 0)
		r = manager_check_marks(m);
	return r < 0 ? r : waiters_settle(m);
}

static int add_pin_event(struct manager *m, const struct pin_event *e)
{
	static const enum event_type types[] = {
		[PIN_EVENT_PIN] = EVENT_PIN,
		[PIN_EVENT_CHANGE] = EVENT_PIN_CHANGE,
		[PIN_EVENT_UNPIN] = EVENT_UNPIN,
		[PIN_EVENT_DENY] = EVENT_DENY,
	};
	struct event *event = event_new(types[e->type], loop_usec(m->event, CLOCK_REALTIME));

	if (!event)
		return -ENOMEM;
	event->seq = e->seq;
	event->pin = e->pin;
	event->reason = e->reason;
	event->suppressed = e->suppressed;
	event->usage_bytes = e->usage_bytes;
	event->max_bytes = e->max_bytes;
	if (e->pin.cgroup_id)
		event->cgroup = cgroup_node_ref(
			registry_cgroup_find(m->registry, e->pin.cgroup_id));
	if (e->pin.charged_cgroup_id)
		event->charged = cgroup_node_ref(
			registry_cgroup_find(m->registry, e->pin.charged_cgroup_id));
	if (e->limit_cgroup_id)
		event->limit = cgroup_node_ref(
			registry_cgroup_find(m->registry, e->limit_cgroup_id));
	events_add(m->events, event);
	return 0;
}

static int on_event(const struct pin_event *e, void *userdata)
{
	const uint64_t ids[] = { e->pin.cgroup_id, e->pin.charged_cgroup_id, e->limit_cgroup_id };
	struct manager *m = userdata;
	struct cgroup_node *node;
	size_t i;
	int r;

	if (e->type >= PIN_EVENT_REVOKE) {
		r = registry_apply(m->registry, e);
		return r > 0 ? triggers_event(m->triggers, e) : r;
	}
	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		r = resolve(m, ids[i], &node);
		if (r < 0)
			return r;
	}
	r = registry_apply(m->registry, e);
	if (r <= 0)
		return r;
	manager_status_changed(m);
	r = add_pin_event(m, e);
	if (e->type == PIN_EVENT_PIN || e->type == PIN_EVENT_CHANGE)
		triggers_pinned(m->triggers, e->pin.charged_cgroup_id);
	if (m->releases && e->type == PIN_EVENT_UNPIN)
		releases_unpinned(m->releases, e->pin.id);
	else if (m->releases && e->type == PIN_EVENT_CHANGE)
		releases_pin_changed(m->releases, e->pin.id);
	trim(m);
	return r;
}

const struct source_listener manager_listener = {
	.begin = on_begin,
	.pin = on_pin,
	.end = on_end,
	.event = on_event,
};

bool manager_ready(const struct manager *m)
{
	return source_ready(m->source);
}

struct support manager_support(const struct manager *m)
{
	struct support support = {
		.ready = manager_ready(m),
		.observe_reason = source_reason(m->source),
		.abi = source_abi(m->source),
	};

	cgroups_describe(m->cgroups, &support);
	return support;
}

int manager_on_status(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct manager *m = userdata;
	const struct support support = manager_support(m);
	struct quotas *quotas = cgroups_quotas(m->cgroups);
	char *text = support_status_line(&support, registry_count(m->registry),
					 registry_bytes(m->registry),
					 quotas ? quotas_count(quotas) : 0);

	m->status_usec = loop_usec(m->event, CLOCK_MONOTONIC);
	if (!text || (m->status && strcmp(text, m->status) == 0)) {
		free(text);
		return 0;
	}
	free(m->status);
	m->status = text;
	(void)sd_notifyf(false, "STATUS=%s", text);
	return 0;
}

void manager_status_changed(struct manager *m)
{
	int enabled;

	if (!m->status_source || sd_event_source_get_enabled(m->status_source, &enabled) < 0 ||
	    enabled != SD_EVENT_OFF)
		return;
	(void)sd_event_source_set_time(m->status_source, m->status_usec + STATUS_PAUSE_USEC);
	(void)sd_event_source_set_enabled(m->status_source, SD_EVENT_ONESHOT);
}

int manager_on_hangup(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata)
{
	struct manager *m = userdata;
	int r;

	(void)sd_notifyf(false, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_usec(CLOCK_MONOTONIC));
	cgroups_reload(m->cgroups);
	r = manager_kernel_reload(m);
	if (r < 0)
		log_warning_errno(r, "cannot read the configuration again: %m");
	manager_load_ladders(m);
	log_info("reloaded: quotas applied again");
	(void)sd_notify(false, "READY=1");
	return 0;
}
