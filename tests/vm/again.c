/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pins parts of one piece of memory again and again, with several devices:
 *
 *   again BYTES rdma:NAME|vfio:PCI-ADDRESS...
 *
 * Says "ready". A line of its standard input is one of these, with numbers that begin
 * at 0, and is answered by one line:
 *
 *   pin DEVICE OFFSET BYTES	pinned, or refused ERROR
 *   unpin PIN			unpinned
 *   remap OFFSET BYTES		remapped: other memory at the same addresses
 */
#include <errno.h>
#include <linux/vfio.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <infiniband/verbs.h>

#include "pinners.h"

#define DEVICES_MAX 8
#define PINS_MAX    64
#define IOVA	    0x10000000ULL

struct device {
	struct ibv_pd *pd; /* or */
	int container;
};

struct pin {
	struct device *device;
	struct ibv_mr *mr;
	size_t offset, bytes;
};

static char *memory;
static struct device devices[DEVICES_MAX];
static struct pin pins[PINS_MAX];
static int n_devices, n_pins;

static _Noreturn void die(const char *text)
{
	fprintf(stderr, "again: %s: %s\n", text, strerror(errno));
	exit(1);
}

static int open_device(struct device *device, const char *name)
{
	if (strncmp(name, "rdma:", 5) == 0) {
		device->pd = pinner_open_pd(name + 5);
		return device->pd ? 0 : -1;
	}
	device->container = pinner_open_container(name + 5, NULL);
	return device->container < 0 ? -1 : 0;
}

static int pin(struct pin *pin)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map), .flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)memory + pin->offset, .iova = IOVA + pin->offset,
		.size = pin->bytes,
	};

	if (!pin->device->pd)
		return ioctl(pin->device->container, VFIO_IOMMU_MAP_DMA, &map);
	pin->mr = ibv_reg_mr(pin->device->pd, memory + pin->offset, pin->bytes,
			     IBV_ACCESS_LOCAL_WRITE);
	return pin->mr ? 0 : -1;
}

static int unpin(struct pin *pin)
{
	struct vfio_iommu_type1_dma_unmap unmap = { .argsz = sizeof(unmap),
						    .iova = IOVA + pin->offset,
						    .size = pin->bytes };

	if (!pin->device->pd)
		return ioctl(pin->device->container, VFIO_IOMMU_UNMAP_DMA, &unmap);
	errno = ibv_dereg_mr(pin->mr);
	return errno ? -1 : 0;
}

static void remap(size_t offset, size_t bytes)
{
	if (mmap(memory + offset, bytes, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		die("mmap");
	memset(memory + offset, 2, bytes);
	puts("remapped");
}

static void obey(const char *line)
{
	size_t offset, bytes;
	int n;

	if (sscanf(line, "pin %d %zi %zi", &n, &offset, &bytes) == 3 && n >= 0 && n < n_devices &&
	    n_pins < PINS_MAX) {
		pins[n_pins] = (struct pin){ &devices[n], NULL, offset, bytes };
		if (pin(&pins[n_pins]) < 0) {
			printf("refused %s\n", strerrorname_np(errno));
			return;
		}
		n_pins++;
		puts("pinned");
	} else if (sscanf(line, "unpin %d", &n) == 1 && n >= 0 && n < n_pins) {
		if (unpin(&pins[n]) < 0)
			die("unpin");
		puts("unpinned");
	} else if (sscanf(line, "remap %zi %zi", &offset, &bytes) == 2) {
		remap(offset, bytes);
	} else {
		puts("what?");
	}
}

int main(int argc, char *argv[])
{
	const size_t bytes = argc > 1 ? strtoul(argv[1], NULL, 0) : 0;
	char line[128];

	if (!bytes || argc - 2 > DEVICES_MAX) {
		fputs("usage: again BYTES rdma:NAME|vfio:PCI-ADDRESS...\n", stderr);
		return 2;
	}
	for (; n_devices < argc - 2; n_devices++) {
		const char *name = argv[n_devices + 2];

		if ((strncmp(name, "rdma:", 5) != 0 && strncmp(name, "vfio:", 5) != 0) ||
		    open_device(&devices[n_devices], name) < 0)
			die(name);
	}
	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		die("mmap");
	memset(memory, 1, bytes);
	setlinebuf(stdout);
	puts("ready");
	while (fgets(line, sizeof(line), stdin))
		obey(line);
	return 0;
}
