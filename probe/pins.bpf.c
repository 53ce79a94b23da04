// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Follows long-term pins on a kernel that does not tell of them: at what each
 * pinner calls when memory is pinned, and when it is given back. A pin is known
 * by the address of what the kernel keeps for it. Where an object may be freed
 * and made anew while one of these runs, it is taken out first and told after.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <linux/pinguard.h>

#include "lib/probe-layout.h"
#include "probe/kernel-types.h"

#define MAX_ERRNO	4095
#define TASKS_MAX	(1 << 15) /* that are in one of these functions at a time */

char license_text[] SEC("license") = "GPL";

const volatile __u32 page_bytes = 4096;

/* Read by the service, by their names: see lib/probe-layout.h. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct probe_head);
} head SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PROBE_PINS_MAX);
	__type(key, __u32);
	__type(value, struct probe_pin);
} pins SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PROBE_KINDS_MAX);
	__type(key, __u32);
	__type(value, struct probe_kind);
} kinds SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, PROBE_RING_BYTES);
} ring SEC(".maps");

/* Places that were used and are free. */
struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, PROBE_PINS_MAX);
	__uint(key_size, 0);
	__type(value, __u32);
} places SEC(".maps");

/* The place of the pin of an object of the kernel. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, PROBE_PINS_MAX);
	__type(key, __u64);
	__type(value, __u32);
} objects SEC(".maps");

/* The place of what a task is giving back. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, TASKS_MAX);
	__type(key, __u64);
	__type(value, __u32);
} leaving SEC(".maps");

/* What a task has changed, and not told yet. */
struct change {
	__u32 place, padding;
	__u64 id;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, TASKS_MAX);
	__type(key, __u64);
	__type(value, struct change);
} changes SEC(".maps");

static __always_inline bool is_error(const void *pointer)
{
	return !pointer || (unsigned long)pointer >= (unsigned long)-MAX_ERRNO;
}

static __always_inline struct probe_head *get_head(void)
{
	const __u32 first = 0;

	return bpf_map_lookup_elem(&head, &first);
}

/* Whole pages, as they are pinned. */
static __always_inline __u64 page_span(__u64 address, __u64 bytes)
{
	const __u64 mask = ~((__u64)page_bytes - 1);

	return ((address + bytes + page_bytes - 1) & mask) - (address & mask);
}

/* The maker, as the head of its thread group is now. */
static __always_inline void set_maker(struct probe_pin *pin, struct task_struct *task)
{
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);

	pin->tgid = BPF_CORE_READ(task, tgid);
	pin->uid = BPF_CORE_READ(task, real_cred, uid.val);
	pin->cgroup_id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	BPF_CORE_READ_STR_INTO(&pin->comm, leader, comm);
}

static __always_inline void tell(__u32 type, const struct probe_pin *pin)
{
	struct probe_event *event = bpf_ringbuf_reserve(&ring, sizeof(*event), 0);
	struct probe_head *h = get_head();

	if (!event) {
		if (h)
			__sync_fetch_and_add(&h->lost, 1);
		return;
	}
	event->type = type;
	event->padding = 0;
	__builtin_memcpy(&event->pin, pin, sizeof(event->pin));
	bpf_ringbuf_submit(event, 0);
}

/* The end of a pin that no object refers to any more. */
static __always_inline void finish(__u32 place)
{
	struct probe_pin *pin = bpf_map_lookup_elem(&pins, &place);
	struct probe_head *h = get_head();
	struct probe_event *event;

	if (!pin || !h)
		return;
	event = bpf_ringbuf_reserve(&ring, sizeof(*event), 0);
	if (event) {
		event->type = PROBE_EVENT_UNPIN;
		event->padding = 0;
		__builtin_memcpy(&event->pin, pin, sizeof(event->pin));
	}
	__sync_lock_test_and_set(&pin->id, 0);
	bpf_map_push_elem(&places, &place, 0);
	if (event)
		bpf_ringbuf_submit(event, 0);
	else
		__sync_fetch_and_add(&h->lost, 1);
}

static __always_inline bool take_place(struct probe_head *h, __u32 *ret)
{
	__u64 n;

	if (bpf_map_pop_elem(&places, ret) == 0)
		return true;
	n = __sync_fetch_and_add(&h->places, 1);
	if (n >= PROBE_PINS_MAX) {
		__sync_fetch_and_add(&h->places, (__u64)-1);
		return false;
	}
	*ret = n;
	return true;
}

/* What the kernel had there before is gone, though nobody saw it go. */
static __always_inline void forget(__u64 object)
{
	__u32 *found = bpf_map_lookup_elem(&objects, &object), place;

	if (!found)
		return;
	place = *found;
	if (bpf_map_delete_elem(&objects, &object) == 0)
		finish(place);
}

/* A pin of an object; what it is like is filled in by set_*(), then publish() tells of it. */
static __always_inline struct probe_pin *add(__u64 object, __u32 kind, struct task_struct *maker)
{
	struct probe_head *h = get_head();
	struct probe_pin *pin;
	__u32 place;

	if (!h)
		return NULL;
	forget(object);
	if (!take_place(h, &place)) {
		__sync_fetch_and_add(&h->unlisted, 1);
		return NULL;
	}
	pin = bpf_map_lookup_elem(&pins, &place);
	if (!pin)
		return NULL;
	if (bpf_map_update_elem(&objects, &object, &place, BPF_ANY) < 0) {
		__sync_fetch_and_add(&h->unlisted, 1);
		bpf_map_push_elem(&places, &place, 0);
		return NULL;
	}
	pin->kind = kind;
	pin->place = place;
	pin->address = 0;
	pin->since_nsec = bpf_ktime_get_boot_ns();
	__builtin_memset(pin->device, 0, sizeof(pin->device));
	set_maker(pin, maker);
	return pin;
}

static __always_inline void publish(struct probe_pin *pin)
{
	struct probe_head *h = get_head();

	if (!h)
		return;
	/* All else is there before. */
	__sync_lock_test_and_set(&pin->id, __sync_fetch_and_add(&h->last_id, 1) + 1);
	tell(PROBE_EVENT_PIN, pin);
}

static __always_inline struct probe_pin *find(__u64 object)
{
	const __u32 *place = bpf_map_lookup_elem(&objects, &object);

	return place ? bpf_map_lookup_elem(&pins, place) : NULL;
}

/* Before the kernel gives an object up; end_release() after that, in the same task. */
static __always_inline void begin_release(__u64 object)
{
	const __u64 task = bpf_get_current_pid_tgid();
	__u32 *found = bpf_map_lookup_elem(&objects, &object), place;

	if (!found)
		return;
	place = *found;
	if (bpf_map_delete_elem(&objects, &object) < 0)
		return;
	/* Without room it is told a moment too soon. */
	if (bpf_map_update_elem(&leaving, &task, &place, BPF_ANY) < 0)
		finish(place);
}

static __always_inline void end_release(void)
{
	const __u64 task = bpf_get_current_pid_tgid();
	const __u32 *found = bpf_map_lookup_elem(&leaving, &task);
	__u32 place;

	if (!found)
		return;
	place = *found;
	bpf_map_delete_elem(&leaving, &task);
	finish(place);
}

static __always_inline void tell_changed(const struct change *change)
{
	const struct probe_pin *pin = bpf_map_lookup_elem(&pins, &change->place);

	if (pin && pin->id == change->id)
		tell(PROBE_EVENT_CHANGE, pin);
}

/* Many changes in one call are told once, at its end or when those of another pin begin. */
static __always_inline void note_change(const struct probe_pin *pin)
{
	const __u64 task = bpf_get_current_pid_tgid();
	const struct change change = { .place = pin->place, .id = pin->id };
	const struct change *noted = bpf_map_lookup_elem(&changes, &task);

	if (noted && noted->id == change.id)
		return;
	if (noted)
		tell_changed(noted);
	if (bpf_map_update_elem(&changes, &task, &change, BPF_ANY) < 0)
		tell(PROBE_EVENT_CHANGE, pin);
}

static __always_inline void tell_changes(void)
{
	const __u64 task = bpf_get_current_pid_tgid();
	const struct change *noted = bpf_map_lookup_elem(&changes, &task);

	if (!noted)
		return;
	tell_changed(noted);
	bpf_map_delete_elem(&changes, &task);
}

/* RDMA: memory regions, and queues in the memory of users. */

SEC("fexit/ib_umem_get")
int BPF_PROG(rdma_pin, struct ib_device *device, unsigned long address, unsigned long bytes,
	     int access, struct ib_umem *umem)
{
	struct probe_pin *pin;

	if (is_error(umem))
		return 0;
	pin = add((__u64)umem, PINGUARD_KIND_RDMA, (void *)bpf_get_current_task());
	if (!pin)
		return 0;
	pin->address = address;
	pin->bytes = page_span(address, bytes);
	BPF_CORE_READ_STR_INTO(&pin->device, device, name);
	publish(pin);
	return 0;
}

SEC("fentry/ib_umem_release")
int BPF_PROG(rdma_unpin, struct ib_umem *umem)
{
	begin_release((__u64)umem);
	return 0;
}

SEC("fexit/ib_umem_release")
int BPF_PROG(rdma_unpinned, struct ib_umem *umem)
{
	end_release();
	return 0;
}

/*
 * VFIO: one pin for each mapping of a type1 container, of what is counted as locked.
 * A large mapping is pinned in many steps. All of it runs under the container's lock,
 * but for the ends of calls.
 */
static __always_inline void vfio_look(struct vfio_dma *dma)
{
	const __u64 bytes = (__u64)BPF_CORE_READ(dma, locked_vm) * page_bytes;
	struct probe_pin *pin = find((__u64)dma);

	if (pin && !bytes) {
		forget((__u64)dma);
	} else if (pin && pin->bytes != bytes) {
		pin->bytes = bytes;
		note_change(pin);
	} else if (!pin && bytes) {
		pin = add((__u64)dma, PINGUARD_KIND_VFIO, BPF_CORE_READ(dma, task));
		if (!pin)
			return;
		pin->address = BPF_CORE_READ(dma, vaddr);
		pin->bytes = bytes;
		publish(pin);
	}
}

SEC("fexit/vfio_pin_pages_remote")
int BPF_PROG(vfio_pin, struct vfio_dma *dma)
{
	vfio_look(dma);
	return 0;
}

/* Of a group that leaves; what goes for good is taken out before. */
SEC("fexit/vfio_unmap_unpin")
int BPF_PROG(vfio_unpin, void *iommu, struct vfio_dma *dma)
{
	if (find((__u64)dma))
		vfio_look(dma);
	return 0;
}

SEC("fentry/vfio_remove_dma")
int BPF_PROG(vfio_remove, void *iommu, struct vfio_dma *dma)
{
	begin_release((__u64)dma);
	return 0;
}

SEC("fexit/vfio_remove_dma")
int BPF_PROG(vfio_removed, void *iommu, struct vfio_dma *dma)
{
	end_release();
	return 0;
}

SEC("fexit/vfio_iommu_type1_ioctl")
int BPF_PROG(vfio_call_over)
{
	tell_changes();
	return 0;
}

SEC("fexit/vfio_iommu_type1_attach_group")
int BPF_PROG(vfio_attach_over)
{
	tell_changes();
	return 0;
}

SEC("fexit/vfio_iommu_type1_detach_group")
int BPF_PROG(vfio_detach_over)
{
	tell_changes();
	return 0;
}

/* io_uring: fixed buffers. A clone of one shares its memory, and is no pin of its own. */

/*
 * What an argument of type struct io_mapped_ubuf ** points to. The verifier knows
 * pointers to structures alone, for others there is a call.
 */
static __always_inline struct io_mapped_ubuf *uring_slot(void *ctx, __u32 argument)
{
	struct io_mapped_ubuf *buffer = NULL;
	__u64 slot;

	if (bpf_get_func_arg(ctx, argument, &slot) == 0)
		bpf_probe_read_kernel(&buffer, sizeof(buffer), (void *)slot);
	return buffer;
}

static __always_inline void uring_add(struct io_mapped_ubuf *buffer)
{
	struct io_mapped_ubuf___ends *old = (void *)buffer;
	struct probe_pin *pin;
	__u64 bytes;

	/* An empty entry of a table. */
	if (is_error(buffer) || !BPF_CORE_READ(buffer, nr_bvecs))
		return;
	pin = add((__u64)buffer, PINGUARD_KIND_IO_URING, (void *)bpf_get_current_task());
	if (!pin)
		return;
	pin->address = BPF_CORE_READ(buffer, ubuf);
	if (bpf_core_field_exists(buffer->len))
		bytes = BPF_CORE_READ(buffer, len);
	else
		bytes = BPF_CORE_READ(old, ubuf_end) - pin->address;
	pin->bytes = page_span(pin->address, bytes);
	publish(pin);
}

/* Until Linux 6.12. */
SEC("fexit/io_sqe_buffer_register")
int BPF_PROG(uring_pin, void *ring_context, void *vector, void *slot, void *last_page, int error)
{
	if (error == 0)
		uring_add(uring_slot(ctx, 2));
	return 0;
}

SEC("fentry/io_buffer_unmap")
int BPF_PROG(uring_unpin)
{
	struct io_mapped_ubuf *buffer = uring_slot(ctx, 1);

	/* Others have it yet: the last one gives it back. */
	if (BPF_CORE_READ(buffer, refs.refs.counter) == 1)
		begin_release((__u64)buffer);
	return 0;
}

SEC("fexit/io_buffer_unmap")
int BPF_PROG(uring_unpinned)
{
	end_release();
	return 0;
}

/* Since Linux 6.13. */
SEC("fexit/io_sqe_buffer_register")
int BPF_PROG(uring_node_pin, void *ring_context, void *vector, void *last_page,
	     struct io_rsrc_node *node)
{
	if (!is_error(node))
		uring_add(BPF_CORE_READ(node, buf));
	return 0;
}

SEC("fentry/io_release_ubuf")
int BPF_PROG(uring_node_unpin, void *buffer)
{
	begin_release((__u64)buffer);
	return 0;
}

SEC("fexit/io_release_ubuf")
int BPF_PROG(uring_node_unpinned)
{
	end_release();
	return 0;
}

/*
 * AF_XDP: what is known of its memory is where the kernel has it mapped, which is
 * unmapped just before the pages are given back.
 */
SEC("fexit/xdp_umem_create")
int BPF_PROG(xdp_pin, struct xdp_umem_reg *registration, struct xdp_umem *umem)
{
	struct probe_pin *pin;
	void *mapped;

	if (is_error(umem))
		return 0;
	mapped = BPF_CORE_READ(umem, addrs);
	if (!mapped)
		return 0;
	pin = add((__u64)mapped, PINGUARD_KIND_XDP, (void *)bpf_get_current_task());
	if (!pin)
		return 0;
	pin->address = BPF_CORE_READ(registration, addr);
	pin->bytes = (__u64)BPF_CORE_READ(umem, npgs) * page_bytes;
	publish(pin);
	return 0;
}

SEC("fexit/xsk_bind")
int BPF_PROG(xdp_bind, struct socket *socket, void *address, int address_bytes, int error)
{
	struct xdp_sock *sk = BPF_CORE_READ(socket, sk);
	struct probe_pin *pin;

	if (error)
		return 0;
	pin = find((__u64)BPF_CORE_READ(sk, umem, addrs));
	if (!pin || pin->device[0])
		return 0;
	BPF_CORE_READ_STR_INTO(&pin->device, sk, dev, name);
	tell(PROBE_EVENT_CHANGE, pin);
	return 0;
}

SEC("fentry/vunmap")
int BPF_PROG(xdp_unpin)
{
	__u64 mapped;

	/* A const void *, which the verifier does not take for a number. */
	if (bpf_get_func_arg(ctx, 0, &mapped) == 0)
		begin_release(mapped);
	return 0;
}

SEC("fexit/vunmap")
int BPF_PROG(xdp_unpinned)
{
	end_release();
	return 0;
}

/* vhost-vdpa: one pin for each address space, of all that is mapped there. */

SEC("fexit/vhost_vdpa_map")
int BPF_PROG(vdpa_pin, struct vhost_vdpa *v, void *iotlb, __u64 iova, __u64 bytes, __u64 phys,
	     __u32 permissions, void *opaque, int error)
{
	struct probe_pin *pin;

	/* Through the page tables of its user nothing is pinned. */
	if (error || BPF_CORE_READ(v, vdpa, use_va))
		return 0;
	pin = find((__u64)iotlb);
	if (pin) {
		pin->bytes += bytes;
		note_change(pin);
		return 0;
	}
	pin = add((__u64)iotlb, PINGUARD_KIND_VDPA, (void *)bpf_get_current_task());
	if (!pin)
		return 0;
	pin->bytes = bytes;
	publish(pin);
	return 0;
}

/* Of all iotlbs; those of others are not known. */
SEC("fentry/vhost_iotlb_map_free")
int BPF_PROG(vdpa_map_free, void *iotlb, struct vhost_iotlb_map *map)
{
	struct probe_pin *pin = find((__u64)iotlb);
	__u64 bytes;

	if (!pin)
		return 0;
	bytes = BPF_CORE_READ(map, size);
	pin->bytes -= bytes < pin->bytes ? bytes : pin->bytes;
	note_change(pin);
	return 0;
}

SEC("fexit/vhost_vdpa_pa_unmap")
int BPF_PROG(vdpa_unpin, void *v, void *iotlb)
{
	const struct probe_pin *pin = find((__u64)iotlb);

	if (pin && !pin->bytes)
		forget((__u64)iotlb);
	tell_changes();
	return 0;
}

SEC("fexit/vhost_vdpa_process_iotlb_msg")
int BPF_PROG(vdpa_message_over)
{
	tell_changes();
	return 0;
}
