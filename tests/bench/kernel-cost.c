/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What calls cost that the kernel's patches touch, or must not touch. Where the
 * clock counts instructions (tests/vm/run --icount) the figures are those, by the
 * yardstick of a loop of known length in the same process. Prints a JSON object.
 *
 *   kernel-cost mr DEVICE BYTES | vfio PCI-ADDRESS BYTES | uring BYTES | xdp BYTES |
 *               read FILE | fork
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/if_xdp.h>
#include <linux/io_uring.h>
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
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <infiniband/verbs.h>

#define ROUNDS	   9
#define LOOP_STEPS 100000 /* of two instructions each */

static struct {
	struct ibv_pd *pd;
	void *memory;
	size_t bytes;
	int fd;
} what;

static _Noreturn void die(const char *text)
{
	fprintf(stderr, "%s: %s\n", text, strerror(errno));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void *memory_of(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		die("mmap");
	memset(memory, 1, bytes);
	return memory;
}

static void loop(void)
{
	uint64_t steps = LOOP_STEPS;

	__asm__ volatile("1: dec %0\n\tjnz 1b" : "+r"(steps));
}

static void mr(void)
{
	struct ibv_mr *mr = ibv_reg_mr(what.pd, what.memory, what.bytes, IBV_ACCESS_LOCAL_WRITE);

	if (!mr || ibv_dereg_mr(mr))
		die("ibv_reg_mr");
}

static void open_mr(const char *name)
{
	struct ibv_device **devices = ibv_get_device_list(NULL);
	struct ibv_context *context = NULL;

	for (struct ibv_device **d = devices; d && *d; d++)
		if (strcmp(ibv_get_device_name(*d), name) == 0)
			context = ibv_open_device(*d);
	what.pd = context ? ibv_alloc_pd(context) : NULL;
	if (!what.pd)
		die(name);
}

static void vfio(void)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map), .flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)what.memory, .iova = 0x10000000, .size = what.bytes,
	};
	struct vfio_iommu_type1_dma_unmap unmap = { .argsz = sizeof(unmap), .iova = 0x10000000,
						    .size = what.bytes };

	if (ioctl(what.fd, VFIO_IOMMU_MAP_DMA, &map) < 0 ||
	    ioctl(what.fd, VFIO_IOMMU_UNMAP_DMA, &unmap) < 0)
		die("VFIO_IOMMU_MAP_DMA");
}

static void open_vfio(const char *address)
{
	char path[PATH_MAX], link[PATH_MAX];
	ssize_t length;
	int group;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", address);
	length = readlink(path, link, sizeof(link) - 1);
	if (length < 0)
		die(path);
	link[length] = '\0';
	snprintf(path, sizeof(path), "/dev/vfio/%.100s", strrchr(link, '/') + 1);
	group = open(path, O_RDWR);
	what.fd = open("/dev/vfio/vfio", O_RDWR);
	if (group < 0 || what.fd < 0 || ioctl(group, VFIO_GROUP_SET_CONTAINER, &what.fd) < 0 ||
	    ioctl(what.fd, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) < 0)
		die(path);
}

static void uring(void)
{
	const struct iovec vec = { what.memory, what.bytes };

	if (syscall(SYS_io_uring_register, what.fd, IORING_REGISTER_BUFFERS, &vec, 1) < 0 ||
	    syscall(SYS_io_uring_register, what.fd, IORING_UNREGISTER_BUFFERS, NULL, 0) < 0)
		die("io_uring_register");
}

static void open_uring(void)
{
	struct io_uring_params params = {};

	what.fd = syscall(SYS_io_uring_setup, 8, &params);
	if (what.fd < 0)
		die("io_uring_setup");
}

/* A worker lets go of it after the socket is closed. */
static void xdp(void)
{
	const struct xdp_umem_reg umem = { .addr = (uintptr_t)what.memory, .len = what.bytes,
					   .chunk_size = 4096 };
	const int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &umem, sizeof(umem)) < 0)
		die("XDP_UMEM_REG");
	close(fd);
}

static void direct_read(void)
{
	if (pread(what.fd, what.memory, what.bytes, 0) != (ssize_t)what.bytes)
		die("pread");
}

static void fork_exit(void)
{
	const pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		die("fork");
}

/* Nanoseconds of one call, in the best of some rounds. */
static double least(void (*call)(void), unsigned int n)
{
	uint64_t best = UINT64_MAX;

	for (unsigned int round = 0; round < ROUNDS; round++) {
		const uint64_t start = now_ns();
		uint64_t spent;

		for (unsigned int i = 0; i < n; i++)
			call();
		spent = now_ns() - start;
		if (spent < best)
			best = spent;
	}
	return (double)best / n;
}

int main(int argc, char *argv[])
{
	const char *name = argc > 1 ? argv[1] : "";
	void (*call)(void) = NULL;
	unsigned int n = 200;
	double cost, step;

	what.bytes = argc > 2 ? strtoull(argv[argc - 1], NULL, 0) : 0;
	if (strcmp(name, "fork") == 0 && argc == 2) {
		call = fork_exit;
		n = 50;
	} else if (strcmp(name, "read") == 0 && argc == 3) {
		what.bytes = 4096;
		what.fd = open(argv[2], O_RDONLY | O_DIRECT);
		if (what.fd < 0)
			die(argv[2]);
		call = direct_read;
	} else if (strcmp(name, "uring") == 0 && argc == 3) {
		open_uring();
		call = uring;
	} else if (strcmp(name, "xdp") == 0 && argc == 3) {
		call = xdp;
	} else if (strcmp(name, "mr") == 0 && argc == 4) {
		open_mr(argv[2]);
		call = mr;
	} else if (strcmp(name, "vfio") == 0 && argc == 4) {
		open_vfio(argv[2]);
		call = vfio;
	} else {
		fprintf(stderr, "usage: kernel-cost mr DEVICE BYTES | vfio PCI-ADDRESS BYTES | "
				"uring BYTES | xdp BYTES | read FILE | fork\n");
		return 2;
	}
	if (what.bytes > 1 << 20)
		n = 20;
	if (what.bytes > 0)
		what.memory = memory_of(what.bytes);
	call();
	step = least(loop, 10) / (2.0 * LOOP_STEPS);
	cost = least(call, n);
	printf("{\"what\":\"%s\",\"bytes\":%zu,\"ns\":%.0f,\"instructions\":%.0f}\n", name,
	       what.bytes, cost, cost / step);
	return 0;
}
