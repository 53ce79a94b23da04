/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file of release.d, and a cgroup: the input's last line. */
#include <errno.h>

#include "daemon/ladder/parse.h"
#include "daemon/ladder/units.h"
#include "lib/macros.h"
#include "tests/fuzz/fuzz.h"

static size_t count(char **list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

static void check_ladder(const struct ladder *l)
{
	static const uint64_t max_usec = LADDER_SEC_MAX * UINT64_C(1000000);

	fuzz_assert(l->units || l->cgroups);
	fuzz_assert(count(l->units) <= LADDER_PATTERNS_MAX);
	fuzz_assert(count(l->cgroups) <= LADDER_PATTERNS_MAX);
	fuzz_assert(count(l->hook) <= LADDER_WORDS_MAX);
	fuzz_assert(l->on[STEP_HOOK] == !!l->hook);
	fuzz_assert(!l->hook || l->hook[0][0] == '/');
	for (int step = 0; step < N_STEPS; step++)
		fuzz_assert(l->usec[step] <= max_usec && (!l->on[step] || l->usec[step] > 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *text = fuzz_string(data, size);
	_cleanup_(ladder_freep) struct ladder *ladder = NULL;
	_cleanup_(freep) char *unit = NULL;
	const char *reason = NULL, *last = strrchr(text, '\n');
	unsigned int line = ~0U;
	int r = ladder_parse(text, "fuzz.conf", &ladder, &line, &reason);

	if (r < 0)
		fuzz_assert(r == -EINVAL && reason && *reason && line <= size + 1);
	else
		check_ladder(ladder);
	unit = cgroup_unit(last ? last + 1 : text);
	fuzz_assert(!unit || (*unit && !strchr(unit, '/')));
	return 0;
}
