/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/if_xdp.h>
#include <linux/io_uring.h>
#include <linux/udmabuf.h>
#include <linux/vduse.h>
#include <linux/vfio.h>
#include <linux/vhost.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>
#include <pthread.h>
#include <stdbool.h>
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
	"mr DEVICE BYTES | vfio PCI-ADDRESS BYTES | uring BYTES | ring BYTES | pbuf BYTES | "
	"xdp BYTES | vdpa FILE BYTES | vduse NAME BYTES | udmabuf BYTES";

/* Headers before Linux 6.5 lack it, and the addresses at the end of both offsets. */
#define SETUP_NO_MMAP (1U << 14)

/* The one that is open. */
static struct {
	void *memory;
	size_t bytes;
	int fd, pinned;
	struct ibv_pd *pd;
	struct ibv_mr *mr;
} what;

struct ibv_pd *pinner_open_pd(const char *name)
{
	struct ibv_device **devices = ibv_get_device_list(NULL);
	struct ibv_context *context = NULL;

	for (struct ibv_device **d = devices; d && *d; d++)
		if (strcmp(ibv_get_device_name(*d), name) == 0)
			context = ibv_open_device(*d);
	ibv_free_device_list(devices);
	return context ? ibv_alloc_pd(context) : NULL;
}

static int mr_open(const char *name)
{
	what.pd = pinner_open_pd(name);
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

static int open_group(const char *address)
{
	char path[PATH_MAX], link[PATH_MAX];
	ssize_t length;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", address);
	length = readlink(path, link, sizeof(link) - 1);
	if (length < 0)
		return -1;
	link[length] = '\0';
	snprintf(path, sizeof(path), "/dev/vfio/%.100s", strrchr(link, '/') + 1);
	return open(path, O_RDWR | O_CLOEXEC);
}

int pinner_open_container(const char *address, int *ret_group)
{
	const int group = open_group(address);
	const int container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);

	if (group < 0 || container < 0 || ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) < 0 ||
	    ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) < 0)
		return -1;
	if (ret_group)
		*ret_group = group;
	return container;
}

/* iommufd has a domain, and pins, when the device is open. */
static int vfio_open(const char *address)
{
	int group;

	what.fd = pinner_open_container(address, &group);
	if (what.fd < 0)
		return -1;
	return ioctl(group, VFIO_GROUP_GET_DEVICE_FD, address) < 0 ? -1 : 0;
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

/* A ring for buffers that the kernel takes from it; a power of two of BYTES. */
static int pbuf_pin(void)
{
	struct io_uring_buf_reg reg = {
		.ring_addr = (uintptr_t)what.memory,
		.ring_entries = what.bytes / sizeof(struct io_uring_buf),
	};

	return syscall(SYS_io_uring_register, what.fd, IORING_REGISTER_PBUF_RING, &reg, 1);
}

static int pbuf_unpin(void)
{
	struct io_uring_buf_reg reg = {};

	return syscall(SYS_io_uring_register, what.fd, IORING_UNREGISTER_PBUF_RING, &reg, 1);
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

/* Rings in memory of the user: one half for the entries of 64 bytes, one for the rest. */
static int ring_pin(void)
{
	const size_t half = what.bytes / 2;
	struct io_uring_params params = { .flags = SETUP_NO_MMAP };
	const uint64_t rest = (uintptr_t)what.memory, entries = rest + half;
	int fd;

	memcpy((char *)(&params.sq_off + 1) - sizeof(entries), &entries, sizeof(entries));
	memcpy((char *)(&params.cq_off + 1) - sizeof(rest), &rest, sizeof(rest));
	fd = syscall(SYS_io_uring_setup, half / sizeof(struct io_uring_sqe), &params);

	return keep(fd, fd);
}

static int vdpa_open(const char *file)
{
	const uint64_t features = 1ULL << VHOST_BACKEND_F_IOTLB_MSG_V2;

	what.fd = open(file, O_RDWR | O_CLOEXEC);
	if (what.fd < 0 || ioctl(what.fd, VHOST_SET_OWNER) < 0)
		return -1;
	return ioctl(what.fd, VHOST_SET_BACKEND_FEATURES, &features);
}

static int vdpa_tell(int type)
{
	const struct vhost_msg_v2 message = {
		.type = VHOST_IOTLB_MSG_V2,
		.iotlb = { .iova = 0x10000000, .size = what.bytes, .type = type,
			   .uaddr = (uintptr_t)what.memory, .perm = VHOST_ACCESS_RW },
	};

	return write(what.fd, &message, sizeof(message)) == sizeof(message) ? 0 : -1;
}

static int vdpa_pin(void)
{
	return vdpa_tell(VHOST_IOTLB_UPDATE);
}

static int vdpa_unpin(void)
{
	return vdpa_tell(VHOST_IOTLB_INVALIDATE);
}

/* A network device that this process is. It has the same name on the bus. */
static int vduse_create(const char *name)
{
	struct vduse_dev_config *config = calloc(1, sizeof(*config) + sizeof(struct virtio_net_config));
	const uint64_t version = VDUSE_API_VERSION;
	int control = open("/dev/vduse/control", O_RDWR | O_CLOEXEC), r = -1;

	if (control >= 0 && config && ioctl(control, VDUSE_SET_API_VERSION, &version) == 0) {
		snprintf(config->name, sizeof(config->name), "%s", name);
		config->device_id = VIRTIO_ID_NET;
		config->features = 1ULL << VIRTIO_F_ACCESS_PLATFORM | 1ULL << VIRTIO_F_VERSION_1;
		config->vq_num = 2;
		config->vq_align = 4096;
		config->config_size = sizeof(struct virtio_net_config);
		r = ioctl(control, VDUSE_CREATE_DEV, config);
	}
	free(config);
	if (control >= 0)
		close(control);
	return r;
}

/* The size is that of what the device bounces packets through. */
static int vduse_set_up(const char *name)
{
	char path[PATH_MAX], text[32];
	int fd, n, r;

	for (unsigned int i = 0; i < 2; i++) {
		struct vduse_vq_config queue = { .index = i, .max_size = 128 };

		if (ioctl(what.fd, VDUSE_VQ_SETUP, &queue) < 0)
			return -1;
	}
	snprintf(path, sizeof(path), "/sys/class/vduse/%.200s/bounce_size", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	n = snprintf(text, sizeof(text), "%zu", what.bytes);
	r = fd >= 0 && write(fd, text, n) == n ? 0 : -1;
	if (fd >= 0)
		close(fd);
	return r;
}

/* What the kernel asks of the device is granted. */
static void *vduse_answer(void *arg)
{
	struct vduse_dev_request request;

	(void)arg;
	while (read(what.fd, &request, sizeof(request)) == sizeof(request)) {
		const struct vduse_dev_response response = { .request_id = request.request_id,
							     .result = VDUSE_REQ_RESULT_OK };

		if (write(what.fd, &response, sizeof(response)) != sizeof(response))
			break;
	}
	return NULL;
}

/*
 * One that is there already is used as it is. Memory can be given to it when its
 * driver has mapped something, which for a network device are its empty buffers.
 */
static int vduse_open(const char *name)
{
	const bool created = vduse_create(name) == 0;
	char text[PATH_MAX];
	pthread_t thread;

	if (!created && errno != EEXIST)
		return -1;
	snprintf(text, sizeof(text), "/dev/vduse/%.200s", name);
	what.fd = open(text, O_RDWR | O_CLOEXEC);
	if (what.fd < 0 || (created && vduse_set_up(name) < 0) ||
	    pthread_create(&thread, NULL, vduse_answer, NULL) != 0)
		return -1;
	snprintf(text, sizeof(text),
		 "vdpa dev add name %.200s mgmtdev vduse && "
		 "ip link set dev $(ls /sys/bus/vdpa/devices/%.200s/virtio*/net) up", name, name);
	return !created || system(text) == 0 ? 0 : -1;
}

static int vduse_pin(void)
{
	struct vduse_iova_umem umem = { .uaddr = (uintptr_t)what.memory, .size = what.bytes };

	return ioctl(what.fd, VDUSE_IOTLB_REG_UMEM, &umem);
}

static int vduse_unpin(void)
{
	struct vduse_iova_umem umem = { .size = what.bytes };

	return ioctl(what.fd, VDUSE_IOTLB_DEREG_UMEM, &umem);
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
	{ "ring", NULL, no_open, ring_pin, close_pinned },
	{ "pbuf", NULL, uring_open, pbuf_pin, pbuf_unpin },
	{ "xdp", NULL, no_open, xdp_pin, close_pinned },
	{ "vdpa", "device file", vdpa_open, vdpa_pin, vdpa_unpin },
	{ "vduse", "name", vduse_open, vduse_pin, vduse_unpin },
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
