/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What files declare: as quotas-declared.c, with the kernel's policies. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#include "daemon/cgroup/policies-internal.h"
#include "lib/escape.h"
#include "lib/log.h"

#define MARK "trusted.pinguard.policy"

static const struct policy_info none = { .policy = PINGUARD_POLICY_ALLOW,
					 .count = PINGUARD_COUNT_EACH };

static bool is_same(const struct policy_info *a, const struct policy_info *b)
{
	return a->policy == b->policy && a->count == b->count;
}

/* What was written here; false for nothing. */
static bool read_mark(int fd, struct policy_info *ret)
{
	char text[32];
	ssize_t n = fgetxattr(fd, MARK, text, sizeof(text) - 1);

	if (n <= 0)
		return false;
	text[n] = '\0';
	return sscanf(text, "%" SCNu32 " %" SCNu32, &ret->policy, &ret->count) == 2;
}

/* What nobody has marked is never given back: no mark, no policy. */
static int write_mark(int fd, const struct policy_info *info)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu32 " %" PRIu32, info->policy, info->count);
	return fsetxattr(fd, MARK, text, strlen(text), 0) < 0 ? -errno : 0;
}

/* Said once for each section: it may be of thousands of cgroups. */
static void tell_failure(const char *path, struct declaration *d, int error,
			 const char *reason)
{
	_cleanup_(freep) char *shown = escape_name(path);

	if (d && d->failed)
		return;
	if (d)
		d->failed = true;
	if (d)
		log_warning_errno(error, "cannot apply the policy that %s:%u declares for %s: %s",
				  d->file, d->policy_line, shown ?: "?", reason ?: strerror(-error));
	else
		log_warning_errno(error, "cannot take back the policy of %s: %s", shown ?: "?",
				  reason ?: strerror(-error));
}

static struct policy_info declared_policy(const struct declaration *d)
{
	return (struct policy_info){ .policy = d->policy ?: none.policy,
				     .count = d->count ?: none.count };
}

/* First the mark: what is written is known to be ours, whenever this ends. */
static int write_declared(struct policies *p, int fd, const char *path,
			  const struct policy_info *wanted, char **ret_reason)
{
	int r = write_mark(fd, wanted);

	return r < 0 ? r : policies_write(p, path, wanted->policy, wanted->count, ret_reason);
}

/*
 * The policy that files declare takes the place of one that was set, at once; none where
 * there is none, or it cannot be: that is said. As policies_write()
 */
static int restore(struct policies *p, const char *path)
{
	struct declarations *all = p->quotas ? quotas_declarations(p->quotas) : NULL;
	struct declaration *d = all ? declarations_match(all, path) : NULL;
	_cleanup_(freep) char *reason = NULL, *unused = NULL;
	_cleanup_(closep) int fd = cgroupfs_open(p->fs, path);
	struct policy_info wanted;
	int r;

	if (fd < 0)
		return fd == -ENODEV ? -ENOENT : fd;
	if (d && d->policy_line) {
		wanted = declared_policy(d);
		r = write_declared(p, fd, path, &wanted, &reason);
		if (r == 0 || r == -ENOENT)
			return r;
		tell_failure(path, d, r, reason);
	}
	r = policies_write(p, path, none.policy, none.count, &unused);
	(void)fremovexattr(fd, MARK);
	return r;
}

int policies_clear(struct policies *p, const char *path)
{
	const struct policy_info now = policies_of_kernel(p, path);
	int r = policies_forget(p, path);

	if (r == 0 && is_same(&now, &none))
		return -ENOENT;
	if (r >= 0)
		r = restore(p, path);
	/* No cgroup, no controller, no policy. */
	return r == -ENOENT || r == -EOPNOTSUPP ? 0 : r;
}

void policies_look(struct policies *p, int fd, const char *path, struct declaration *d)
{
	struct policy_info wanted = none, mark = none, now;
	_cleanup_(freep) char *reason = NULL;
	bool marked;
	int r = 0;

	if (policies_unsupported(p) || policies_find(p, path))
		return;
	marked = read_mark(fd, &mark);
	if (d && d->policy_line) {
		wanted = declared_policy(d);
	} else if (!marked) {
		return;
	}
	now = policies_of_kernel(p, path);
	/* somebody else's is left alone */
	if (!is_same(&now, &wanted) && !is_same(&now, &none) && !is_same(&now, &mark))
		wanted = now;
	if (is_same(&wanted, &now) && (!marked || is_same(&wanted, &mark)))
		return;
	if (!is_same(&wanted, &now))
		r = write_declared(p, fd, path, &wanted, &reason);
	if (r == 0 && (!d || !d->policy_line || is_same(&wanted, &none)))
		(void)fremovexattr(fd, MARK);
	if (r < 0 && r != -ENOENT && r != -ENODEV)
		tell_failure(path, d && d->policy_line ? d : NULL, r, reason);
}
