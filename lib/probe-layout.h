/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the eBPF programs of probe/ write and the service reads: the maps are
 * mapped into it, so that it needs no bpf(2). Fixed sizes, host byte order.
 * Any change of these needs another PROBE_LAYOUT.
 */
#ifndef PINGUARD_PROBE_LAYOUT_H
#define PINGUARD_PROBE_LAYOUT_H

#include <linux/types.h>

#define PROBE_LAYOUT	 3
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

/* Once they are loaded there is more to watch. */
#define PROBE_MODULE_RDMA "ib_uverbs"
#define PROBE_MODULE_VFIO "vfio_iommu_type1"
#define PROBE_MODULE_VDPA "vhost_vdpa"

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
	char comm[PROBE_COMM_MAX];
	char device[PROBE_DEVICE_MAX]; /* "" for none */
};

enum probe_event_type {
	PROBE_EVENT_PIN = 1,
	PROBE_EVENT_CHANGE,
	PROBE_EVENT_UNPIN,
	PROBE_EVENT_FAILURE, /* without a pin: there is a failure more in their map */
};

/*
 * In the ring. A pin is in its place before it is told of, and out of it before it
 * is told that it is gone. A change may come after that, and says nothing then.
 */
struct probe_event {
	__u32 type;
	__u32 padding;
	struct probe_pin pin;
};

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
	__u64 failures; /* of memory, that have come since the maps were made */
};

/* What is watched of a kind, as the loader found it. */
struct probe_kind {
	__u64 since_nsec; /* CLOCK_BOOTTIME; 0: it is not watched */
	char reason[PROBE_REASON_MAX]; /* why not; "" where it is */
};

/* What the loader sends with the file descriptors of head, pins, kinds, failures and ring. */
#define PROBE_FDS 5
struct probe_hello {
	__u32 layout;
	__u32 n_fds; /* 0: nothing is watched */
	char reason[PROBE_REASON_MAX * 2]; /* why */
};

#endif
