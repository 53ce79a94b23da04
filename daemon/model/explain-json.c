/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What binds a pin, as org.pinguard.Manager shows it. */
#include "daemon/model/explain.h"
#include "daemon/model/render.h"
#include "lib/json.h"

static const char *const types[] = {
	[CHECK_RDMA_OBJECTS] = "rdma_objects", [CHECK_DMA_ENTRIES] = "dma_entries",
	[CHECK_UDMABUF_SIZE] = "udmabuf_size", [CHECK_RLIMIT] = "rlimit",
	[CHECK_LIMIT] = "limit",	       [CHECK_REVOKE] = "revoke",
	[CHECK_POLICY] = "policy",
};

static const char *const counters[] = {
	[COUNTER_PINNED] = "pinned",
	[COUNTER_LOCKED] = "locked",
	[COUNTER_USER] = "user",
};

static const char *const used_words[] = {
	[USED_EXACT] = "exact",	    [USED_ABOUT] = "about",   [USED_AT_MOST] = "at_most",
	[USED_UNKNOWN] = "unknown", [USED_HIDDEN] = "hidden",
};

static const char *const states[] = {
	[CHECK_OPEN] = "open",	     [CHECK_UNLIMITED] = "unlimited",
	[CHECK_EXEMPT] = "exempt",   [CHECK_REFUSES] = "refuses",
	[CHECK_UNKNOWN] = "unknown", [CHECK_DEVICE_MEMORY] = "device_memory",
};

static const char *const user_ns_words[] = {
	[USER_NS_UNKNOWN] = "unknown",
	[USER_NS_INITIAL] = "initial",
	[USER_NS_OTHER] = "other",
};

json_t *explain_process_json(const struct explain_process *p)
{
	return json_pack("{s:I, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:s}",
			 "pid", (json_int_t)p->pid,
			 "comm", json_escaped(p->comm, p->comm_len),
			 "uid", (json_int_t)p->uid,
			 "cgroup", render_name(p->cgroup),
			 "memlock_bytes", json_bytes(p->soft_bytes),
			 "memlock_max_bytes", json_bytes(p->hard_bytes),
			 "pinned_bytes", json_bytes_or_null(p->pinned_bytes, p->has_memory),
			 "locked_bytes", json_bytes_or_null(p->locked_bytes, p->has_memory),
			 "ipc_lock", p->ipc_lock_known ? json_boolean(p->ipc_lock) : json_null(),
			 "user_namespace", user_ns_words[p->user_ns]);
}

static json_t *left_json(const struct pin_check *c, bool used_known)
{
	const bool limited = c->max != UINT64_MAX && c->type != CHECK_REVOKE;

	return json_bytes_or_null(c->max - MIN(c->used, c->max), limited && used_known);
}

json_t *explain_check_json(const struct pin_check *c, json_t *holders, json_t *remedies)
{
	const bool used_known = c->used_is != USED_UNKNOWN && c->used_is != USED_HIDDEN;
	const bool counted = used_known && c->type != CHECK_POLICY;

	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:s, s:b, s:o, s:o, s:o}",
			 "check", types[c->type],
			 "counter", c->counter ? json_string(counters[c->counter]) : json_null(),
			 "cgroup", render_name(c->cgroup),
			 "device", render_string(c->device),
			 "used", json_bytes_or_null(c->used, counted),
			 "used_is", used_words[c->used_is],
			 "max", json_bytes(c->max),
			 "left", left_json(c, used_known),
			 "state", states[c->state],
			 "first", c->first,
			 "note", c->note ? json_string(c->note) : json_null(),
			 "holders", holders,
			 "remedies", remedies);
}
