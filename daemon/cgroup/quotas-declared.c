/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What files declare, for the cgroups that there are. A limit that somebody else
 * has written is left alone; one that was written here is marked on the cgroup
 * itself, and is given back when nothing declares it any more.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "daemon/cgroup/quotas-internal.h"
#include "lib/clock.h"
#include "lib/escape.h"
#include "lib/log.h"

/* Root's alone, so that no user has a limit taken away; gone with the cgroup. */
#define MARK "trusted.pinguard.max"
#define DROP_USEC 1000000 /* between two looks at which cgroups are gone */

struct declared *declared_find(const struct quotas *q, const char *path)
{
	struct declared *e;

	HASH_FIND_STR(q->declared, path, e);
	return e;
}

static void declared_remove(struct quotas *q, struct declared *e)
{
	quotas_changed(q);
	HASH_DEL(q->declared, e);
	declarations_free(e->declarations);
	free(e->quota.path);
	free(e);
}

void declared_free(struct quotas *q)
{
	struct declared *e, *tmp;

	HASH_ITER(hh, q->declared, e, tmp)
		declared_remove(q, e);
	declarations_free(q->declarations);
}

/* What was written here; UINT64_MAX for nothing. */
static uint64_t read_mark(int fd, const struct declared *e)
{
	uint64_t bytes;
	char text[32];
	ssize_t n = fgetxattr(fd, MARK, text, sizeof(text) - 1);

	if (n <= 0)
		return e ? e->written_bytes : UINT64_MAX;
	text[n] = '\0';
	return sscanf(text, "%" SCNu64, &bytes) == 1 ? bytes : UINT64_MAX;
}

/* Where there can be no mark it is known for as long as this service runs. */
static void write_mark(int fd, struct declared *e, uint64_t bytes)
{
	char text[32];

	if (e)
		e->written_bytes = bytes;
	snprintf(text, sizeof(text), "%" PRIu64, bytes);
	if (bytes == UINT64_MAX)
		(void)fremovexattr(fd, MARK);
	else if (fsetxattr(fd, MARK, text, strlen(text), 0) < 0)
		log_debug_errno(errno, "a cgroup cannot be marked: %m");
}

/* Nothing declares a limit: what was written here goes, what others have written stays. */
static void give_back(struct quotas *q, int fd, const char *path, struct declared *e)
{
	const uint64_t mark = read_mark(fd, e);
	struct cgroup_misc misc;
	int r = 0;

	if (mark == UINT64_MAX || q->keeps)
		return;
	if (!quota_list_find(q->list, path) && cgroupfs_read_misc(q->fs, fd, &misc) >= 0 &&
	    misc.present && misc.max_bytes == mark)
		r = cgroupfs_write_max(q->fs, fd, UINT64_MAX);
	if (r < 0) {
		_cleanup_(freep) char *shown = escape_name(path);

		log_warning_errno(r, "cannot give back the limit of %s: %m", shown ?: "?");
		return;
	}
	write_mark(fd, e, UINT64_MAX);
}

/* The limit is the one that is declared, or somebody else's. */
static int write_declared(struct quotas *q, int fd, struct declared *e, char **ret_reason)
{
	const uint64_t wanted = e->quota.max_bytes;
	struct cgroup_misc misc;
	uint64_t mark;
	int r;

	if (!e->quota.declaration->max_line) {
		give_back(q, fd, e->quota.path, e);
		return 0;
	}
	r = cgroupfs_read_misc(q->fs, fd, &misc);
	if (r < 0)
		return r;
	if (!misc.present) {
		*ret_reason = quotas_why_not(q, e->quota.path);
		return -EOPNOTSUPP;
	}
	mark = read_mark(fd, e);
	e->quota.external = misc.max_bytes != UINT64_MAX && misc.max_bytes != mark &&
			    misc.max_bytes != wanted;
	if (misc.max_bytes == wanted && (mark == wanted || mark == UINT64_MAX))
		return 0;
	if (misc.max_bytes != UINT64_MAX && misc.max_bytes != mark) {
		write_mark(fd, e, UINT64_MAX);
		return 0;
	}
	/* first the mark: what is written is known to be ours, whenever this ends */
	write_mark(fd, e, wanted);
	return cgroupfs_write_max(q->fs, fd, wanted);
}

static bool is_gone(struct quotas *q, const struct declared *e)
{
	_cleanup_(closep) int fd = cgroupfs_open(q->fs, e->quota.path);

	return fd < 0;
}

/* Once a second, and reload: it opens each, and there may be thousands more to be looked at. */
static void drop_gone(struct quotas *q)
{
	const uint64_t now_usec = clock_usec(CLOCK_MONOTONIC);
	struct declared *e, *tmp;

	if (q->dropped_usec && q->dropped_round == q->round && now_usec - q->dropped_usec < DROP_USEC)
		return;
	q->dropped_usec = now_usec;
	q->dropped_round = q->round;
	HASH_ITER(hh, q->declared, e, tmp)
		if (is_gone(q, e))
			declared_remove(q, e);
}

/* One user's cgroups take no place of others'. */
static bool has_room(const struct quotas *q, uid_t owner)
{
	const struct declared *e, *tmp;
	unsigned int n = 0;

	if (HASH_COUNT(q->declared) >= QUOTAS_DECLARED_MAX)
		return false;
	if (owner == 0)
		return true;
	HASH_ITER(hh, q->declared, e, tmp)
		n += e->owner == owner;
	return n < QUOTAS_DECLARED_UID_MAX;
}

static struct declared *declared_add(struct quotas *q, int fd, const char *path)
{
	struct stat st = {};
	struct declared *e;

	(void)fstat(fd, &st);
	if (!has_room(q, st.st_uid))
		drop_gone(q);
	if (!has_room(q, st.st_uid)) {
		if (!q->told_full)
			log_warning("files declare quotas for more than %d cgroups, or %d of one user: "
				    "of the others none is applied", QUOTAS_DECLARED_MAX,
				    QUOTAS_DECLARED_UID_MAX);
		q->told_full = true;
		return NULL;
	}
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	e->quota.path = strdup(path);
	if (e->quota.path)
		HASH_ADD_KEYPTR(hh, q->declared, e->quota.path, strlen(e->quota.path), e);
	if (!e->quota.path || !e->hh.tbl) {
		free(e->quota.path);
		free(e);
		return NULL;
	}
	e->owner = st.st_uid;
	e->quota.high_bytes = e->written_bytes = UINT64_MAX;
	e->quota.uid = (uid_t)-1;
	e->quota.runtime = true;
	return e;
}

/* What was written into another cgroup that had this path is nothing to this one. */
static void note_cgroup(struct declared *e, int fd)
{
	uint64_t id = 0;

	(void)cgroupfs_id(fd, &id);
	if (id != e->quota.cgroup_id)
		e->written_bytes = UINT64_MAX;
	e->quota.cgroup_id = id;
}

static void fill(struct quotas *q, struct declared *e, struct declaration *d)
{
	if (e->quota.high_bytes != d->high_bytes)
		quotas_changed(q);
	e->quota.max_bytes = d->max_bytes;
	e->quota.high_bytes = d->high_bytes;
	e->quota.declaration = e->declaration = d;
	e->round = q->round;
	declarations_free(e->declarations);
	e->declarations = declarations_ref(q->declarations);
	declared_override(q, e->quota.path);
}

void declared_override(struct quotas *q, const char *path)
{
	struct declared *e = declared_find(q, path);
	const bool overridden = e && quota_list_find(q->list, path);

	if (!e || e->quota.overridden == overridden)
		return;
	e->quota.overridden = overridden;
	quotas_changed(q);
}

/* Said once for each section: it may be of thousands of cgroups. */
static void tell_failure(struct declaration *d, const char *path, int error, const char *reason)
{
	_cleanup_(freep) char *shown = escape_name(path);

	if (d->failed || error == -ENOENT || error == -ENODEV)
		return;
	d->failed = true;
	log_warning_errno(error, "cannot apply the quota that %s:%u declares for %s: %s", d->file,
			  d->line, shown ?: "?", reason ?: strerror(-error));
}

int quotas_look(struct quotas *q, int fd, const char *path, char **ret_reason)
{
	struct declaration *d = q->declarations ? declarations_match(q->declarations, path) : NULL;
	struct declared *e = declared_find(q, path);
	_cleanup_(freep) char *reason = NULL;
	int r;

	if (e)
		note_cgroup(e, fd);
	if (!d) {
		give_back(q, fd, path, e);
		if (e)
			declared_remove(q, e);
		return 0;
	}
	if (!e) {
		e = declared_add(q, fd, path);
		if (!e)
			return -E2BIG;
		e->quota.raised = true;
		q->raised = true;
	}
	note_cgroup(e, fd);
	fill(q, e, d);
	if (e->quota.overridden || !q->possible)
		return 0;
	r = write_declared(q, fd, e, &reason);
	if (r < 0) {
		tell_failure(d, path, r, reason);
		if (ret_reason)
			*ret_reason = TAKE_PTR(reason);
	}
	return r;
}

void quotas_declare(struct quotas *q, struct declarations *d, bool possible)
{
	declarations_free(q->declarations);
	q->declarations = d;
	q->possible = possible;
	q->told_full = false;
	q->round++;
}

/* What the walk has not come by is gone, or was more than it may look at. */
void quotas_looked(struct quotas *q)
{
	struct declared *e, *tmp;

	HASH_ITER(hh, q->declared, e, tmp) {
		_cleanup_(closep) int fd = -1;

		if (e->round == q->round)
			continue;
		fd = cgroupfs_open(q->fs, e->quota.path);
		if (fd < 0)
			declared_remove(q, e);
		else
			(void)quotas_look(q, fd, e->quota.path, NULL);
	}
}

bool quotas_take_raised(struct quotas *q)
{
	const bool raised = q->raised;

	q->raised = false;
	return raised;
}

struct declarations *quotas_declarations(const struct quotas *q)
{
	return q->declarations;
}

void quotas_count_matches(struct quotas *q)
{
	struct declarations *d = q->declarations;
	struct declared *e, *tmp;

	for (size_t i = 0; d && i < d->n; i++)
		d->all[i]->n_matches = 0;
	HASH_ITER(hh, q->declared, e, tmp)
		if (e->declarations == d && !is_gone(q, e))
			e->declaration->n_matches++;
}

/* Whether there is a quota in force that only files say. */
static bool counts(const struct declared *e)
{
	return !e->quota.overridden && (e->declaration->max_line || e->declaration->high_line);
}

struct quota *declared_find_quota(const struct quotas *q, const char *path)
{
	struct declared *e = declared_find(q, path);

	return e && counts(e) ? &e->quota : NULL;
}

struct quota *declared_next(const struct quotas *q, struct quota *prev)
{
	struct declared *e = prev ? declared_find(q, prev->path) : NULL;

	e = prev ? (e ? e->hh.next : NULL) : q->declared;
	while (e && !counts(e))
		e = e->hh.next;
	return e ? &e->quota : NULL;
}

size_t declared_count(const struct quotas *q)
{
	return HASH_COUNT(q->declared);
}

void declared_unmark(struct quotas *q, int fd, const char *path)
{
	write_mark(fd, declared_find(q, path), UINT64_MAX);
}

int declared_restore(struct quotas *q, int fd, const char *path)
{
	struct declared *e = declared_find(q, path);
	const uint64_t bytes = e && q->possible ? e->quota.max_bytes : UINT64_MAX;

	declared_override(q, path);
	if (fd < 0)
		return 0;
	write_mark(fd, e, bytes);
	return cgroupfs_write_max(q->fs, fd, bytes);
}
