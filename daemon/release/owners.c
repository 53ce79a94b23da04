/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "daemon/release/marks.h"
#include "daemon/release/owners.h"

struct owners {
	struct owner *table;
	struct callers *callers;
	struct owners_config config;
	struct marks *marks;
	bool stopping;
};

static bool is_registered(pid_t pid, void *userdata)
{
	return owners_find(userdata, pid) != NULL;
}

int owners_new(sd_event *event, const struct owners_config *config, struct owners **ret)
{
	_cleanup_(owners_freep) struct owners *owners = calloc(1, sizeof(*owners));
	int r;

	if (!owners)
		return -ENOMEM;
	owners->config = *config;
	r = callers_new(OWNER_CALLS_BURST, OWNER_CALLS_RATE, &owners->callers);
	if (r >= 0)
		r = marks_new(event, config->genl, is_registered, owners, &owners->marks);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(owners);
	return 0;
}

void owners_stop(struct owners *owners)
{
	owners->stopping = true;
}

int owners_resynced(struct owners *owners)
{
	return marks_check(owners->marks);
}

static void owner_free(struct owner *owner)
{
	struct caller *caller = callers_find(owner->owners->callers, owner->uid);

	HASH_DEL(owner->owners->table, owner);
	if (caller)
		caller->held--;
	call_set_watch(owner->call, NULL, NULL);
	call_unref(owner->call);
	cgroup_node_unref(owner->cgroup);
	free(owner);
}

struct owners *owners_free(struct owners *owners)
{
	if (!owners)
		return NULL;
	while (owners->table)
		owner_free(owners->table);
	marks_free(owners->marks);
	callers_free(owners->callers);
	free(owners);
	return NULL;
}

static void on_gone(struct call *call, void *userdata)
{
	struct owner *owner = userdata;
	struct owners *owners = owner->owners;

	if (!owners->stopping) {
		marks_take(owners->marks, owner);
		owners->config.left(owner, owners->config.userdata);
	}
	owner_free(owner);
}

static const struct call_watch watch = { .gone = on_gone };

int owners_admit(struct owners *owners, uid_t uid, uint64_t now_usec)
{
	return uid == 0 ? 0 : callers_admit(owners->callers, uid, now_usec);
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
	struct caller *caller;
	int r;

	/* Without a pidfd nobody would see it exit, and the number's next process were the owner. */
	if (peer->pid <= 0 || peer->pidfd < 0 || peer_has_exited(peer))
		return -ESRCH;
	if (owner && owner_lives(owner))
		return -EEXIST;
	if (owner)
		evict(owner);
	r = callers_get(owners->callers, peer->uid, now_usec, &caller);
	if (r < 0)
		return r;
	if (peer->uid != 0 && caller->held >= OWNERS_UID_MAX)
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
	caller->held++;
	owner->call = call_ref(call);
	call_set_watch(call, &watch, owner);
	marks_put(owners->marks, owner);
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
