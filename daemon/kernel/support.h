/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What works here and what does not, in words. Decisions without I/O. */
#ifndef PINGUARD_KERNEL_SUPPORT_H
#define PINGUARD_KERNEL_SUPPORT_H

#include <stdbool.h>
#include <stdint.h>

struct support {
	bool ready; /* the registry is what the kernel says */
	const char *no_patches; /* why the kernel does not tell; NULL where it does */
	const char *fs_reason; /* why there is no cgroup2; NULL where there is */
	bool misc_listed; /* cgroup2 has the misc controller */
	bool misc; /* and it counts pinned memory, or eBPF programs do */
	/* Where it is only observed: why, and what is not seen even so. */
	const char *observe_caveats;
	/* Where eBPF watches: pins that were too many for it. */
	uint64_t unlisted;
	uint64_t ungrouped; /* pins that no limit counts */
	const char *no_limits; /* why none is kept, though it is wished; NULL for no reason */
};

/* Why no quota can be set; NULL where they can. A string of support's, or a constant. */
const char *support_no_quotas(const struct support *s);
/* What is to be known of the pins that are shown; NULL for nothing. Likewise. */
const char *support_reason(const struct support *s);
/* The line that systemctl status shows; the caller frees it, NULL when out of memory. */
char *support_status_line(const struct support *s, uint64_t pins, uint64_t bytes,
			  unsigned int quotas);

#endif
