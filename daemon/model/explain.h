/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything that can refuse a pin, in the order in which the kernel asks it, and what
 * of that binds first. Pure: whoever asks brings what is known.
 *
 * The order is that of the pinners in Linux 6.12: ib_umem_get(), vfio_dma_do_map(),
 * pfn_reader_user_pin(), io_sqe_buffer_register(), xdp_umem_reg(), vhost_vdpa_pa_map()
 * and udmabuf_create(). They all ask capable(CAP_IPC_LOCK), that is in the first user
 * namespace, if they ask at all: vhost-vdpa does not.
 */
#ifndef PINGUARD_MODEL_EXPLAIN_H
#define PINGUARD_MODEL_EXPLAIN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/model/pin.h"

#define EXPLAIN_LEVELS_MAX 64 /* cgroups on the way to the root; others are left out */
#define EXPLAIN_RDMA_MAX   64 /* limits of the rdma controller, likewise */
#define EXPLAIN_CHECKS_MAX (EXPLAIN_LEVELS_MAX + EXPLAIN_RDMA_MAX + 8)

enum check_type {
	CHECK_RDMA_OBJECTS, /* rdma.max */
	CHECK_DMA_ENTRIES, /* vfio_iommu_type1.dma_entry_limit */
	CHECK_UDMABUF_SIZE, /* udmabuf.size_limit_mb */
	CHECK_RLIMIT, /* RLIMIT_MEMLOCK */
	CHECK_LIMIT, /* misc.max */
	CHECK_REVOKE, /* device memory that is being removed */
	CHECK_POLICY, /* who may pin device memory */
};

/* What RLIMIT_MEMLOCK is held against. */
enum check_counter {
	COUNTER_NONE,
	COUNTER_PINNED, /* VmPin of the process */
	COUNTER_LOCKED, /* VmLck of the process */
	COUNTER_USER, /* of all processes of the user; no file has it */
};

enum check_used {
	USED_EXACT,
	USED_ABOUT, /* by the pins that are listed */
	USED_AT_MOST,
	USED_UNKNOWN, /* used is 0 */
	USED_HIDDEN, /* from the caller; what follows from it is told */
};

enum check_state {
	CHECK_OPEN, /* would let it through */
	CHECK_UNLIMITED,
	CHECK_EXEMPT, /* by CAP_IPC_LOCK */
	CHECK_REFUSES,
	CHECK_DEVICE_MEMORY, /* refuses memory of devices alone */
	CHECK_UNKNOWN, /* note says why */
};

/* cgroup, device: strings of the facts; note: a constant. NULL for none. */
struct pin_check {
	enum check_type type;
	enum check_counter counter;
	const char *cgroup, *device;
	enum check_used used_is;
	uint64_t used, max; /* bytes, or entries, or objects; max: UINT64_MAX for none */
	uint64_t needed; /* what max would have to be */
	enum check_state state;
	bool first; /* what binds first */
	const char *note;
};

/* A cgroup on the way to the root. */
struct explain_level {
	char *path; /* raw bytes */
	bool counts; /* the misc controller is on here */
	bool hidden; /* from the caller: how much is used */
	uint64_t used, max; /* UINT64_MAX for none */
	uint32_t policy; /* PINGUARD_POLICY_*, of its own */
};

struct explain_rdma {
	const char *path; /* of a level */
	char device[PINGUARD_DEVICE_NAME_MAX];
	bool hidden;
	uint64_t used, max;
};

enum explain_user_ns {
	USER_NS_UNKNOWN,
	USER_NS_INITIAL,
	USER_NS_OTHER,
};

struct explain_process {
	uint32_t pid; /* 0: there is none, or nobody can tell */
	uint32_t uid;
	uint8_t comm_len, comm[PIN_COMM_MAX];
	char *cgroup; /* raw bytes; NULL where it is not known */
	uint64_t soft_bytes, hard_bytes; /* RLIMIT_MEMLOCK */
	uint64_t pinned_bytes, locked_bytes;
	bool has_memory; /* or it is exiting */
	bool ipc_lock, ipc_lock_known; /* effective, in its own user namespace */
	enum explain_user_ns user_ns;
	bool registered; /* speaks the release protocol */
};

struct explain_facts {
	bool patched; /* the kernel has limits of cgroups, and policies */
	struct explain_process process;
	bool has_user_bytes;
	uint64_t user_bytes; /* of pins that count for the process's user */
	uint64_t vfio_pins; /* of the process, where patched */
	bool has_dma_entry_limit, has_udmabuf_mb;
	uint64_t dma_entry_limit, udmabuf_mb;
	unsigned int revokes; /* removals of device memory under way */
	struct explain_level *levels; /* the innermost first */
	size_t n_levels, levels_left_out;
	struct explain_rdma *rdma; /* likewise */
	size_t n_rdma;
	/* What was refused; 0 and "" where that is not known. */
	uint64_t asked_bytes;
	char device[PINGUARD_DEVICE_NAME_MAX];
};

/* What one more pin of a kind meets, in order. Their number; 0 for a kind that is none. */
size_t explain_walk(const struct explain_facts *f, uint32_t kind,
		    struct pin_check ret[static EXPLAIN_CHECKS_MAX]);
/* The limit that refused what is asked for, as it stands now: marked as what binds. */
struct pin_check explain_refused(const struct explain_facts *f, uint32_t kind, uint32_t reason,
			     const char *cgroup, uint64_t used, uint64_t max);
/* Of what RLIMIT_MEMLOCK is held against; COUNTER_NONE: it is not. */
enum check_counter explain_counter(uint32_t kind);
/* Whether CAP_IPC_LOCK spares the process that; false where that is not known. */
bool explain_is_exempt(const struct explain_process *p, uint32_t kind);

/* --- explain-json.c: parts of Explain's reply; NULL when out of memory --- */

json_t *explain_process_json(const struct explain_process *p);
/* holders, remedies: references are taken over, also of NULL */
json_t *explain_check_json(const struct pin_check *c, json_t *holders, json_t *remedies);

/* --- remedy.c: what would let a pin through --- */

/* The unit of systemd that sets a process's limits; strings of the caller's, NULL for none. */
struct explain_unit {
	const char *unit; /* of the system */
	const char *user_unit; /* within a user's manager, which is unit then */
};

/* An array of Remedy. mount: of cgroup2 */
json_t *remedies_json(const struct explain_facts *f, const struct explain_unit *unit,
		      const char *mount, const struct pin_check *c);

#endif
