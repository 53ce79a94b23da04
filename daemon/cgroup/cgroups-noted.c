/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cgroups that are to be shown though nobody pins anything in them. */
#include <errno.h>
#include <string.h>

#include "daemon/base/base.h"
#include "daemon/cgroup/cgroups-internal.h"
#include "lib/clock.h"

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

static void forget_noted(struct cgroups *c)
{
	while (c->n_noted > 0) {
		struct cgroup_node *node = c->noted[--c->n_noted];

		node->noted = false;
		cgroup_node_unref(node);
	}
}

static int note(int fd, const char *path, void *userdata)
{
	struct cgroups *c = userdata;
	struct cgroup_node *node;
	struct cgroup_misc misc;

	if (cgroupfs_read_misc(fd, &misc) < 0)
		return 0;
	if (!misc.present)
		return 1; /* nor below it */
	if ((misc.max_bytes == UINT64_MAX && !misc.denied && !quotas_find_high(c->quotas, path)) ||
	    strcmp(path, "/") == 0 || cgroupfs_resolve_path(c->fs, path, &node) < 0)
		return 0;
	return cgroups_note(c, node);
}

int cgroups_note_limits(struct cgroups *c)
{
	const uint64_t now = loop_usec(c->event, CLOCK_MONOTONIC);
	uint64_t start;
	int r;

	if (!c->misc || (c->noted_usec && now - c->noted_usec < WALK_RATIO * c->noted_cost_usec))
		return 0;
	forget_noted(c);
	start = clock_usec(CLOCK_MONOTONIC);
	r = cgroupfs_walk(c->fs, note, c);
	c->noted_cost_usec = clock_usec(CLOCK_MONOTONIC) - start;
	c->noted_usec = now;
	c->noted_cut = r == -E2BIG;
	return r == -E2BIG ? 0 : r;
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
