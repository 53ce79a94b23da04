/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "daemon/kernel/probe-groups.h"

uint64_t probe_groups_current(const struct probe_groups *g, uint64_t cgroup_id)
{
	uint64_t sum;

	for (size_t i = 1; i < g->n; i++) {
		const struct probe_group *group = &g->groups[i];

		if (__atomic_load_n(&group->cgroup_id, __ATOMIC_ACQUIRE) != cgroup_id)
			continue;
		sum = __atomic_load_n(&group->current_bytes, __ATOMIC_RELAXED);
		return sum & PROBE_GROUP_GONE ? 0 : sum;
	}
	return 0;
}

/* id 0: one that is free; NULL for none */
static struct probe_limit *find(const struct probe_groups *g, uint64_t cgroup_id, uint64_t id)
{
	struct probe_bucket *bucket = &g->limits[probe_bucket_of(cgroup_id)];

	for (size_t i = 0; i < PROBE_WAYS_MAX; i++)
		if (bucket->ways[i].cgroup_id == id)
			return &bucket->ways[i];
	return NULL;
}

uint64_t probe_groups_max(const struct probe_groups *g, uint64_t cgroup_id)
{
	const struct probe_limit *limit = cgroup_id ? find(g, cgroup_id, cgroup_id) : NULL;

	return limit ? limit->max_bytes : UINT64_MAX;
}

uint64_t probe_groups_denied(const struct probe_groups *g, uint64_t cgroup_id)
{
	const struct probe_limit *limit = cgroup_id ? find(g, cgroup_id, cgroup_id) : NULL;

	return limit ? __atomic_load_n(&limit->denied, __ATOMIC_RELAXED) : 0;
}

uint64_t probe_groups_next(const struct probe_groups *g, uint64_t cgroup_id)
{
	const struct probe_limit *last = cgroup_id ? find(g, cgroup_id, cgroup_id) : NULL;
	const struct probe_limit *all = g->limits[0].ways;
	size_t i = last ? last - all + 1 : 0;

	/* One that has been taken away meanwhile: from its bucket on. */
	if (cgroup_id && !last)
		i = ((size_t)probe_bucket_of(cgroup_id) + 1) * PROBE_WAYS_MAX;
	for (; i < (size_t)PROBE_BUCKETS_MAX * PROBE_WAYS_MAX; i++)
		if (all[i].cgroup_id)
			return all[i].cgroup_id;
	return 0;
}

int probe_groups_set_max(const struct probe_groups *g, uint64_t cgroup_id, uint64_t max_bytes)
{
	struct probe_limit *limit = find(g, cgroup_id, cgroup_id);

	if (max_bytes == UINT64_MAX) {
		if (limit)
			__atomic_store_n(&limit->cgroup_id, 0, __ATOMIC_RELEASE);
		return 0;
	}
	if (limit) {
		__atomic_store_n(&limit->max_bytes, max_bytes, __ATOMIC_RELAXED);
		return 0;
	}
	limit = find(g, cgroup_id, 0);
	if (!limit)
		return -ENOSPC;
	limit->denied = 0;
	limit->told_nsec = 0;
	limit->suppressed = 0;
	limit->max_bytes = max_bytes;
	/* The rest is there before. */
	__atomic_store_n(&limit->cgroup_id, cgroup_id, __ATOMIC_RELEASE);
	return 0;
}
