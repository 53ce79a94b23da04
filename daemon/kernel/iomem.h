/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/iomem and /proc/kpageflags, through files that somebody else opened. */
#ifndef PINGUARD_KERNEL_IOMEM_H
#define PINGUARD_KERNEL_IOMEM_H

#include <stdbool.h>
#include <stdint.h>

#define IOMEM_NAME_MAX	 40
#define IOMEM_BYTES_MAX	 (1U << 20)

/* What is at an address: the outermost entry and the innermost; "" for nothing. */
struct iomem {
	char outer[IOMEM_NAME_MAX]; /* printable ASCII, cut where too long */
	char inner[IOMEM_NAME_MAX];
	uint64_t last; /* byte of any memory, 0 for none */
};

/* 0, or -ENODATA where the file tells no addresses to whoever opened it. */
int iomem_parse(const char *text, uint64_t phys, struct iomem *ret);
/* Reads it from its beginning; -EBADF for -1. */
int iomem_read(int fd, uint64_t phys, struct iomem *ret);

/* KPF_* bits of a page frame; -ENODATA beyond the last one. */
int kpageflags_read(int fd, uint64_t pfn, uint64_t *ret);

#endif
