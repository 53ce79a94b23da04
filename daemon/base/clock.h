/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Time in microseconds, of this very moment or of this turn of the loop. */
#ifndef PINGUARD_CLOCK_H
#define PINGUARD_CLOCK_H

#include <stdint.h>
#include <systemd/sd-event.h>
#include <time.h>

uint64_t clock_usec(clockid_t clock);
/* The same for all handlers of one turn; CLOCK_MONOTONIC or CLOCK_REALTIME. */
uint64_t loop_usec(sd_event *event, clockid_t clock);

#endif
