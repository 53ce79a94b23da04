/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <sys/auxv.h>

#include "daemon/model/registry.h"

struct registry {
	struct pin *pins;
	struct pin_string *strings;
	struct cgroup_node *cgroups;
	struct pin_cursor *cursors;
	uint64_t bytes;
	uint64_t seq;
	uint64_t secret[2];
	uint8_t generation;
};

/*
 * Users choose the names of their processes: with a hash that they can compute
 * all of them would share a bucket.
 */
static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static unsigned int string_hash(const struct registry *r, const unsigned char *bytes, size_t len)
{
	/* Mixed in by itself: with the length and the first bytes as one sum, they could cancel. */
	uint64_t hash = mix(r->secret[0] ^ len, r->secret[1] | 1);

	for (size_t i = 0; i < len; i += sizeof(uint64_t)) {
		uint64_t part = 0;

		memcpy(&part, bytes + i, MIN(len - i, sizeof(part)));
		hash = mix(hash ^ part, r->secret[1] | 1);
	}
	return (unsigned int)(hash ^ hash >> 32);
}

static struct pin_string *string_get(struct registry *r, const void *bytes, size_t len)
{
	unsigned int hash = string_hash(r, bytes, len);
	struct pin_string *s;

	HASH_FIND_BYHASHVALUE(hh, r->strings, bytes, len, hash, s);
	if (s) {
		s->refs++;
		return s;
	}
	s = calloc(1, sizeof(*s) + len + 1);
	if (!s)
		return NULL;
	s->refs = 1;
	s->len = len;
	memcpy(s->bytes, bytes, len);
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, r->strings, s->bytes, len, hash, s);
	if (!s->hh.tbl) {
		free(s);
		return NULL;
	}
	return s;
}

static void string_put(struct registry *r, struct pin_string *s)
{
	if (!s || --s->refs > 0)
		return;
	HASH_DEL(r->strings, s);
	free(s);
}

struct registry *registry_new(void)
{
	struct registry *r = calloc(1, sizeof(*r));
	const void *random = (const void *)getauxval(AT_RANDOM);

	/* 16 bytes that the kernel gives each process */
	if (r && random)
		memcpy(r->secret, random, sizeof(r->secret));
	return r;
}

static void node_account(struct pin *pin, int sign)
{
	uint64_t bytes = sign > 0 ? pin->bytes : -pin->bytes;

	if (pin->cgroup) {
		pin->cgroup->pins += sign;
		pin->cgroup->bytes += bytes;
	}
	if (pin->charged)
		pin->charged->charged_bytes += bytes;
}

static void pin_drop(struct registry *r, struct pin *pin)
{
	struct pin_cursor *c;

	for (c = r->cursors; c; c = c->link_next)
		if (c->next == pin)
			c->next = pin->hh.next;
	node_account(pin, -1);
	r->bytes -= pin->bytes;
	HASH_DEL(r->pins, pin);
	cgroup_node_unref(pin->cgroup);
	cgroup_node_unref(pin->charged);
	string_put(r, pin->device);
	string_put(r, pin->comm);
	free(pin);
}

void registry_free(struct registry *r)
{
	struct cgroup_node *node, *tmp;

	if (!r)
		return;
	while (r->pins)
		pin_drop(r, r->pins);
	HASH_ITER(hh, r->cgroups, node, tmp) {
		HASH_DEL(r->cgroups, node);
		free(node->path);
		free(node);
	}
	free(r);
}

/* Takes the new names and nodes; on failure nothing has changed. */
static int pin_set(struct registry *r, struct pin *pin, const struct pin_info *info)
{
	struct cgroup_node *cgroup = NULL, *charged = NULL;
	struct pin_string *device = NULL, *comm;
	int ret;

	if (info->cgroup_id) {
		ret = registry_cgroup_get(r, info->cgroup_id, &cgroup);
		if (ret < 0)
			return ret;
	}
	if (info->charged_cgroup_id) {
		ret = registry_cgroup_get(r, info->charged_cgroup_id, &charged);
		if (ret < 0)
			return ret;
	}
	comm = string_get(r, info->comm, info->comm_len);
	if (!comm)
		return -ENOMEM;
	if (info->device[0]) {
		device = string_get(r, info->device, strlen(info->device));
		if (!device) {
			string_put(r, comm);
			return -ENOMEM;
		}
	}

	cgroup_node_ref(cgroup);
	cgroup_node_ref(charged);
	cgroup_node_unref(pin->cgroup);
	cgroup_node_unref(pin->charged);
	string_put(r, pin->device);
	string_put(r, pin->comm);
	pin->cgroup = cgroup;
	pin->charged = charged;
	pin->device = device;
	pin->comm = comm;
	pin->address = info->address;
	pin->bytes = info->bytes;
	pin->since_usec = info->since_usec;
	pin->tgid = info->tgid;
	pin->uid = info->uid;
	pin->kind = info->kind > UINT8_MAX ? PIN_KIND_UNKNOWN : info->kind;
	pin->flags = info->flags;
	return 0;
}

int registry_upsert(struct registry *r, const struct pin_info *info)
{
	struct pin *pin = registry_find(r, info->id);
	struct pin old;
	int ret;

	if (pin) {
		old = *pin;
		node_account(pin, -1);
		ret = pin_set(r, pin, info);
		node_account(pin, 1);
		if (ret < 0)
			return ret;
		r->bytes += pin->bytes - old.bytes;
		pin->generation = r->generation;
		return 0;
	}

	pin = calloc(1, sizeof(*pin));
	if (!pin)
		return -ENOMEM;
	ret = pin_set(r, pin, info);
	if (ret < 0) {
		free(pin);
		return ret;
	}
	pin->id = info->id;
	pin->generation = r->generation;
	HASH_ADD(hh, r->pins, id, sizeof(pin->id), pin);
	if (!pin->hh.tbl) {
		cgroup_node_unref(pin->cgroup);
		cgroup_node_unref(pin->charged);
		string_put(r, pin->device);
		string_put(r, pin->comm);
		free(pin);
		return -ENOMEM;
	}
	node_account(pin, 1);
	r->bytes += pin->bytes;
	return 0;
}

int registry_remove(struct registry *r, uint64_t id)
{
	struct pin *pin = registry_find(r, id);

	if (!pin)
		return -ENOENT;
	pin_drop(r, pin);
	return 0;
}

struct pin *registry_find(struct registry *r, uint64_t id)
{
	struct pin *pin;

	HASH_FIND(hh, r->pins, &id, sizeof(id), pin);
	return pin;
}

size_t registry_count(const struct registry *r)
{
	return HASH_COUNT(r->pins);
}

uint64_t registry_bytes(const struct registry *r)
{
	return r->bytes;
}

void registry_begin_resync(struct registry *r)
{
	struct pin *pin;

	/* A pin missed for 255 resyncs in a row cannot be: each end drops it. */
	r->generation++;
	if (r->generation)
		return;
	for (pin = r->pins; pin; pin = pin->hh.next)
		pin->generation = 0;
	r->generation = 1;
}

void registry_end_resync(struct registry *r, uint64_t seq)
{
	struct pin *pin, *tmp;

	HASH_ITER(hh, r->pins, pin, tmp)
		if (pin->generation != r->generation)
			pin_drop(r, pin);
	r->seq = seq;
}

int registry_apply(struct registry *r, const struct pin_event *event)
{
	int ret = 0;

	if (event->seq <= r->seq)
		return 0;
	if (event->seq != r->seq + 1)
		return -EILSEQ;

	switch (event->type) {
	case PIN_EVENT_PIN:
	case PIN_EVENT_CHANGE:
		ret = registry_upsert(r, &event->pin);
		break;
	case PIN_EVENT_UNPIN:
		/* A change of it may have been lost to no one: ids are never reused. */
		registry_remove(r, event->pin.id);
		break;
	case PIN_EVENT_DENY:
	case PIN_EVENT_REVOKE:
	case PIN_EVENT_REVOKE_DONE:
	case PIN_EVENT_FAILURE:
	case PIN_EVENT_FAILURE_DONE:
		break;
	}
	if (ret < 0)
		return ret;
	r->seq = event->seq;
	return 1;
}

uint64_t registry_seq(const struct registry *r)
{
	return r->seq;
}

void pin_cursor_init(struct pin_cursor *c, struct registry *r)
{
	*c = (struct pin_cursor){
		.registry = r,
		.next = r->pins,
		.link_next = r->cursors,
	};
	if (r->cursors)
		r->cursors->link_prev = c;
	r->cursors = c;
}

struct pin *pin_cursor_next(struct pin_cursor *c)
{
	struct pin *pin = c->next;

	if (pin)
		c->next = pin->hh.next;
	return pin;
}

void pin_cursor_done(struct pin_cursor *c)
{
	if (!c->registry)
		return;
	if (c->link_prev)
		c->link_prev->link_next = c->link_next;
	else
		c->registry->cursors = c->link_next;
	if (c->link_next)
		c->link_next->link_prev = c->link_prev;
	*c = (struct pin_cursor){};
}

int registry_set_device(struct registry *r, struct pin *pin, const char *name)
{
	struct pin_string *device = string_get(r, name, strlen(name));

	if (!device)
		return -ENOMEM;
	string_put(r, pin->device);
	pin->device = device;
	return 0;
}

bool pin_filter_match(const struct pin_filter *f, const struct pin *pin)
{
	if (f->has_id && pin->id != f->id)
		return false;
	if (f->has_tgid && pin->tgid != f->tgid)
		return false;
	if (f->has_kind && pin->kind != f->kind)
		return false;
	if (f->device && (!pin->device || strcmp(pin->device->bytes, f->device) != 0))
		return false;
	return !f->has_cgroup || cgroup_node_below(pin->cgroup, f->cgroup_id);
}

struct cgroup_node *registry_cgroup_find(struct registry *r, uint64_t id)
{
	struct cgroup_node *node;

	HASH_FIND(hh, r->cgroups, &id, sizeof(id), node);
	return node;
}

int registry_cgroup_get(struct registry *r, uint64_t id, struct cgroup_node **ret)
{
	struct cgroup_node *node = registry_cgroup_find(r, id);

	if (!node) {
		node = calloc(1, sizeof(*node));
		if (!node)
			return -ENOMEM;
		node->id = id;
		node->owner = (uid_t)-1;
		HASH_ADD(hh, r->cgroups, id, sizeof(node->id), node);
		if (!node->hh.tbl) {
			free(node);
			return -ENOMEM;
		}
	}
	*ret = node;
	return 0;
}

int registry_cgroup_set(struct registry *r, struct cgroup_node *node,
			struct cgroup_node *parent, const char *path)
{
	char *copy;

	/* A loop would hang every walk to the root. */
	if (parent && cgroup_node_below(parent, node->id))
		return -ELOOP;
	copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	free(node->path);
	node->path = copy;
	cgroup_node_ref(parent);
	cgroup_node_unref(node->parent);
	node->parent = parent;
	return 0;
}

struct cgroup_node *registry_cgroup_next(struct registry *r, struct cgroup_node *prev)
{
	return prev ? prev->hh.next : r->cgroups;
}

struct cgroup_node *cgroup_node_ref(struct cgroup_node *node)
{
	if (node)
		node->refs++;
	return node;
}

void cgroup_node_unref(struct cgroup_node *node)
{
	if (node)
		node->refs--;
}

bool cgroup_node_below(const struct cgroup_node *node, uint64_t ancestor_id)
{
	for (; node; node = node->parent)
		if (node->id == ancestor_id)
			return true;
	return false;
}

static void sum_up(struct cgroup_node *node, uint64_t pins, uint64_t bytes, uint64_t charged_bytes)
{
	for (; node; node = node->parent) {
		node->sum_pins += pins;
		node->sum_bytes += bytes;
		node->sum_charged_bytes += charged_bytes;
	}
}

void registry_sum(struct registry *r, bool (*counts)(const struct pin *pin, void *userdata),
		  void *userdata)
{
	struct cgroup_node *node;
	struct pin *pin;

	for (node = r->cgroups; node; node = node->hh.next) {
		node->sum_pins = 0;
		node->sum_bytes = 0;
		node->sum_charged_bytes = 0;
		node->sum_vm_pinned_bytes = 0;
		node->sum_vm_locked_bytes = 0;
		node->shown = false;
	}
	if (!counts) {
		for (node = r->cgroups; node; node = node->hh.next)
			if (node->pins || node->charged_bytes)
				sum_up(node, node->pins, node->bytes, node->charged_bytes);
		return;
	}
	for (pin = r->pins; pin; pin = pin->hh.next) {
		if (!counts(pin, userdata))
			continue;
		sum_up(pin->cgroup, 1, pin->bytes, 0);
		sum_up(pin->charged, 0, 0, pin->bytes);
	}
}

size_t registry_n_cgroups(const struct registry *r)
{
	return HASH_COUNT(r->cgroups);
}

void registry_trim(struct registry *r, size_t keep)
{
	struct cgroup_node *node, *tmp;
	bool again = HASH_COUNT(r->cgroups) > keep;

	/* A child that goes may leave its parent without references. */
	while (again) {
		again = false;
		HASH_ITER(hh, r->cgroups, node, tmp) {
			if (node->refs)
				continue;
			cgroup_node_unref(node->parent);
			HASH_DEL(r->cgroups, node);
			free(node->path);
			free(node);
			again = true;
		}
	}
}
