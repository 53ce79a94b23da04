/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which programs look for pins from before, and how often. */
#include "tests/unit/unit.h"

#include <linux/pinguard.h>

#include "lib/probe-layout.h"
#include "probe/before.h"

static const struct hook_kind *kind_of(uint32_t kind)
{
	for (size_t i = 0; i < n_hook_kinds; i++)
		if (hook_kinds[i].kind == kind)
			return &hook_kinds[i];
	fail();
	return NULL;
}

/* No kind has the programs of another, nor any that is attached. */
static void test_programs(void **state)
{
	const struct hook_kind *rdma = kind_of(PINGUARD_KIND_RDMA);

	assert_true(before_has_program(rdma, "rdma_files"));
	assert_true(before_has_program(rdma, "rdma_mappings"));
	assert_false(before_has_program(rdma, "uring_files"));
	assert_false(before_has_program(rdma, "rdma_pin"));
	assert_false(before_has_program(rdma, ""));
	assert_false(before_has_program(kind_of(PINGUARD_KIND_VDPA), "rdma_files"));
	for (size_t i = 0; i < n_hook_kinds; i++) {
		const struct hook_kind *kind = &hook_kinds[i];
		const struct hook_set *set = kind->sets;

		assert_true(!kind->never || !kind->before[0]);
		for (; set < kind->sets + ARRAY_SIZE(kind->sets); set++)
			for (size_t j = 0; j < set->n; j++)
				assert_false(before_has_program(kind, set->hooks[j].program));
	}
}

/* Until all is decided, and not for ever. */
static void test_again(void **state)
{
	assert_false(before_again(1, 0));
	assert_true(before_again(1, 1));
	assert_true(before_again(BEFORE_LOOKS_MAX - 1, 1000));
	assert_false(before_again(BEFORE_LOOKS_MAX, 1));
	assert_false(before_again(BEFORE_LOOKS_MAX + 1, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_programs),
		cmocka_unit_test(test_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
