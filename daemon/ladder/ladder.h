/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The door of daemon/ladder: whose ladder is which, as root's files in release.d
 * say, and the steps past asking (run a hook, stop a unit, kill a process).
 *
 * It decides on no step, and knows no request and no owner: it is told of a
 * process by its pidfd, and of a step's end it tells who started it. Nothing
 * here waits: systemd is spoken to over D-Bus, on the event loop. What is read
 * is those files, the cgroup of a process that is acted on, and what else its unit has.
 */
#ifndef PINGUARD_LADDER_DOOR_H
#define PINGUARD_LADDER_DOOR_H

#include "daemon/ladder/action.h"
#include "daemon/ladder/ladders.h"
#include "daemon/ladder/units.h"

#endif
