/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cgroups that are to be shown though nobody pins anything in them. */
#include <errno.h>
#include <string.h>

#include "daemon/base/base.h"
#include "daemon/cgroup/cgroups-internal.h"
#include "lib/clock.h"
#include "lib/log.h"

/* Not more than a tenth of the time goes into walks over the tree. */
#define WALK_RATIO 10

int cgroups_note(struct cgroups *c, struct cgroup_node *node)
{
	struct cgroup_node **noted;

	if (node->noted)
		return 0;
	noted = reallocarray(c->noted, c->n_noted + 1, sizeof(*noted));
	if (!noted)
		return -ENOMEM;
	c->noted = noted;
	c->noted[c->n_noted++] = cgroup_node_ref(node);
	node->noted = true;
	return 0;
}

int cgroups_refused(struct cgroups *c, struct cgroup_node *node)
{
	int r;

	if (!node->refused && c->n_refused < CGROUPS_REFUSED_MAX) {
		r = cgroups_note(c, node);
		if (r < 0)
			return r;
		c->n_refused++;
	}
	node->refused++;
	return 0;
}

/* But for those whose count nobody else has. */
static void forget_noted(struct cgroups *c, uint64_t now_usec)
{
	const size_t n_noted = c->n_noted;

	c->n_noted = c->n_refused = 0;
	for (size_t i = 0; i < n_noted; i++) {
		struct cgroup_node *node = c->noted[i];

		if (node->refused)
			cgroupfs_check(c->fs, node, now_usec);
		if (node->refused && !node->removed && c->n_refused < CGROUPS_REFUSED_MAX) {
			c->noted[c->n_noted++] = node;
			c->n_refused++;
			continue;
		}
		node->noted = false;
		cgroup_node_unref(node);
	}
}

static int note(int fd, const char *path, void *userdata)
{
	struct cgroups *c = userdata;
	struct cgroup_node *node, **found;
	struct cgroup_misc misc;

	if (cgroupfs_read_misc(c->fs, fd, &misc) < 0)
		return 0;
	if (!misc.present)
		return 1; /* nor below it */
	if ((misc.max_bytes == UINT64_MAX && !misc.denied && !quotas_find_high(c->quotas, path)) ||
	    strcmp(path, "/") == 0 || cgroupfs_resolve_path(c->fs, path, &node) < 0)
		return 0;
	if ((c->n_found & (c->n_found - 1)) == 0) {
		found = reallocarray(c->found, c->n_found ? c->n_found * 2 : 1, sizeof(*found));
		if (!found)
			return -ENOMEM;
		c->found = found;
	}
	c->found[c->n_found++] = cgroup_node_ref(node);
	return 0;
}

void cgroups_walk_stop(struct cgroups *c)
{
	c->walk = cgroup_walk_free(c->walk);
	c->walk_turn = sd_event_source_disable_unref(c->walk_turn);
	for (size_t i = 0; i < c->n_found; i++)
		cgroup_node_unref(c->found[i]);
	free(c->found);
	c->found = NULL;
	c->n_found = 0;
}

/* Where it came to no end what was known before is as good as anything. */
static int finish(struct cgroups *c, int result)
{
	c->noted_usec = loop_usec(c->event, CLOCK_MONOTONIC);
	c->noted_cost_usec = c->walk_cost_usec;
	c->noted_cut = result != 0;
	if (result == 0 || result == -E2BIG) {
		result = 0;
		forget_noted(c, c->noted_usec);
		for (size_t i = 0; i < c->n_found && result == 0; i++)
			result = cgroups_note(c, c->found[i]);
	}
	if (result < 0)
		log_warning_errno(result, "cannot look for limits of cgroups: %m");
	cgroups_walk_stop(c);
	return c->noted_done(c->noted_userdata);
}

static int on_turn(sd_event_source *source, void *userdata);

static int next_turn(struct cgroups *c)
{
	return turn_schedule(c->event, &c->walk_turn, on_turn, c, "note-limits");
}

static int on_turn(sd_event_source *source, void *userdata)
{
	struct cgroups *c = userdata;
	const uint64_t start_usec = clock_usec(CLOCK_MONOTONIC);
	bool more;
	int r = 0;

	do
		more = cgroup_walk_step(c->walk);
	while (more && !turn_is_long(start_usec));
	c->walk_cost_usec += clock_usec(CLOCK_MONOTONIC) - start_usec;
	if (more)
		r = next_turn(c);
	return more && r >= 0 ? 0 : finish(c, r < 0 ? r : cgroup_walk_result(c->walk));
}

int cgroups_note_limits(struct cgroups *c, cgroups_done done, void *userdata)
{
	const uint64_t now = loop_usec(c->event, CLOCK_MONOTONIC);
	int r;

	if (!is_counted(c) ||
	    (!c->walk && c->noted_usec && now - c->noted_usec < WALK_RATIO * c->noted_cost_usec))
		return 1;
	c->noted_done = done;
	c->noted_userdata = userdata;
	if (c->walk)
		return 0;
	c->walk_cost_usec = 0;
	r = cgroup_walk_new(c->fs, note, c, &c->walk);
	if (r >= 0)
		r = next_turn(c);
	if (r < 0)
		cgroups_walk_stop(c);
	return r;
}

bool cgroups_are_walked(const struct cgroups *c)
{
	return c->walk;
}

bool cgroups_noted_age(const struct cgroups *c, uint64_t *ret_usec, bool *ret_complete)
{
	if (!c->noted_usec)
		return false;
	*ret_usec = loop_usec(c->event, CLOCK_MONOTONIC) - c->noted_usec;
	*ret_complete = !c->noted_cut;
	return true;
}

struct cgroup_node *const *cgroups_noted(const struct cgroups *c, size_t *ret_n)
{
	*ret_n = c->n_noted;
	return c->noted;
}
