/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/cgroup/cgroups-internal.h"
#include "lib/log.h"
#include "lib/strv.h"

/* No cgroup2: the rest goes on, and says so. */
static int open_fs(struct cgroups *c, const struct cgroups_config *config)
{
	int r = cgroupfs_new(config->mount, config->registry, &c->fs, &c->reason);

	if (r >= 0 || r == -ENOMEM)
		return r;
	if (!c->reason && asprintf(&c->reason, "cgroup2 cannot be read: %s", strerror(-r)) < 0) {
		c->reason = NULL;
		return -ENOMEM;
	}
	log_error("no cgroups, no quotas: %s", c->reason);
	return 0;
}

static int load(struct cgroups *c, const struct cgroups_config *config)
{
	struct policies_config policies = {
		.fs = c->fs,
		.genl = config->genl,
		.state_dir = config->state_dir,
	};
	int r;

	r = quotas_new(c->fs, config->state_dir, &c->quotas);
	if (r < 0)
		return log_error_errno(r, "cannot read the quotas in %s: %m", config->state_dir);
	policies.quotas = c->quotas;
	r = policies_new(&policies, &c->policies);
	if (r < 0)
		return log_error_errno(r, "cannot read the policies in %s: %m", config->state_dir);
	return 0;
}

int cgroups_new(sd_event *event, const struct cgroups_config *config, struct cgroups **ret)
{
	_cleanup_(cgroups_freep) struct cgroups *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	c->event = sd_event_ref(event);
	c->enforced = config->genl;
	c->quota_dirs = config->quota_dirs;
	c->declared = config->declared;
	c->userdata = config->userdata;
	r = open_fs(c, config);
	if (r >= 0 && c->fs)
		r = load(c, config);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(c);
	return 0;
}

struct cgroups *cgroups_free(struct cgroups *c)
{
	if (!c)
		return NULL;
	cgroups_walk_stop(c);
	cgroup_walk_free(c->look);
	sd_event_source_disable_unref(c->look_turn);
	policies_free(c->policies);
	quotas_free(c->quotas);
	cgroup_tree_free(c->tree);
	strv_free(c->enabled);
	cgroupfs_free(c->fs);
	sd_event_unref(c->event);
	free(c->noted);
	free(c->reason);
	free(c);
	return NULL;
}

/* path: what has appeared, NULL for all */
static void apply(struct cgroups *c, const char *path)
{
	if (cgroups_count(c))
		quotas_apply(c->quotas, path);
	policies_apply(c->policies, path);
}

static int on_appeared(const char *path, void *userdata)
{
	apply(userdata, path);
	cgroups_look_at(userdata, path);
	return 0;
}

static void look_for_misc(struct cgroups *c)
{
	_cleanup_(closep) int fd = cgroupfs_open(c->fs, "/");
	struct cgroup_misc misc;
	char controllers[1024];

	c->misc = fd >= 0 && cgroupfs_read_misc(NULL, fd, &misc) >= 0 && misc.present;
	c->misc_listed = c->misc ||
			 (fd >= 0 && cgroupfs_read(fd, "cgroup.controllers", controllers,
						   sizeof(controllers)) >= 0 &&
			  strstr(controllers, "misc"));
}

int cgroups_set_enabled(struct cgroups *c, char *const *paths)
{
	char **copy = NULL;
	int r = strv_copy(paths, &copy);

	if (r < 0)
		return r;
	if (c->tree)
		cgroup_tree_set_enabled(c->tree, copy);
	strv_free(c->enabled);
	c->enabled = copy;
	return 0;
}

int cgroups_start(struct cgroups *c)
{
	int r;

	if (!c->fs)
		return 0;
	look_for_misc(c);
	if (c->enforced && !c->misc) {
		struct support support = {};

		cgroups_describe(c, &support);
		log_warning("no quotas: %s", support_no_quotas(&support));
	}
	r = cgroup_tree_new(c->event, c->fs, c->misc, c->enabled, on_appeared, c, &c->tree);
	if (r < 0)
		return log_error_errno(r, "cannot follow the cgroup tree: %m");
	quotas_set_tree(c->quotas, c->tree);
	policies_set_tree(c->policies, c->tree);
	apply(c, NULL);
	r = cgroups_declare_first(c);
	return r < 0 ? log_error_errno(r, "cannot apply what files declare: %m") : 0;
}

int cgroups_reload(struct cgroups *c, cgroups_done done, void *userdata)
{
	int r;

	if (!c->fs)
		return done(userdata);
	r = c->tree ? cgroup_tree_scan(c->tree) : 0;
	if (r < 0)
		log_warning_errno(r, "cannot look at the cgroups again: %m");
	apply(c, NULL);
	r = cgroups_declare(c, done, userdata);
	if (r < 0)
		log_warning_errno(r, "cannot apply what files declare: %m");
	return r < 0 ? done(userdata) : 0;
}

static int on_counted(void *userdata)
{
	return 0;
}

int cgroups_set_counter(struct cgroups *c, const struct cgroup_counter *counter)
{
	if (!c->fs || c->misc)
		return 0;
	cgroupfs_set_counter(c->fs, counter);
	c->counter = counter;
	/* Before the start, that applies all of it. Whoever waits for a reload waits for this one. */
	return c->tree ? cgroups_reload(c, c->declare_done ?: on_counted, c->declare_userdata) : 0;
}

struct cgroupfs *cgroups_fs(const struct cgroups *c)
{
	return c->fs;
}

const char *cgroups_reason(const struct cgroups *c)
{
	return c->reason;
}

struct quotas *cgroups_quotas(const struct cgroups *c)
{
	return c->quotas;
}

struct policies *cgroups_policies(const struct cgroups *c)
{
	return c->policies;
}

bool cgroups_count(const struct cgroups *c)
{
	return is_counted(c);
}

void cgroups_describe(const struct cgroups *c, struct support *support)
{
	support->fs_reason = c->reason;
	support->misc_listed = c->misc_listed;
	support->misc = cgroups_count(c);
}

const struct cgroup_tree_entry *cgroups_uncontrolled(const struct cgroups *c)
{
	return c->tree ? cgroup_tree_uncontrolled(c->tree) : NULL;
}
