/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Quotas of one cgroup where no service answers: the kernel enforces them all the same. */
#include <errno.h>
#include <string.h>

#include "daemon/offline/internal.h"
#include "lib/escape.h"
#include "lib/log.h"

static void log_problem(const char *file, unsigned int line, const char *text, void *userdata)
{
	log_warning("%s:%u: %s; what is in it is left out", file, line, text);
}

static int enforce(struct quotas *q, struct cgroupfs *fs, const char *path)
{
	_cleanup_(freep) char *reason = NULL, *shown = escape_name(path);
	_cleanup_(closep) int fd = cgroupfs_open(fs, path);
	int r = fd < 0 ? fd : quotas_enforce(q, fd, path, &reason);

	if (r == -EOPNOTSUPP)
		log_warning("%s has no limit of its own: %s", shown ?: "?",
			    reason ?: "the misc controller is off");
	else if (r < 0)
		log_error_errno(r, "cannot apply the quota of %s: %m", shown ?: "?");
	return r < 0 && r != -EOPNOTSUPP;
}

static bool is_possible(struct cgroupfs *fs)
{
	_cleanup_(closep) int fd = cgroupfs_open(fs, "/");
	struct cgroup_misc misc;

	return fd >= 0 && cgroupfs_read_misc(fs, fd, &misc) >= 0 && misc.present;
}

static int enforce_all(struct quotas *q, struct cgroupfs *fs, const char *path)
{
	int failed = 0;

	cgroup_tree_enable_above(fs, path);
	for (size_t n = 0; path[n];) {
		_cleanup_(freep) char *up = NULL;

		n += 1 + strcspn(path + n + 1, "/");
		up = strndup(path, n);
		failed |= up ? enforce(q, fs, up) : 1;
	}
	return failed;
}

static int load(const struct offline_config *config, struct quotas *q)
{
	_cleanup_(declarations_freep) struct declarations *d = NULL;
	int r;

	r = config->state_dir ? quotas_peek(q, config->state_dir) : 0;
	if (r < 0)
		return log_error_errno(r, "cannot read the quotas in %s: %m", config->state_dir);
	r = declarations_load(config->quota_dirs, log_problem, NULL, &d);
	if (r < 0)
		return log_error_errno(r, "cannot read quota.d: %m");
	quotas_declare(q, TAKE_PTR(d), true);
	return 0;
}

int offline_apply(const struct offline_config *config, const char *path)
{
	_cleanup_(registry_freep) struct registry *registry = registry_new();
	_cleanup_(cgroupfs_freep) struct cgroupfs *fs = NULL;
	_cleanup_(freep) char *reason = NULL;
	_cleanup_(quotas_freep) struct quotas *q = NULL;
	int r;

	if (path[0] != '/' || !path[1]) {
		log_error("quotas are of cgroups below the root: \"%s\"", path);
		return 1;
	}
	r = registry ? cgroupfs_new(config->mount, registry, &fs, &reason) : -ENOMEM;
	if (r < 0) {
		log_error_errno(r, "no quotas: %s", reason ?: strerror(-r));
		return 1;
	}
	if (!is_possible(fs)) {
		log_warning("this kernel limits no pinned memory: nothing is applied");
		return 0;
	}
	r = quotas_new(fs, NULL, &q);
	if (r < 0 || load(config, q) < 0)
		return 1;
	return enforce_all(q, fs, path);
}
