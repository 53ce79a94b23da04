/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of the failures alone. */
#ifndef PINGUARD_MODEL_FAILURE_INTERNAL_H
#define PINGUARD_MODEL_FAILURE_INTERNAL_H

#include "daemon/model/failure.h"

struct failures {
	void *userdata;
	char boot_id[FAILURE_BOOT_ID_LEN + 1];
	struct failure *all; /* oldest first */
	struct failure *frames; /* by pfn */
	struct failure *queues[FAILURE_STEPS];
	size_t n_steps[FAILURE_STEPS];
	size_t n, n_open, text_bytes;
	uint64_t next_id;
	/* Of the kernel's numbers since the machine's start: those that came, and the last. */
	uint64_t seen, last_kernel_id;
	/* Where others count: who, the last that was told, and how many were not. */
	uint64_t counter, last_number, missed;
};

/* A new entry, idle; it is the frame's where it is of this boot. */
int failures_append(struct failures *failures, const struct failure *template,
		    struct failure **ret);
void failures_drop(struct failures *failures, struct failure *failure);

#endif
