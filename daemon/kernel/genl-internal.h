/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of the kernel's family alone. */
#ifndef PINGUARD_KERNEL_GENL_INTERNAL_H
#define PINGUARD_KERNEL_GENL_INTERNAL_H

#include <stdbool.h>

#include "daemon/kernel/genl.h"
#include "daemon/kernel/nlio.h"

struct event_queue {
	struct pin_event *events;
	size_t n, size;
};

struct genl {
	sd_event *event;
	const struct source_listener *listener;
	void *userdata;
	int family;
	uint64_t features;
	enum genl_state state;
	struct nl_sock *request, *events, *alerts, *dump;
	sd_event_source *events_source, *alerts_source, *dump_source, *backoff_source;
	bool dump_started, dump_interrupted;
	uint64_t dump_seq;
	uint64_t backoff_usec, synced_usec;
	unsigned int n_resyncs;
	uint64_t seq; /* of the last event that the listener has */
	/* Events that come while a dump is under way, and alerts that are to come after some. */
	struct event_queue queue, waiting;
	/* What the kernel said when it refused the last request; "" for nothing. */
	char refusal[128];
};

#endif
