/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/clock.h"

uint64_t clock_usec(clockid_t clock)
{
	struct timespec ts;

	/* fails for clocks alone that the kernel does not have */
	(void)clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}
