/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "daemon/owner.h"

#define TOKEN 1000000ULL /* in millionths; so many come in a second times the rate */

struct owners {
	struct owner *table;
	struct owner_caller *callers;
	owner_left left;
	void *userdata;
};

int owners_new(owner_left left, void *userdata, struct owners **ret)
{
	struct owners *owners = calloc(1, sizeof(*owners));

	if (!owners)
		return -ENOMEM;
	owners->left = left;
	owners->userdata = userdata;
	*ret = owners;
	return 0;
}

static struct owner_caller *find_caller(struct owners *owners, uid_t uid)
{
	struct owner_caller *caller;

	HASH_FIND(hh, owners->callers, &uid, sizeof(uid), caller);
	return caller;
}

static void owner_free(struct owner *owner)
{
	struct owner_caller *caller = find_caller(owner->owners, owner->uid);

	HASH_DEL(owner->owners->table, owner);
	if (caller)
		caller->owners--;
	call_set_watch(owner->call, NULL, NULL);
	call_unref(owner->call);
	cgroup_node_unref(owner->cgroup);
	free(owner);
}

struct owners *owners_free(struct owners *owners)
{
	struct owner_caller *caller, *tmp;

	if (!owners)
		return NULL;
	while (owners->table)
		owner_free(owners->table);
	HASH_ITER(hh, owners->callers, caller, tmp) {
		HASH_DEL(owners->callers, caller);
		free(caller);
	}
	free(owners);
	return NULL;
}

static void on_gone(struct call *call, void *userdata)
{
	struct owner *owner = userdata;

	owner->owners->left(owner, owner->owners->userdata);
	owner_free(owner);
}

static const struct call_watch watch = { .gone = on_gone };

static void refill(struct owner_caller *caller, uint64_t now_usec)
{
	const uint64_t full = OWNER_CALLS_BURST * TOKEN;
	uint64_t passed = now_usec - caller->usec;

	caller->usec = now_usec;
	if (passed > full / OWNER_CALLS_RATE)
		caller->tokens = full;
	else
		caller->tokens = MIN(full, caller->tokens + passed * OWNER_CALLS_RATE);
}

/* Those that have not called for long are as good as new ones. */
static void forget_callers(struct owners *owners, uint64_t now_usec)
{
	struct owner_caller *caller, *tmp;

	HASH_ITER(hh, owners->callers, caller, tmp) {
		refill(caller, now_usec);
		if (!caller->owners && caller->tokens == OWNER_CALLS_BURST * TOKEN) {
			HASH_DEL(owners->callers, caller);
			free(caller);
		}
	}
}

static int get_caller(struct owners *owners, uid_t uid, uint64_t now_usec,
		      struct owner_caller **ret)
{
	struct owner_caller *caller = find_caller(owners, uid);

	if (!caller) {
		if (HASH_COUNT(owners->callers) >= OWNER_CALLERS_MAX)
			forget_callers(owners, now_usec);
		if (HASH_COUNT(owners->callers) >= OWNER_CALLERS_MAX)
			return -EUSERS;
		caller = calloc(1, sizeof(*caller));
		if (!caller)
			return -ENOMEM;
		caller->uid = uid;
		caller->tokens = OWNER_CALLS_BURST * TOKEN;
		caller->usec = now_usec;
		HASH_ADD(hh, owners->callers, uid, sizeof(caller->uid), caller);
		if (!caller->hh.tbl) {
			free(caller);
			return -ENOMEM;
		}
	}
	*ret = caller;
	return 0;
}

int owners_admit(struct owners *owners, uid_t uid, uint64_t now_usec)
{
	struct owner_caller *caller;
	int r = get_caller(owners, uid, now_usec, &caller);

	if (r < 0 || uid == 0)
		return r;
	refill(caller, now_usec);
	if (caller->tokens < TOKEN)
		return -EUSERS;
	caller->tokens -= TOKEN;
	return 0;
}

/* An owner that has exited, and left its connection to a child. */
static void evict(struct owner *owner)
{
	struct call *call = call_ref(owner->call);

	on_gone(call, owner);
	(void)call_error_errno(call, ESRCH);
	call_unref(call);
}

int owners_register(struct owners *owners, struct call *call, uint64_t now_usec,
		    struct owner **ret)
{
	const struct peer *peer = call_peer(call);
	struct owner *owner = owners_find(owners, peer->pid);
	struct owner_caller *caller;
	int r;

	/* Without a pidfd nobody would see it exit, and the number's next process were the owner. */
	if (peer->pid <= 0 || peer->pidfd < 0 || peer_has_exited(peer))
		return -ESRCH;
	if (owner && owner_lives(owner))
		return -EEXIST;
	if (owner)
		evict(owner);
	r = get_caller(owners, peer->uid, now_usec, &caller);
	if (r < 0)
		return r;
	if (peer->uid != 0 && caller->owners >= OWNERS_UID_MAX)
		return -EUSERS;
	if (HASH_COUNT(owners->table) >= OWNERS_MAX)
		return -ENOSPC;

	owner = calloc(1, sizeof(*owner));
	if (!owner)
		return -ENOMEM;
	owner->owners = owners;
	owner->pid = peer->pid;
	owner->uid = peer->uid;
	HASH_ADD(hh, owners->table, pid, sizeof(owner->pid), owner);
	if (!owner->hh.tbl) {
		free(owner);
		return -ENOMEM;
	}
	caller->owners++;
	owner->call = call_ref(call);
	call_set_watch(call, &watch, owner);
	*ret = owner;
	return 0;
}

struct owner *owners_find(struct owners *owners, pid_t pid)
{
	struct owner *owner;

	HASH_FIND(hh, owners->table, &pid, sizeof(pid), owner);
	return owner;
}

struct owner *owners_next(struct owners *owners, struct owner *prev)
{
	return prev ? prev->hh.next : owners->table;
}

size_t owners_count(const struct owners *owners)
{
	return HASH_COUNT(owners->table);
}

bool owner_lives(const struct owner *owner)
{
	return !peer_has_exited(call_peer(owner->call));
}
