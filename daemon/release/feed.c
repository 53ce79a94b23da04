/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel and the owners' connections tell the requests, and look-ups. */
#include <string.h>
#include <utlist.h>

#include "daemon/base/clock.h"
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

static void look_again(struct releases *releases, struct release *release)
{
	for (size_t i = 0; i < release->n_asked; i++) {
		struct asked_pin *asked = &release->asked[i];

		if (asked->left && !registry_find(releases->config.registry, asked->id) &&
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

struct release *release_find(struct releases *releases, const char *token)
{
	const uint64_t now = clock_usec(CLOCK_MONOTONIC);
	struct release *release;

	DL_FOREACH(releases->running, release)
		if (strcmp(release->token, token) == 0)
			return release;
	DL_FOREACH(releases->kept, release)
		if (strcmp(release->token, token) == 0 &&
		    now < release->over_usec + RELEASE_KEPT_USEC)
			return release;
	return NULL;
}

struct release *release_find_revoke(struct releases *releases, uint64_t revoke_id)
{
	struct release *release;

	DL_FOREACH(releases->running, release)
		if (release->has_revoke && release->revoke_id == revoke_id)
			return release;
	return NULL;
}

bool release_is_of_quota(const struct release *release, const char *cgroup_path)
{
	return release->reason == RELEASE_QUOTA && strcmp(release->target, cgroup_path) == 0;
}

struct release *releases_next(struct releases *releases, struct release *prev)
{
	return prev ? prev->next : releases->running;
}

size_t releases_n_running(const struct releases *releases)
{
	return releases->n_running;
}

const char *release_token(const struct release *release)
{
	return release->token;
}

enum release_phase release_phase(const struct release *release)
{
	return release->phase;
}

enum release_reason release_reason(const struct release *release)
{
	return release->reason;
}

uint32_t release_uid(const struct release *release)
{
	return release->uid;
}

uint64_t release_pins_left(const struct release *release)
{
	return release->pins_left;
}

void release_owner_process(const struct release_owner *o, struct release_process *ret)
{
	*ret = (struct release_process){
		.pid = o->pid,
		.uid = o->uid,
		.comm = o->comm,
		.comm_len = o->comm_len,
		.cgroup = o->cgroup,
		.pins_left = o->pins_left,
	};
}

const struct release_owner *release_owner_at(const struct release *release, size_t i)
{
	return i < release->n_owners ? &release->owners[i] : NULL;
}
