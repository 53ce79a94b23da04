/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Of the kernel's structures those members that the programs read. Where they
 * are is found when the programs are loaded, from the kernel's own BTF.
 */
#ifndef PINGUARD_PROBE_KERNEL_TYPES_H
#define PINGUARD_PROBE_KERNEL_TYPES_H

#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct kernfs_node {
	__u64 id;
};

struct cgroup {
	struct kernfs_node *kn;
	int level;
	struct cgroup *ancestors[1]; /* the root first, itself last */
};

/* Until Linux 6.0. */
struct cgroup___ids {
	__u64 ancestor_ids[1];
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct cred {
	struct {
		__u32 val;
	} uid;
};

struct task_struct {
	int tgid;
	char comm[16];
	const struct cred *real_cred;
	struct css_set *cgroups;
	struct task_struct *group_leader;
};

/* Of a system call, on x86-64. */
struct pt_regs {
	unsigned long r10;
	unsigned long r8;
	unsigned long orig_ax;
};

struct module {
	char name[56];
};

struct file_operations {
	struct module *owner;
	void *release;
};

struct inode {
	unsigned int i_rdev;
};

struct file {
	const struct file_operations *f_op;
	struct inode *f_inode;
	void *private_data;
};

struct ib_device {
	char name[64];
};

struct ib_umem {
	struct ib_device *ibdev;
	unsigned long address;
	unsigned long length;
};

struct vfio_dma {
	unsigned long vaddr;
	struct task_struct *task;
	unsigned long locked_vm;
};

struct io_mapped_ubuf {
	__u64 ubuf;
	unsigned int len;
	unsigned int nr_bvecs;
	struct {
		struct {
			int counter;
		} refs;
	} refs;
};

/* Until Linux 6.9. */
struct io_mapped_ubuf___ends {
	__u64 ubuf;
	__u64 ubuf_end;
};

/* Since Linux 6.13. */
struct io_rsrc_node {
	struct io_mapped_ubuf *buf;
};

struct xdp_umem_reg {
	__u64 addr;
};

struct xdp_umem {
	void *addrs;
	unsigned int npgs;
};

struct net_device {
	char name[16];
};

struct xdp_sock {
	struct net_device *dev;
	struct xdp_umem *umem;
};

struct socket {
	struct xdp_sock *sk; /* struct sock, its first member */
};

struct vdpa_device {
	_Bool use_va;
};

struct vhost_vdpa {
	struct vdpa_device *vdpa;
};

struct vhost_iotlb {
	unsigned int nmaps;
};

struct vhost_iotlb_map {
	__u64 size;
};

#pragma clang attribute pop

#endif
