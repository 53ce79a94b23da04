/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/base/clock.h"

uint64_t clock_usec(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000ULL + ts.tv_nsec / 1000;
}

uint64_t loop_usec(sd_event *event, clockid_t clock)
{
	uint64_t now = 0;

	/* Fails for clocks that the loop does not know, and in a child of it alone. */
	(void)sd_event_now(event, clock, &now);
	return now;
}
