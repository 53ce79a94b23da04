// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Follows long-term pins on a kernel that does not tell of them: at what each
 * pinner calls when memory is pinned, and when it is given back. And memory that fails.
 */
#include <linux/bpf.h>
#include <linux/pinguard.h>
#include <bpf/bpf_tracing.h>

#include "probe/failure.bpf.h"
#include "probe/pin.bpf.h"
#include "probe/limit.bpf.h"

char license_text[] SEC("license") = "GPL";

/* RDMA: memory regions, and queues in the memory of users. */

SEC("fexit/ib_umem_get")
int BPF_PROG(rdma_pin, struct ib_device *device, unsigned long address, unsigned long bytes,
	     int access, struct ib_umem *umem)
{
	struct probe_pin *pin = NULL;

	if (!is_error(umem))
		pin = add((__u64)umem, PINGUARD_KIND_RDMA, (void *)bpf_get_current_task());
	if (pin) {
		pin->address = address;
		pin->bytes = page_span(address, bytes);
		BPF_CORE_READ_STR_INTO(&pin->device, device, name);
		publish(pin, (void *)bpf_get_current_task());
	}
	/* Here, since of two programs at one place either may be the first. */
	end_pinning();
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
static __always_inline void vfio_look(struct vfio_dma *dma, __u64 unpinned)
{
	const __u64 locked = BPF_CORE_READ(dma, locked_vm);
	const __u64 bytes = locked > unpinned ? (locked - unpinned) * page_bytes : 0;
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
		publish(pin, BPF_CORE_READ(dma, task));
	}
}

SEC("fexit/vfio_pin_pages_remote")
int BPF_PROG(vfio_pin, struct vfio_dma *dma)
{
	vfio_look(dma, 0);
	return 0;
}

/*
 * Of a group that leaves; what goes for good is taken out before. Without accounting
 * the caller takes from the count what is returned, but only afterwards.
 */
SEC("fexit/vfio_unmap_unpin")
int BPF_PROG(vfio_unpin, void *iommu, struct vfio_dma *dma, __u64 do_accounting, long unpinned)
{
	if (find((__u64)dma))
		vfio_look(dma, (__u8)do_accounting ? 0 : unpinned);
	return 0;
}

/* Of a group that could not be attached: what was pinned for it goes again. */
SEC("fexit/vfio_unpin_pages_remote")
int BPF_PROG(vfio_unpin_some, struct vfio_dma *dma, __u64 iova, __u64 page, long n,
	     __u64 do_accounting)
{
	if ((__u8)do_accounting && find((__u64)dma))
		vfio_look(dma, 0);
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

/* Not so an empty entry of a table. */
static __always_inline bool uring_is_pinned(struct io_mapped_ubuf *buffer)
{
	return !is_error(buffer) && BPF_CORE_READ(buffer, nr_bvecs);
}

static __always_inline void uring_describe(struct probe_pin *pin, struct io_mapped_ubuf *buffer)
{
	struct io_mapped_ubuf___ends *old = (void *)buffer;
	__u64 bytes;

	pin->address = BPF_CORE_READ(buffer, ubuf);
	if (bpf_core_field_exists(buffer->len))
		bytes = BPF_CORE_READ(buffer, len);
	else
		bytes = BPF_CORE_READ(old, ubuf_end) - pin->address;
	pin->bytes = page_span(pin->address, bytes);
}

static __always_inline void uring_add(struct io_mapped_ubuf *buffer)
{
	struct probe_pin *pin;

	if (!uring_is_pinned(buffer))
		return;
	pin = add((__u64)buffer, PINGUARD_KIND_IO_URING, (void *)bpf_get_current_task());
	if (!pin)
		return;
	uring_describe(pin, buffer);
	publish(pin, (void *)bpf_get_current_task());
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

	/* Since Linux 6.12 others may have it yet: the last one gives it back. */
	if (!bpf_core_field_exists(buffer->refs) ||
	    BPF_CORE_READ(buffer, refs.refs.counter) == 1)
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
	publish(pin, (void *)bpf_get_current_task());
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

/*
 * vhost-vdpa: one pin for each address space, of all that is mapped there. One with
 * mappings from before the programs is none until it has been empty: by its sum alone
 * it would be gone with the first of them.
 */

SEC("fexit/vhost_vdpa_map")
int BPF_PROG(vdpa_pin, struct vhost_vdpa *v, struct vhost_iotlb *iotlb, __u64 iova, __u64 bytes,
	     __u64 phys, __u32 permissions, void *opaque, int error)
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
	if (BPF_CORE_READ(iotlb, nmaps) != 1)
		return 0;
	pin = add((__u64)iotlb, PINGUARD_KIND_VDPA, (void *)bpf_get_current_task());
	if (!pin)
		return 0;
	pin->bytes = bytes;
	publish(pin, (void *)bpf_get_current_task());
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

/* What was there before all of these. */
#include "probe/before.bpf.h"
