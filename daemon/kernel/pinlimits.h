/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Limits that pinners bring themselves: parameters of modules, below /sys. */
#ifndef PINGUARD_KERNEL_PINLIMITS_H
#define PINGUARD_KERNEL_PINLIMITS_H

#include <stdint.h>

#define PINLIMITS_DMA_ENTRIES "module/vfio_iommu_type1/parameters/dma_entry_limit"
#define PINLIMITS_UDMABUF_MB  "module/udmabuf/parameters/size_limit_mb"

/* The text of one; -ENODATA for what is no number. */
int pinlimits_parse(const char *text, uint64_t *ret);
/* sys: "/sys". -ENOENT where there is no such module */
int pinlimits_read(const char *sys, const char *name, uint64_t *ret);

#endif
