/* SPDX-License-Identifier: GPL-2.0-or-later */
/* High marks: above them more is pinned than there should be, and the kernel does not mind. */
#include <string.h>
#include <utlist.h>

#include "daemon/cgroup/quotas-internal.h"

unsigned int quotas_count(const struct quotas *q)
{
	const struct quota *quota;
	unsigned int n;

	DL_COUNT(q->list, quota, n);
	return n;
}

bool quotas_is_stale(struct quotas *q, const struct quota *quota)
{
	_cleanup_(closep) int fd = -1;
	uint64_t id;

	if (quota->uid == (uid_t)-1)
		return false;
	fd = cgroupfs_open(q->fs, quota->path);
	return fd < 0 || cgroupfs_id(fd, &id) < 0 || id != quota->cgroup_id;
}

struct quota *quotas_find(struct quotas *q, const char *path)
{
	return quota_list_find(q->list, path) ?: declared_find_quota(q, path);
}

struct quota *quotas_next(struct quotas *q, struct quota *prev)
{
	struct quota *next;

	if (prev && prev->declaration)
		return declared_next(q, prev);
	next = prev ? prev->next : q->list;
	return next ?: declared_next(q, NULL);
}

static int by_path(const void *a, const void *b)
{
	const struct quota *const *x = a, *const *y = b;

	return strcmp((*x)->path, (*y)->path);
}

/* Without memory there is none, and the next one who asks tries again. */
static void index_high(struct quotas *q)
{
	struct quota *quota = NULL;

	if (q->high)
		return;
	q->high = calloc(quotas_count(q) + declared_count(q) + 1, sizeof(*q->high));
	if (!q->high)
		return;
	while ((quota = quotas_next(q, quota)))
		if (quota->high_bytes != UINT64_MAX)
			q->high[q->n_high++] = quota;
	qsort(q->high, q->n_high, sizeof(*q->high), by_path);
}

size_t quotas_n_high(struct quotas *q)
{
	index_high(q);
	return q->n_high;
}

struct quota *quotas_find_high(struct quotas *q, const char *path)
{
	const struct quota key = { .path = (char *)path }, *wanted = &key;
	struct quota **found;

	index_high(q);
	if (!q->high)
		return NULL;
	found = bsearch(&wanted, q->high, q->n_high, sizeof(*q->high), by_path);
	return found ? *found : NULL;
}

uint64_t quotas_high_bytes(struct quotas *q, const char *path, uint64_t cgroup_id)
{
	const struct quota *quota = quotas_find_high(q, path);

	if (!quota || (quota->uid != (uid_t)-1 && quota->cgroup_id != cgroup_id))
		return UINT64_MAX;
	return quota->high_bytes;
}

uint64_t quotas_current_bytes(struct quotas *q, const struct quota *quota)
{
	_cleanup_(closep) int fd = cgroupfs_open(q->fs, quota->path);
	struct cgroup_misc misc;

	if (fd < 0 || quotas_is_stale(q, quota) || cgroupfs_read_misc(q->fs, fd, &misc) < 0 ||
	    !misc.present)
		return 0;
	return misc.current_bytes;
}
