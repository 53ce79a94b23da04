/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An answer has room for so many, and anyone may open what anyone may open: nobody's
 * processes take the room of others', whatever their numbers are.
 */
#include <errno.h>
#include <string.h>

#include "daemon/kernel/openers-users.h"
#include "daemon/kernel/procfs.h"
#include "lib/json.h"

void openers_users_done(struct openers_users *users)
{
	struct openers_share *share, *tmp;

	HASH_ITER(hh, users->shares, share, tmp) {
		HASH_DEL(users->shares, share);
		free(share);
	}
	for (size_t i = 0; i < users->n; i++)
		free(users->waiting[i].mount);
	free(users->waiting);
}

struct openers_share *openers_share_of(struct openers_users *users, pid_t pid)
{
	struct openers_share *share;
	struct proc_status status;
	/* One that is gone, or is not shown, is nobody's. */
	uint32_t uid = UINT32_MAX;

	if (procfs_read_status(users->scan->proc_fd, pid, &status) >= 0)
		uid = status.uid;
	HASH_FIND(hh, users->shares, &uid, sizeof(uid), share);
	if (share)
		return share;
	share = calloc(1, sizeof(*share));
	if (share) {
		share->uid = uid;
		HASH_ADD(hh, users->shares, uid, sizeof(share->uid), share);
	}
	return share;
}

/* NULL where nobody knows, or out of memory */
static json_t *cgroup_json(int proc_fd, pid_t pid)
{
	_cleanup_(freep) char *path = NULL;

	if (procfs_read_cgroup(proc_fd, pid, &path) < 0)
		return json_null();
	return json_name(path);
}

static int tell(struct openers_scan *scan, const struct openers_user *u)
{
	char comm[64];
	json_t *user;
	int n;

	n = procfs_read_comm(scan->proc_fd, u->pid, comm, sizeof(comm));
	user = json_pack("{s:I, s:o, s:o, s:s, s:o, s:b}", "pid", (json_int_t)u->pid, "comm",
			 json_escaped(comm, MAX(n, 0)), "cgroup",
			 cgroup_json(scan->proc_fd, u->pid), "how", u->how, "path",
			 u->mount ? json_escaped(u->mount, strlen(u->mount)) : json_null(),
			 "exact", u->exact);
	if (!user)
		return -ENOMEM;
	scan->n++;
	scan->found(user, scan->userdata);
	return 0;
}

static int wait_for_turn(struct openers_users *users, const struct openers_user *user)
{
	if (users->n == users->size) {
		size_t size = users->size ? 2 * users->size : 64;
		struct openers_user *all = reallocarray(users->waiting, size, sizeof(*all));

		if (!all)
			return -ENOMEM;
		users->waiting = all;
		users->size = size;
	}
	users->waiting[users->n++] = *user;
	return 0;
}

int openers_users_add(struct openers_users *users, struct openers_share *share,
		      const struct openers_user *user)
{
	struct openers_scan *scan = users->scan;
	struct openers_user u = *user;
	int r = 0;

	u.rank = share->n++;
	if (u.rank < scan->max && (u.rank >= scan->max / 16 || scan->n >= scan->max / 2)) {
		r = wait_for_turn(users, &u);
		if (r >= 0)
			return 0;
	} else if (u.rank < scan->max) {
		r = tell(scan, &u);
	} else {
		scan->omitted++;
	}
	free(u.mount);
	return r;
}

static int by_rank(const void *a, const void *b)
{
	const struct openers_user *x = a, *y = b;

	return x->rank != y->rank ? (x->rank > y->rank) - (x->rank < y->rank) :
				    (x->pid > y->pid) - (x->pid < y->pid);
}

int openers_users_tell(struct openers_users *users)
{
	struct openers_scan *scan = users->scan;
	int r = 0;

	if (users->n > 0)
		qsort(users->waiting, users->n, sizeof(*users->waiting), by_rank);
	for (size_t i = 0; i < users->n && r >= 0; i++) {
		if (scan->n < scan->max)
			r = tell(scan, &users->waiting[i]);
		else
			scan->omitted++;
	}
	return r;
}
