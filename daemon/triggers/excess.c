/* SPDX-License-Identifier: GPL-2.0-or-later */
/* More is pinned than a quota says: who pins it is asked to let go of some. */
#include <errno.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/manager/internal.h"
#include "daemon/manager/release.h"
#include "lib/escape.h"
#include "lib/log.h"

#define PAUSE_USEC	(1 * 1000000ULL) /* between two looks at one cgroup */
#define LOOKS_PER_TURN	64 /* then others have their turn */

/* Whether somebody is being asked for what is too much there. */
static bool is_asked(struct manager *m, const char *path)
{
	struct release *release;

	for (release = releases_next(m->releases, NULL); release;
	     release = releases_next(m->releases, release))
		if (release_is_of_quota(release, path))
			return true;
	return false;
}

static int ask(struct manager *m, const char *path, uint64_t excess_bytes, bool admin, uint32_t uid)
{
	_cleanup_(release_unrefp) struct release *release = NULL;
	_cleanup_(freep) uint64_t *ids = NULL;
	struct cgroup_node *node;
	struct release_config config = {
		.reason = RELEASE_QUOTA,
		.target = path,
		.mode = RELEASE_ASYNC,
		.timeout_usec = RELEASE_TIMEOUT_LADDER,
		.admin = admin,
		.uid = uid,
	};
	int r;

	r = cgroupfs_resolve_path(cgroups_fs(m->cgroups), path, &node);
	if (r >= 0)
		r = release_find_excess(m->registry, node->id, excess_bytes, &ids, &config.n_pins);
	config.pin_ids = ids;
	if (r < 0 || config.n_pins == 0)
		return r;
	return release_start(m->releases, &config, &release);
}

/*
 * uid: who asks for it; PIN_UID_NONE for an administrator's quota that was set
 * before. What cannot be done now is done later: with the next pin, and when a
 * request is over.
 */
static void look(struct manager *m, struct quota *quota, uint32_t uid)
{
	const bool admin = quota->uid == (uid_t)-1, automatic = uid == PIN_UID_NONE;
	_cleanup_(freep) char *shown = NULL;
	uint64_t excess;
	int r;

	quota->looked_usec = loop_usec(m->event, CLOCK_MONOTONIC);
	quota->raised = false;
	quota->again = false;
	excess = quotas_excess(cgroups_quotas(m->cgroups), quota);
	if (excess == 0)
		return;
	/* The rest is for who waits for an answer. */
	if (automatic && releases_n_running(m->releases) >= RELEASES_MAX / 2) {
		quota->again = true;
		return;
	}
	if (!admin && callers_admit(m->requesters, quota->uid, quota->looked_usec) < 0) {
		quota->raised = true;
		return;
	}
	r = ask(m, quota->path, excess, admin, admin ? uid : quota->uid);
	quota->again = r < 0;
	if (r < 0 && !quota->failed) {
		shown = escape_string(quota->path);
		log_warning_errno(r, "more is pinned in %s than its quota says, and the owners "
				  "cannot be asked: %m", shown ?: "?");
	}
	quota->failed = r < 0;
}

static int on_look(sd_event_source *source, uint64_t usec, void *userdata);

/* The first one counts. */
static void look_at(struct manager *m, uint64_t usec)
{
	uint64_t before;
	int r = 0;

	if (m->excess_source && sd_event_source_get_enabled(m->excess_source, NULL) > 0) {
		(void)sd_event_source_get_time(m->excess_source, &before);
		if (usec < before)
			r = sd_event_source_set_time(m->excess_source, usec);
	} else {
		m->excess_source = sd_event_source_disable_unref(m->excess_source);
		r = sd_event_add_time(m->event, &m->excess_source, CLOCK_MONOTONIC, usec, 0,
				      on_look, m);
		if (r >= 0)
			(void)sd_event_source_set_description(m->excess_source, "excess");
	}
	if (r < 0)
		log_error_errno(r, "cannot look whether more is pinned than quotas say: %m");
}

static uint64_t due_usec(const struct quota *quota)
{
	return quota->looked_usec ? quota->looked_usec + PAUSE_USEC : 0;
}

static int on_look(sd_event_source *source, uint64_t usec, void *userdata)
{
	uint64_t next = UINT64_MAX;
	struct manager *m = userdata;
	uint64_t now = loop_usec(m->event, CLOCK_MONOTONIC);
	unsigned int n = 0;
	struct quota *quota;

	/* The end of the list looks at all of them. */
	if (!m->releases || !manager_ready(m))
		return 0;
	for (quota = quotas_next(cgroups_quotas(m->cgroups), NULL); quota; quota = quotas_next(cgroups_quotas(m->cgroups), quota)) {
		if (!quota->raised)
			continue;
		if (due_usec(quota) <= now && n < LOOKS_PER_TURN) {
			n++;
			if (is_asked(m, quota->path)) {
				quota->looked_usec = now;
				quota->raised = false;
				quota->again = true;
			} else {
				look(m, quota, PIN_UID_NONE);
			}
		}
		if (quota->raised)
			next = MIN(next, MAX(due_usec(quota), now));
	}
	if (next != UINT64_MAX)
		look_at(m, next);
	return 0;
}

static bool is_possible(const struct manager *m)
{
	/* Without the kernel's word nobody knows whether a pin is gone. */
	return cgroups_quotas(m->cgroups) && cgroups_count(m->cgroups) && m->releases && !source_observes(m->source);
}

static void set_raised(struct manager *m, struct quota *quota)
{
	quota->raised = true;
	look_at(m, due_usec(quota));
}

void manager_quota_set(struct manager *m, const char *path, uint32_t uid)
{
	struct quota *quota = cgroups_quotas(m->cgroups) ? quotas_find(cgroups_quotas(m->cgroups), path) : NULL;

	if (!quota || !is_possible(m))
		return;
	if (manager_ready(m))
		look(m, quota, uid);
	else
		quota->raised = true;
	if (quota->raised)
		look_at(m, due_usec(quota));
}

void manager_pinned(struct manager *m, uint64_t charged_cgroup_id)
{
	struct cgroup_node *node;
	struct quota *quota;

	if (!is_possible(m) || quotas_n_high(cgroups_quotas(m->cgroups)) == 0)
		return;
	for (node = registry_cgroup_find(m->registry, charged_cgroup_id); node;
	     node = node->parent) {
		quota = node->path ? quotas_find_high(cgroups_quotas(m->cgroups), node->path) : NULL;
		if (quota)
			set_raised(m, quota);
	}
}

void manager_excess_resynced(struct manager *m)
{
	struct quota *quota;

	if (!is_possible(m))
		return;
	for (quota = quotas_next(cgroups_quotas(m->cgroups), NULL); quota; quota = quotas_next(cgroups_quotas(m->cgroups), quota))
		if (quota->high_bytes != UINT64_MAX || quota->raised)
			set_raised(m, quota);
}

void manager_excess_release_over(struct manager *m)
{
	struct quota *quota;

	if (!is_possible(m))
		return;
	for (quota = quotas_next(cgroups_quotas(m->cgroups), NULL); quota; quota = quotas_next(cgroups_quotas(m->cgroups), quota))
		if (quota->again)
			set_raised(m, quota);
}

void manager_excess_free(struct manager *m)
{
	m->excess_source = sd_event_source_disable_unref(m->excess_source);
}
