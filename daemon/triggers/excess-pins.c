/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whom to ask where more is pinned than a cgroup may have. */
#include <errno.h>
#include <stdlib.h>

#include "daemon/triggers/internal.h"

struct candidate {
	uint64_t id, bytes, since_usec;
	uint64_t owner_bytes, owner_since_usec;
	uint32_t tgid;
};

static int compare(uint64_t x, uint64_t y)
{
	return (x > y) - (x < y);
}

static int by_tgid(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	return compare(x->tgid, y->tgid);
}

/* Largest owner first, and of each the largest pin; the older of two that are the same. */
static int by_size(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	return compare(y->owner_bytes, x->owner_bytes) ?:
	       compare(x->owner_since_usec, y->owner_since_usec) ?:
	       compare(x->tgid, y->tgid) ?:
	       compare(y->bytes, x->bytes) ?:
	       compare(x->since_usec, y->since_usec) ?:
	       compare(x->id, y->id);
}

static void sum_owners(struct candidate *c, size_t n)
{
	size_t i, j;

	qsort(c, n, sizeof(*c), by_tgid);
	for (i = 0; i < n; i = j) {
		uint64_t bytes = 0, since_usec = UINT64_MAX;

		for (j = i; j < n && c[j].tgid == c[i].tgid; j++) {
			bytes += c[j].bytes;
			since_usec = MIN(since_usec, c[j].since_usec);
		}
		for (size_t k = i; k < j; k++) {
			c[k].owner_bytes = bytes;
			c[k].owner_since_usec = since_usec;
		}
	}
	qsort(c, n, sizeof(*c), by_size);
}

/* All that counts for the cgroup and those below it. */
static size_t find_candidates(struct registry *registry, uint64_t cgroup_id, struct candidate *c)
{
	_cleanup_(pin_cursor_done) struct pin_cursor cursor;
	struct pin *pin;
	size_t n = 0;

	pin_cursor_init(&cursor, registry);
	while ((pin = pin_cursor_next(&cursor)))
		if (cgroup_node_below(pin->origin->charged, cgroup_id) ||
		    pin_origin_is_uncharged(pin->origin, cgroup_id))
			c[n++] = (struct candidate){ .id = pin->id, .bytes = pin->bytes,
						     .since_usec = pin->since_usec,
						     .tgid = pin->origin->tgid };
	return n;
}

int excess_find_pins(struct registry *registry, uint64_t cgroup_id, uint64_t excess_bytes,
		     uint64_t **ret_ids, size_t *ret_n)
{
	_cleanup_(freep) struct candidate *c = calloc(registry_count(registry) ?: 1, sizeof(*c));
	size_t n = c ? find_candidates(registry, cgroup_id, c) : 0, taken = 0;
	uint64_t *ids = calloc(n ?: 1, sizeof(*ids)), bytes = 0;

	if (!c || !ids) {
		free(ids);
		return -ENOMEM;
	}
	sum_owners(c, n);
	while (taken < n && bytes < excess_bytes) {
		bytes += c[taken].bytes;
		ids[taken] = c[taken].id;
		taken++;
	}
	*ret_ids = ids;
	*ret_n = taken;
	return 0;
}
