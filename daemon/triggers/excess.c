/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * More is pinned than a quota says: who pins it is asked to let go of some. Above
 * a limit that is done whenever it is seen. Above a high mark it is done once, for
 * more than what is over it, and again only when it has been of use: an owner that
 * may not let go is not asked with each pin of another. Where memory is short a bit
 * less is enough.
 */
#include <errno.h>
#include <string.h>

#include "daemon/base/base.h"
#include "daemon/triggers/internal.h"
#include "lib/escape.h"
#include "lib/log.h"

#define PAUSE_USEC	(1 * 1000000ULL) /* between two looks at one cgroup */
#define LOOKS_PER_TURN	64 /* then others have their turn */

struct excess {
	const struct triggers_config *config;
	sd_event *event;
	sd_event_source *source; /* of the next look */
	struct pressures *pressures;
};

/* Down to this, so that the next pin does not pass the mark again. */
static uint64_t low_bytes(uint64_t high_bytes)
{
	return high_bytes - high_bytes / 10;
}

/* How much owners should let go of. *ret_passed: because of the high mark, which was passed now */
static uint64_t find_excess(struct quota *quota, uint64_t current_bytes, bool *ret_passed)
{
	const uint64_t high_bytes = quota->high_bytes;
	/* Where somebody else has written a limit what a file says of it is not in force. */
	const uint64_t max_bytes = quota->external ? UINT64_MAX : quota->max_bytes;
	uint64_t wanted_bytes = high_bytes == UINT64_MAX ? max_bytes : low_bytes(high_bytes);

	if (high_bytes != UINT64_MAX && current_bytes <= wanted_bytes)
		quota->passed = false;
	*ret_passed = high_bytes != UINT64_MAX && !quota->passed &&
		      current_bytes > (quota->pressed ? wanted_bytes : high_bytes);
	if (!*ret_passed && current_bytes <= max_bytes)
		return 0;
	return current_bytes - wanted_bytes;
}

static void tell(struct excess *x, const struct quota *quota, uint64_t current_bytes)
{
	struct event *event = event_new(EVENT_HIGH, loop_usec(x->event, CLOCK_REALTIME));
	struct cgroup_node *node;

	if (!event)
		return;
	if (cgroupfs_resolve_path(cgroups_fs(x->config->cgroups), quota->path, &node) >= 0)
		event->cgroup = cgroup_node_ref(node);
	event->quota_cgroup = strdup(quota->path);
	event->usage_bytes = current_bytes;
	event->max_bytes = quota->high_bytes;
	event->uid = PIN_UID_NONE;
	events_add(x->config->events, event);
}

/* Whether somebody is being asked for what is too much there. */
static bool is_asked(struct excess *x, const char *path)
{
	struct release *release;

	for (release = releases_next(x->config->releases, NULL); release;
	     release = releases_next(x->config->releases, release))
		if (release_is_of_quota(release, path))
			return true;
	return false;
}

/* Also what was pinned before the controller was on, and counts above. */
static uint64_t current_bytes(struct excess *x, const struct quota *quota)
{
	uint64_t bytes = quotas_current_bytes(cgroups_quotas(x->config->cgroups), quota);
	struct cgroup_node *node;

	if (cgroupfs_resolve_path(cgroups_fs(x->config->cgroups), quota->path, &node) >= 0 &&
	    !quotas_is_stale(cgroups_quotas(x->config->cgroups), quota))
		bytes += registry_uncharged_bytes(x->config->registry, node->id);
	return bytes;
}

/* 1, 0 where there is no pin to ask for, or a negative errno */
static int ask(struct excess *x, const char *path, uint64_t excess_bytes, bool admin, uint32_t uid)
{
	_cleanup_(release_unrefp) struct release *release = NULL;
	_cleanup_(freep) uint64_t *ids = NULL;
	struct cgroup_node *node;
	struct release_config config = {
		.reason = RELEASE_QUOTA,
		.target = path,
		.selected = path,
		.mode = RELEASE_ASYNC,
		.timeout_usec = RELEASE_TIMEOUT_LADDER,
		.admin = admin,
		.uid = uid,
	};
	int r;

	r = cgroupfs_resolve_path(cgroups_fs(x->config->cgroups), path, &node);
	if (r >= 0)
		r = excess_find_pins(x->config->registry, node->id, excess_bytes, &ids,
				     &config.n_pins);
	config.pin_ids = ids;
	if (r < 0 || config.n_pins == 0)
		return r;
	r = release_start(x->config->releases, &config, &release);
	return r < 0 ? r : 1;
}

/*
 * uid: who asks for it; PIN_UID_NONE for an administrator's quota that was set
 * before. What cannot be done now is done later: with the next pin, and when a
 * request is over.
 */
static void look(struct excess *x, struct quota *quota, uint32_t uid)
{
	const bool admin = quota->uid == (uid_t)-1, automatic = uid == PIN_UID_NONE;
	_cleanup_(freep) char *shown = NULL;
	uint64_t current, excess;
	bool passed;
	int r;

	quota->looked_usec = loop_usec(x->event, CLOCK_MONOTONIC);
	quota->raised = false;
	quota->again = false;
	current = current_bytes(x, quota);
	excess = find_excess(quota, current, &passed);
	quota->pressed = false;
	pressures_look(x->pressures, quota);
	if (excess == 0)
		return;
	/* The rest is for who waits for an answer. */
	if (automatic && releases_n_running(x->config->releases) >= RELEASES_MAX / 2) {
		quota->again = true;
		return;
	}
	if (!admin && releases_admit(x->config->releases, quota->uid, quota->looked_usec) < 0) {
		quota->raised = true;
		return;
	}
	if (passed)
		tell(x, quota, current);
	r = ask(x, quota->path, excess, admin, admin ? uid : quota->uid);
	quota->passed = quota->passed || (passed && r > 0);
	quota->again = r < 0;
	if (r < 0 && !quota->failed) {
		shown = escape_name(quota->path);
		log_warning_errno(r, "more is pinned in %s than its quota says, and the owners "
				  "cannot be asked: %m", shown ?: "?");
	}
	quota->failed = r < 0;
}

static int on_look(sd_event_source *source, uint64_t usec, void *userdata);

/* The first one counts. */
static void look_at(struct excess *x, uint64_t usec)
{
	uint64_t before;
	int r = 0;

	if (x->source && sd_event_source_get_enabled(x->source, NULL) > 0) {
		(void)sd_event_source_get_time(x->source, &before);
		if (usec < before)
			r = sd_event_source_set_time(x->source, usec);
	} else {
		x->source = sd_event_source_disable_unref(x->source);
		r = sd_event_add_time(x->event, &x->source, CLOCK_MONOTONIC, usec, 0,
				      on_look, x);
		if (r >= 0)
			(void)sd_event_source_set_description(x->source, "excess");
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
	struct excess *x = userdata;
	uint64_t now = loop_usec(x->event, CLOCK_MONOTONIC);
	struct quotas *quotas = cgroups_quotas(x->config->cgroups);
	struct quota *quota = NULL;
	unsigned int n = 0;

	/* The end of the list looks at all of them. */
	if (!source_ready(x->config->source))
		return 0;
	while ((quota = quotas_next(quotas, quota))) {
		if (!quota->raised)
			continue;
		if (due_usec(quota) <= now && n < LOOKS_PER_TURN) {
			n++;
			if (is_asked(x, quota->path)) {
				quota->looked_usec = now;
				quota->raised = false;
				quota->again = true;
			} else {
				look(x, quota, PIN_UID_NONE);
			}
		}
		if (quota->raised)
			next = MIN(next, MAX(due_usec(quota), now));
	}
	if (next != UINT64_MAX)
		look_at(x, next);
	return 0;
}

static bool is_possible(const struct excess *x)
{
	/* Where it counts there are quotas; without its word nobody knows whether a pin is gone. */
	return cgroups_count(x->config->cgroups) && !source_observes(x->config->source) &&
	       !source_probe(x->config->source);
}

static void set_raised(struct excess *x, struct quota *quota)
{
	quota->raised = true;
	look_at(x, due_usec(quota));
}

void excess_quota_set(struct excess *x, const char *path, uint32_t uid)
{
	struct quota *quota = is_possible(x) ?
				      quotas_find(cgroups_quotas(x->config->cgroups), path) : NULL;

	if (!quota)
		return;
	quota->passed = false;
	if (source_ready(x->config->source))
		look(x, quota, uid);
	else
		quota->raised = true;
	if (quota->raised)
		look_at(x, due_usec(quota));
}

/* Where a limit is passed the kernel refuses, but for a pin that is charged above it. */
static struct quota *find_quota(struct quotas *quotas, const struct cgroup_node *node,
				bool uncharged)
{
	if (!node->path)
		return NULL;
	return uncharged ? quotas_find(quotas, node->path) : quotas_find_high(quotas, node->path);
}

void excess_pinned(struct excess *x, const struct pin_info *pin, bool more)
{
	struct quotas *quotas = cgroups_quotas(x->config->cgroups);
	struct cgroup_node *node;
	struct quota *quota;
	bool uncharged;

	if (!is_possible(x) || !quotas_next(quotas, NULL))
		return;
	node = registry_cgroup_find(x->config->registry, pin->cgroup_id);
	uncharged = node && cgroup_node_below(node, pin->charged_cgroup_id);
	if (!uncharged)
		node = registry_cgroup_find(x->config->registry, pin->charged_cgroup_id);
	for (; node; node = node->parent) {
		uncharged = uncharged && node->id != pin->charged_cgroup_id;
		quota = find_quota(quotas, node, uncharged);
		if (quota && (more || quota->passed))
			set_raised(x, quota);
	}
}

/* Nobody has asked the owners yet where a file has lowered it. */
static bool is_declared_max(const struct quota *quota)
{
	return quota->declaration && quota->declaration->max_line && !quota->external;
}

void excess_resynced(struct excess *x)
{
	struct quotas *quotas = cgroups_quotas(x->config->cgroups);
	struct quota *quota = NULL;

	if (!is_possible(x))
		return;
	while ((quota = quotas_next(quotas, quota)))
		if (quota->high_bytes != UINT64_MAX || quota->raised || is_declared_max(quota))
			set_raised(x, quota);
}

void excess_raised(struct excess *x)
{
	if (is_possible(x))
		look_at(x, loop_usec(x->event, CLOCK_MONOTONIC));
}

void excess_release_over(struct excess *x)
{
	struct quotas *quotas = cgroups_quotas(x->config->cgroups);
	struct quota *quota = NULL;

	if (!is_possible(x))
		return;
	while ((quota = quotas_next(quotas, quota)))
		if (quota->again)
			set_raised(x, quota);
}

static bool on_pressed(const char *path, void *userdata)
{
	struct excess *x = userdata;
	struct quota *quota = quotas_find(cgroups_quotas(x->config->cgroups), path);

	if (!quota || !quota->declaration || !quota->declaration->pressure.stall_usec)
		return false;
	quota->pressed = true;
	set_raised(x, quota);
	return true;
}

int excess_new(sd_event *event, const struct triggers_config *config, struct excess **ret)
{
	struct excess *x = calloc(1, sizeof(*x));
	int r;

	if (!x)
		return -ENOMEM;
	x->config = config;
	x->event = sd_event_ref(event);
	r = pressures_new(event, config, on_pressed, x, &x->pressures);
	if (r < 0) {
		excess_free(x);
		return r;
	}
	*ret = x;
	return 0;
}

struct excess *excess_free(struct excess *x)
{
	if (!x)
		return NULL;
	sd_event_source_disable_unref(x->source);
	pressures_free(x->pressures);
	sd_event_unref(x->event);
	free(x);
	return NULL;
}
