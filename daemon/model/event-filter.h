/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which events somebody wants to hear of. No I/O; what one may hear of is not asked here. */
#ifndef PINGUARD_MODEL_EVENT_FILTER_H
#define PINGUARD_MODEL_EVENT_FILTER_H

#include "daemon/model/events.h"

/* All that is given must match. */
struct event_filter {
	uint32_t types; /* EVENT_BIT()s */
	/* A path, and all below it; or the name of a unit that is nowhere now. NULL for any. */
	char *cgroup;
	bool is_unit;
	char *shown; /* the same as JSON has it */
	bool has_tgid;
	uint32_t tgid;
};

/* Takes the name over, also where it fails. 0 or -ENOMEM */
int event_filter_set_cgroup(struct event_filter *f, char *cgroup, bool is_unit);
void event_filter_done(struct event_filter *f);

/*
 * A cgroup is that of a pin's owner, the one that is charged, the one whose limit
 * refused, that of a quota or a policy, and that of an owner in a request or a
 * failure; a process likewise, and who asked for memory back. A request that has
 * more owners than an event knows may concern any. Resyncs concern everybody.
 */
bool event_filter_match(const struct event_filter *f, const struct event *event);

#endif
