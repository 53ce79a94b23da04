/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "daemon/model/render.h"
#include "lib/json.h"

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
	[EVENT_HIGH] = "high",
	[EVENT_REVOKE] = "revoke",     [EVENT_REVOKE_DONE] = "revoke_done",
	[EVENT_RELEASE] = "release",   [EVENT_RELEASE_STEP] = "release_step",
	[EVENT_RELEASE_DONE] = "release_done",
	[EVENT_FAILURE] = "failure",  [EVENT_FAILURE_DONE] = "failure_done",
	[EVENT_RESYNC] = "resync",   [EVENT_GAP] = "gap",
};

int render_parse_event_type(const char *name, enum event_type *ret)
{
	uint32_t i;

	for (i = 0; i < N_EVENT_TYPES; i++) {
		if (strcmp(name, types[i]) == 0) {
			*ret = i;
			return 0;
		}
	}
	return -EINVAL;
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

/* The value of the limit that refused, as far as that is known, or of the quota. */
static bool has_max(const struct event *event)
{
	switch (event->type) {
	case EVENT_DENY:
		return event->max_bytes != UINT64_MAX &&
		       (event->limit || event->reason == PINGUARD_REASON_RLIMIT);
	case EVENT_QUOTA_SET:
	case EVENT_QUOTA_CLEAR:
		return true;
	default:
		return false;
	}
}

static json_t *event_max_source(const struct event *event)
{
	if (event->type != EVENT_DENY || !has_max(event))
		return json_null();
	return json_string(event->max_from_proc ? "proc" : "kernel");
}

static json_t *event_missing(const struct event *event)
{
	_cleanup_json_ json_t *array = event->missing ? json_array() : json_null();

	for (uint32_t i = 0; array && i < N_EVENT_TYPES; i++)
		if ((event->missing & EVENT_BIT(i)) &&
		    json_array_append_new(array, json_string(types[i])) < 0)
			return NULL;
	return TAKE_PTR(array);
}

static json_t *parsed_or_null(const char *text, bool known)
{
	return text && known ? json_loads(text, 0, NULL) : json_null();
}

json_t *render_event(const struct event *event, bool whole)
{
	bool deny = event->type == EVENT_DENY, high = event->type == EVENT_HIGH;

	return json_pack("{s:I, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o,"
			 " s:o, s:o, s:o, s:o}",
			 "time_usec", (json_int_t)event->time_usec,
			 "seq", json_bytes_or_null(event->seq, event->seq != 0),
			 "type", types[event->type],
			 "pin", event_pin(event),
			 "reason", event_reason(event),
			 "limit_cgroup", render_path(event->limit),
			 "usage_bytes", json_bytes_or_null(event->usage_bytes,
							high || (whole && deny && event->limit)),
			 "max_bytes", json_bytes_or_null(event->max_bytes, has_max(event)),
			 "high_bytes", json_bytes_or_null(event->max_bytes, high),
			 "max_source", event_max_source(event),
			 "suppressed", json_bytes_or_null(event->suppressed, whole && deny),
			 "quota_cgroup", render_name(event->quota_cgroup),
			 "uid", json_bytes_or_null(event->uid, event->uid != PIN_UID_NONE),
			 "policy", string_or_null(render_policy(event->policy) ?:
						  render_count(event->count)),
			 "release", parsed_or_null(event->release, whole),
			 "owner", parsed_or_null(event->owner, true),
			 "revoke", event_revoke(event),
			 "failure", parsed_or_null(event->failure, true),
			 "missing", event_missing(event));
}
