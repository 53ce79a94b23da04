/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file of quota.d, and a cgroup: the input's last line. */
#include <errno.h>
#include <stdio.h>

#include "daemon/cgroup/declarations.h"
#include "tests/fuzz/fuzz.h"

static void check_section(const struct declaration *d, size_t size)
{
	size_t n = 0;

	while (d->patterns[n])
		n++;
	fuzz_assert(n >= 1 && n <= DECLARATION_PATTERNS_MAX);
	fuzz_assert(d->line >= 1 && d->line <= size + 1);
	fuzz_assert(d->max_line || d->max_bytes == UINT64_MAX);
	fuzz_assert(d->high_line || d->high_bytes == UINT64_MAX);
	fuzz_assert(d->high_bytes <= d->max_bytes);
	fuzz_assert(!d->policy_line == !(d->policy || d->count));
	fuzz_assert(d->max_line || d->high_line || d->policy_line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(declarations_freep) struct declarations *d = declarations_new();
	_cleanup_(freep) char *text = fuzz_string(data, size), *path = NULL;
	const char *reason = NULL, *last = strrchr(text, '\n'), *unit;
	const struct declaration *found;
	unsigned int line = ~0U;
	int r = declarations_parse(d, text, "fuzz.conf", UINT64_C(1) << 34, &line, &reason);

	if (r < 0)
		fuzz_assert(r == -EINVAL && reason && *reason && line <= size + 1 && d->n == 0);
	for (size_t i = 0; i < d->n; i++)
		check_section(d->all[i], size);
	fuzz_assert(asprintf(&path, "/%s", last ? last + 1 : text) >= 0);
	unit = declaration_unit(path);
	fuzz_assert(!unit || (*unit && !strchr(unit, '/')));
	found = declarations_match(d, path);
	fuzz_assert(!found || (d->n > 0 && path[1]));
	fuzz_assert(d->n > 0 || !declarations_may_hold(d, path));
	return 0;
}
