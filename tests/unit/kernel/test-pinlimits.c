/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "tests/unit/tree.h"

#include "daemon/kernel/pinlimits.h"

static void check(const char *text, int result, uint64_t expected)
{
	uint64_t value = 0;

	assert_int_equal(pinlimits_parse(text, &value), result);
	assert_int_equal(value, expected);
}

static void test_parse(void **state)
{
	check("65535\n", 0, 65535);
	check("0", 0, 0);
	check("18446744073709551615\n", 0, UINT64_MAX);
	check("18446744073709551616\n", -ENODATA, 0);
	check("-1\n", -ENODATA, 0);
	check("Y\n", -ENODATA, 0);
	check("5 6\n", -ENODATA, 0);
	check("", -ENODATA, 0);
}

static void test_read(void **state)
{
	uint64_t value;

	assert_int_equal(pinlimits_read(tree, PINLIMITS_DMA_ENTRIES, &value), -ENOENT);
	tree_put(PINLIMITS_DMA_ENTRIES, "65535\n");
	assert_int_equal(pinlimits_read(tree, PINLIMITS_DMA_ENTRIES, &value), 0);
	assert_int_equal(value, 65535);
	tree_put(PINLIMITS_UDMABUF_MB, "x\n");
	assert_int_equal(pinlimits_read(tree, PINLIMITS_UDMABUF_MB, &value), -ENODATA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test_setup_teardown(test_read, tree_setup, tree_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
