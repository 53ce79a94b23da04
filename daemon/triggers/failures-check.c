/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether memory that failed is a device's yet, where the kernel does not say it: when pins go. */
#include "daemon/base/base.h"
#include "daemon/kernel/kernel.h"
#include "daemon/triggers/failures-internal.h"
#include "lib/log.h"

#define CHECK_USEC (100 * 1000ULL) /* pins go in storms */

/* 1: it is over */
static int check(struct failing *failing, struct failure *f)
{
	uint64_t ids[FAILURE_HELD_MAX];
	const size_t more = f->n_held_more, n = failing_still_held(failing, f, ids);

	if (n > 0)
		return n == f->n_held ? 0 : failure_set_held(f, ids, n, 0);
	/* There were more than are followed. */
	if (more > 0) {
		f->n_held = f->n_held_more = 0;
		failure_set_step(f, FAILURE_WAITING);
		return 0;
	}
	return failure_set_held(f, NULL, 0, loop_usec(failing->event, CLOCK_REALTIME));
}

static int on_check(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct failing *failing = userdata;
	struct failure *f = NULL;

	failing->check = sd_event_source_disable_unref(failing->check);
	/* Before the list has been read nobody knows. */
	if (failing_kernel_says(failing) || !source_ready(failing->config->source))
		return 0;
	while ((f = failures_next(failing->failures, f))) {
		/* One that is to be looked at, or is, says it afterwards. */
		if (!f->this_boot || !f->pending || f->step == FAILURE_WAITING ||
		    f->step == FAILURE_LOOKING || check(failing, f) <= 0)
			continue;
		failing_drop_work(failing, f);
		failing_tell_done(failing, f);
		failing_changed(failing);
	}
	failing_work(failing);
	return 0;
}

void failing_check_held(struct failing *failing)
{
	int r;

	if (failing->check || failing_kernel_says(failing) || !failures_n_open(failing->failures))
		return;
	r = sd_event_add_time_relative(failing->event, &failing->check, CLOCK_MONOTONIC,
				       CHECK_USEC, 0, on_check, failing);
	if (r < 0)
		log_error_errno(r, "cannot look whether memory that failed is let go: %m");
	else
		(void)sd_event_source_set_description(failing->check, "failures-check");
}

void failing_relisted(struct failing *failing)
{
	struct failure *f = NULL;

	failures_unblock(failing->failures);
	/* Those from before the service's start are asked for again, as a kernel's list has it. */
	while ((f = failures_next(failing->failures, f)))
		if (f->this_boot && f->pending && !f->asked_usec && f->step == FAILURE_IDLE)
			failure_set_step(f, FAILURE_WAITING);
	failing_work(failing);
	failing_check_held(failing);
}
