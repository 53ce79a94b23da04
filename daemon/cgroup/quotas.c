/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <utlist.h>

#include "daemon/base/base.h"
#include "daemon/cgroup/quotas-internal.h"
#include "lib/clock.h"
#include "lib/escape.h"
#include "lib/format.h"
#include "lib/log.h"

static int load(struct quotas *q)
{
	_cleanup_(freep) char *aside = NULL;
	const char *reason;
	int r;

	r = quota_store_load(q->dir_fd, &q->list, &reason);
	if (r != -EBADMSG)
		return r;
	r = quota_store_set_aside(q->dir_fd, clock_usec(CLOCK_REALTIME), &aside);
	if (r < 0)
		return r;
	log_event(LOG_ERR, MESSAGE_QUOTAS_CORRUPT, NULL,
		  "the stored quotas cannot be read (%s); the file is kept as %s, and there are "
		  "no quotas now", reason, aside);
	return 0;
}

int quotas_new(struct cgroupfs *fs, const char *state_dir, struct quotas **ret)
{
	_cleanup_(quotas_freep) struct quotas *q = calloc(1, sizeof(*q));
	int r;

	if (!q)
		return -ENOMEM;
	q->fs = fs;
	q->dir_fd = -1;
	if (state_dir) {
		q->dir_fd = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (q->dir_fd < 0)
			return -errno;
		r = load(q);
		if (r < 0)
			return r;
	}
	*ret = TAKE_PTR(q);
	return 0;
}

struct quotas *quotas_free(struct quotas *q)
{
	if (!q)
		return NULL;
	quotas_changed(q);
	quota_list_clear(&q->list);
	declared_free(q);
	closep(&q->dir_fd);
	free(q);
	return NULL;
}

void quotas_set_tree(struct quotas *q, struct cgroup_tree *tree)
{
	q->tree = tree;
}

int quotas_peek(struct quotas *q, const char *state_dir)
{
	_cleanup_(closep) int fd = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *reason;
	int r = fd < 0 ? -errno : quota_store_load(fd, &q->list, &reason);

	q->keeps = true;
	if (r == -EBADMSG)
		log_warning("the stored quotas cannot be read (%s), and are left out", reason);
	return r == -EBADMSG || r == -ENOENT ? 0 : r;
}

static int save(struct quotas *q)
{
	return q->dir_fd < 0 ? 0 : quota_store_save(q->dir_fd, q->list);
}

/* -EOPNOTSUPP where there is no misc.max. */
static int check_possible(struct quotas *q, int fd, const char *path, char **ret_reason)
{
	const struct cgroup_counter *counter = cgroupfs_counter(q->fs);
	unsigned int depth = 0;
	struct cgroup_misc misc;
	int r = cgroupfs_read_misc(q->fs, fd, &misc);

	if (r < 0)
		return r;
	for (const char *c = path; *c; c++)
		depth += *c == '/';
	if (counter && depth > counter->depth_max) {
		if (asprintf(ret_reason, "it is more than %u levels below the root",
			     counter->depth_max) < 0)
			*ret_reason = NULL;
		return -EOPNOTSUPP;
	}
	if (misc.present)
		return 0;
	*ret_reason = quotas_why_not_at(q, fd, path);
	return -EOPNOTSUPP;
}

static int apply(struct quotas *q, const struct quota *quota, char **ret_reason)
{
	_cleanup_(closep) int fd = cgroupfs_open(q->fs, quota->path);
	int r;

	if (fd < 0)
		return fd == -ENODEV ? -ENOENT : fd;
	r = check_possible(q, fd, quota->path, ret_reason);
	if (r < 0)
		return r;
	return cgroupfs_write_max(q->fs, fd, quota->max_bytes);
}

int quotas_enforce(struct quotas *q, int fd, const char *path, char **ret_reason)
{
	const struct quota *quota = quota_list_find(q->list, path);

	return quota && !quotas_is_stale(q, quota) ? apply(q, quota, ret_reason) :
						      quotas_look(q, fd, path, ret_reason);
}

/* Of a cgroup that is gone: what files say of one with its path counts again. */
static void drop(struct quotas *q, struct quota *quota)
{
	_cleanup_(freep) char *path = strdup(quota->path);

	quotas_changed(q);
	quota_list_remove(&q->list, quota);
	if (path)
		declared_override(q, path);
}

void quotas_apply(struct quotas *q, const char *path)
{
	size_t len = path ? strlen(path) : 0;
	struct quota *quota, *tmp;

	DL_FOREACH_SAFE(q->list, quota, tmp) {
		_cleanup_(freep) char *reason = NULL, *shown = NULL;
		bool below = path && strncmp(quota->path, path, len) == 0 &&
			     (!quota->path[len] || quota->path[len] == '/');
		int r;

		if (path && !below)
			continue;
		if (quota->uid != (uid_t)-1) {
			/* Set by a user, for a cgroup that is no more. */
			if (path && quotas_is_stale(q, quota))
				drop(q, quota);
			continue;
		}
		if (q->tree)
			(void)cgroup_tree_watch_above(q->tree, quota->path);
		r = apply(q, quota, &reason);
		if (r < 0 && r != -ENOENT) {
			shown = escape_name(quota->path);
			log_warning_errno(r, "cannot apply the quota of %s: %s", shown ?: "?",
					  reason ?: strerror(-r));
		}
	}
}

void quotas_others_status(struct quotas *q, const char *path, struct quota_status *ret)
{
	struct quota_status s = {
		.state = QUOTA_APPLIED,
		.current_bytes = UINT64_MAX,
		.effective_bytes = UINT64_MAX,
		.external_bytes = UINT64_MAX,
	};
	_cleanup_(freep) char *up = strdup(path);
	_cleanup_(closep) int fd = -1;
	struct cgroup_misc misc;
	char *slash;

	fd = cgroupfs_open(q->fs, path);
	s.exists = fd >= 0;
	if (fd >= 0) {
		(void)cgroupfs_id(fd, &s.cgroup_id);
		if (cgroupfs_read_misc(q->fs, fd, &misc) >= 0 && misc.present) {
			s.current_bytes = misc.current_bytes;
			s.external_bytes = misc.max_bytes;
		}
	}
	for (; up && up[0]; *slash = '\0') {
		_cleanup_(closep) int above = cgroupfs_open(q->fs, up);

		if (above >= 0 && cgroupfs_read_misc(q->fs, above, &misc) >= 0)
			s.effective_bytes = MIN(s.effective_bytes, misc.max_bytes);
		slash = strrchr(up, '/');
		if (!slash)
			break;
	}
	*ret = s;
}

static void set_pending(struct quota_status *status)
{
	free(status->reason);
	status->state = QUOTA_PENDING;
	status->reason = strdup("the cgroup does not exist now");
}

/* The directory of a cgroup that has gone is open yet, and its path may be another's. */
static bool is_gone(struct quotas *q, int fd, const char *path)
{
	_cleanup_(closep) int now = cgroupfs_open(q->fs, path);
	struct stat st, now_st;

	return fd < 0 || now < 0 || fstat(fd, &st) < 0 || fstat(now, &now_st) < 0 ||
	       st.st_ino != now_st.st_ino;
}

void quotas_status(struct quotas *q, const struct quota *quota, struct quota_status *ret)
{
	_cleanup_(closep) int fd = cgroupfs_open(q->fs, quota->path);
	char size[FORMAT_SIZE_LEN];
	struct cgroup_misc misc;

	quotas_others_status(q, quota->path, ret);
	ret->external_bytes = UINT64_MAX;
	if (!ret->exists) {
		set_pending(ret);
		return;
	}
	if (fd < 0 || check_possible(q, fd, quota->path, &ret->reason) < 0 ||
	    cgroupfs_read_misc(q->fs, fd, &misc) < 0) {
		ret->state = QUOTA_FAILED;
		if (is_gone(q, fd, quota->path))
			set_pending(ret);
		return;
	}
	if (quota->declaration && !quota->declaration->max_line) {
		ret->external_bytes = misc.max_bytes;
		return;
	}
	if (misc.max_bytes == quota->max_bytes || MIN(misc.max_bytes, quota->max_bytes) >= INT64_MAX)
		return;
	ret->state = QUOTA_FAILED;
	ret->external_bytes = misc.max_bytes;
	if (misc.max_bytes == UINT64_MAX)
		snprintf(size, sizeof(size), "max");
	else
		format_size(size, misc.max_bytes);
	if (asprintf(&ret->reason, cgroupfs_counter(q->fs) ?
		     "somebody else has set the limit to %s" :
		     "somebody else has set misc.max to %s", size) < 0)
		ret->reason = NULL;
}

static unsigned int count_of(const struct quotas *q, uid_t uid)
{
	const struct quota *quota;
	unsigned int n = 0;

	DL_FOREACH(q->list, quota)
		n += quota->uid == uid;
	return n;
}

static void drop_stale(struct quotas *q)
{
	struct quota *quota, *tmp;

	DL_FOREACH_SAFE(q->list, quota, tmp)
		if (quotas_is_stale(q, quota))
			drop(q, quota);
}

/* Users' quotas take nothing from the administrators' share, nor one user's from another's. */
static bool is_full(const struct quotas *q, uid_t uid)
{
	return count_of(q, uid) >= (uid == (uid_t)-1 ? QUOTAS_MAX : QUOTAS_UID_MAX);
}

/* What files declare is the administrators'. */
static bool is_anothers(struct quotas *q, const char *path, const struct quota *old, uid_t uid)
{
	return old ? old->uid != uid : declared_find_quota(q, path) != NULL;
}

/* Puts new in the place of old (or nothing) and writes it down; undone on failure. */
static int replace(struct quotas *q, struct quota *old, struct quota *new)
{
	int r;

	quotas_changed(q);
	if (old)
		DL_DELETE(q->list, old);
	if (new)
		DL_APPEND(q->list, new);
	if ((!old || old->runtime) && (!new || new->runtime))
		return 0;
	r = save(q);
	if (r < 0) {
		if (new)
			DL_DELETE(q->list, new);
		if (old)
			DL_APPEND(q->list, old);
	}
	return r;
}

int quotas_set(struct quotas *q, const char *path, uint64_t max_bytes, uint64_t high_bytes,
	       bool runtime, uid_t uid, char **ret_reason)
{
	struct quota *old, *new, *list = NULL;
	_cleanup_(closep) int fd = cgroupfs_open(q->fs, path);
	int r;

	if (fd < 0)
		return fd == -ENODEV ? -ENOENT : fd;
	r = check_possible(q, fd, path, ret_reason);
	if (r < 0)
		return r;
	old = quota_list_find(q->list, path);
	if (is_full(q, uid) || (old && quotas_is_stale(q, old))) {
		drop_stale(q);
		old = quota_list_find(q->list, path);
	}
	if (uid != (uid_t)-1 && is_anothers(q, path, old, uid))
		return -EPERM;
	if ((!old || old->uid != uid) && is_full(q, uid))
		return -E2BIG;
	new = quota_new(path, max_bytes);
	if (!new)
		return -ENOMEM;
	new->high_bytes = high_bytes;
	new->runtime = runtime || uid != (uid_t)-1 || q->dir_fd < 0;
	new->uid = uid;
	(void)cgroupfs_id(fd, &new->cgroup_id);
	DL_APPEND(list, new);

	/* First on disk: what the kernel enforces is found there after a crash. */
	r = replace(q, old, new);
	if (r >= 0) {
		r = cgroupfs_write_max(q->fs, fd, max_bytes);
		if (r < 0 && replace(q, new, old) < 0) {
			/* Then it stays here as well. */
			log_warning("a quota that could not be set stays on disk");
			quota_free(old);
			return r == -ENODEV ? -ENOENT : r;
		}
	}
	if (r < 0) {
		quota_free(new);
		return r == -ENODEV ? -ENOENT : r;
	}
	quota_free(old);
	declared_override(q, path);
	declared_unmark(q, fd, path);
	/* A user's is of one cgroup, and not of another that has its path later. */
	if (q->tree && uid == (uid_t)-1)
		(void)cgroup_tree_watch_above(q->tree, path);
	return 0;
}

int quotas_clear(struct quotas *q, const char *path, uid_t uid)
{
	struct quota *old = quota_list_find(q->list, path);
	_cleanup_(closep) int fd = cgroupfs_open(q->fs, path);
	struct cgroup_misc misc = {};
	int r;

	if (uid != (uid_t)-1 && is_anothers(q, path, old, uid))
		return -EPERM;
	if (!old && (fd < 0 || cgroupfs_read_misc(q->fs, fd, &misc) < 0 || !misc.present ||
		     misc.max_bytes == UINT64_MAX))
		return -ENOENT;
	if (old) {
		r = replace(q, old, NULL);
		if (r < 0)
			return r;
		free(old->path);
		free(old);
	}
	r = declared_restore(q, fd, path);
	return r == -ENOENT || r == -ENODEV ? 0 : r;
}
