/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/kernel/support.h"
#include "lib/format.h"
#include "lib/macros.h"

const char *support_no_quotas(const struct support *s)
{
	if (s->fs_reason)
		return s->fs_reason;
	/* Also where the service may not follow the pins: misc.max is enough. */
	if (s->misc)
		return NULL;
	if (s->no_limits)
		return s->no_limits;
	if (!s->misc_listed)
		return s->no_patches ?:
			       "cgroup2 has no misc controller (cgroup_disable=misc on the "
			       "kernel's command line, or used by cgroup v1)";
	return s->no_patches ?: "the misc controller does not count pinned memory";
}

const char *support_reason(const struct support *s)
{
	if (s->observe_caveats)
		return s->observe_caveats;
	if (!s->ready)
		return "the pins are being read from the kernel, what is shown of them may be old";
	if (s->unlisted)
		return "pins were too many to be listed, some are missing";
	return s->ungrouped ? "too many cgroups had pins, limits do not count some of these" : NULL;
}

char *support_status_line(const struct support *s, uint64_t pins, uint64_t bytes,
			  unsigned int quotas)
{
	const char *missing = support_no_quotas(s);
	_cleanup_(freep) char *first = NULL;
	char size[FORMAT_SIZE_LEN], *text;
	int r;

	if (s->observe_caveats)
		r = asprintf(&first, "observe mode: %s", s->observe_caveats);
	else if (!s->ready)
		r = asprintf(&first, "reading the pins from the kernel");
	else
		r = asprintf(&first, "%" PRIu64 " pin%s, %s pinned, %u quota%s", pins,
			     pins == 1 ? "" : "s", format_size(size, bytes), quotas,
			     quotas == 1 ? "" : "s");
	if (r < 0) {
		first = NULL;
		return NULL;
	}
	/* Told once is enough. */
	if (!missing || (s->observe_caveats && missing == s->no_patches))
		return TAKE_PTR(first);
	return asprintf(&text, "%s; no quotas: %s", first, missing) < 0 ? NULL : text;
}
