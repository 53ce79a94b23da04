/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/pinguard.yaml */
/* YNL-GEN uapi header */

#ifndef _UAPI_LINUX_PINGUARD_H
#define _UAPI_LINUX_PINGUARD_H

#define PINGUARD_FAMILY_NAME	"pinguard"
#define PINGUARD_FAMILY_VERSION	1

#define PINGUARD_DEVICE_NAME_MAX	64

/**
 * enum pinguard_kind - What made the pin
 */
enum pinguard_kind {
	PINGUARD_KIND_RDMA = 1,
	PINGUARD_KIND_VFIO,
	PINGUARD_KIND_IOMMUFD,
	PINGUARD_KIND_IO_URING,
	PINGUARD_KIND_XDP,
	PINGUARD_KIND_VDPA,
	PINGUARD_KIND_UDMABUF,
};

/**
 * enum pinguard_reason - Why a pin was refused
 * @PINGUARD_REASON_LIMIT: The limit of a cgroup, misc.max, would be exceeded
 * @PINGUARD_REASON_RLIMIT: RLIMIT_MEMLOCK would be exceeded
 * @PINGUARD_REASON_POLICY: The cgroup's policy refuses pins of device memory
 * @PINGUARD_REASON_REVOKE: The device memory is being removed
 */
enum pinguard_reason {
	PINGUARD_REASON_LIMIT = 1,
	PINGUARD_REASON_RLIMIT,
	PINGUARD_REASON_POLICY,
	PINGUARD_REASON_REVOKE,
};

/**
 * enum pinguard_flag - State of a pin
 * @PINGUARD_FLAG_RELEASING: The owner has begun to release it; its bytes still
 *   count
 * @PINGUARD_FLAG_OWNER_GONE: The process that made it has exited, its number
 *   may be in use anew
 * @PINGUARD_FLAG_UNTOLD: In an event that it is gone: that it was made has not
 *   been told
 * @PINGUARD_FLAG_OPENING: Not complete yet, and its bytes not known; only in
 *   dumps with a pfn range
 * @PINGUARD_FLAG_INEXACT: The pin is busy, so that its frames could not be
 *   looked at: it may hold one of the memory sections of the range; only in
 *   dumps with a pfn range
 */
enum pinguard_flag {
	PINGUARD_FLAG_RELEASING = 1,
	PINGUARD_FLAG_OWNER_GONE = 2,
	PINGUARD_FLAG_UNTOLD = 4,
	PINGUARD_FLAG_OPENING = 8,
	PINGUARD_FLAG_INEXACT = 16,
};

/**
 * enum pinguard_feature - What this kernel does
 * @PINGUARD_FEATURE_RDMA: What RDMA devices pin through ib_umem is counted
 * @PINGUARD_FEATURE_VFIO: DMA mappings of VFIO type1 containers are counted
 * @PINGUARD_FEATURE_EVENTS: Pins that come and go are told, and refusals
 * @PINGUARD_FEATURE_POLICY: Owners can be marked, and cgroups have a policy
 * @PINGUARD_FEATURE_DEVICE_REMOVAL: Owners are asked before device memory is
 *   removed
 * @PINGUARD_FEATURE_MEMORY_OFFLINE: Owners are asked before memory goes
 *   offline
 * @PINGUARD_FEATURE_MEMORY_FAILURE: Failures of memory are told, and what a
 *   page frame is
 * @PINGUARD_FEATURE_ONCE: Memory that one process pins several times can be
 *   charged once
 */
enum pinguard_feature {
	PINGUARD_FEATURE_RDMA = 1,
	PINGUARD_FEATURE_VFIO = 2,
	PINGUARD_FEATURE_EVENTS = 4,
	PINGUARD_FEATURE_POLICY = 8,
	PINGUARD_FEATURE_DEVICE_REMOVAL = 16,
	PINGUARD_FEATURE_MEMORY_OFFLINE = 32,
	PINGUARD_FEATURE_MEMORY_FAILURE = 64,
	PINGUARD_FEATURE_ONCE = 128,
};

/**
 * enum pinguard_policy - Whether the tasks of a cgroup may pin device memory
 * @PINGUARD_POLICY_ALLOW: They may
 * @PINGUARD_POLICY_REVOCABLE: Only owners that speak the release protocol may
 * @PINGUARD_POLICY_DENY: They may not
 */
enum pinguard_policy {
	PINGUARD_POLICY_ALLOW = 1,
	PINGUARD_POLICY_REVOCABLE,
	PINGUARD_POLICY_DENY,
};

/**
 * enum pinguard_count - How memory is charged that one process pins several
 *   times
 * @PINGUARD_COUNT_EACH: For each pin
 * @PINGUARD_COUNT_ONCE: Once, as far as the page frames are the same, if the
 *   cgroup or one above it says so
 */
enum pinguard_count {
	PINGUARD_COUNT_EACH = 1,
	PINGUARD_COUNT_ONCE,
};

/**
 * enum pinguard_revoke_mode - What the kernel does before it takes memory away
 * @PINGUARD_REVOKE_MODE_NOTIFY: It tells of it, and goes on
 * @PINGUARD_REVOKE_MODE_WAIT: It tells of it, and waits for the owners, but
 *   not for ever
 */
enum pinguard_revoke_mode {
	PINGUARD_REVOKE_MODE_NOTIFY = 1,
	PINGUARD_REVOKE_MODE_WAIT,
};

/**
 * enum pinguard_revoke_reason - Why the kernel wants memory back
 * @PINGUARD_REVOKE_REASON_DEVICE_REMOVAL: The device that it belongs to is
 *   being removed
 * @PINGUARD_REVOKE_REASON_MEMORY_OFFLINE: A memory block is being taken
 *   offline
 */
enum pinguard_revoke_reason {
	PINGUARD_REVOKE_REASON_DEVICE_REMOVAL = 1,
	PINGUARD_REVOKE_REASON_MEMORY_OFFLINE,
};

/**
 * enum pinguard_revoke_outcome - How it ended
 * @PINGUARD_REVOKE_OUTCOME_DONE: The memory is the kernel's
 * @PINGUARD_REVOKE_OUTCOME_BUSY: It was still pinned when the time was over,
 *   and stays in use
 * @PINGUARD_REVOKE_OUTCOME_INTERRUPTED: Whoever asked for it gave up
 * @PINGUARD_REVOKE_OUTCOME_FAILED: Something else stood in the way
 */
enum pinguard_revoke_outcome {
	PINGUARD_REVOKE_OUTCOME_DONE = 1,
	PINGUARD_REVOKE_OUTCOME_BUSY,
	PINGUARD_REVOKE_OUTCOME_INTERRUPTED,
	PINGUARD_REVOKE_OUTCOME_FAILED,
};

/**
 * enum pinguard_memory_class - What a page frame is
 * @PINGUARD_MEMORY_CLASS_NONE: No memory, or memory that the kernel does not
 *   use
 * @PINGUARD_MEMORY_CLASS_RESERVED: Memory that never was, or never will be,
 *   free
 * @PINGUARD_MEMORY_CLASS_SYSTEM_RAM: Memory of the page allocator, free or in
 *   use, online or not
 * @PINGUARD_MEMORY_CLASS_HUGETLB: Part of a hugetlb page
 * @PINGUARD_MEMORY_CLASS_VMEMMAP: Memory map of hot-added memory, in that
 *   memory itself
 * @PINGUARD_MEMORY_CLASS_DEVICE_DAX: Data of a device-dax device
 * @PINGUARD_MEMORY_CLASS_FSDAX: Data of a block device that file systems map
 *   directly
 * @PINGUARD_MEMORY_CLASS_DAX_METADATA: Memory map, or other metadata, of a
 *   device of persistent memory
 * @PINGUARD_MEMORY_CLASS_PMEM_RAW: Persistent memory without a memory map
 */
enum pinguard_memory_class {
	PINGUARD_MEMORY_CLASS_NONE = 1,
	PINGUARD_MEMORY_CLASS_RESERVED,
	PINGUARD_MEMORY_CLASS_SYSTEM_RAM,
	PINGUARD_MEMORY_CLASS_HUGETLB,
	PINGUARD_MEMORY_CLASS_VMEMMAP,
	PINGUARD_MEMORY_CLASS_DEVICE_DAX,
	PINGUARD_MEMORY_CLASS_FSDAX,
	PINGUARD_MEMORY_CLASS_DAX_METADATA,
	PINGUARD_MEMORY_CLASS_PMEM_RAW,
};

/**
 * enum pinguard_failure_kind - How memory failed
 * @PINGUARD_FAILURE_KIND_UNCORRECTED: Its content is lost
 * @PINGUARD_FAILURE_KIND_SOFT_OFFLINE: Its content is good, but it was to be
 *   taken out of use, and could not be
 */
enum pinguard_failure_kind {
	PINGUARD_FAILURE_KIND_UNCORRECTED = 1,
	PINGUARD_FAILURE_KIND_SOFT_OFFLINE,
};

/**
 * enum pinguard_failure_result - What came of the kernel's action
 * @PINGUARD_FAILURE_RESULT_IGNORED: Nothing can be done
 * @PINGUARD_FAILURE_RESULT_FAILED: It is still in use
 * @PINGUARD_FAILURE_RESULT_DELAYED: It is dealt with when it is used next
 * @PINGUARD_FAILURE_RESULT_RECOVERED: It is out of use
 */
enum pinguard_failure_result {
	PINGUARD_FAILURE_RESULT_IGNORED = 1,
	PINGUARD_FAILURE_RESULT_FAILED,
	PINGUARD_FAILURE_RESULT_DELAYED,
	PINGUARD_FAILURE_RESULT_RECOVERED,
};

/**
 * enum pinguard_failure_outcome - What became of memory that was still in use
 * @PINGUARD_FAILURE_OUTCOME_ISOLATED: Nobody uses it any more, and the page
 *   allocator does not give it to anybody
 * @PINGUARD_FAILURE_OUTCOME_UNPOISONED: It was declared good again
 * @PINGUARD_FAILURE_OUTCOME_GONE: It was taken offline, or removed
 * @PINGUARD_FAILURE_OUTCOME_UNPINNED: No device holds it any more. Others use
 *   it, or may get it from its device: nothing more is told of it
 */
enum pinguard_failure_outcome {
	PINGUARD_FAILURE_OUTCOME_ISOLATED = 1,
	PINGUARD_FAILURE_OUTCOME_UNPOISONED,
	PINGUARD_FAILURE_OUTCOME_GONE,
	PINGUARD_FAILURE_OUTCOME_UNPINNED,
};

enum {
	PINGUARD_A_INFO_FEATURES = 1,
	PINGUARD_A_INFO_PINS,
	PINGUARD_A_INFO_BYTES,
	PINGUARD_A_INFO_DENIED,
	PINGUARD_A_INFO_REVOKE_MODE,
	PINGUARD_A_INFO_REVOKE_TIMEOUT,
	PINGUARD_A_INFO_FAILURES,

	__PINGUARD_A_INFO_MAX,
	PINGUARD_A_INFO_MAX = (__PINGUARD_A_INFO_MAX - 1)
};

enum {
	PINGUARD_A_PIN_ID = 1,
	PINGUARD_A_PIN_KIND,
	PINGUARD_A_PIN_DEVICE,
	PINGUARD_A_PIN_TGID,
	PINGUARD_A_PIN_COMM,
	PINGUARD_A_PIN_UID,
	PINGUARD_A_PIN_CGROUP_ID,
	PINGUARD_A_PIN_CHARGED_CGROUP_ID,
	PINGUARD_A_PIN_ADDRESS,
	PINGUARD_A_PIN_BYTES,
	PINGUARD_A_PIN_FLAGS,
	PINGUARD_A_PIN_START_TIME,
	PINGUARD_A_PIN_SEQ,
	PINGUARD_A_PIN_REASON,
	PINGUARD_A_PIN_LIMIT_CGROUP_ID,
	PINGUARD_A_PIN_USAGE,
	PINGUARD_A_PIN_LIMIT,
	PINGUARD_A_PIN_SUPPRESSED,
	PINGUARD_A_PIN_PFN_FIRST,
	PINGUARD_A_PIN_PFN_LAST,
	PINGUARD_A_PIN_OFFSET,
	PINGUARD_A_PIN_CHARGED_BYTES,

	__PINGUARD_A_PIN_MAX,
	PINGUARD_A_PIN_MAX = (__PINGUARD_A_PIN_MAX - 1)
};

enum {
	PINGUARD_A_OWNER_PIDFD = 1,
	PINGUARD_A_OWNER_REVOCABLE,
	PINGUARD_A_OWNER_TGID,

	__PINGUARD_A_OWNER_MAX,
	PINGUARD_A_OWNER_MAX = (__PINGUARD_A_OWNER_MAX - 1)
};

enum {
	PINGUARD_A_POLICY_CGROUP_ID = 1,
	PINGUARD_A_POLICY_POLICY,
	PINGUARD_A_POLICY_COUNT,

	__PINGUARD_A_POLICY_MAX,
	PINGUARD_A_POLICY_MAX = (__PINGUARD_A_POLICY_MAX - 1)
};

enum {
	PINGUARD_A_REVOKE_SEQ = 1,
	PINGUARD_A_REVOKE_ID,
	PINGUARD_A_REVOKE_REASON,
	PINGUARD_A_REVOKE_DEVICE,
	PINGUARD_A_REVOKE_PFN_FIRST,
	PINGUARD_A_REVOKE_PFN_LAST,
	PINGUARD_A_REVOKE_PINS,
	PINGUARD_A_REVOKE_TIMEOUT,
	PINGUARD_A_REVOKE_START_TIME,
	PINGUARD_A_REVOKE_TGID,
	PINGUARD_A_REVOKE_COMM,
	PINGUARD_A_REVOKE_OUTCOME,
	PINGUARD_A_REVOKE_MODE,

	__PINGUARD_A_REVOKE_MAX,
	PINGUARD_A_REVOKE_MAX = (__PINGUARD_A_REVOKE_MAX - 1)
};

enum {
	PINGUARD_A_FRAME_PFN = 1,
	PINGUARD_A_FRAME_CLASS,
	PINGUARD_A_FRAME_PAGE_FLAGS,

	__PINGUARD_A_FRAME_MAX,
	PINGUARD_A_FRAME_MAX = (__PINGUARD_A_FRAME_MAX - 1)
};

enum {
	PINGUARD_A_FAILURE_SEQ = 1,
	PINGUARD_A_FAILURE_ID,
	PINGUARD_A_FAILURE_KIND,
	PINGUARD_A_FAILURE_PFN,
	PINGUARD_A_FAILURE_CLASS,
	PINGUARD_A_FAILURE_ACTION,
	PINGUARD_A_FAILURE_RESULT,
	PINGUARD_A_FAILURE_START_TIME,
	PINGUARD_A_FAILURE_OUTCOME,

	__PINGUARD_A_FAILURE_MAX,
	PINGUARD_A_FAILURE_MAX = (__PINGUARD_A_FAILURE_MAX - 1)
};

enum {
	PINGUARD_CMD_GET_INFO = 1,
	PINGUARD_CMD_GET_PIN,
	PINGUARD_CMD_PIN_NTF,
	PINGUARD_CMD_PIN_CHANGE_NTF,
	PINGUARD_CMD_UNPIN_NTF,
	PINGUARD_CMD_DENY_NTF,
	PINGUARD_CMD_SET_OWNER,
	PINGUARD_CMD_GET_OWNER,
	PINGUARD_CMD_SET_POLICY,
	PINGUARD_CMD_GET_POLICY,
	PINGUARD_CMD_SET_REVOKE,
	PINGUARD_CMD_GET_REVOKE,
	PINGUARD_CMD_REVOKE_NTF,
	PINGUARD_CMD_REVOKE_DONE_NTF,
	PINGUARD_CMD_GET_FRAME,
	PINGUARD_CMD_GET_FAILURE,
	PINGUARD_CMD_FAILURE_NTF,
	PINGUARD_CMD_FAILURE_DONE_NTF,

	__PINGUARD_CMD_MAX,
	PINGUARD_CMD_MAX = (__PINGUARD_CMD_MAX - 1)
};

#define PINGUARD_MCGRP_EVENTS	"events"
#define PINGUARD_MCGRP_ALERTS	"alerts"

#endif /* _UAPI_LINUX_PINGUARD_H */
