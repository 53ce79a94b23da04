/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "daemon/render.h"
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
	[EVENT_RESYNC] = "resync",
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

json_t *render_string(const char *text)
{
	return text ? json_escaped(text, strlen(text)) : json_null();
}

json_t *render_path(const struct cgroup_node *node)
{
	return render_string(node ? node->path : NULL);
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

static json_t *event_pin(const struct event *event)
{
	struct names n = {
		.comm = event->pin.comm,
		.comm_len = event->pin.comm_len,
		.device = event->pin.device[0] ? event->pin.device : NULL,
		.cgroup = event->cgroup,
		.charged = event->charged,
	};

	return event->type <= EVENT_DENY ? pin_json(&event->pin, &n) : json_null();
}

static json_t *event_reason(const struct event *event)
{
	if (event->type != EVENT_DENY || event->reason >= ARRAY_SIZE(reasons) ||
	    !reasons[event->reason])
		return json_null();
	return json_string(reasons[event->reason]);
}

json_t *render_event(const struct event *event, bool whole)
{
	bool deny = event->type == EVENT_DENY;
	bool quota = event->type == EVENT_QUOTA_SET || event->type == EVENT_QUOTA_CLEAR;

	return json_pack("{s:I, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
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
			 "uid", integer_or_null(event->uid, event->uid != PIN_UID_NONE));
}
