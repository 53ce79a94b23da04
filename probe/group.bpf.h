/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What cgroups have pinned, each with all below it. A pin counts where its maker was,
 * and in what was above that then; it remembers the places of these sums. A sum that is
 * 0 gives up its place: whoever adds to it meanwhile sees that, and takes another.
 */
#ifndef PINGUARD_PROBE_GROUP_BPF_H
#define PINGUARD_PROBE_GROUP_BPF_H

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PROBE_GROUPS_MAX);
	__type(key, __u32);
	__type(value, struct probe_group);
} groups SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PROBE_BUCKETS_MAX);
	__type(key, __u32);
	__type(value, struct probe_bucket);
} limits SEC(".maps");

/* The place of the sum of a cgroup. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, PROBE_GROUPS_MAX);
	__type(key, __u64);
	__type(value, __u32);
} group_places SEC(".maps");

/* Places that were used and are free. */
struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, PROBE_GROUPS_MAX);
	__uint(key_size, 0);
	__type(value, __u32);
} free_groups SEC(".maps");

/* Where some bytes count: the places of sums, by level; 0 for none. */
struct charge {
	__u64 bytes;
	__u16 groups[PROBE_LEVELS_MAX];
};

/* Of the pin in the same place. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PROBE_PINS_MAX);
	__type(key, __u32);
	__type(value, struct charge);
} charges SEC(".maps");

/* What a task may pin in the call that it is in: it counts already. */
struct asked {
	struct charge charge;
	__u64 kind;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, TASKS_MAX);
	__type(key, __u64);
	__type(value, struct asked);
} asking SEC(".maps");

/* The ids of a cgroup and of those above it, that below the root first; 0 for none. */
struct path {
	__u64 ids[PROBE_LEVELS_MAX];
};

static __always_inline void read_path(struct task_struct *task, struct path *path)
{
	struct cgroup *cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp), *above;
	struct cgroup___ids *old = (void *)cgroup;
	const int level = BPF_CORE_READ(cgroup, level);

	__builtin_memset(path, 0, sizeof(*path));
	for (int i = 0; i < PROBE_LEVELS_MAX; i++) {
		if (i >= level)
			break;
		if (bpf_core_field_exists(cgroup->ancestors)) {
			above = NULL;
			bpf_probe_read_kernel(&above, sizeof(above),
					      (void **)cgroup->ancestors + i + 1);
			path->ids[i] = BPF_CORE_READ(above, kn, id);
		} else {
			bpf_probe_read_kernel(&path->ids[i], sizeof(path->ids[i]),
					      (__u64 *)old->ancestor_ids + i + 1);
		}
	}
}

/*
 * Functions that are not static are checked once, and not again for each call: the
 * kernel gives up on a program that has too many ways through it.
 */

/* Which of its bucket the limit of a cgroup is; -1 where it has none. */
__noinline int limit_way(__u64 id)
{
	const __u32 index = probe_bucket_of(id);
	const struct probe_bucket *bucket = bpf_map_lookup_elem(&limits, &index);

	for (int i = 0; bucket && id && i < PROBE_WAYS_MAX; i++)
		if (bucket->ways[i].cgroup_id == id)
			return i;
	return -1;
}

static __always_inline struct probe_limit *find_limit(__u64 id)
{
	const __u32 index = probe_bucket_of(id);
	const __u32 way = limit_way(id);
	struct probe_bucket *bucket;

	if (way >= PROBE_WAYS_MAX)
		return NULL;
	bucket = bpf_map_lookup_elem(&limits, &index);
	return bucket ? &bucket->ways[way] : NULL;
}

static __always_inline __u32 take_group_place(struct probe_head *h)
{
	__u32 place;
	__u64 n;

	if (bpf_map_pop_elem(&free_groups, &place) == 0)
		return place;
	n = __sync_fetch_and_add(&h->groups, 1) + 1;
	if (n < PROBE_GROUPS_MAX)
		return n;
	__sync_fetch_and_add(&h->groups, (__u64)-1);
	return 0;
}

static __always_inline void give_group_place(struct probe_head *h, struct probe_group *group,
					     __u32 place)
{
	if (group->is_free)
		__sync_fetch_and_add(&h->free_groups, (__u64)-1);
	__sync_lock_test_and_set(&group->cgroup_id, 0);
	bpf_map_push_elem(&free_groups, &place, 0);
}

/* Cgroups with a limit have a share of their own, which others cannot use up. */
static __always_inline __u32 new_group(__u64 id)
{
	struct probe_head *h = get_head();
	struct probe_group *group;
	__u64 is_free;
	__u32 place;

	if (!h)
		return 0;
	is_free = limit_way(id) < 0;
	if (is_free && __sync_fetch_and_add(&h->free_groups, 1) >= PROBE_FREE_GROUPS_MAX)
		place = 0;
	else
		place = take_group_place(h);
	group = place ? bpf_map_lookup_elem(&groups, &place) : NULL;
	if (!group) {
		if (is_free)
			__sync_fetch_and_add(&h->free_groups, (__u64)-1);
		return 0;
	}
	/* Not set: somebody may be about to take back what was added to the one before. */
	if (group->current_bytes & PROBE_GROUP_GONE)
		__sync_fetch_and_add(&group->current_bytes, PROBE_GROUP_GONE);
	group->is_free = is_free;
	__sync_lock_test_and_set(&group->cgroup_id, id);
	if (bpf_map_update_elem(&group_places, &id, &place, BPF_NOEXIST) == 0)
		return place;
	/* Somebody else was first; or there is no memory, and the next one fails as well. */
	__sync_fetch_and_add(&group->current_bytes, PROBE_GROUP_GONE);
	give_group_place(h, group, place);
	return 0;
}

/* If it is still the one of this cgroup. */
static __always_inline void forget_group(__u64 id, __u32 place)
{
	const __u32 *found = bpf_map_lookup_elem(&group_places, &id);

	if (found && *found == place)
		bpf_map_delete_elem(&group_places, &id);
}

/* Adds to a sum that is not 0, or takes from it. */
__noinline int group_change(__u32 place, __u64 bytes)
{
	struct probe_group *group = place ? bpf_map_lookup_elem(&groups, &place) : NULL;
	struct probe_head *h = get_head();
	__u64 id;

	if (!group || !h)
		return 0;
	id = group->cgroup_id;
	if (__sync_fetch_and_add(&group->current_bytes, bytes) + bytes != 0 ||
	    __sync_val_compare_and_swap(&group->current_bytes, 0, PROBE_GROUP_GONE) != 0)
		return 0;
	forget_group(id, place);
	give_group_place(h, group, place);
	return 0;
}

/* Adds to the sum of a cgroup: its place, 0 where there is none. */
__noinline int group_add(__u64 id, __u64 bytes)
{
	struct probe_group *group;
	const __u32 *found;
	__u32 place;

	for (int i = 0; i < 3; i++) {
		found = bpf_map_lookup_elem(&group_places, &id);
		place = found ? *found : new_group(id);
		group = place ? bpf_map_lookup_elem(&groups, &place) : NULL;
		if (!group)
			continue;
		if (!(__sync_fetch_and_add(&group->current_bytes, bytes) & PROBE_GROUP_GONE) &&
		    group->cgroup_id == id)
			return place;
		/* By now it may be in use again, and this may be what is left of it. */
		group_change(place, -bytes);
		if (group->current_bytes & PROBE_GROUP_GONE)
			forget_group(id, place);
	}
	return 0;
}

static __always_inline void charge_change(const struct charge *charge, __u64 bytes)
{
	for (int i = 0; i < PROBE_LEVELS_MAX && bytes; i++)
		group_change(charge->groups[i], bytes);
}

/* Adds to all sums of a path. How many of them have no place. */
__noinline int charge_path(struct charge *charge, const struct path *path, __u64 bytes)
{
	int n_missing = 0;

	if (!charge || !path)
		return PROBE_LEVELS_MAX;
	charge->bytes = bytes;
	for (int i = 0; i < PROBE_LEVELS_MAX; i++) {
		charge->groups[i] = path->ids[i] ? group_add(path->ids[i], bytes) : 0;
		n_missing += path->ids[i] && !charge->groups[i];
	}
	return n_missing;
}

/* From what the task was allowed, where it asked. */
static __always_inline __u64 take_asked(const struct probe_pin *pin, struct charge *charge,
					__u64 bytes)
{
	const __u64 task = bpf_get_current_pid_tgid();
	struct asked *asked = bpf_map_lookup_elem(&asking, &task);

	if (!asked || asked->kind != pin->kind || !asked->charge.bytes)
		return 0;
	if (!charge->bytes)
		__builtin_memcpy(charge->groups, asked->charge.groups, sizeof(charge->groups));
	bytes = bytes < asked->charge.bytes ? bytes : asked->charge.bytes;
	asked->charge.bytes -= bytes;
	return bytes;
}

/* Has the sums know of a pin as it is now. maker: of one that was not counted yet. */
static __always_inline void group_count(const struct probe_pin *pin, struct task_struct *maker)
{
	const __u32 place = pin->place;
	struct charge *charge = bpf_map_lookup_elem(&charges, &place);
	struct probe_head *h = get_head();
	const __u64 bytes = pin->bytes;
	struct path path;
	__u64 taken;

	if (!charge || !h || charge->bytes == bytes)
		return;
	if (charge->bytes >= bytes) {
		charge_change(charge, bytes - charge->bytes);
		charge->bytes = bytes;
		return;
	}
	taken = take_asked(pin, charge, bytes - charge->bytes);
	if (charge->bytes || taken) {
		charge_change(charge, bytes - charge->bytes - taken);
		charge->bytes = bytes;
		return;
	}
	read_path(maker, &path);
	if (charge_path(charge, &path, bytes) > 0)
		__sync_fetch_and_add(&h->ungrouped, 1);
}

/* A pin that is over. */
static __always_inline void group_give(__u32 place)
{
	struct charge *charge = bpf_map_lookup_elem(&charges, &place);

	if (!charge)
		return;
	charge_change(charge, -charge->bytes);
	charge->bytes = 0;
}

#endif
