/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much may run at a time, of everybody and of users. */
#include <errno.h>
#include <utlist.h>

#include "daemon/release/internal.h"

int releases_admit(struct releases *releases, uid_t uid, uint64_t now_usec)
{
	return callers_admit(releases->callers, uid, now_usec);
}

int releases_check_limits(struct releases *releases, const struct release_config *config)
{
	struct release *release;
	unsigned int n = 0;

	if (config->timeout_usec != RELEASE_TIMEOUT_LADDER &&
	    config->timeout_usec > RELEASE_TIMEOUT_MAX_USEC)
		return -ERANGE;
	if (config->has_revoke || config->dry_run)
		return 0;
	DL_FOREACH(releases->running, release)
		n += release->uid == config->uid && !release->admin;
	if (!config->admin && n >= RELEASES_UID_MAX)
		return -EUSERS;
	if (!config->admin && releases->n_user_running >= RELEASES_MAX / 2)
		return -EBUSY;
	return releases->n_running >= RELEASES_MAX ? -EBUSY : 0;
}

void releases_count(struct releases *releases, const struct release *release)
{
	releases->n_running++;
	releases->n_pins += release->n_asked;
	releases->n_owners += release->n_owners;
	if (release->admin)
		return;
	releases->n_user_running++;
	releases->n_user_pins += release->n_asked;
	releases->n_user_owners += release->n_owners;
}

void releases_uncount(struct releases *releases, const struct release *release)
{
	releases->n_running--;
	releases->n_pins -= release->n_asked;
	releases->n_owners -= release->n_owners;
	if (release->admin)
		return;
	releases->n_user_running--;
	releases->n_user_pins -= release->n_asked;
	releases->n_user_owners -= release->n_owners;
}

size_t release_room(const struct release *release, size_t max, size_t n, size_t n_user)
{
	const size_t room = max - n;

	return release->admin ? room : MIN(room, max / 2 - n_user);
}
