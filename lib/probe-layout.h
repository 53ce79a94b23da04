/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the eBPF programs of probe/ write and the service reads: the maps are
 * mapped into it, so that it needs no bpf(2). Fixed sizes, host byte order.
 * Any change of these needs another PROBE_LAYOUT.
 */
#ifndef PINGUARD_PROBE_LAYOUT_H
#define PINGUARD_PROBE_LAYOUT_H

#include <linux/types.h>

#define PROBE_LAYOUT	 5
#define PROBE_SOCKET_PATH "/run/pinguard/probe.sock"

/* Pins that are known at a time. More are not listed, and counted. */
#define PROBE_PINS_MAX	 (1 << 17)
/* Of these, of kinds that need no device and no group: anybody can make many. */
#define PROBE_USER_PINS_MAX (PROBE_PINS_MAX / 2)
/* Of the ring with what changes; a power of two of pages. */
#define PROBE_RING_BYTES (1 << 21)

/* Failures of memory that are kept, the last ones; a power of two. */
#define PROBE_FAILURES_MAX 4096

#define PROBE_COMM_MAX	 16
#define PROBE_DEVICE_MAX 64
#define PROBE_REASON_MAX 128
#define PROBE_ACTION_MAX 48
/* Kinds are those of linux/pinguard.h, and one that is none of pins: memory that fails. */
#define PROBE_KINDS_MAX	 16
#define PROBE_KIND_FAILURE (PROBE_KINDS_MAX - 1)

/* Sums: of cgroups with pins, of which so many may have no limit; the first place is none. */
#define PROBE_GROUPS_MAX (1 << 15)
#define PROBE_FREE_GROUPS_MAX (PROBE_GROUPS_MAX / 2)
/* Of a cgroup and those above it, the root left out. One that is deeper has no limit. */
#define PROBE_LEVELS_MAX 12
/* Limits: a table of buckets, a power of two, each of which has as many as fit. */
#define PROBE_BUCKETS_MAX (1 << 11)
#define PROBE_WAYS_MAX	 16

/* Once they are loaded there is more to watch. */
#define PROBE_MODULE_RDMA "ib_uverbs"
#define PROBE_MODULE_VFIO "vfio_iommu_type1"
#define PROBE_MODULE_VDPA "vhost_vdpa"

/* It was there before the programs: since_nsec and the cgroup are of when it was found. */
#define PROBE_PIN_FOUND (1 << 0)

/* One pin; id 0: the place is free. */
struct probe_pin {
	__u64 id; /* from 1, never again */
	__u64 cgroup_id; /* of its maker, in cgroup2, when it was made */
	__u64 address;
	__u64 bytes;
	__u64 since_nsec; /* CLOCK_BOOTTIME */
	__u32 kind;
	__u32 tgid;
	__u32 uid;
	__u32 place; /* which one it is in */
	__u32 flags; /* PROBE_PIN_* */
	__u32 padding;
	char comm[PROBE_COMM_MAX];
	char device[PROBE_DEVICE_MAX]; /* "" for none */
};

enum probe_event_type {
	PROBE_EVENT_PIN = 1,
	PROBE_EVENT_CHANGE,
	PROBE_EVENT_UNPIN,
	PROBE_EVENT_DENY, /* the pin: what was asked for, without an id */
	PROBE_EVENT_FAILURE, /* without a pin: there is a failure more in their map */
};

/*
 * In the ring. A pin is in its place before it is told of, and out of it before it
 * is told that it is gone. A change may come after that, and says nothing then.
 */
struct probe_event {
	__u32 type;
	__u32 suppressed; /* refusals that were not told before this one */
	struct probe_pin pin;
	/* Of a refusal: whose limit it was, 0 for none, and what was pinned there. */
	__u64 limit_cgroup_id;
	__u64 current_bytes;
	__u64 max_bytes;
};

/* What a cgroup and those below it have pinned, or are about to; id 0: the place is free. */
struct probe_group {
	__u64 cgroup_id;
	__u64 current_bytes;
	__u64 is_free; /* counts towards PROBE_FREE_GROUPS_MAX */
};
#define PROBE_GROUP_GONE (1ULL << 63) /* in current_bytes: the place is given up */

/* Written by the service, but for the counts. id 0: the place is free. */
struct probe_limit {
	__u64 cgroup_id;
	__u64 max_bytes;
	__u64 denied;
	__u64 told_nsec; /* CLOCK_BOOTTIME: when a refusal was told last */
	__u64 suppressed; /* since then */
};

struct probe_bucket {
	struct probe_limit ways[PROBE_WAYS_MAX];
};

/* The bucket that has the limit of a cgroup. */
static inline __u32 probe_bucket_of(__u64 cgroup_id)
{
	return (cgroup_id * 0x9e3779b97f4a7c15) >> 32 & (PROBE_BUCKETS_MAX - 1);
}
/* Memory that failed. In the place of its id, modulo PROBE_FAILURES_MAX. */
struct probe_failure {
	__u64 id; /* from 1, without gaps; 0 while it is written */
	__u64 pfn;
	__u64 since_nsec; /* CLOCK_BOOTTIME */
	__u32 result; /* PINGUARD_FAILURE_RESULT_* */
	__u32 padding;
	char action[PROBE_ACTION_MAX]; /* the kernel's word for what it took it for */
};

struct probe_head {
	/* First in every layout. Of the programs: another one starts anew; 0 once they are gone. */
	__u64 build;
	__u64 made_nsec; /* CLOCK_BOOTTIME: these maps and no others */
	__u64 last_id;
	__u64 lost; /* events for which the ring had no room */
	__u64 unlisted; /* pins for which no place was left */
	__u64 places; /* that have been used; those of the others are 0 */
	__u64 user_pins; /* that count towards PROBE_USER_PINS_MAX */
	__u64 free_groups; /* sums of cgroups without a limit */
	__u64 groups; /* places of sums that have been used */
	__u64 ungrouped; /* pins of which a sum does not know */
	__u64 failures; /* of memory, that have come since the maps were made */
};

/* What keeps a limit. */
enum probe_enforced {
	PROBE_ENFORCED_NOTHING,
	PROBE_ENFORCED_LSM, /* a program refuses what is too much */
	PROBE_ENFORCED_RLIMIT, /* a program has RLIMIT_MEMLOCK count for everybody */
};

/* What is watched of a kind, as the loader found it. */
struct probe_kind {
	__u64 since_nsec; /* CLOCK_BOOTTIME; 0: it is not watched */
	char reason[PROBE_REASON_MAX]; /* why not; "" where it is */
	char before[PROBE_REASON_MAX]; /* then, why pins from before are not known, or "" */
	__u32 enforced; /* what keeps limits */
	__u32 padding;
	char limit_reason[PROBE_REASON_MAX]; /* why nothing does; "" where something does */
};

/* What the service asks for, as soon as it is connected. */
enum probe_wish {
	PROBE_WISH_AS_IT_IS,
	PROBE_WISH_WATCH, /* no limits are kept */
	PROBE_WISH_LIMIT,
};

struct probe_request {
	__u32 layout;
	__u32 wish;
};

/*
 * What the loader sends with the descriptors of head, pins, kinds, groups, limits,
 * failures and ring.
 */
#define PROBE_FDS 7
struct probe_hello {
	__u32 layout;
	__u32 n_fds; /* 0: nothing is watched */
	char reason[PROBE_REASON_MAX * 2]; /* why */
};

#endif
