/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a request ends, and how long it is remembered. */
#include <utlist.h>

#include "daemon/release/internal.h"
#include "lib/clock.h"

void release_detach(struct release *release)
{
	struct releases *releases = release->releases;

	for (size_t i = 0; i < release->n_owners; i++) {
		struct release_owner *o = &release->owners[i];

		release_owner_drop_action(o);
		release_owner_drop_look(o);
		completions_settle(o);
		if (o->token[0])
			HASH_DEL(releases->tokens, o);
		o->token[0] = '\0';
		o->owner = NULL;
		o->exit = sd_event_source_disable_unref(o->exit);
		o->timer = sd_event_source_disable_unref(o->timer);
	}
	release->deadline = sd_event_source_disable_unref(release->deadline);
	release->releases = NULL;
	release_unref(release);
}

static void evict(struct releases *releases, struct release *release)
{
	DL_DELETE(releases->kept, release);
	releases->n_kept--;
	releases->n_kept_owners -= release->n_owners;
	release_detach(release);
}

static void forget_old(struct releases *releases, uint64_t now_usec)
{
	while (releases->kept && (releases->n_kept > RELEASES_KEPT_MAX ||
				  releases->n_kept_owners > RELEASES_OWNERS_MAX ||
				  releases->kept->over_usec + RELEASE_KEPT_USEC <= now_usec))
		evict(releases, releases->kept);
}

/* Tells an owner that has not answered; what it did not do in time is a lapse. */
static void withdraw(struct release_owner *o)
{
	if (o->release->phase == RELEASE_TIMED_OUT && o->state < OWNER_REFUSED) {
		o->owner->lapsed++;
		release_tell_lapse(o);
	}
	release_owner_send_withdrawn(o);
}

/* What remains to be said and dropped. */
static void close_owner(struct release_owner *o)
{
	o->timer = sd_event_source_disable_unref(o->timer);
	o->exit = sd_event_source_disable_unref(o->exit);
	/* A hook that has done its work may come to its end. */
	if (o->pins_left)
		release_owner_drop_action(o);
	release_owner_drop_look(o);
	closep(&o->heir_fd);
	o->heir_fd = -1;
	closep(&o->pidfd);
	o->pidfd = -1;
	completions_settle(o);
	if (!o->owner || !o->token[0])
		return;
	if (o->pins_left && o->answer != ANSWER_REFUSED)
		withdraw(o);
	o->owner->open_requests--;
}

void release_finish(struct release *release, enum release_phase phase)
{
	struct releases *releases = release->releases;

	if (release->phase != RELEASE_RUNNING)
		return;
	release->phase = phase;
	release->over_usec = clock_usec(CLOCK_MONOTONIC);
	release->deadline = sd_event_source_disable_unref(release->deadline);
	release_drop_failures(release);
	for (size_t i = 0; i < release->n_owners; i++)
		close_owner(&release->owners[i]);
	free(TAKE_PTR(release->asked));
	free(TAKE_PTR(release->order));
	releases_uncount(releases, release);
	release->n_asked = 0;
	DL_DELETE(releases->running, release);
	DL_APPEND(releases->kept, release);
	releases->n_kept++;
	releases->n_kept_owners += release->n_owners;
	release_tell_over(release);
	release_changed(release);
	forget_old(releases, release->over_usec);
	releases_run_queue(releases);
}

void release_check(struct release *release)
{
	if (release->n_holding == 0)
		release_finish(release, RELEASE_DONE);
	else if (release->n_holding == release->n_settled)
		release_finish(release, RELEASE_REFUSED);
}

/* Some did not answer, or all that is left was refused. */
static enum release_phase failure(const struct release *release)
{
	for (size_t i = 0; i < release->n_owners; i++)
		if (release->owners[i].pins_left && release->owners[i].answer != ANSWER_REFUSED)
			return RELEASE_TIMED_OUT;
	return RELEASE_REFUSED;
}

void release_run_out(struct release *release)
{
	release_finish(release, failure(release));
}

void release_cancel(struct release *release)
{
	if (release->releases)
		release_finish(release, RELEASE_CANCELLED);
}
