/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "daemon/model/render.h"
#include "lib/json.h"

static const char *const kinds[] = {
	[PIN_KIND_UNKNOWN] = "unknown",	     [PINGUARD_KIND_RDMA] = "rdma",
	[PINGUARD_KIND_VFIO] = "vfio",	     [PINGUARD_KIND_IOMMUFD] = "iommufd",
	[PINGUARD_KIND_IO_URING] = "io_uring", [PINGUARD_KIND_XDP] = "xdp",
	[PINGUARD_KIND_VDPA] = "vdpa",
};

static const char *const reasons[] = {
	[PINGUARD_REASON_LIMIT] = "limit",
	[PINGUARD_REASON_RLIMIT] = "rlimit",
	[PINGUARD_REASON_POLICY] = "policy",
	[PINGUARD_REASON_REVOKE] = "revoke",
};

static const char *const types[] = {
	[EVENT_PIN] = "pin",	       [EVENT_PIN_CHANGE] = "pin_change",
	[EVENT_UNPIN] = "unpin",       [EVENT_DENY] = "deny",
	[EVENT_QUOTA_SET] = "quota_set", [EVENT_QUOTA_CLEAR] = "quota_clear",
	[EVENT_POLICY_SET] = "policy_set", [EVENT_POLICY_CLEAR] = "policy_clear",
	[EVENT_REVOKE] = "revoke",     [EVENT_REVOKE_DONE] = "revoke_done",
	[EVENT_RELEASE] = "release",   [EVENT_RELEASE_STEP] = "release_step",
	[EVENT_RELEASE_DONE] = "release_done",
	[EVENT_FAILURE] = "failure",  [EVENT_FAILURE_DONE] = "failure_done",
	[EVENT_RESYNC] = "resync",
};

static const char *const policies[] = {
	[PINGUARD_POLICY_ALLOW] = "allow",
	[PINGUARD_POLICY_REVOCABLE] = "revocable",
	[PINGUARD_POLICY_DENY] = "deny",
};

static const char *const revoke_reasons[] = {
	[PINGUARD_REVOKE_REASON_DEVICE_REMOVAL] = "device_removal",
	[PINGUARD_REVOKE_REASON_MEMORY_OFFLINE] = "memory_offline",
};

static const char *const revoke_outcomes[] = {
	[PINGUARD_REVOKE_OUTCOME_DONE] = "done",
	[PINGUARD_REVOKE_OUTCOME_BUSY] = "busy",
	[PINGUARD_REVOKE_OUTCOME_INTERRUPTED] = "interrupted",
	[PINGUARD_REVOKE_OUTCOME_FAILED] = "failed",
};

const char *render_kind(uint32_t kind)
{
	return kind < ARRAY_SIZE(kinds) ? kinds[kind] : kinds[PIN_KIND_UNKNOWN];
}

int render_parse_kind(const char *name, uint32_t *ret)
{
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(name, kinds[i]) == 0) {
			*ret = i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *render_policy(uint32_t policy)
{
	return policy < ARRAY_SIZE(policies) ? policies[policy] : NULL;
}

int render_parse_policy(const char *name, uint32_t *ret)
{
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(policies); i++) {
		if (policies[i] && strcmp(name, policies[i]) == 0) {
			*ret = i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *render_revoke_reason(uint32_t reason)
{
	return reason < ARRAY_SIZE(revoke_reasons) ? revoke_reasons[reason] : NULL;
}

const char *render_revoke_outcome(uint32_t outcome)
{
	return outcome < ARRAY_SIZE(revoke_outcomes) ? revoke_outcomes[outcome] : NULL;
}

json_t *render_string(const char *text)
{
	return text ? json_escaped(text, strlen(text)) : json_null();
}

json_t *render_path(const struct cgroup_node *node)
{
	return render_string(node ? node->path : NULL);
}

size_t render_names_bytes(const json_t *owner)
{
	static const char *const names[] = { "comm", "cgroup", "reason" };
	const json_t *holder;
	size_t bytes = 0, i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		bytes += json_string_length(json_object_get(owner, names[i]));
	json_array_foreach(json_object_get(owner, "holders"), i, holder)
		bytes += render_names_bytes(holder);
	return bytes;
}

static json_t *integer_or_null(uint64_t value, bool known)
{
	return known ? json_bytes(value) : json_null();
}

struct names {
	const void *comm;
	size_t comm_len;
	const char *device; /* NULL for none */
	const struct cgroup_node *cgroup, *charged;
};

/* n->comm and the rest are foreign; info has the numbers. */
static json_t *pin_json(const struct pin_info *info, const struct names *n)
{
	return json_pack("{s:o, s:s, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b}",
			 "id", info->id ? json_hex(info->id) : json_null(),
			 "kind", render_kind(info->kind),
			 "device", render_string(n->device),
			 "pid", (json_int_t)info->tgid,
			 "comm", json_escaped(n->comm, n->comm_len),
			 "uid", integer_or_null(info->uid, info->uid != PIN_UID_NONE),
			 "cgroup", render_path(n->cgroup),
			 "charged_cgroup", render_path(n->charged),
			 "address", info->address ? json_hex(info->address) : json_null(),
			 "bytes", json_integer(MIN(info->bytes, (uint64_t)INT64_MAX)),
			 "since_usec", integer_or_null(info->since_usec, info->since_usec != 0),
			 "owner_gone", !!(info->flags & PINGUARD_FLAG_OWNER_GONE),
			 "releasing", !!(info->flags & PINGUARD_FLAG_RELEASING));
}

json_t *render_pin(const struct pin *pin)
{
	struct pin_info info = {
		.id = pin->id,
		.address = pin->address,
		.bytes = pin->bytes,
		.since_usec = pin->since_usec,
		.kind = pin->kind,
		.tgid = pin->tgid,
		.uid = pin->uid,
		.flags = pin->flags,
	};
	struct names n = {
		.comm = pin->comm->bytes,
		.comm_len = pin->comm->len,
		.device = pin->device ? pin->device->bytes : NULL,
		.cgroup = pin->cgroup,
		.charged = pin->charged,
	};

	return pin_json(&info, &n);
}

/* The same of one that the registry does not have; either node may be NULL. */
static json_t *render_pin_info(const struct pin_info *info, const struct cgroup_node *cgroup,
			       const struct cgroup_node *charged)
{
	struct names n = {
		.comm = info->comm,
		.comm_len = info->comm_len,
		.device = info->device[0] ? info->device : NULL,
		.cgroup = cgroup,
		.charged = charged,
	};

	return pin_json(info, &n);
}

static json_t *event_pin(const struct event *event)
{
	if (event->type > EVENT_DENY)
		return json_null();
	return render_pin_info(&event->pin, event->cgroup, event->charged);
}

static json_t *string_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

static json_t *event_revoke(const struct event *event)
{
	const uint64_t page_bytes = sysconf(_SC_PAGESIZE);
	const struct revoke_info *r = event->revoke;

	if (!r)
		return json_null();
	return json_pack("{s:o, s:s, s:o, s:o, s:o, s:I, s:I, s:I, s:o, s:o}",
			 "id", json_hex(r->id),
			 "reason", render_revoke_reason(r->reason) ?: "device_removal",
			 "device", render_string(r->device[0] ? r->device : NULL),
			 "first", json_hex(r->first_pfn * page_bytes),
			 "last", json_hex(r->last_pfn * page_bytes + page_bytes - 1),
			 "pins", (json_int_t)r->pins,
			 "timeout_usec", (json_int_t)r->timeout_usec,
			 "pid", (json_int_t)r->tgid,
			 "comm", json_escaped(r->comm, r->comm_len),
			 "outcome", string_or_null(render_revoke_outcome(r->outcome)));
}

static json_t *event_reason(const struct event *event)
{
	if (event->type != EVENT_DENY || event->reason >= ARRAY_SIZE(reasons) ||
	    !reasons[event->reason])
		return json_null();
	return json_string(reasons[event->reason]);
}

static json_t *parsed_or_null(const char *text, bool known)
{
	return text && known ? json_loads(text, 0, NULL) : json_null();
}

json_t *render_event(const struct event *event, bool whole)
{
	bool deny = event->type == EVENT_DENY;
	bool quota = event->type == EVENT_QUOTA_SET || event->type == EVENT_QUOTA_CLEAR;

	return json_pack("{s:I, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o,"
			 " s:o}",
			 "time_usec", (json_int_t)event->time_usec,
			 "seq", integer_or_null(event->seq, event->seq != 0),
			 "type", types[event->type],
			 "pin", event_pin(event),
			 "reason", event_reason(event),
			 "limit_cgroup", render_path(event->limit),
			 "usage_bytes", integer_or_null(event->usage_bytes,
							whole && deny && event->limit),
			 "max_bytes", integer_or_null(event->max_bytes, (deny && event->limit) || quota),
			 "suppressed", integer_or_null(event->suppressed, whole && deny),
			 "quota_cgroup", render_string(event->quota_cgroup),
			 "uid", integer_or_null(event->uid, event->uid != PIN_UID_NONE),
			 "policy", string_or_null(render_policy(event->policy)),
			 "release", parsed_or_null(event->release, whole),
			 "owner", parsed_or_null(event->owner, true),
			 "revoke", event_revoke(event),
			 "failure", parsed_or_null(event->failure, true));
}
