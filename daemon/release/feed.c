/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel and the owners' connections tell the requests. */
#include <utlist.h>

#include "daemon/release/internal.h"

/*
 * What ends here while all that run are gone through is the one at hand at
 * most: others' steps are taken up in a turn of their own.
 */

void releases_unpinned(struct releases *releases, uint64_t pin_id)
{
	struct release *release, *next;

	DL_FOREACH_SAFE(releases->running, release, next) {
		struct asked_pin *asked = release_asked(release, pin_id);

		if (!asked || !release_drop_pin(release, asked))
			continue;
		release_changed(release);
		release_owner_unpinned(&release->owners[asked->owner]);
		release_check(release);
	}
}

void releases_pin_changed(struct releases *releases, uint64_t pin_id)
{
	const struct pin *pin = registry_find(releases->config.registry, pin_id);
	struct release *release;

	if (!pin)
		return;
	/* An address space that is empty: the kernel keeps it for what comes next. */
	if (!pin->bytes) {
		releases_unpinned(releases, pin_id);
		return;
	}
	DL_FOREACH(releases->running, release) {
		struct asked_pin *asked = release_asked(release, pin_id);

		if (!asked || !asked->left || asked->bytes == pin->bytes)
			continue;
		release->owners[asked->owner].bytes_left += pin->bytes - asked->bytes;
		release->bytes_left += pin->bytes - asked->bytes;
		asked->bytes = pin->bytes;
		release_changed(release);
	}
}

static bool holds_memory(const struct releases *releases, uint64_t pin_id)
{
	const struct pin *pin = registry_find(releases->config.registry, pin_id);

	return pin && pin->bytes > 0;
}

static void look_again(struct releases *releases, struct release *release)
{
	for (size_t i = 0; i < release->n_asked; i++) {
		struct asked_pin *asked = &release->asked[i];

		if (asked->left && !holds_memory(releases, asked->id) &&
		    release_drop_pin(release, asked))
			release_changed(release);
	}
	for (size_t i = 0; i < release->n_owners; i++) {
		release_owner_unpinned(&release->owners[i]);
		release_owner_decide(&release->owners[i]);
	}
	release_check(release);
}

void releases_resynced(struct releases *releases)
{
	struct release *release, *next;

	DL_FOREACH_SAFE(releases->running, release, next)
		look_again(releases, release);
}

void releases_owner_registered(struct releases *releases, struct owner *owner)
{
	struct release *release, *next;

	DL_FOREACH_SAFE(releases->running, release, next) {
		struct release_owner *o = release_owner_by_pid(release, owner->pid);

		if (o)
			release_owner_came(o, owner);
	}
}

static bool forget(struct release *release, const struct owner *owner)
{
	struct release_owner *o = release_owner_by_pid(release, owner->pid);

	return o && o->owner == owner && release_owner_forget(o);
}

void releases_owner_left(struct releases *releases, struct owner *owner)
{
	struct release *release, *next;
	bool any = false;

	/* It is freed after this: nobody may have it when anything is decided. */
	DL_FOREACH(releases->kept, release)
		forget(release, owner);
	DL_FOREACH(releases->running, release)
		any = forget(release, owner) || any;
	if (!any)
		return;
	DL_FOREACH_SAFE(releases->running, release, next) {
		struct release_owner *o = release_owner_by_pid(release, owner->pid);

		if (o)
			release_owner_left(o);
	}
}

void releases_revoke_done(struct releases *releases, uint64_t revoke_id, uint32_t outcome)
{
	struct release *release = release_find_revoke(releases, revoke_id);

	if (!release)
		return;
	if (outcome == PINGUARD_REVOKE_OUTCOME_DONE)
		release_finish(release, RELEASE_DONE);
	else if (outcome == PINGUARD_REVOKE_OUTCOME_BUSY)
		release_run_out(release);
	else
		release_finish(release, RELEASE_CANCELLED);
}
