/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <linux/pinguard.h>

#include "lib/macros.h"
#include "lib/probe-layout.h"
#include "probe/hooks.h"

static const struct hook rdma[] = {
	{ "rdma_unpin", PROBE_MODULE_RDMA, "ib_umem_release", { "", "ib_umem" } },
	{ "rdma_unpinned", PROBE_MODULE_RDMA, "ib_umem_release", { "", "ib_umem" } },
	{ "rdma_pin", PROBE_MODULE_RDMA, "ib_umem_get", { "ib_umem", "ib_device", "", "", "" } },
};

static const struct hook vfio[] = {
	{ "vfio_remove", PROBE_MODULE_VFIO, "vfio_remove_dma", { "", "vfio_iommu", "vfio_dma" } },
	{ "vfio_removed", PROBE_MODULE_VFIO, "vfio_remove_dma", { "", "vfio_iommu", "vfio_dma" } },
	{ "vfio_unpin", PROBE_MODULE_VFIO, "vfio_unmap_unpin", { "", "vfio_iommu", "vfio_dma", "" } },
	{ "vfio_unpin_some", PROBE_MODULE_VFIO, "vfio_unpin_pages_remote",
	  { "", "vfio_dma", "", "", "", "" } },
	{ "vfio_pin", PROBE_MODULE_VFIO, "vfio_pin_pages_remote",
	  { "", "vfio_dma", "", "", "", "", "vfio_batch" } },
	{ "vfio_call_over", PROBE_MODULE_VFIO, "vfio_iommu_type1_ioctl", { "", "", "", "" } },
	{ "vfio_attach_over", PROBE_MODULE_VFIO, "vfio_iommu_type1_attach_group",
	  { "", "", "iommu_group", "" } },
	{ "vfio_detach_over", PROBE_MODULE_VFIO, "vfio_iommu_type1_detach_group",
	  { "", "", "iommu_group" } },
};

/* Until Linux 6.12. */
static const struct hook uring[] = {
	{ "uring_unpin", NULL, "io_buffer_unmap", { "", "io_ring_ctx", "io_mapped_ubuf" } },
	{ "uring_unpinned", NULL, "io_buffer_unmap", { "", "io_ring_ctx", "io_mapped_ubuf" } },
	{ "uring_pin", NULL, "io_sqe_buffer_register",
	  { "", "io_ring_ctx", "iovec", "io_mapped_ubuf", "page" } },
};

/* Since Linux 6.13. */
static const struct hook uring_node[] = {
	{ "uring_node_unpin", NULL, "io_release_ubuf", { "", "" } },
	{ "uring_node_unpinned", NULL, "io_release_ubuf", { "", "" } },
	{ "uring_node_pin", NULL, "io_sqe_buffer_register",
	  { "io_rsrc_node", "io_ring_ctx", "iovec", "page" } },
};

static const struct hook xdp[] = {
	{ "xdp_unpin", NULL, "vunmap", { "", "" } },
	{ "xdp_unpinned", NULL, "vunmap", { "", "" } },
	{ "xdp_pin", NULL, "xdp_umem_create", { "xdp_umem", "xdp_umem_reg" } },
	{ "xdp_bind", NULL, "xsk_bind", { "", "socket", "sockaddr", "" } },
};

/* What the socket is bound to has another type since Linux 6.19. */
static const struct hook xdp_unsized[] = {
	{ "xdp_unpin", NULL, "vunmap", { "", "" } },
	{ "xdp_unpinned", NULL, "vunmap", { "", "" } },
	{ "xdp_pin", NULL, "xdp_umem_create", { "xdp_umem", "xdp_umem_reg" } },
	{ "xdp_bind", NULL, "xsk_bind", { "", "socket", "sockaddr_unsized", "" } },
};

static const struct hook vdpa[] = {
	{ "vdpa_map_free", "vhost_iotlb", "vhost_iotlb_map_free",
	  { "", "vhost_iotlb", "vhost_iotlb_map" } },
	{ "vdpa_unpin", PROBE_MODULE_VDPA, "vhost_vdpa_pa_unmap",
	  { "", "vhost_vdpa", "vhost_iotlb", "", "", "" } },
	{ "vdpa_message_over", PROBE_MODULE_VDPA, "vhost_vdpa_process_iotlb_msg",
	  { "", "vhost_dev", "", "vhost_iotlb_msg" } },
	{ "vdpa_pin", PROBE_MODULE_VDPA, "vhost_vdpa_map",
	  { "", "vhost_vdpa", "vhost_iotlb", "", "", "", "", "" } },
};

/* The first is the tracepoint's own. */
static const struct hook failure[] = {
	{ "memory_failed", NULL, HOOK_TRACEPOINT "memory_failure_event", { "", "", "", "", "" } },
};

#define SET(hooks)   { hooks, ARRAY_SIZE(hooks) }
#define BEFORE(name) .before = { #name "_files", #name "_mappings" }

const struct hook_kind hook_kinds[] = {
	{ PINGUARD_KIND_RDMA, "rdma", .sets = { SET(rdma) }, BEFORE(rdma) },
	{ PINGUARD_KIND_VFIO, "vfio", .sets = { SET(vfio) }, BEFORE(vfio) },
	{ PINGUARD_KIND_IOMMUFD, "iommufd", .never = "there is no program for it" },
	{ PINGUARD_KIND_IO_URING, "io_uring", .sets = { SET(uring), SET(uring_node) },
	  BEFORE(uring) },
	{ PINGUARD_KIND_XDP, "xdp", .sets = { SET(xdp), SET(xdp_unsized) }, BEFORE(xdp) },
	{ PINGUARD_KIND_VDPA, "vdpa", .sets = { SET(vdpa) } },
	{ PINGUARD_KIND_UDMABUF, "udmabuf", .never = "there is no program for it" },
	{ PROBE_KIND_FAILURE, "memory failures", .sets = { SET(failure) } },
};
const size_t n_hook_kinds = ARRAY_SIZE(hook_kinds);
