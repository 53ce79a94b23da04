/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "daemon/model/revoke.h"

struct revokes {
	struct revoke *all;
	revoke_over over;
	void *userdata;
};

int revokes_new(revoke_over over, void *userdata, struct revokes **ret)
{
	struct revokes *revokes = calloc(1, sizeof(*revokes));

	if (!revokes)
		return -ENOMEM;
	revokes->over = over;
	revokes->userdata = userdata;
	*ret = revokes;
	return 0;
}

struct revokes *revokes_free(struct revokes *revokes)
{
	struct revoke *revoke, *next;

	if (!revokes)
		return NULL;
	HASH_ITER(hh, revokes->all, revoke, next) {
		HASH_DEL(revokes->all, revoke);
		free(revoke);
	}
	free(revokes);
	return NULL;
}

void *revokes_userdata(const struct revokes *revokes)
{
	return revokes->userdata;
}

int revokes_add(struct revokes *revokes, const struct revoke_info *info, struct revoke **ret)
{
	struct revoke *revoke = revokes_find(revokes, info->id);

	if (revoke) {
		revoke->listed = true;
		return 0;
	}
	if (revokes_count(revokes) >= REVOKES_MAX)
		return -E2BIG;
	revoke = calloc(1, sizeof(*revoke));
	if (!revoke)
		return -ENOMEM;
	revoke->info = *info;
	revoke->revokes = revokes;
	revoke->listed = true;
	HASH_ADD(hh, revokes->all, info.id, sizeof(revoke->info.id), revoke);
	if (!revoke->hh.tbl) {
		free(revoke);
		return -ENOMEM;
	}
	*ret = revoke;
	return 1;
}

struct revoke *revokes_find(struct revokes *revokes, uint64_t id)
{
	struct revoke *revoke;

	HASH_FIND(hh, revokes->all, &id, sizeof(id), revoke);
	return revoke;
}

void revokes_remove(struct revokes *revokes, struct revoke *revoke)
{
	HASH_DEL(revokes->all, revoke);
	revokes->over(revoke, revokes->userdata);
	free(revoke);
}

void revokes_begin_list(struct revokes *revokes)
{
	struct revoke *revoke;

	for (revoke = revokes->all; revoke; revoke = revoke->hh.next)
		revoke->listed = false;
}

void revokes_end_list(struct revokes *revokes)
{
	struct revoke *revoke, *next;

	HASH_ITER(hh, revokes->all, revoke, next)
		if (!revoke->listed)
			revokes_remove(revokes, revoke);
}

size_t revokes_count(const struct revokes *revokes)
{
	return HASH_COUNT(revokes->all);
}

struct revoke *revokes_next(struct revokes *revokes, struct revoke *prev)
{
	return prev ? prev->hh.next : revokes->all;
}

uint64_t revoke_usec_left(const struct revoke_info *info, uint64_t now_usec)
{
	uint64_t passed;

	/* The removal of a device waits until the last page is free, however long. */
	if (info->reason != PINGUARD_REVOKE_REASON_MEMORY_OFFLINE || !info->timeout_usec)
		return UINT64_MAX;
	if (!info->started_usec || now_usec <= info->started_usec)
		return info->timeout_usec;
	passed = now_usec - info->started_usec;
	return passed < info->timeout_usec ? info->timeout_usec - passed : 0;
}
