/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_BASE_TURN_H
#define PINGUARD_BASE_TURN_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>
#include <time.h>

/**
 * loop_usec() - the time of this turn of the loop, the same for all its handlers
 * @clock: CLOCK_MONOTONIC or CLOCK_REALTIME
 */
uint64_t loop_usec(sd_event *event, clockid_t clock);

/**
 * turn_is_long() - whether a turn has taken what one may, whatever its bound by number
 * @start_usec: of CLOCK_MONOTONIC, at its start
 *
 * For work whose parts may each be made slow by somebody else.
 */
bool turn_is_long(uint64_t start_usec);

/**
 * turn_schedule() - have a handler called once, after all that waits now
 * @source: of the turn, NULL at first; the caller drops it with
 *	sd_event_source_disable_unref(), from within the handler too
 * @description: of the source
 *
 * Long work is done in turns, so that the loop comes by everybody else in
 * between. A turn that waits already keeps its place in line.
 *
 * Return: 0 or a negative errno
 */
int turn_schedule(sd_event *event, sd_event_source **source, sd_event_handler_t handler,
		  void *userdata, const char *description);

#endif
