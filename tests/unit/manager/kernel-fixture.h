/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A manager with a kernel, see make_kernel(), and cgroups that are plain directories
 * of the tree. Root's alone: for anybody else there is none, and a test skips itself.
 */
#ifndef PINGUARD_TEST_KERNEL_FIXTURE_H
#define PINGUARD_TEST_KERNEL_FIXTURE_H

#include "tests/unit/kernel/genl-fixture.h"
#include "tests/unit/manager/owner-fixture.h"
#include "tests/unit/tree.h"

#include "daemon/cgroup/cgroups-internal.h"
#include "daemon/manager/internal.h"

/* path: "" for the root, which has no max: NULL */
static inline void put_cgroup(const char *path, const char *current, const char *max)
{
	char name[128];

	snprintf(name, sizeof(name), "cgroup%s/misc.current", path);
	tree_put(name, current);
	snprintf(name, sizeof(name), "cgroup%s/misc.max", path);
	if (max)
		tree_put(name, max);
}

static inline int kernel_setup(void **state)
{
	char mount[64];

	if (geteuid() != 0)
		return 0;
	assert_int_equal(owner_setup(state), 0);
	tree_new();
	put_cgroup("", "pinned 0\n", NULL);
	snprintf(mount, sizeof(mount), "%s/cgroup", tree);
	make_kernel(*state, mount);
	return 0;
}

static inline int kernel_teardown(void **state)
{
	if (geteuid() != 0)
		return 0;
	owner_teardown(state);
	tree_remove(NULL);
	return 0;
}

static inline uint64_t id_of(struct manager *m, const char *path)
{
	struct cgroup_node *node;

	assert_int_equal(cgroupfs_resolve_path(cgroups_fs(m->cgroups), path, &node), 0);
	return node->id;
}

/*
 * p: NULL for root; parameters: the reference is taken over. The reply, or NULL where
 * error says which is wanted.
 */
static inline json_t *ask_as(struct manager *m, const struct process *p, const char *method,
			     json_t *parameters, const char *error)
{
	json_t *reply = NULL;
	struct process root;
	struct client c;

	process_start(&root);
	client_open(m, &c, p ?: &root);
	client_send(&c, method, false, parameters);
	if (error)
		client_error(m, &c, error);
	else
		reply = client_reply(m, &c, method, false);
	client_close(m, &c);
	process_end(&root);
	return reply;
}

static inline json_t *ask(struct manager *m, const char *method, json_t *parameters)
{
	return ask_as(m, NULL, method, parameters, NULL);
}

#endif
