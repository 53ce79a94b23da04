/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A VFIO owner for the guest's tests: puts the group of a device that is bound
 * to vfio-pci into a type1 container, maps memory, or what a file maps, for
 * DMA, says so, and keeps it until its standard input ends. With --race the size is
 * a page where it is looked at first, and the whole where the kernel takes it.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "pinners.h"

static int fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	return 1;
}

static void *map_memory(const char *file, size_t bytes)
{
	int fd;

	if (!file)
		return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	fd = open(file, O_RDWR | O_CLOEXEC);
	return fd < 0 ? MAP_FAILED : mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

#define PAGE 4096

static struct vfio_iommu_type1_dma_map map = {
	.argsz = sizeof(map),
	.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
	.iova = 0x10000000,
};
static volatile bool racing;

static void *change_size(void *whole)
{
	while (racing) {
		*(volatile __u64 *)&map.size = PAGE;
		*(volatile __u64 *)&map.size = (uintptr_t)whole;
	}
	return NULL;
}

static void unmap(int container, __u64 iova)
{
	struct vfio_iommu_type1_dma_unmap what = {
		.argsz = sizeof(what), .iova = iova, .size = PAGE,
	};

	(void)ioctl(container, VFIO_IOMMU_UNMAP_DMA, &what);
}

/* Whether more than a page was mapped: then the next one is in use, or too much. */
static bool is_whole(int container)
{
	struct vfio_iommu_type1_dma_map next = map;

	next.iova += PAGE;
	next.vaddr += PAGE;
	next.size = PAGE;
	if (ioctl(container, VFIO_IOMMU_MAP_DMA, &next) < 0)
		return true;
	unmap(container, next.iova);
	return false;
}

static int race(int container)
{
	const size_t whole = map.size;
	pthread_t thread;

	racing = true;
	errno = pthread_create(&thread, NULL, change_size, (void *)whole);
	if (errno)
		return -1;
	for (;;) {
		if (ioctl(container, VFIO_IOMMU_MAP_DMA, &map) < 0)
			continue;
		if (is_whole(container))
			break;
		unmap(container, map.iova);
	}
	racing = false;
	pthread_join(thread, NULL);
	map.size = whole;
	return 0;
}

int main(int argc, char *argv[])
{
	const bool races = argc > 1 && strcmp(argv[1], "--race") == 0;
	int container;
	void *memory;
	char byte;

	argc -= races;
	argv += races;
	if (argc != 3 && argc != 4) {
		fprintf(stderr, "usage: vfio-map [--race] PCI-ADDRESS BYTES [FILE]\n");
		return 2;
	}
	map.size = strtoull(argv[2], NULL, 0);
	container = pinner_open_container(argv[1], NULL);
	if (container < 0)
		return fail(argv[1]);

	memory = map_memory(argv[3], map.size);
	if (memory == MAP_FAILED)
		return fail("mmap");
	map.vaddr = (uintptr_t)memory;
	if ((races ? race(container) : ioctl(container, VFIO_IOMMU_MAP_DMA, &map)) < 0) {
		printf("refused: %s\n", strerrorname_np(errno));
		return 1;
	}
	printf("mapped %llu at %p\n", (unsigned long long)map.size, memory);
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}
