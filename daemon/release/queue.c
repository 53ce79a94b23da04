/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Steps past asking: so many are under way, others wait for their turn. */
#include <utlist.h>

#include "daemon/base/base.h"
#include "daemon/release/internal.h"
#include "lib/log.h"

bool release_owner_queue(struct release_owner *o)
{
	struct releases *releases = o->release->releases;

	if (releases->n_actions < RELEASE_ACTIONS_MAX || o->action)
		return false;
	DL_APPEND2(releases->queue, o, queue_prev, queue_next);
	o->queued = true;
	return true;
}

void release_owner_drop_action(struct release_owner *o)
{
	struct releases *releases = o->release->releases;

	if (o->queued)
		DL_DELETE2(releases->queue, o, queue_prev, queue_next);
	o->queued = false;
	if (!o->action)
		return;
	o->action = action_free(o->action);
	releases->n_actions--;
}

static int on_queue(sd_event_source *source, void *userdata)
{
	struct releases *releases = userdata;

	while (releases->queue && releases->n_actions < RELEASE_ACTIONS_MAX) {
		struct release_owner *o = releases->queue;

		DL_DELETE2(releases->queue, o, queue_prev, queue_next);
		o->queued = false;
		releases->take_up(o);
	}
	return 0;
}

void releases_run_queue(struct releases *releases)
{
	int r = releases->queue ? turn_schedule(releases->event, &releases->queue_turn, on_queue,
						releases, "release-queue") : 0;

	if (r < 0)
		log_error_errno(r, "cannot take up the steps that wait: %m");
}
