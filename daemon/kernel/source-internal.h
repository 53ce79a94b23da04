/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests, which stand in for the kernel. */
#ifndef PINGUARD_KERNEL_SOURCE_INTERNAL_H
#define PINGUARD_KERNEL_SOURCE_INTERNAL_H

#include "daemon/kernel/source.h"

struct source {
	struct genl *genl; /* NULL: the kernel does not tell */
	struct probe *probe; /* one of these three; or it tries yet, and meanwhile */
	struct observe *observe; /* takes its place */
	char *reason; /* why the kernel does not tell */
	char *observe_reason; /* the same, and why it is observed; NULL where that is the same */
	/* For a probe that fails. */
	sd_event *event;
	struct source_config config;
};

#endif
