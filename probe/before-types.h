/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Of the kernel's structures those members by which a file leads to what it has
 * pinned. See kernel-types.h.
 */
#ifndef PINGUARD_PROBE_BEFORE_TYPES_H
#define PINGUARD_PROBE_BEFORE_TYPES_H

#include "probe/kernel-types.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct vm_area_struct {
	struct file *vm_file;
};

struct bpf_iter__task_file {
	struct task_struct *task;
	struct file *file;
};

struct bpf_iter__task_vma {
	struct task_struct *task;
	struct vm_area_struct *vma;
};

struct mm_struct {
	struct task_struct *owner;
};

struct mutex {
	struct {
		long counter;
	} owner;
};

/* With CONFIG_PREEMPT_RT. */
struct mutex___rt {
	struct {
		unsigned long owner;
	} rtmutex;
};

struct list_head {
	struct list_head *next;
};

struct rb_node {
	unsigned long __rb_parent_color;
	struct rb_node *rb_right;
	struct rb_node *rb_left;
};

struct rb_root {
	struct rb_node *rb_node;
};

/* RDMA */

struct ib_uverbs_file {
	struct list_head uobjects;
};

struct uverbs_api_object {
	__u32 id;
};

struct ib_uobject {
	void *object;
	struct list_head list;
	struct {
		int counter;
	} usecnt;
	const struct uverbs_api_object *uapi_object;
};

/* As in rdma/ib_user_ioctl_verbs.h, which may be older. */
enum rdma_driver_id___all {
	DRIVER_MLX5 = 1,
	DRIVER_MLX4,
	DRIVER_CXGB4 = 4,
	DRIVER_MTHCA,
	DRIVER_BNXT_RE,
	DRIVER_OCRDMA,
	DRIVER_IRDMA = 9,
	DRIVER_VMW_PVRDMA,
	DRIVER_QEDR,
	DRIVER_HNS,
	DRIVER_RXE = 14,
	DRIVER_HFI1,
	DRIVER_QIB,
	DRIVER_EFA,
	DRIVER_SIW,
	DRIVER_ERDMA,
	DRIVER_MANA,
};

struct ib_device_ops {
	enum rdma_driver_id___all driver_id;
};

struct ib_device___ops {
	struct ib_device_ops ops;
};

struct ib_mr {
	struct ib_device *device;
};

struct ib_umem___user {
	struct mm_struct *owning_mm;
	__u32 is_odp : 1;
	__u32 is_dmabuf : 1;
};

/* Where the drivers keep the memory of a region. */

struct mlx5_ib_mr {
	struct ib_mr ibmr;
	struct ib_umem *umem;
};

struct mlx4_ib_mr {
	struct ib_mr ibmr;
	struct ib_umem *umem;
};

struct c4iw_mr {
	struct ib_mr ibmr;
	struct ib_umem *umem;
};

struct mthca_mr {
	struct ib_mr ibmr;
	struct ib_umem *umem;
};

struct bnxt_re_mr {
	struct ib_mr ib_mr;
	struct ib_umem *ib_umem;
};

struct ocrdma_mr {
	struct ib_mr ibmr;
	struct ib_umem *umem;
};

struct irdma_mr {
	struct ib_mr ibmr;
	struct ib_umem *region;
};

struct pvrdma_user_mr {
	struct ib_mr ibmr;
	struct ib_umem *umem;
};

struct qedr_mr {
	struct ib_mr ibmr;
	struct ib_umem *umem;
};

struct hns_roce_mr {
	struct ib_mr ibmr;
	struct {
		struct ib_umem *umem;
	} pbl_mtr;
};

struct rxe_mr {
	struct ib_mr ibmr;
	struct ib_umem *umem;
};

struct rvt_mr {
	struct ib_mr ibmr;
	struct ib_umem *umem;
};

struct efa_mr {
	struct ib_mr ibmr;
	struct ib_umem *umem;
};

struct erdma_mr {
	struct ib_mr ibmr;
	struct {
		struct ib_umem *umem;
	} mem;
};

struct mana_ib_mr {
	struct ib_mr ibmr;
	struct ib_umem *umem;
};

struct siw_umem {
	struct ib_umem *base_mem;
};

struct siw_mem {
	__u8 is_pbl;
	struct siw_umem *umem;
};

struct siw_mr {
	struct ib_mr base_mr;
	struct siw_mem *mem;
};

/* VFIO */

struct vfio_iommu_driver_ops {
	char *name;
};

struct vfio_iommu_driver {
	const struct vfio_iommu_driver_ops *ops;
};

struct vfio_container {
	struct vfio_iommu_driver *iommu_driver;
	void *iommu_data;
};

struct vfio_iommu {
	struct mutex lock;
	struct rb_root dma_list;
	unsigned int dma_avail;
};

struct vfio_dma___node {
	struct rb_node node;
	__u64 iova;
	unsigned long size;
};

/* io_uring */

/* Until Linux 6.12. */
struct io_ring_ctx {
	struct mutex uring_lock;
	unsigned int nr_user_bufs;
	struct io_mapped_ubuf **user_bufs;
	struct mm_struct *mm_account;
};

/* Since Linux 6.13. */
struct io_rsrc_data___nodes {
	unsigned int nr;
	struct io_rsrc_node **nodes;
};

struct io_ring_ctx___table {
	struct io_rsrc_data___nodes buf_table;
};

/* Of the kernel's own memory, which is no pin. */
struct io_mapped_ubuf___kernel {
	_Bool is_kbuf;
};

struct io_mapped_ubuf___flags {
	__u8 flags;
};

/* AF_XDP */

struct sock_common {
	unsigned short skc_family;
};

struct sock {
	struct sock_common __sk_common;
};

#pragma clang attribute pop

#endif
