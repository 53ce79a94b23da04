/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pins of a request, and who holds them. */
#include <errno.h>
#include <string.h>

#include "daemon/release/internal.h"

/* A pin that is asked for, while they are sorted. */
struct held {
	const struct pin *pin;
	uint64_t id;
	uint32_t tgid;
	uint32_t index; /* of the pin among all, by id */
	bool gone; /* its owner */
};

static int by_id(const void *a, const void *b)
{
	const struct held *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static int by_process(const void *a, const void *b)
{
	const struct held *x = a, *y = b;

	if (x->tgid != y->tgid)
		return x->tgid < y->tgid ? -1 : 1;
	if (x->gone != y->gone)
		return x->gone ? 1 : -1;
	return (x->index > y->index) - (x->index < y->index);
}

/* Those that hold memory, each once, by id. */
static size_t find_pins(struct registry *registry, const uint64_t *ids, size_t n, struct held *held)
{
	size_t found = 0, unique = 0;
	bool sorted = true;

	for (size_t i = 0; i < n; i++) {
		const struct pin *pin = registry_find(registry, ids[i]);

		if (!pin || !pin->bytes)
			continue;
		sorted = sorted && (found == 0 || held[found - 1].id < pin->id);
		held[found++] = (struct held){
			.pin = pin,
			.id = pin->id,
			.tgid = pin->origin->tgid,
			.gone = pin->origin->tgid == 0 || (pin->flags & PINGUARD_FLAG_OWNER_GONE),
		};
	}
	if (sorted)
		return found;
	qsort(held, found, sizeof(*held), by_id);
	for (size_t i = 0; i < found; i++)
		if (unique == 0 || held[unique - 1].id != held[i].id)
			held[unique++] = held[i];
	return unique;
}

static bool same_process(const struct held *a, const struct held *b)
{
	return a->tgid == b->tgid && a->gone == b->gone;
}

static void add_pin(struct release *release, struct release_owner *o, const struct held *held)
{
	const struct pin *pin = held->pin;
	const struct pin_origin *origin = pin->origin;

	if (o->n == 0) {
		o->comm_len = origin->comm_len;
		memcpy(o->comm, origin->comm, o->comm_len);
		o->uid = origin->uid;
		o->oldest_usec = pin->since_usec;
	}
	if (!o->cgroup)
		o->cgroup = cgroup_node_ref(origin->cgroup);
	o->oldest_usec = MIN(o->oldest_usec, pin->since_usec);
	o->n++;
	o->pins++;
	o->bytes += pin->bytes;
	o->pins_left = o->pins;
	o->bytes_left = o->bytes;
	release->pins++;
	release->bytes += pin->bytes;
	release->asked[held->index].owner = o - release->owners;
}

/* held: by process */
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
			o->pidfd = o->heir_fd = -1;
			o->step = -1;
			o->first = o->position = i;
		}
		release->order[i] = held[i].index;
		add_pin(release, o, &held[i]);
	}
	release->pins_left = release->pins;
	release->bytes_left = release->bytes;
	return 0;
}

int release_select(struct release *release, const uint64_t *ids, size_t n)
{
	_cleanup_(freep) struct held *held = NULL;

	if (n > release_room(release, RELEASES_PINS_MAX, release->releases->n_pins,
			     release->releases->n_user_pins))
		return -E2BIG;
	held = calloc(n ?: 1, sizeof(*held));
	if (!held)
		return -ENOMEM;
	n = find_pins(release->releases->config.registry, ids, n, held);
	release->asked = calloc(n ?: 1, sizeof(*release->asked));
	if (!release->asked)
		return -ENOMEM;
	release->n_asked = n;
	for (size_t i = 0; i < n; i++) {
		release->asked[i] = (struct asked_pin){
			.id = held[i].id, .bytes = held[i].pin->bytes, .left = true };
		held[i].index = i;
	}
	qsort(held, n, sizeof(*held), by_process);
	return group(release, held);
}

static int by_asked_id(const void *a, const void *b)
{
	const struct asked_pin *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

struct asked_pin *release_asked(const struct release *release, uint64_t id)
{
	const struct asked_pin key = { .id = id };

	if (!release->asked)
		return NULL;
	return bsearch(&key, release->asked, release->n_asked, sizeof(key), by_asked_id);
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

struct release_owner *release_owner_by_pid(struct release *release, pid_t pid)
{
	size_t low = 0, high = release->n_owners;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if ((uint32_t)release->owners[middle].pid < (uint32_t)pid)
			low = middle + 1;
		else
			high = middle;
	}
	/* The living one comes first. */
	if (low < release->n_owners && release->owners[low].pid == pid)
		return &release->owners[low];
	return NULL;
}
