/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Look-ups, and what others may know of a request. */
#include <string.h>
#include <utlist.h>

#include "daemon/release/internal.h"
#include "lib/clock.h"

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

size_t releases_n_reason(const struct releases *releases, enum release_reason reason)
{
	const struct release *release;
	size_t n = 0;

	DL_FOREACH(releases->running, release)
		n += release->reason == reason;
	return n;
}
