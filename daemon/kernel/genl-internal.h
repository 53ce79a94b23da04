/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of the kernel's family alone. */
#ifndef PINGUARD_KERNEL_GENL_INTERNAL_H
#define PINGUARD_KERNEL_GENL_INTERNAL_H

#include <stdbool.h>

#include "daemon/kernel/genl.h"
#include "daemon/kernel/nlio.h"

struct genl {
	sd_event *event;
	const struct source_listener *listener;
	void *userdata;
	int family;
	uint64_t features;
	enum genl_state state;
	struct nl_sock *request, *events, *dump;
	sd_event_source *events_source, *dump_source, *backoff_source;
	bool dump_started, dump_interrupted;
	uint64_t dump_seq;
	uint64_t backoff_usec, synced_usec;
	unsigned int n_resyncs;
	/* Events that come while a dump is under way. */
	struct pin_event *queue;
	size_t n_queue, queue_size;
	/* What the kernel said when it refused the last request; "" for nothing. */
	char refusal[128];
};

#endif
