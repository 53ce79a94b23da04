/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "daemon/kernel/probe-failures.h"

#define PFN_MAX (UINT64_MAX >> 12) /* of the smallest pages that there are */

static bool is_read(const struct probe_failures *f, const struct probe_maps *m)
{
	return (long)(probe_maps_consumed(m) - f->due_at) >= 0;
}

void probe_failures_note(struct probe_failures *f, const struct probe_maps *m)
{
	if (f->due > f->told)
		return;
	/* In this order: what is pinned before a failure is in the ring before it. */
	f->due = probe_maps_failures(m);
	f->due_at = probe_maps_written(m);
}

static uint32_t checked_result(uint32_t result)
{
	return result >= PINGUARD_FAILURE_RESULT_IGNORED &&
			       result <= PINGUARD_FAILURE_RESULT_RECOVERED ?
		       result : PINGUARD_FAILURE_RESULT_FAILED;
}

static int tell(const struct probe_failure *failure, uint64_t made_nsec, uint64_t boot_usec,
		const struct source_listener *listener, void *userdata)
{
	struct pin_event event = {
		.type = PIN_EVENT_FAILURE,
		.failure = {
			.id = failure->since_nsec,
			.pfn = failure->pfn,
			.started_usec = boot_usec + failure->since_nsec / 1000,
			.kind = PINGUARD_FAILURE_KIND_UNCORRECTED,
			.result = checked_result(failure->result),
			.counter = made_nsec,
			.number = failure->id,
		},
	};

	memcpy(event.failure.action, failure->action,
	       MIN(sizeof(failure->action), sizeof(event.failure.action) - 1));
	return failure->pfn > PFN_MAX ? 0 : listener->event(&event, userdata);
}

int probe_failures_tell(struct probe_failures *f, const struct probe_maps *m, uint64_t boot_usec,
			const struct source_listener *listener, void *userdata)
{
	const uint64_t all = probe_maps_failures(m);
	struct probe_failure failure;
	int r;

	if (!is_read(f, m))
		return 0;
	/* Those that others have replaced are missed: their numbers say so. */
	if (all > PROBE_FAILURES_MAX)
		f->told = MAX(f->told, all - PROBE_FAILURES_MAX);
	while (f->told < f->due) {
		r = probe_maps_failure(m, f->told + 1, &failure);
		if (r > 0)
			r = tell(&failure, probe_maps_made_nsec(m), boot_usec, listener, userdata);
		else if (r == 0)
			return 0; /* one is being written; it is looked at again */
		if (r < 0 && r != -ESTALE)
			return r;
		f->told++;
	}
	return 0;
}
