/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pins of a request, and who holds them. */
#include <errno.h>
#include <string.h>

#include "daemon/release-internal.h"

static int by_id(const void *a, const void *b)
{
	const struct asked_pin *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

struct held {
	uint32_t index; /* of the pin */
	uint32_t tgid;
	bool gone;
};

static int by_held(const void *a, const void *b)
{
	const struct held *x = a, *y = b;

	if (x->tgid != y->tgid)
		return x->tgid < y->tgid ? -1 : 1;
	if (x->gone != y->gone)
		return x->gone ? 1 : -1;
	return (x->index > y->index) - (x->index < y->index);
}

/* Those that exist, each once, by id. */
static int take_pins(struct release *release, const uint64_t *ids, size_t n)
{
	struct registry *registry = release->releases->config.registry;
	size_t kept = 0, unique = 0;

	release->asked = calloc(n ?: 1, sizeof(*release->asked));
	if (!release->asked)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct pin *pin = registry_find(registry, ids[i]);

		if (pin)
			release->asked[kept++] = (struct asked_pin){
				.id = pin->id, .bytes = pin->bytes, .left = true };
	}
	qsort(release->asked, kept, sizeof(*release->asked), by_id);
	for (size_t i = 0; i < kept; i++)
		if (unique == 0 || release->asked[unique - 1].id != release->asked[i].id)
			release->asked[unique++] = release->asked[i];
	release->n_asked = unique;
	return 0;
}

static bool same_process(const struct held *a, const struct held *b)
{
	return a->tgid == b->tgid && a->gone == b->gone;
}

static void add_pin(struct release *release, struct release_owner *o, struct asked_pin *asked)
{
	const struct pin *pin = registry_find(release->releases->config.registry, asked->id);

	asked->owner = o - release->owners;
	if (o->n == 0) {
		o->comm_len = MIN(pin->comm->len, sizeof(o->comm));
		memcpy(o->comm, pin->comm->bytes, o->comm_len);
		o->uid = pin->uid;
	}
	if (!o->cgroup)
		o->cgroup = cgroup_node_ref(pin->cgroup);
	o->n++;
	o->pins++;
	o->bytes += asked->bytes;
	release->pins++;
	release->bytes += asked->bytes;
}

static int group(struct release *release, const struct held *held)
{
	size_t n = 0;

	for (size_t i = 0; i < release->n_asked; i++)
		n += i == 0 || !same_process(&held[i], &held[i - 1]);
	release->owners = calloc(n ?: 1, sizeof(*release->owners));
	release->order = calloc(release->n_asked ?: 1, sizeof(*release->order));
	if (!release->owners || !release->order)
		return -ENOMEM;
	for (size_t i = 0; i < release->n_asked; i++) {
		struct release_owner *o = release->owners + release->n_owners - 1;

		if (i == 0 || !same_process(&held[i], &held[i - 1])) {
			o = &release->owners[release->n_owners++];
			o->release = release;
			o->pid = held[i].tgid;
			o->gone = held[i].gone;
			o->pidfd = -1;
			o->step = -1;
			o->first = o->position = i;
		}
		release->order[i] = held[i].index;
		add_pin(release, o, &release->asked[held[i].index]);
	}
	for (size_t i = 0; i < release->n_owners; i++) {
		release->owners[i].pins_left = release->owners[i].pins;
		release->owners[i].bytes_left = release->owners[i].bytes;
	}
	release->pins_left = release->pins;
	release->bytes_left = release->bytes;
	return 0;
}

int release_select(struct release *release, const uint64_t *ids, size_t n)
{
	struct registry *registry = release->releases->config.registry;
	_cleanup_(freep) struct held *held = NULL;
	int r;

	if (n > RELEASES_PINS_MAX - release->releases->n_pins)
		return -E2BIG;
	r = take_pins(release, ids, n);
	if (r < 0)
		return r;
	held = calloc(release->n_asked ?: 1, sizeof(*held));
	if (!held)
		return -ENOMEM;
	for (size_t i = 0; i < release->n_asked; i++) {
		const struct pin *pin = registry_find(registry, release->asked[i].id);

		held[i] = (struct held){
			.index = i,
			.tgid = pin->tgid,
			.gone = pin->tgid == 0 || (pin->flags & PINGUARD_FLAG_OWNER_GONE),
		};
	}
	qsort(held, release->n_asked, sizeof(*held), by_held);
	return group(release, held);
}

struct asked_pin *release_asked(const struct release *release, uint64_t id)
{
	const struct asked_pin key = { .id = id };

	if (!release->asked)
		return NULL;
	return bsearch(&key, release->asked, release->n_asked, sizeof(key), by_id);
}

int release_drop_pin(struct release *release, struct asked_pin *pin)
{
	struct release_owner *o = &release->owners[pin->owner];

	if (!pin->left)
		return 0;
	pin->left = false;
	o->pins_left--;
	o->bytes_left -= pin->bytes;
	release->pins_left--;
	release->bytes_left -= pin->bytes;
	if (pin->listed)
		o->listed_left--;
	return 1;
}
