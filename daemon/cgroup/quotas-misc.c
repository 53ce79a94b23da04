/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a cgroup has no limit of its own. */
#include <stdio.h>
#include <string.h>

#include "daemon/cgroup/quotas-internal.h"
#include "lib/escape.h"

static const char *tree_reason(struct quotas *q, const char *path)
{
	const struct cgroup_tree_entry *e;
	size_t len;

	/* The failure nearest the root explains all below it. */
	for (e = q->tree ? cgroup_tree_uncontrolled(q->tree) : NULL; e; e = e->next) {
		len = strlen(e->path);
		if (strcmp(e->path, "/") == 0 ||
		    (strncmp(path, e->path, len) == 0 && path[len] == '/'))
			return e->reason;
	}
	return NULL;
}

char *quotas_why_not_at(struct quotas *q, int fd, const char *path)
{
	_cleanup_(freep) char *up = strdup(path), *shown = NULL;
	_cleanup_(closep) int parent = -1;
	const char *known = tree_reason(q, path);
	char buf[256], *slash, *text = NULL;
	uid_t owner;

	if (known)
		return asprintf(&text, "the misc controller is off above it: %s", known) < 0 ? NULL : text;
	if (cgroupfs_read(fd, "cgroup.type", buf, sizeof(buf)) >= 0 && strncmp(buf, "domain\n", 7) != 0 &&
	    strncmp(buf, "domain threaded", 15) != 0)
		return strdup("it is a threaded cgroup, which cannot have the misc controller");
	slash = up ? strrchr(up, '/') : NULL;
	if (!slash)
		return NULL;
	slash[slash == up ? 1 : 0] = '\0';
	shown = escape_name(up);
	parent = cgroupfs_open(q->fs, up);
	if (parent >= 0 && cgroupfs_read(parent, "cgroup.controllers", buf, sizeof(buf)) >= 0 &&
	    !strstr(buf, "misc"))
		(void)asprintf(&text, "the misc controller is not available in its parent %s: it is "
			       "off above that", shown);
	else if (parent >= 0 && cgroupfs_is_delegated(parent, &owner))
		(void)asprintf(&text, "its parent %s is delegated, and its manager has not turned "
			       "the misc controller on in cgroup.subtree_control", shown);
	else
		(void)asprintf(&text, "the misc controller is off in cgroup.subtree_control of its "
			       "parent %s, which is no slice", shown);
	return text;
}

char *quotas_why_not(struct quotas *q, const char *path)
{
	_cleanup_(closep) int fd = cgroupfs_open(q->fs, path);

	return fd < 0 ? NULL : quotas_why_not_at(q, fd, path);
}

void quotas_changed(struct quotas *q)
{
	free(TAKE_PTR(q->high));
	q->n_high = 0;
}
