/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may see what. What they may do, the methods ask for themselves. */
#include <errno.h>

#include "daemon/base/base.h"
#include "daemon/manager/answers.h"

bool owns_node(struct manager *m, struct call *call, struct cgroup_node *node)
{
	struct cgroupfs *fs = cgroups_fs(m->cgroups);
	uid_t uid = call_peer(call)->uid;

	return fs && node && uid != 0 &&
	       cgroupfs_delegate(fs, node, uid, loop_usec(m->event, CLOCK_MONOTONIC)) == uid;
}

bool owned_node(struct call *call, struct cgroup_node *node)
{
	const uid_t uid = call_peer(call)->uid;

	return uid != 0 && cgroupfs_delegate_seen(node, uid) == uid;
}

int admit_lookup(struct manager *m, struct call *call)
{
	int r = 0;

	if (call_sees_all(call))
		return 0;
	if (!m->calls.lookups)
		r = callers_new(LOOKUPS_BURST, LOOKUPS_RATE, &m->calls.lookups);
	if (r >= 0)
		r = callers_admit(m->calls.lookups, call_peer(call)->uid,
				  loop_usec(m->event, CLOCK_MONOTONIC));
	if (r != -EUSERS)
		return r;
	return reply_limit(call, "lookups of one user in a second", LOOKUPS_RATE) ?: 1;
}

static bool is_caller(struct call *call, uint32_t uid)
{
	/* PIN_UID_NONE is no user: nobody's own. */
	return uid == call_peer(call)->uid && uid != PIN_UID_NONE;
}

bool may_see_pin(struct manager *m, struct call *call, uint32_t uid, struct cgroup_node *cgroup)
{
	return call_sees_all(call) || is_caller(call, uid) || owns_node(m, call, cgroup);
}

bool could_see_pin(struct call *call, uint32_t uid, struct cgroup_node *cgroup)
{
	return call_sees_all(call) || is_caller(call, uid) || owned_node(call, cgroup);
}

bool may_see_whole(struct manager *m, struct call *call, const struct event *event)
{
	return call_sees_all(call) || owns_node(m, call, event->limit) ||
	       (event->release && is_caller(call, event->uid));
}

/* Physical addresses are for administrators. */
uint32_t may_see_types(struct call *call)
{
	const uint32_t physical = EVENT_BIT(EVENT_REVOKE) | EVENT_BIT(EVENT_REVOKE_DONE) |
				  EVENT_BIT(EVENT_FAILURE) | EVENT_BIT(EVENT_FAILURE_DONE);

	return EVENT_ALL_TYPES & (call_sees_all(call) ? UINT32_MAX : ~physical);
}

bool may_see_event(struct manager *m, struct call *call, const struct event *event)
{
	if (!(may_see_types(call) & EVENT_BIT(event->type)))
		return false;
	switch (event->type) {
	case EVENT_RESYNC:
	case EVENT_REVOKE:
	case EVENT_REVOKE_DONE:
	case EVENT_FAILURE:
	case EVENT_FAILURE_DONE:
		return true;
	case EVENT_QUOTA_SET:
	case EVENT_QUOTA_CLEAR:
	case EVENT_POLICY_SET:
	case EVENT_POLICY_CLEAR:
	case EVENT_HIGH:
		return call_sees_all(call) || event->uid == call_peer(call)->uid ||
		       owns_node(m, call, event->cgroup);
	/* Who asked sees all of it, an owner what is done about itself. */
	case EVENT_RELEASE:
	case EVENT_RELEASE_DONE:
		return call_sees_all(call) || is_caller(call, event->uid);
	case EVENT_RELEASE_STEP:
		if (is_caller(call, event->uid))
			return true;
		return may_see_pin(m, call, event->pin.uid, event->cgroup);
	default:
		return may_see_pin(m, call, event->pin.uid, event->cgroup);
	}
}
