/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each source of pins calls back with. */
#ifndef PINGUARD_KERNEL_LISTENER_H
#define PINGUARD_KERNEL_LISTENER_H

#include "daemon/model/model.h"

/*
 * A list: begin, each pin, end. Events come between lists alone. All return 0
 * or a negative errno; one that is none of those named ends the service.
 */
struct source_listener {
	int (*begin)(void *userdata);
	int (*pin)(const struct pin_info *pin, void *userdata);
	int (*end)(uint64_t seq, void *userdata);
	/* -EILSEQ: events before this one are missing */
	int (*event)(const struct pin_event *event, void *userdata);
};

#endif
