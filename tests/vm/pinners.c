/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/if_xdp.h>
#include <linux/io_uring.h>
#include <linux/udmabuf.h>
#include <linux/vfio.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <infiniband/verbs.h>

#include "pinners.h"

const char pinner_usage[] =
	"mr DEVICE BYTES | vfio PCI-ADDRESS BYTES | uring BYTES | xdp BYTES | udmabuf BYTES";

/* The one that is open. */
static struct {
	void *memory;
	size_t bytes;
	int fd, pinned;
	struct ibv_pd *pd;
	struct ibv_mr *mr;
} what;

static int mr_open(const char *name)
{
	struct ibv_device **devices = ibv_get_device_list(NULL);
	struct ibv_context *context = NULL;

	for (struct ibv_device **d = devices; d && *d; d++)
		if (strcmp(ibv_get_device_name(*d), name) == 0)
			context = ibv_open_device(*d);
	what.pd = context ? ibv_alloc_pd(context) : NULL;
	return what.pd ? 0 : -1;
}

static int mr_pin(void)
{
	what.mr = ibv_reg_mr(what.pd, what.memory, what.bytes, IBV_ACCESS_LOCAL_WRITE);
	return what.mr ? 0 : -1;
}

static int mr_unpin(void)
{
	errno = ibv_dereg_mr(what.mr);
	return errno ? -1 : 0;
}

static int vfio_open(const char *address)
{
	char path[PATH_MAX], link[PATH_MAX];
	ssize_t length;
	int group;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", address);
	length = readlink(path, link, sizeof(link) - 1);
	if (length < 0)
		return -1;
	link[length] = '\0';
	snprintf(path, sizeof(path), "/dev/vfio/%.100s", strrchr(link, '/') + 1);
	group = open(path, O_RDWR);
	what.fd = open("/dev/vfio/vfio", O_RDWR);
	if (group < 0 || what.fd < 0 || ioctl(group, VFIO_GROUP_SET_CONTAINER, &what.fd) < 0)
		return -1;
	return ioctl(what.fd, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU);
}

static int vfio_pin(void)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map), .flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)what.memory, .iova = 0x10000000, .size = what.bytes,
	};

	return ioctl(what.fd, VFIO_IOMMU_MAP_DMA, &map);
}

static int vfio_unpin(void)
{
	struct vfio_iommu_type1_dma_unmap unmap = { .argsz = sizeof(unmap), .iova = 0x10000000,
						    .size = what.bytes };

	return ioctl(what.fd, VFIO_IOMMU_UNMAP_DMA, &unmap);
}

static int uring_open(const char *device)
{
	struct io_uring_params params = {};

	(void)device;
	what.fd = syscall(SYS_io_uring_setup, 8, &params);
	return what.fd < 0 ? -1 : 0;
}

static int uring_pin(void)
{
	const struct iovec vec = { what.memory, what.bytes };

	return syscall(SYS_io_uring_register, what.fd, IORING_REGISTER_BUFFERS, &vec, 1);
}

static int uring_unpin(void)
{
	return syscall(SYS_io_uring_register, what.fd, IORING_UNREGISTER_BUFFERS, NULL, 0);
}

/* Remembers what pins; where it could not, closes it, and errno stays. */
static int keep(int fd, int result)
{
	const int error = errno;

	if (result >= 0) {
		what.pinned = fd;
		return 0;
	}
	if (fd >= 0)
		close(fd);
	errno = error;
	return -1;
}

static int close_pinned(void)
{
	return close(what.pinned);
}

static int xdp_pin(void)
{
	const struct xdp_umem_reg umem = { .addr = (uintptr_t)what.memory, .len = what.bytes,
					   .chunk_size = 4096 };
	const int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);

	return keep(fd, fd < 0 ? -1 : setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &umem, sizeof(umem)));
}

static int udmabuf_open(const char *device)
{
	(void)device;
	what.fd = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	return what.fd < 0 ? -1 : 0;
}

static int udmabuf_pin(void)
{
	const int memfd = memfd_create("pinned", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	struct udmabuf_create create = { .memfd = memfd, .size = what.bytes };
	int fd = -1, error;

	if (memfd < 0)
		return -1;
	if (ftruncate(memfd, what.bytes) == 0 && fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK) == 0)
		fd = ioctl(what.fd, UDMABUF_CREATE, &create);
	error = errno;
	close(memfd);
	errno = error;
	return keep(fd, fd);
}

static int no_open(const char *device)
{
	(void)device;
	return 0;
}

static const struct pinner pinners[] = {
	{ "mr", "device", mr_open, mr_pin, mr_unpin },
	{ "vfio", "PCI address", vfio_open, vfio_pin, vfio_unpin },
	{ "uring", NULL, uring_open, uring_pin, uring_unpin },
	{ "xdp", NULL, no_open, xdp_pin, close_pinned },
	{ "udmabuf", NULL, udmabuf_open, udmabuf_pin, close_pinned },
};

const struct pinner *pinner_open(int argc, char *argv[], size_t *ret_bytes)
{
	const struct pinner *pinner = NULL;

	for (size_t i = 0; argc > 0 && i < sizeof(pinners) / sizeof(*pinners); i++)
		if (strcmp(pinners[i].name, argv[0]) == 0)
			pinner = &pinners[i];
	if (!pinner || argc != (pinner->device_name ? 3 : 2)) {
		fprintf(stderr, "usage: %s\n", pinner_usage);
		exit(2);
	}
	*ret_bytes = what.bytes = strtoull(argv[argc - 1], NULL, 0);
	what.memory = mmap(NULL, what.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);
	if (what.memory == MAP_FAILED || pinner->open(argv[1]) < 0) {
		perror(argv[0]);
		exit(1);
	}
	memset(what.memory, 1, what.bytes);
	return pinner;
}
