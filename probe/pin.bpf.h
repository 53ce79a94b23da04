/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The maps, and what each of the programs does with them. A pin is known by the
 * address of what the kernel keeps for it. Where an object may be freed and made
 * anew while a program runs, it is taken out first and told after.
 */
#ifndef PINGUARD_PROBE_PIN_BPF_H
#define PINGUARD_PROBE_PIN_BPF_H

#include <linux/bpf.h>
#include <linux/pinguard.h>
#include <stdbool.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "lib/probe-layout.h"
#include "probe/kernel-types.h"

#define MAX_ERRNO	4095
#define TASKS_MAX	(1 << 15) /* that are in one of these functions at a time */

const volatile __u32 page_bytes = 4096;

/* Read by the service, by their names: see lib/probe-layout.h. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct probe_head);
} head SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PROBE_PINS_MAX);
	__type(key, __u32);
	__type(value, struct probe_pin);
} pins SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PROBE_KINDS_MAX);
	__type(key, __u32);
	__type(value, struct probe_kind);
} kinds SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, PROBE_RING_BYTES);
} ring SEC(".maps");

/* Places that were used and are free. */
struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, PROBE_PINS_MAX);
	__uint(key_size, 0);
	__type(value, __u32);
} places SEC(".maps");

/* The place of the pin of an object of the kernel. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, PROBE_PINS_MAX);
	__type(key, __u64);
	__type(value, __u32);
} objects SEC(".maps");

/* The place of what a task is giving back. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, TASKS_MAX);
	__type(key, __u64);
	__type(value, __u32);
} leaving SEC(".maps");

/* What a task has changed, and not told yet. */
struct change {
	__u32 place, padding;
	__u64 id;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, TASKS_MAX);
	__type(key, __u64);
	__type(value, struct change);
} changes SEC(".maps");

static __always_inline struct probe_head *get_head(void)
{
	const __u32 first = 0;

	return bpf_map_lookup_elem(&head, &first);
}

#include "probe/group.bpf.h"

static __always_inline bool is_error(const void *pointer)
{
	return !pointer || (unsigned long)pointer >= (unsigned long)-MAX_ERRNO;
}

/* Whole pages, as they are pinned. */
static __always_inline __u64 page_span(__u64 address, __u64 bytes)
{
	const __u64 mask = ~((__u64)page_bytes - 1);

	return ((address + bytes + page_bytes - 1) & mask) - (address & mask);
}

/* The maker, as the head of its thread group is now. */
static __always_inline void set_maker(struct probe_pin *pin, struct task_struct *task)
{
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);

	pin->tgid = BPF_CORE_READ(task, tgid);
	pin->uid = BPF_CORE_READ(task, real_cred, uid.val);
	pin->cgroup_id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	BPF_CORE_READ_STR_INTO(&pin->comm, leader, comm);
}

static __always_inline void tell(__u32 type, const struct probe_pin *pin)
{
	struct probe_event *event = bpf_ringbuf_reserve(&ring, sizeof(*event), 0);
	struct probe_head *h = get_head();

	if (!event) {
		if (h)
			__sync_fetch_and_add(&h->lost, 1);
		return;
	}
	__builtin_memset(event, 0, sizeof(*event));
	event->type = type;
	__builtin_memcpy(&event->pin, pin, sizeof(event->pin));
	bpf_ringbuf_submit(event, 0);
}

static __always_inline bool is_of_any_user(__u32 kind)
{
	return kind == PINGUARD_KIND_IO_URING || kind == PINGUARD_KIND_XDP;
}

static __always_inline bool take_count(struct probe_head *h, __u32 kind)
{
	if (!is_of_any_user(kind))
		return true;
	if (__sync_fetch_and_add(&h->user_pins, 1) < PROBE_USER_PINS_MAX)
		return true;
	__sync_fetch_and_add(&h->user_pins, (__u64)-1);
	return false;
}

static __always_inline void give_count(struct probe_head *h, __u32 kind)
{
	if (is_of_any_user(kind))
		__sync_fetch_and_add(&h->user_pins, (__u64)-1);
}

/* The end of a pin that no object refers to any more. */
static __always_inline void finish(__u32 place)
{
	struct probe_pin *pin = bpf_map_lookup_elem(&pins, &place);
	struct probe_head *h = get_head();
	struct probe_event *event;

	if (!pin || !h)
		return;
	event = bpf_ringbuf_reserve(&ring, sizeof(*event), 0);
	if (event) {
		__builtin_memset(event, 0, sizeof(*event));
		event->type = PROBE_EVENT_UNPIN;
		__builtin_memcpy(&event->pin, pin, sizeof(event->pin));
	}
	__sync_lock_test_and_set(&pin->id, 0);
	group_give(place);
	give_count(h, pin->kind);
	bpf_map_push_elem(&places, &place, 0);
	if (event)
		bpf_ringbuf_submit(event, 0);
	else
		__sync_fetch_and_add(&h->lost, 1);
}

static __always_inline bool take_place(struct probe_head *h, __u32 kind, __u32 *ret)
{
	__u64 n;

	if (!take_count(h, kind))
		return false;
	if (bpf_map_pop_elem(&places, ret) == 0)
		return true;
	n = __sync_fetch_and_add(&h->places, 1);
	if (n >= PROBE_PINS_MAX) {
		__sync_fetch_and_add(&h->places, (__u64)-1);
		give_count(h, kind);
		return false;
	}
	*ret = n;
	return true;
}

/* What the kernel had there before is gone, though nobody saw it go. */
static __always_inline void forget(__u64 object)
{
	__u32 *found = bpf_map_lookup_elem(&objects, &object), place;

	if (!found)
		return;
	place = *found;
	if (bpf_map_delete_elem(&objects, &object) == 0)
		finish(place);
}

/* In a place of its own; what it is like is filled in by set_*() and whoever publishes it. */
static __always_inline struct probe_pin *new_pin(struct probe_head *h, __u32 kind,
						 struct task_struct *maker)
{
	struct probe_pin *pin;
	__u32 place;

	if (!take_place(h, kind, &place))
		return NULL;
	pin = bpf_map_lookup_elem(&pins, &place);
	if (!pin)
		return NULL;
	pin->kind = kind;
	pin->place = place;
	pin->flags = 0;
	pin->address = 0;
	pin->since_nsec = bpf_ktime_get_boot_ns();
	__builtin_memset(pin->device, 0, sizeof(pin->device));
	set_maker(pin, maker);
	return pin;
}

/* One that nobody was told of. */
static __always_inline void drop_pin(struct probe_head *h, const struct probe_pin *pin)
{
	const __u32 place = pin->place;

	give_count(h, pin->kind);
	bpf_map_push_elem(&places, &place, 0);
}

static __always_inline int set_object(__u64 object, __u32 place)
{
	return bpf_map_update_elem(&objects, &object, &place, BPF_NOEXIST);
}

/* A pin of an object, of which publish() tells. */
static __always_inline struct probe_pin *add(__u64 object, __u32 kind, struct task_struct *maker)
{
	struct probe_head *h = get_head();
	struct probe_pin *pin;

	if (!h)
		return NULL;
	forget(object);
	pin = new_pin(h, kind, maker);
	if (!pin) {
		__sync_fetch_and_add(&h->unlisted, 1);
		return NULL;
	}
	if (set_object(object, pin->place) == 0)
		return pin;
	/* Somebody has just found what was there before. */
	forget(object);
	if (set_object(object, pin->place) == 0)
		return pin;
	__sync_fetch_and_add(&h->unlisted, 1);
	drop_pin(h, pin);
	return NULL;
}

static __always_inline void publish(struct probe_pin *pin, struct task_struct *maker)
{
	struct probe_head *h = get_head();

	if (!h)
		return;
	group_count(pin, maker);
	/* All else is there before. */
	__sync_lock_test_and_set(&pin->id, __sync_fetch_and_add(&h->last_id, 1) + 1);
	tell(PROBE_EVENT_PIN, pin);
}

static __always_inline struct probe_pin *find(__u64 object)
{
	const __u32 *place = bpf_map_lookup_elem(&objects, &object);

	return place ? bpf_map_lookup_elem(&pins, place) : NULL;
}

static __always_inline void end_release(void)
{
	const __u64 task = bpf_get_current_pid_tgid();
	const __u32 *found = bpf_map_lookup_elem(&leaving, &task);
	__u32 place;

	if (!found)
		return;
	place = *found;
	bpf_map_delete_elem(&leaving, &task);
	finish(place);
}

/* Before the kernel gives an object up; end_release() after that, in the same task. */
static __always_inline void begin_release(__u64 object)
{
	const __u64 task = bpf_get_current_pid_tgid();
	__u32 *found = bpf_map_lookup_elem(&objects, &object), place;

	if (!found)
		return;
	place = *found;
	if (bpf_map_delete_elem(&objects, &object) < 0)
		return;
	/* Of one before, where the kernel has left that program out. */
	end_release();
	/* Without room it is told a moment too soon. */
	if (bpf_map_update_elem(&leaving, &task, &place, BPF_ANY) < 0)
		finish(place);
}

static __always_inline void tell_changed(const struct change *change)
{
	const struct probe_pin *pin = bpf_map_lookup_elem(&pins, &change->place);

	if (pin && pin->id == change->id)
		tell(PROBE_EVENT_CHANGE, pin);
}

/* Many changes in one call are told once, at its end or when those of another pin begin. */
static __always_inline void note_change(const struct probe_pin *pin)
{
	const __u64 task = bpf_get_current_pid_tgid();
	const struct change change = { .place = pin->place, .id = pin->id };
	const struct change *noted = bpf_map_lookup_elem(&changes, &task);

	group_count(pin, (void *)bpf_get_current_task());
	if (noted && noted->id == change.id)
		return;
	if (noted)
		tell_changed(noted);
	if (bpf_map_update_elem(&changes, &task, &change, BPF_ANY) < 0)
		tell(PROBE_EVENT_CHANGE, pin);
}

static __always_inline void tell_changes(void)
{
	const __u64 task = bpf_get_current_pid_tgid();
	const struct change *noted = bpf_map_lookup_elem(&changes, &task);

	if (!noted)
		return;
	tell_changed(noted);
	bpf_map_delete_elem(&changes, &task);
}

#endif
