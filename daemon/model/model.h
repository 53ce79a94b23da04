/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The door of daemon/model: what is known of pins, cgroups, events, places,
 * revokes and failures, how that is shown as JSON, and what follows from it in a
 * release. Plain data and decisions: no I/O, no clock, no loop; who feeds it says
 * what time it is.
 */
#ifndef PINGUARD_MODEL_DOOR_H
#define PINGUARD_MODEL_DOOR_H

#include "daemon/model/event-filter.h"
#include "daemon/model/events.h"
#include "daemon/model/explain.h"
#include "daemon/model/failure.h"
#include "daemon/model/origin.h"
#include "daemon/model/pin.h"
#include "daemon/model/place.h"
#include "daemon/model/policy.h"
#include "daemon/model/registry.h"
#include "daemon/model/render.h"
#include "daemon/model/revoke.h"
#include "daemon/model/sums.h"

#endif
