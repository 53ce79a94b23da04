/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that failed where eBPF programs watch: the kernel says once that it failed, and
 * not when it is over. What is known is when the pins are gone that were found to hold it.
 */
#include <errno.h>

#include "daemon/base/base.h"
#include "daemon/kernel/kernel.h"
#include "daemon/triggers/failures-internal.h"

bool failing_kernel_says(const struct failing *failing)
{
	return !source_probe(failing->config->source);
}

static bool is_there(const struct failing *failing, uint64_t id)
{
	const struct pin *pin = registry_find(failing->config->registry, id);

	return pin && pin->bytes > 0;
}

size_t failing_still_held(const struct failing *failing, const struct failure *f, uint64_t *ids)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n_held; i++)
		if (is_there(failing, f->held[i]))
			ids[n++] = f->held[i];
	return n;
}

static bool contains(const uint64_t *ids, size_t n, uint64_t id)
{
	for (size_t i = 0; i < n; i++)
		if (ids[i] == id)
			return true;
	return false;
}

int failing_hold(struct failing *failing, struct failure *f, const struct holder *pins, size_t n)
{
	_cleanup_(freep) uint64_t *ids = NULL;
	size_t n_kept, n_ids;

	if (failing_kernel_says(failing))
		return 0;
	ids = calloc(f->n_held + n + 1, sizeof(*ids));
	if (!ids)
		return -ENOMEM;
	/* Those that were found before count, though their makers may have ended since. */
	n_ids = n_kept = failing_still_held(failing, f, ids);
	for (size_t i = 0; i < n; i++)
		if (pins[i].test != HOLDER_NONE && is_there(failing, pins[i].id) &&
		    !contains(ids, n_kept, pins[i].id))
			ids[n_ids++] = pins[i].id;
	return failure_set_held(f, ids, n_ids, loop_usec(failing->event, CLOCK_REALTIME));
}
