/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests, which stand in for the kernel. */
#ifndef PINGUARD_KERNEL_SOURCE_INTERNAL_H
#define PINGUARD_KERNEL_SOURCE_INTERNAL_H

#include "daemon/kernel/source.h"

struct source {
	struct genl *genl; /* NULL: observing */
	struct observe *observe; /* NULL with genl */
	char *reason; /* why it is observed */
};

#endif
