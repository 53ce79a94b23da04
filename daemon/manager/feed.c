/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the source tells: to the registry first, then to all that go by it. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <string.h>

#include "daemon/base/base.h"
#include "daemon/manager/left.h"
#include "lib/log.h"

#define IDLE_CGROUPS 512 /* that are kept though nothing refers to them */
#define FEW_PINS     1024 /* whose memory is not worth giving back */

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

/* Also before there are other parts. */
static int on_begin(void *userdata)
{
	struct manager *m = userdata;

	registry_begin_resync(m->registry);
	status_line_changed(m);
	return 0;
}

/*
 * The kernel tells the name that the device had when the pin was made; who asks for it
 * knows today's. One that observes has that from the kernel.
 */
static void name_today(const struct manager *m, struct pin_info *pin)
{
	const char *name = pin->device;

	if (pin->kind == PINGUARD_KIND_RDMA && pin->since_usec && !source_observes(m->source))
		name = devices_name_today(m->devices, pin->device, pin->since_usec);
	if (name != pin->device)
		strcpy(pin->device, name);
}

void feed_renamed(const struct rename_entry *rename, void *userdata)
{
	_cleanup_(pin_cursor_done) struct pin_cursor cursor;
	struct manager *m = userdata;
	struct pin *pin;

	pin_cursor_init(&cursor, m->registry);
	while (!source_observes(m->source) && (pin = pin_cursor_next(&cursor)))
		if (pin->origin->kind == PINGUARD_KIND_RDMA &&
		    pin->since_usec < rename->usec &&
		    strcmp(pin->origin->device, rename->old) == 0 &&
		    registry_set_device(m->registry, pin, rename->new) < 0)
			log_warning("no memory to tell that %s is called %s", rename->old,
				    rename->new);
}

static int on_pin(const struct pin_info *told, void *userdata)
{
	struct pin_info copy = *told, *pin = &copy;
	struct manager *m = userdata;
	struct cgroup_node *node;
	int r;

	name_today(m, pin);

	r = resolve(m, pin->cgroup_id, &node);
	if (r < 0)
		return r;
	r = resolve(m, pin->charged_cgroup_id, &node);
	if (r < 0)
		return r;
	return registry_upsert(m->registry, pin);
}

/* Those of processes: they name theirs by id, and the next answer shows them. */
static void hold_processes(struct manager *m, bool hold)
{
	const struct observe_process *p;
	struct cgroup_node *node;
	size_t n, i;

	p = source_processes(m->source, &n);
	for (i = 0; i < n; i++) {
		node = registry_cgroup_find(m->registry, p[i].cgroup_id);
		if (hold)
			cgroup_node_ref(node);
		else
			cgroup_node_unref(node);
	}
}

/* Cgroups that nothing refers to any more; not each time one is added. */
void feed_trim(struct manager *m)
{
	if (registry_n_cgroups(m->registry) <= m->feed.trim_at)
		return;
	hold_processes(m, true);
	registry_trim(m->registry, 0);
	hold_processes(m, false);
	m->feed.trim_at = IDLE_CGROUPS + 2 * registry_n_cgroups(m->registry);
}

/* The C library keeps what is freed: pins that were many, and are few now, would leave it all. */
static void give_back(struct manager *m)
{
	const size_t n = registry_count(m->registry);

	m->feed.most_pins = MAX(m->feed.most_pins, n);
	if (m->feed.most_pins < FEW_PINS || n > m->feed.most_pins / 2)
		return;
	malloc_trim(0);
	m->feed.most_pins = n;
}

static int on_resynced(sd_event_source *source, void *userdata)
{
	struct manager *m = userdata;

	releases_resynced(m->releases);
	return 0;
}

static int on_end(uint64_t seq, void *userdata)
{
	struct manager *m = userdata;
	struct event *event;
	int r;

	registry_end_resync(m->registry, seq);
	/* Later: the source is not ready before all of the list has been handed over. */
	r = turn_schedule(m->event, &m->feed.resynced, on_resynced, m, "releases-resynced");
	if (r < 0)
		return r;
	feed_trim(m);
	give_back(m);
	/* The first one is no loss: there was nothing before it. */
	if (source_n_resyncs(m->source) != m->feed.told_resyncs) {
		m->feed.told_resyncs = source_n_resyncs(m->source);
		event = event_new(EVENT_RESYNC, loop_usec(m->event, CLOCK_REALTIME));
		if (event)
			events_add(m->events, event);
	}
	status_line_changed(m);
	r = m->left && source_observes(m->source) ? left_look(m->left) : 0;
	if (r >= 0)
		r = triggers_resynced(m->triggers);
	if (r >= 0)
		r = owners_resynced(m->owners);
	return r < 0 ? r : waiters_settle(m);
}

/*
 * A limit that the kernel does not tell is asked for at once, as long as the process
 * is there, and has its name still. No more than a thousand times a second: so many
 * refusals the kernel reports.
 */
static void find_rlimit(struct event *event)
{
	_cleanup_(closep) int proc = -1;
	uint8_t comm[PIN_COMM_MAX];
	struct proc_memlock limit;
	int n;

	if (event->type != EVENT_DENY || event->reason != PINGUARD_REASON_RLIMIT ||
	    event->max_bytes != UINT64_MAX || !event->pin.tgid)
		return;
	proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc < 0 || procfs_read_memlock(proc, event->pin.tgid, &limit) < 0 ||
	    limit.soft_bytes == UINT64_MAX)
		return;
	n = procfs_read_comm(proc, event->pin.tgid, comm, sizeof(comm));
	if (n != event->pin.comm_len || memcmp(comm, event->pin.comm, n) != 0)
		return;
	event->max_bytes = limit.soft_bytes;
	event->max_from_proc = true;
}

/* Refusals by a cgroup's limit are counted by the kernel, where the limit is. */
static void count_refusal(struct manager *m, const struct event *event)
{
	if (event->type == EVENT_DENY && event->reason != PINGUARD_REASON_LIMIT &&
	    event->cgroup && cgroups_refused(m->cgroups, event->cgroup) < 0)
		log_warning("out of memory, a refused pin is not counted");
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
	/* The kernel's figure has what the refused request had charged by then, too. */
	event->usage_bytes = e->usage_bytes;
	if (e->type == PIN_EVENT_DENY && e->limit_cgroup_id)
		event->usage_bytes = MIN(e->usage_bytes,
					 registry_charged_bytes(m->registry, e->limit_cgroup_id));
	event->max_bytes = e->max_bytes;
	find_rlimit(event);
	if (e->pin.cgroup_id)
		event->cgroup = cgroup_node_ref(
			registry_cgroup_find(m->registry, e->pin.cgroup_id));
	if (e->pin.charged_cgroup_id)
		event->charged = cgroup_node_ref(
			registry_cgroup_find(m->registry, e->pin.charged_cgroup_id));
	if (e->limit_cgroup_id)
		event->limit = cgroup_node_ref(
			registry_cgroup_find(m->registry, e->limit_cgroup_id));
	count_refusal(m, event);
	events_add(m->events, event);
	return 0;
}

/* It came and went before the kernel had told of it: one number stands for both. */
static int add_untold_pin(struct manager *m, struct pin_event *e)
{
	struct pin_event pin = *e;

	if (e->type != PIN_EVENT_UNPIN || !(e->pin.flags & PINGUARD_FLAG_UNTOLD))
		return 0;
	e->pin.flags &= ~PINGUARD_FLAG_UNTOLD;
	pin.pin.flags = 0;
	pin.type = PIN_EVENT_PIN;
	pin.seq = 0;
	return add_pin_event(m, &pin);
}

static int on_event(const struct pin_event *told, void *userdata)
{
	struct pin_event copy = *told, *e = &copy;
	const uint64_t ids[] = { e->pin.cgroup_id, e->pin.charged_cgroup_id, e->limit_cgroup_id };
	struct manager *m = userdata;
	struct cgroup_node *node;
	size_t i;
	int r;

	if (e->type >= PIN_EVENT_REVOKE)
		return triggers_event(m->triggers, e);
	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		r = resolve(m, ids[i], &node);
		if (r < 0)
			return r;
	}
	name_today(m, &e->pin);
	r = registry_apply(m->registry, e);
	if (r <= 0)
		return r;
	status_line_changed(m);
	r = add_untold_pin(m, e);
	if (r >= 0)
		r = add_pin_event(m, e);
	if (e->type == PIN_EVENT_PIN || e->type == PIN_EVENT_CHANGE)
		triggers_pinned(m->triggers, &e->pin);
	if (e->type == PIN_EVENT_UNPIN)
		triggers_unpinned(m->triggers, &e->pin);
	if (e->type == PIN_EVENT_UNPIN)
		releases_unpinned(m->releases, e->pin.id);
	else if (e->type == PIN_EVENT_CHANGE)
		releases_pin_changed(m->releases, e->pin.id);
	feed_trim(m);
	give_back(m);
	return r;
}

const struct source_listener manager_listener = {
	.begin = on_begin,
	.pin = on_pin,
	.end = on_end,
	.event = on_event,
};

void feed_done(struct manager *m)
{
	m->feed.resynced = sd_event_source_disable_unref(m->feed.resynced);
}
