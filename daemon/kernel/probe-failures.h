/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Failures of memory from the maps of the eBPF programs: told as alerts, in their order,
 * when the pins are known that were there before. A source that starts tells all that
 * the maps have; who remembers knows by the numbers which those are.
 */
#ifndef PINGUARD_KERNEL_PROBE_FAILURES_H
#define PINGUARD_KERNEL_PROBE_FAILURES_H

#include "daemon/kernel/listener.h"
#include "daemon/kernel/probe-maps.h"

struct probe_failures {
	uint64_t told; /* so many */
	uint64_t due; /* so many are told once the ring has been read up to there */
	unsigned long due_at;
};

/* What has come by now is due, where nothing is yet: before the ring is read. */
void probe_failures_note(struct probe_failures *f, const struct probe_maps *m);
/*
 * After the ring was read. boot_usec: as probe_pin_info(). 0 or an error of the listener,
 * which may be called up to PROBE_FAILURES_MAX times.
 */
int probe_failures_tell(struct probe_failures *f, const struct probe_maps *m, uint64_t boot_usec,
			const struct source_listener *listener, void *userdata);

#endif
