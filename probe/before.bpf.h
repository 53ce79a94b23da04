/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pins that were there before the programs, found by what processes have open or mapped:
 * run once the programs that see pins go are there. No lock is taken, so that
 * anything may change meanwhile. A pin is told of, then known by its object, and then
 * looked at again: what was given back by then is taken out here, what is given back
 * later is seen by the programs. Where that cannot be told apart the pin is taken
 * out, and counted as undecided.
 */
#ifndef PINGUARD_PROBE_BEFORE_BPF_H
#define PINGUARD_PROBE_BEFORE_BPF_H

#include "probe/before-find.bpf.h"

/* RDMA: memory regions, by the files of ib_uverbs. Queues in the memory of users are not found. */

#define OBJECT_MR    7 /* UVERBS_OBJECT_MR */
#define OBJECTS_MAX  (1 << 20) /* of one file */
#define USECNT_ALONE (-1) /* whoever makes, changes or destroys it has it alone */

#define DRIVERS(driver)						\
	driver(MLX5, mlx5_ib_mr, ibmr, umem)			\
	driver(MLX4, mlx4_ib_mr, ibmr, umem)			\
	driver(CXGB4, c4iw_mr, ibmr, umem)			\
	driver(MTHCA, mthca_mr, ibmr, umem)			\
	driver(BNXT_RE, bnxt_re_mr, ib_mr, ib_umem)		\
	driver(OCRDMA, ocrdma_mr, ibmr, umem)			\
	driver(IRDMA, irdma_mr, ibmr, region)			\
	driver(VMW_PVRDMA, pvrdma_user_mr, ibmr, umem)		\
	driver(QEDR, qedr_mr, ibmr, umem)			\
	driver(HNS, hns_roce_mr, ibmr, pbl_mtr.umem)		\
	driver(RXE, rxe_mr, ibmr, umem)				\
	driver(HFI1, rvt_mr, ibmr, umem)			\
	driver(QIB, rvt_mr, ibmr, umem)				\
	driver(EFA, efa_mr, ibmr, umem)				\
	driver(ERDMA, erdma_mr, ibmr, mem.umem)			\
	driver(MANA, mana_ib_mr, ibmr, umem)

/* What is not in the kernel, or is something else there, is none. */
#define UMEM_OF_DRIVER(id, type, region, umem)						\
	if (driver == DRIVER_##id && bpf_core_field_exists(struct type, region) &&		\
	    bpf_core_field_exists(struct type, umem)) {					\
		struct type *own = (void *)mr - bpf_core_field_offset(struct type, region); \
											\
		return BPF_CORE_READ(own, umem);					\
	}

static __noinline struct ib_umem *region_umem(struct ib_mr *mr)
{
	struct ib_device___ops *device = (void *)BPF_CORE_READ(mr, device);
	const enum rdma_driver_id___all driver = BPF_CORE_READ(device, ops.driver_id);

	DRIVERS(UMEM_OF_DRIVER)
	if (driver == DRIVER_SIW && bpf_core_field_exists(struct siw_umem, base_mem)) {
		struct siw_mr *own = (void *)mr - bpf_core_field_offset(struct siw_mr, base_mr);

		if (!BPF_CORE_READ(own, mem, is_pbl))
			return BPF_CORE_READ(own, mem, umem, base_mem);
	}
	return NULL;
}

static __always_inline bool is_object_of(struct ib_uobject *uobject, struct ib_mr *mr,
					 struct ib_umem *umem)
{
	if (BPF_CORE_READ(uobject, usecnt.counter) == USECNT_ALONE)
		return false;
	return BPF_CORE_READ(uobject, object) == mr && region_umem(mr) == umem;
}

static __always_inline void rdma_find_region(struct ib_uobject *uobject, struct task_struct *task)
{
	struct ib_mr *mr = BPF_CORE_READ(uobject, object);
	struct ib_umem *umem = mr ? region_umem(mr) : NULL;
	struct ib_umem___user *user = (void *)umem;
	struct task_struct *owner;
	struct probe_pin *pin;
	__u64 id;

	/* Not pinned, or not by ib_umem_get(). */
	if (!umem || BPF_CORE_READ_BITFIELD_PROBED(user, is_odp) ||
	    BPF_CORE_READ_BITFIELD_PROBED(user, is_dmabuf))
		return;
	owner = owner_of(BPF_CORE_READ(user, owning_mm)) ?: task;
	pin = begin_found((__u64)umem, PINGUARD_KIND_RDMA, owner);
	if (!pin)
		return;
	pin->address = BPF_CORE_READ(umem, address);
	pin->bytes = page_span(pin->address, BPF_CORE_READ(umem, length));
	BPF_CORE_READ_STR_INTO(&pin->device, umem, ibdev, name);
	id = end_found((__u64)umem, pin, owner);
	if (id && !is_object_of(uobject, mr, umem))
		take_back((__u64)umem, id);
}

struct rdma_walk {
	struct list_head *head, *at;
	struct task_struct *task;
	bool whole;
};

static int rdma_step(__u32 i, struct rdma_walk *w)
{
	struct list_head *at = w->at, *next = BPF_CORE_READ(at, next);
	struct ib_uobject *uobject;

	w->whole = next == w->head;
	/* Taken out of the list it leads to itself. */
	if (!next || w->whole || next == at)
		return 1;
	w->at = next;
	uobject = (void *)next - bpf_core_field_offset(struct ib_uobject, list);
	if (BPF_CORE_READ(uobject, uapi_object, id) == OBJECT_MR)
		rdma_find_region(uobject, w->task);
	return 0;
}

static __noinline int rdma_find(struct task_struct *task, struct file *file)
{
	struct ib_uverbs_file *own;
	struct rdma_walk w = { .task = task };

	if (!is_file_of(file, FILE_UVERBS))
		return 0;
	own = BPF_CORE_READ(file, private_data);
	w.head = w.at = &own->uobjects;
	bpf_loop(OBJECTS_MAX, rdma_step, &w, 0);
	if (!w.whole)
		note_undecided();
	return 0;
}

FIND_BEFORE(rdma)

/*
 * VFIO: mappings of type1 containers. One that is taken away is so under the container's
 * lock.
 */

#define MAPPINGS_MAX (1 << 20) /* of one container */
#define DEPTH_MAX    64
#define STEPS_EACH   3 /* from above, from the left, from the right */
#define RB_FLAGS     3UL

struct vfio_search {
	struct rb_node *node;
	__u64 iova;
	bool found;
};

static int vfio_descend(__u32 i, struct vfio_search *s)
{
	struct rb_node *node = s->node;
	struct vfio_dma___node *dma;
	__u64 iova;

	if (!node)
		return 1;
	dma = (void *)node - bpf_core_field_offset(struct vfio_dma___node, node);
	iova = BPF_CORE_READ(dma, iova);
	s->found = iova == s->iova;
	if (s->found)
		return 1;
	s->node = s->iova < iova ? BPF_CORE_READ(node, rb_left) : BPF_CORE_READ(node, rb_right);
	return 0;
}

static __always_inline bool vfio_has(struct vfio_iommu *iommu, struct rb_node *node, __u64 iova)
{
	struct vfio_search s = { .node = BPF_CORE_READ(iommu, dma_list.rb_node), .iova = iova };

	bpf_loop(DEPTH_MAX, vfio_descend, &s, 0);
	return s.found && s.node == node;
}

static __always_inline void vfio_find_mapping(struct vfio_iommu *iommu, struct rb_node *node)
{
	struct vfio_dma___node *place =
		(void *)node - bpf_core_field_offset(struct vfio_dma___node, node);
	struct vfio_dma *dma = (void *)place;
	const __u64 pages = BPF_CORE_READ(dma, locked_vm);
	struct probe_pin *pin;
	__u64 id;

	if (!pages)
		return;
	pin = begin_found((__u64)dma, PINGUARD_KIND_VFIO, BPF_CORE_READ(dma, task));
	if (!pin)
		return;
	pin->address = BPF_CORE_READ(dma, vaddr);
	pin->bytes = pages * page_bytes;
	id = end_found((__u64)dma, pin, BPF_CORE_READ(dma, task));
	if (id && !(wait_unlocked(&iommu->lock) &&
		    vfio_has(iommu, node, BPF_CORE_READ(place, iova)) &&
		    BPF_CORE_READ(dma, locked_vm) == pages))
		take_back((__u64)dma, id);
}

struct vfio_walk {
	struct vfio_iommu *iommu;
	struct rb_node *node, *from;
};

static int vfio_step(__u32 i, struct vfio_walk *w)
{
	struct rb_node *node = w->node, *left, *right, *parent, *next;

	if (!node)
		return 1;
	left = BPF_CORE_READ(node, rb_left);
	right = BPF_CORE_READ(node, rb_right);
	parent = (void *)(BPF_CORE_READ(node, __rb_parent_color) & ~RB_FLAGS);
	if (w->from == parent) {
		vfio_find_mapping(w->iommu, node);
		next = left ?: right ?: parent;
	} else if (w->from == left) {
		next = right ?: parent;
	} else {
		next = parent;
	}
	w->from = node;
	w->node = next;
	return 0;
}

static __always_inline bool is_type1(struct vfio_container *container)
{
	const char *where = BPF_CORE_READ(container, iommu_driver, ops, name);
	char name[NAME_BYTES] = "";

	bpf_probe_read_kernel_str(name, sizeof(name), where);
	return is_named(name, "vfio-iommu-type1");
}

static __noinline int vfio_find(struct task_struct *task, struct file *file)
{
	struct vfio_container *container;
	struct vfio_iommu *iommu;
	struct vfio_walk w = {};
	unsigned int room;

	if (!is_file_of(file, FILE_VFIO))
		return 0;
	container = BPF_CORE_READ(file, private_data);
	iommu = BPF_CORE_READ(container, iommu_data);
	if (is_error(iommu) || !is_type1(container))
		return 0;
	/* It may pin for minutes. */
	if (!wait_unlocked(&iommu->lock)) {
		note_undecided();
		return 0;
	}
	room = BPF_CORE_READ(iommu, dma_avail);
	w.iommu = iommu;
	w.node = BPF_CORE_READ(iommu, dma_list.rb_node);
	bpf_loop(MAPPINGS_MAX * STEPS_EACH, vfio_step, &w, 0);
	/* A tree that changes leads anywhere. */
	if (w.node || !wait_unlocked(&iommu->lock) || BPF_CORE_READ(iommu, dma_avail) != room)
		note_undecided();
	return 0;
}

FIND_BEFORE(vfio)

/* io_uring: the tables of fixed buffers. */

#define BUFFERS_MAX (1 << 16) /* of one ring; the kernel has a quarter of that */

struct uring_walk {
	struct io_ring_ctx *ring;
	struct task_struct *task, *owner;
};

static __always_inline bool uring_is_kernels(struct io_mapped_ubuf *buffer)
{
	struct io_mapped_ubuf___kernel *with_bool = (void *)buffer;
	struct io_mapped_ubuf___flags *with_flags = (void *)buffer;

	if (bpf_core_field_exists(with_bool->is_kbuf))
		return BPF_CORE_READ(with_bool, is_kbuf);
	if (bpf_core_field_exists(with_flags->flags))
		return BPF_CORE_READ(with_flags, flags) & 1;
	return false;
}

/* Its id, or 0. */
static __always_inline __u64 uring_find_buffer(struct io_mapped_ubuf *buffer,
					       const struct uring_walk *w)
{
	struct probe_pin *pin;

	if (!uring_is_pinned(buffer) || uring_is_kernels(buffer))
		return 0;
	pin = begin_found((__u64)buffer, PINGUARD_KIND_IO_URING, w->owner ?: w->task);
	if (!pin)
		return 0;
	uring_describe(pin, buffer);
	return end_found((__u64)buffer, pin, w->owner ?: w->task);
}

static __always_inline void *read_entry(void *table, __u32 i)
{
	void *entry = NULL;

	bpf_probe_read_kernel(&entry, sizeof(entry), (void **)table + i);
	return entry;
}

/* Until Linux 6.12 what is given back may stay in the table, as long as that is locked. */
static int uring_step(__u32 i, struct uring_walk *w)
{
	struct io_ring_ctx *ring = w->ring;
	struct io_mapped_ubuf *buffer;
	__u64 id;

	if (i >= BPF_CORE_READ(ring, nr_user_bufs))
		return 1;
	buffer = read_entry(BPF_CORE_READ(ring, user_bufs), i);
	id = uring_find_buffer(buffer, w);
	if (id && !(wait_unlocked(&ring->uring_lock) && i < BPF_CORE_READ(ring, nr_user_bufs) &&
		    read_entry(BPF_CORE_READ(ring, user_bufs), i) == buffer))
		take_back((__u64)buffer, id);
	return 0;
}

/* Since Linux 6.13 it has left the table, or the table has shrunk before. */
static int uring_node_step(__u32 i, struct uring_walk *w)
{
	struct io_ring_ctx___table *ring = (void *)w->ring;
	struct io_mapped_ubuf *buffer;
	struct io_rsrc_node *node;
	__u64 id;

	if (i >= BPF_CORE_READ(ring, buf_table.nr))
		return 1;
	node = read_entry(BPF_CORE_READ(ring, buf_table.nodes), i);
	buffer = BPF_CORE_READ(node, buf);
	id = uring_find_buffer(buffer, w);
	if (id && !(i < BPF_CORE_READ(ring, buf_table.nr) &&
		    read_entry(BPF_CORE_READ(ring, buf_table.nodes), i) == node &&
		    BPF_CORE_READ(node, buf) == buffer))
		take_back((__u64)buffer, id);
	return 0;
}

static __noinline int uring_find(struct task_struct *task, struct file *file)
{
	struct io_ring_ctx___table *with_table = NULL;
	struct uring_walk w = { .task = task };
	struct io_ring_ctx *ring;

	if (!is_file_of(file, FILE_IO_URING))
		return 0;
	ring = BPF_CORE_READ(file, private_data);
	w.ring = ring;
	w.owner = owner_of(BPF_CORE_READ(ring, mm_account));
	if (bpf_core_field_exists(with_table->buf_table))
		bpf_loop(BUFFERS_MAX, uring_node_step, &w, 0);
	else
		bpf_loop(BUFFERS_MAX, uring_step, &w, 0);
	return 0;
}

FIND_BEFORE(uring)

/* AF_XDP: a socket has its memory until its file is closed, which is held here. */

#define AF_XDP 44

static __noinline int xdp_find(struct task_struct *task, struct file *file)
{
	struct probe_pin *pin;
	struct socket *socket;
	struct xdp_sock *sk;
	struct xdp_umem *umem;
	void *mapped;

	if (!is_file_of(file, FILE_SOCKET))
		return 0;
	socket = BPF_CORE_READ(file, private_data);
	sk = BPF_CORE_READ(socket, sk);
	if (!sk || BPF_CORE_READ((struct sock *)sk, __sk_common.skc_family) != AF_XDP)
		return 0;
	umem = BPF_CORE_READ(sk, umem);
	mapped = umem ? BPF_CORE_READ(umem, addrs) : NULL;
	if (!mapped)
		return 0;
	pin = begin_found((__u64)mapped, PINGUARD_KIND_XDP, task);
	if (!pin)
		return 0;
	pin->bytes = (__u64)BPF_CORE_READ(umem, npgs) * page_bytes;
	BPF_CORE_READ_STR_INTO(&pin->device, sk, dev, name);
	end_found((__u64)mapped, pin, task);
	return 0;
}

FIND_BEFORE(xdp)

#endif
