/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Has the programs keep limits that are written into their map, for each kind of pins. */
#ifndef PINGUARD_PROBE_LIMITS_H
#define PINGUARD_PROBE_LIMITS_H

#include "lib/probe-layout.h"

struct loader;

/* Each kind says then what keeps its limits, or why nothing does. 0 or a negative errno */
int limits_apply(struct loader *l, enum probe_wish wish);

#endif
