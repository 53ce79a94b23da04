/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "daemon/model/registry.h"

struct registry {
	struct pin *pins;
	struct origins origins;
	struct cgroup_node *cgroups;
	struct pin_cursor *cursors;
	uint64_t bytes;
	uint64_t seq;
	unsigned int names;
	uint8_t generation;
};

struct registry *registry_new(void)
{
	struct registry *r = calloc(1, sizeof(*r));

	if (r)
		origins_init(&r->origins);
	return r;
}

static void account(struct registry *r, struct pin *pin, int sign)
{
	struct pin_origin *origin = pin->origin;
	uint64_t bytes = sign > 0 ? pin->bytes : -pin->bytes;
	const uint64_t charged = pin->bytes - pin->shared_bytes;
	const uint64_t charged_bytes = sign > 0 ? charged : -charged;

	origin->pins += sign;
	origin->bytes += bytes;
	origin->charged_bytes += charged_bytes;
	r->bytes += bytes;
	if (origin->cgroup) {
		origin->cgroup->pins += sign;
		origin->cgroup->bytes += bytes;
	}
	if (origin->charged)
		origin->charged->charged_bytes += charged_bytes;
}

static void pin_drop(struct registry *r, struct pin *pin)
{
	struct pin_cursor *c;

	for (c = r->cursors; c; c = c->link_next)
		if (c->next == pin)
			c->next = pin->hh.next;
	account(r, pin, -1);
	HASH_DEL(r->pins, pin);
	origin_put(&r->origins, pin->origin);
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

static int find_node(struct registry *r, uint64_t id, struct cgroup_node **ret)
{
	*ret = NULL;
	return id ? registry_cgroup_get(r, id, ret) : 0;
}

static int find_origin(struct registry *r, const struct pin_info *info, struct pin_origin **ret)
{
	struct cgroup_node *cgroup, *charged;
	int error;

	error = find_node(r, info->cgroup_id, &cgroup);
	if (error < 0)
		return error;
	error = find_node(r, info->charged_cgroup_id, &charged);
	if (error < 0)
		return error;
	*ret = origin_get(&r->origins, info, cgroup, charged);
	return *ret ? 0 : -ENOMEM;
}

static void pin_set(struct registry *r, struct pin *pin, const struct pin_info *info)
{
	pin->address = info->address;
	pin->bytes = info->bytes;
	pin->shared_bytes = MIN(info->shared_bytes, info->bytes);
	pin->since_usec = info->since_usec;
	pin->flags = info->flags;
	pin->generation = r->generation;
}

static int pin_add(struct registry *r, struct pin_origin *origin, const struct pin_info *info)
{
	struct pin *pin = calloc(1, sizeof(*pin));

	if (!pin)
		return -ENOMEM;
	pin->id = info->id;
	HASH_ADD(hh, r->pins, id, sizeof(pin->id), pin);
	if (!pin->hh.tbl) {
		free(pin);
		return -ENOMEM;
	}
	pin->origin = origin;
	pin_set(r, pin, info);
	account(r, pin, 1);
	return 0;
}

int registry_upsert(struct registry *r, const struct pin_info *info)
{
	struct pin *pin = registry_find(r, info->id);
	struct pin_origin *origin;
	int ret;

	ret = find_origin(r, info, &origin);
	if (ret < 0)
		return ret;
	if (!pin) {
		ret = pin_add(r, origin, info);
		if (ret < 0)
			origin_put(&r->origins, origin);
		return ret;
	}
	account(r, pin, -1);
	origin_put(&r->origins, pin->origin);
	pin->origin = origin;
	pin_set(r, pin, info);
	account(r, pin, 1);
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

/* The same but for the device's name and the cgroup. */
static int set_origin(struct registry *r, struct pin *pin, const char *device,
		      struct cgroup_node *cgroup)
{
	struct pin_origin *old = pin->origin, *fresh;
	struct pin_info info = {
		.tgid = old->tgid, .uid = old->uid, .kind = old->kind, .comm_len = old->comm_len,
	};

	memcpy(info.comm, old->comm, old->comm_len);
	strncat(info.device, device, sizeof(info.device) - 1);
	fresh = origin_get(&r->origins, &info, cgroup, old->charged);
	if (!fresh)
		return -ENOMEM;
	account(r, pin, -1);
	pin->origin = fresh;
	account(r, pin, 1);
	origin_put(&r->origins, old);
	return 0;
}

int registry_set_device(struct registry *r, struct pin *pin, const char *name)
{
	return set_origin(r, pin, name, pin->origin->cgroup);
}

int registry_set_cgroup(struct registry *r, struct pin *pin, struct cgroup_node *cgroup)
{
	return set_origin(r, pin, pin->origin->device, cgroup);
}

bool pin_filter_match_origin(const struct pin_filter *f, const struct pin_origin *origin)
{
	if (f->has_tgid && origin->tgid != f->tgid)
		return false;
	if (f->has_kind && origin->kind != f->kind)
		return false;
	if (f->device && (!*f->device || strcmp(origin->device, f->device) != 0))
		return false;
	return !f->has_cgroup || cgroup_node_below(origin->cgroup, f->cgroup_id);
}

bool pin_filter_match(const struct pin_filter *f, const struct pin *pin)
{
	return (!f->has_id || pin->id == f->id) && pin_filter_match_origin(f, pin->origin);
}

struct pin_origin *registry_origin_next(struct registry *r, struct pin_origin *prev)
{
	return prev ? prev->hh.next : r->origins.all;
}

unsigned int registry_names(const struct registry *r)
{
	return r->names;
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
	if (!node->path || strcmp(node->path, copy) != 0)
		r->names++;
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

void registry_sum(struct registry *r,
		  bool (*counts)(const struct pin_origin *origin, void *userdata), void *userdata)
{
	struct cgroup_node *node, *up;
	struct pin_origin *origin;

	for (node = r->cgroups; node; node = node->hh.next) {
		node->sum_pins = 0;
		node->sum_bytes = 0;
		node->sum_charged_bytes = 0;
		node->sum_refused = 0;
		node->sum_vm_pinned_bytes = 0;
		node->sum_vm_locked_bytes = 0;
		node->shown = false;
	}
	for (node = r->cgroups; node; node = node->hh.next)
		for (up = node; node->refused && up; up = up->parent)
			up->sum_refused += node->refused;
	for (origin = r->origins.all; origin; origin = origin->hh.next) {
		if (counts && !counts(origin, userdata))
			continue;
		sum_up(origin->cgroup, origin->pins, origin->bytes, 0);
		sum_up(origin->charged, 0, 0, origin->charged_bytes);
	}
}

uint64_t registry_charged_bytes(struct registry *r, uint64_t cgroup_id)
{
	struct cgroup_node *node;
	uint64_t bytes = 0;

	for (node = r->cgroups; node; node = node->hh.next)
		if (node->charged_bytes && cgroup_node_below(node, cgroup_id))
			bytes += node->charged_bytes;
	return bytes;
}

uint64_t registry_uncharged_bytes(struct registry *r, uint64_t cgroup_id)
{
	struct pin_origin *origin = NULL;
	uint64_t bytes = 0;

	while ((origin = registry_origin_next(r, origin)))
		if (pin_origin_is_uncharged(origin, cgroup_id))
			bytes += origin->charged_bytes;
	return bytes;
}

bool pin_origin_is_uncharged(const struct pin_origin *origin, uint64_t cgroup_id)
{
	return cgroup_node_below(origin->cgroup, cgroup_id) &&
	       !cgroup_node_below(origin->charged, cgroup_id);
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
