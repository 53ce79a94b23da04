/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/base/turn.h"
#include "lib/clock.h"

#define TURN_USEC 10000

uint64_t loop_usec(sd_event *event, clockid_t clock)
{
	uint64_t now = 0;

	/* Fails for clocks that the loop does not know, and in a child of it alone. */
	(void)sd_event_now(event, clock, &now);
	return now;
}

bool turn_is_long(uint64_t start_usec)
{
	return clock_usec(CLOCK_MONOTONIC) - start_usec >= TURN_USEC;
}

int turn_schedule(sd_event *event, sd_event_source **source, sd_event_handler_t handler,
		  void *userdata, const char *description)
{
	sd_event_source *fresh = NULL;
	int r;

	if (*source && sd_event_source_get_enabled(*source, NULL) > 0)
		return 0;
	/*
	 * A deferred source keeps the place in line that it got when it was
	 * made, before all that came later: enabled again, it would starve them.
	 */
	r = sd_event_add_defer(event, &fresh, handler, userdata);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(fresh, description);
	sd_event_source_disable_unref(*source);
	*source = fresh;
	return 0;
}
