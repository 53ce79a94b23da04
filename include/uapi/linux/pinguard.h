/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/pinguard.yaml */
/* YNL-GEN uapi header */

#ifndef _UAPI_LINUX_PINGUARD_H
#define _UAPI_LINUX_PINGUARD_H

#define PINGUARD_FAMILY_NAME	"pinguard"
#define PINGUARD_FAMILY_VERSION	1

#define PINGUARD_ABI			1
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
 * @PINGUARD_FLAG_OPENING: Not complete yet, and its bytes not known; only in
 *   dumps with a pfn range
 */
enum pinguard_flag {
	PINGUARD_FLAG_RELEASING = 1,
	PINGUARD_FLAG_OWNER_GONE = 2,
	PINGUARD_FLAG_OPENING = 4,
};

/**
 * enum pinguard_feature - What this kernel does
 * @PINGUARD_FEATURE_RDMA: What RDMA devices pin through ib_umem is counted
 * @PINGUARD_FEATURE_VFIO: DMA mappings of VFIO type1 containers are counted
 */
enum pinguard_feature {
	PINGUARD_FEATURE_RDMA = 1,
	PINGUARD_FEATURE_VFIO = 2,
};

enum {
	PINGUARD_A_INFO_ABI = 1,
	PINGUARD_A_INFO_FEATURES,
	PINGUARD_A_INFO_SEQ,
	PINGUARD_A_INFO_PINS,
	PINGUARD_A_INFO_BYTES,
	PINGUARD_A_INFO_DENIED,
	PINGUARD_A_INFO_PAD,

	__PINGUARD_A_INFO_MAX,
	PINGUARD_A_INFO_MAX = (__PINGUARD_A_INFO_MAX - 1)
};

enum {
	PINGUARD_A_PIN_SEQ = 1,
	PINGUARD_A_PIN_ID,
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
	PINGUARD_A_PIN_PFN_FIRST,
	PINGUARD_A_PIN_PFN_LAST,
	PINGUARD_A_PIN_REASON,
	PINGUARD_A_PIN_LIMIT_CGROUP_ID,
	PINGUARD_A_PIN_USAGE,
	PINGUARD_A_PIN_LIMIT,
	PINGUARD_A_PIN_SUPPRESSED,
	PINGUARD_A_PIN_PAD,

	__PINGUARD_A_PIN_MAX,
	PINGUARD_A_PIN_MAX = (__PINGUARD_A_PIN_MAX - 1)
};

enum {
	PINGUARD_CMD_GET_INFO = 1,
	PINGUARD_CMD_GET_PIN,
	PINGUARD_CMD_PIN_NTF,
	PINGUARD_CMD_PIN_CHANGE_NTF,
	PINGUARD_CMD_UNPIN_NTF,
	PINGUARD_CMD_DENY_NTF,

	__PINGUARD_CMD_MAX,
	PINGUARD_CMD_MAX = (__PINGUARD_CMD_MAX - 1)
};

#define PINGUARD_MCGRP_EVENTS	"events"

#endif /* _UAPI_LINUX_PINGUARD_H */
