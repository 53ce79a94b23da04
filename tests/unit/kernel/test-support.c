/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the service says of a kernel that lacks one thing or another. */
#include <stdlib.h>

#include "tests/unit/unit.h"

#include "daemon/kernel/support.h"

static const struct {
	struct support facts;
	const char *no_quotas, *reason, *line; /* parts; NULL: none */
} cases[] = {
	{ { true, NULL, NULL, true, true },
	  NULL, NULL, "2 pins, 8K pinned, 1 quota" },
	{ { false, NULL, NULL, true, true },
	  NULL, "may be old", "reading the pins from the kernel" },
	{ { true, NULL, NULL, false, false },
	  "cgroup_disable=misc", NULL, "1 quota; no quotas: cgroup2 has no misc controller" },
	{ { true, NULL, NULL, true, false },
	  "does not count pinned memory", NULL, "; no quotas: the misc controller does not" },
	{ { true, NULL, "no cgroup2", false, false },
	  "no cgroup2", NULL, "; no quotas: no cgroup2" },
	/* a stock kernel; the same without cgroup2 */
	{ { true, "no support", NULL, true, false, "no support" },
	  "no support", "no support", "observe mode: no support" },
	{ { true, "no support", "no cgroup2", false, false, "no support" },
	  "no cgroup2", "no support", "observe mode: no support; no quotas: no cgroup2" },
	/* what is not seen is no reason that there are no quotas */
	{ { true, "no support", NULL, true, false, "no support; nor seen" },
	  "no support", "no support; nor seen", "observe mode: no support; nor seen" },
	/* not permitted to follow the pins, or one that does not tell of them: limits are set all the same */
	{ { true, "not permitted", NULL, true, true, "not permitted" },
	  NULL, "not permitted", "observe mode: not permitted" },
	/* limits that eBPF cannot keep; and that do not hold for all */
	{ { true, "no support", NULL, true, false, NULL, 0, 0, "no bpf" },
	  "no bpf", NULL, "1 quota; no quotas: no bpf" },
	{ { true, "no support", NULL, true, true, NULL, 0, 5 },
	  NULL, "limits do not count some", "1 quota" },
};

static void check(size_t i, const char *text, const char *part)
{
	if (!part != !text || (part && !strstr(text, part)))
		fail_msg("case %zu: \"%s\", not \"%s\"", i, text ?: "(none)", part ?: "(none)");
}

static void test_support(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct support *s = &cases[i].facts;
		_cleanup_(freep) char *line = support_status_line(s, 2, 8192, 1);

		check(i, support_no_quotas(s), cases[i].no_quotas);
		check(i, support_reason(s), cases[i].reason);
		check(i, line, cases[i].line);
		if (!support_no_quotas(s))
			assert_null(strstr(line, "no quotas"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_support) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
