/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "daemon/triggers/internal.h"

int triggers_new(sd_event *event, const struct triggers_config *config, struct triggers **ret)
{
	_cleanup_(triggers_freep) struct triggers *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return -ENOMEM;
	t->config = *config;
	r = revoking_new(event, &t->config, &t->revoking);
	if (r >= 0)
		r = failing_new(event, &t->config, &t->failing);
	if (r >= 0)
		r = excess_new(event, &t->config, &t->excess);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(t);
	return 0;
}

struct triggers *triggers_free(struct triggers *t)
{
	if (!t)
		return NULL;
	excess_free(t->excess);
	failing_free(t->failing);
	revoking_free(t->revoking);
	free(t);
	return NULL;
}

int triggers_event(struct triggers *t, const struct pin_event *e)
{
	return e->type >= PIN_EVENT_FAILURE ? failing_event(t->failing, e) :
					      revoking_event(t->revoking, e);
}

void triggers_pinned(struct triggers *t, const struct pin_info *pin)
{
	excess_pinned(t->excess, pin, true);
}

void triggers_unpinned(struct triggers *t, const struct pin_info *pin)
{
	excess_pinned(t->excess, pin, false);
	failing_unpinned(t->failing);
}

int triggers_resynced(struct triggers *t)
{
	int r;

	excess_resynced(t->excess);
	r = revoking_list(t->revoking);
	return r < 0 ? r : failing_list(t->failing);
}

void triggers_release_over(struct triggers *t, const struct release *release)
{
	failing_release_over(t->failing, release);
	excess_release_over(t->excess);
}

void triggers_quota_set(struct triggers *t, const char *path, uint32_t uid)
{
	excess_quota_set(t->excess, path, uid);
}

void triggers_quotas_declared(struct triggers *t)
{
	excess_resynced(t->excess);
}

void triggers_quotas_raised(struct triggers *t)
{
	excess_raised(t->excess);
}

size_t triggers_n_revokes(const struct triggers *t)
{
	return revoking_count(t->revoking);
}

size_t triggers_n_removals(const struct triggers *t)
{
	return revoking_count_removals(t->revoking);
}

struct failures *triggers_failures(const struct triggers *t)
{
	return failing_failures(t->failing);
}
