/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who holds on to a request, and who is told of its changes. */
#include <utlist.h>

#include "daemon/release/internal.h"
#include "lib/clock.h"
#include "lib/log.h"

struct release *release_ref(struct release *release)
{
	release->n_ref++;
	return release;
}

struct release *release_unref(struct release *release)
{
	if (!release || --release->n_ref > 0)
		return NULL;
	for (size_t i = 0; i < release->n_owners; i++)
		release_owner_done(&release->owners[i]);
	sd_event_source_disable_unref(release->deadline);
	sd_event_source_disable_unref(release->notify);
	sd_event_unref(release->event);
	ladders_free(release->ladders);
	release_drop_failures(release);
	json_decref(release->shown);
	free(release->asked);
	free(release->order);
	free(release->owners);
	free(release->target);
	free(release->selected);
	free(release);
	return NULL;
}

static int on_notify(sd_event_source *source, uint64_t usec, void *userdata)
{
	_cleanup_(release_unrefp) struct release *release = release_ref(userdata);
	struct release_watch *watch, *next;

	release->notify = sd_event_source_disable_unref(release->notify);
	release->notified_usec = clock_usec(CLOCK_MONOTONIC);
	DL_FOREACH_SAFE(release->watches, watch, next)
		watch->changed(release, watch->userdata);
	return 0;
}

void release_changed(struct release *release)
{
	/* The end is told at once. */
	uint64_t usec = release->phase == RELEASE_RUNNING ?
				release->notified_usec + RELEASE_PAUSE_USEC : 0;
	int r;

	json_decref(release->shown);
	release->shown = NULL;
	if (!release->watches)
		return;
	if (release->notify) {
		r = usec == 0 ? sd_event_source_set_time(release->notify, 0) : 0;
	} else {
		r = sd_event_add_time(release->event, &release->notify, CLOCK_MONOTONIC, usec,
				      RELEASE_ACCURACY_USEC, on_notify, release);
		if (r >= 0)
			(void)sd_event_source_set_description(release->notify, "release-notify");
	}
	if (r < 0)
		log_error_errno(r, "cannot tell of a change of a release: %m");
}

void release_watch_add(struct release *release, struct release_watch *watch)
{
	DL_APPEND(release->watches, watch);
	if (release->phase != RELEASE_RUNNING)
		release_changed(release);
}

void release_watch_remove(struct release *release, struct release_watch *watch)
{
	DL_DELETE(release->watches, watch);
}
