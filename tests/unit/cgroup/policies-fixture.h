/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A made-up kernel that has policies. Cgroups are plain directories. */
#ifndef PINGUARD_TEST_POLICIES_FIXTURE_H
#define PINGUARD_TEST_POLICIES_FIXTURE_H

#include "tests/unit/tree.h"

#include "daemon/cgroup/policies.h"

#define ALLOW	  PINGUARD_POLICY_ALLOW
#define REVOCABLE PINGUARD_POLICY_REVOCABLE
#define DENY	  PINGUARD_POLICY_DENY
#define EACH	  PINGUARD_COUNT_EACH
#define ONCE	  PINGUARD_COUNT_ONCE

/* In the place of the kernel's family. */
static struct kernel {
	uint64_t features;
	struct policy_info all[64];
	size_t n;
	int error; /* of each request */
	unsigned int n_set; /* requests that set one */
	uint32_t refused; /* a policy that cannot be set; 0 for none */
} kernel;

static inline struct policy_info *slot(uint64_t id)
{
	size_t i;

	for (i = 0; i < kernel.n; i++)
		if (kernel.all[i].cgroup_id == id)
			return &kernel.all[i];
	assert_true(kernel.n < ARRAY_SIZE(kernel.all));
	kernel.all[kernel.n++] = (struct policy_info){ id, ALLOW, EACH };
	return &kernel.all[i];
}

uint64_t genl_features(const struct genl *g)
{
	return kernel.features;
}

const char *genl_refusal(const struct genl *g)
{
	return kernel.error ? "because" : NULL;
}

int genl_set_policy(struct genl *g, const struct policy_info *policy)
{
	if (kernel.refused && policy->policy == kernel.refused)
		return -EOPNOTSUPP;
	if (!kernel.error)
		*slot(policy->cgroup_id) = *policy;
	kernel.n_set += !kernel.error;
	return kernel.error;
}

int genl_get_policy(struct genl *g, uint64_t cgroup_id, struct policy_info *ret)
{
	if (!kernel.error)
		*ret = *slot(cgroup_id);
	return kernel.error;
}

struct env {
	char root[48], dir[48];
	struct registry *registry;
	struct cgroupfs *fs;
	struct quotas *quotas; /* NULL where the test has no files that declare something */
	struct policies *policies;
};

static inline struct policy_info *entry_in_kernel(struct env *env, const char *path)
{
	int fd = cgroupfs_open(env->fs, path);
	uint64_t id;

	assert_true(fd >= 0);
	assert_int_equal(cgroupfs_id(fd, &id), 0);
	close(fd);
	return slot(id);
}

static inline uint32_t in_kernel(struct env *env, const char *path)
{
	return entry_in_kernel(env, path)->policy;
}

/* The service comes back. */
static inline void restart(struct env *env)
{
	const struct policies_config config = {
		.fs = env->fs,
		.quotas = env->quotas,
		.genl = (struct genl *)1,
		.state_dir = env->dir,
	};

	env->policies = policies_free(env->policies);
	assert_int_equal(policies_new(&config, &env->policies), 0);
}

static inline int setup(void **state)
{
	struct env *env = calloc(1, sizeof(*env));
	char *reason = NULL;

	assert_non_null(env);
	kernel = (struct kernel){ .features = PINGUARD_FEATURE_POLICY };
	tree_new();
	tree_put("state/", NULL);
	tree_put("cgroup/a/b/", NULL);
	snprintf(env->root, sizeof(env->root), "%s/cgroup", tree);
	snprintf(env->dir, sizeof(env->dir), "%s/state", tree);
	env->registry = registry_new();
	assert_int_equal(cgroupfs_new(env->root, env->registry, &env->fs, &reason), 0);
	restart(env);
	*state = env;
	return 0;
}

static inline int teardown(void **state)
{
	struct env *env = *state;

	policies_free(env->policies);
	quotas_free(env->quotas);
	cgroupfs_free(env->fs);
	registry_free(env->registry);
	tree_remove(NULL);
	free(env);
	return 0;
}

#endif
