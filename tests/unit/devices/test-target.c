/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be drained: names, addresses, and a made-up /sys. */
#include "tests/unit/tree.h"

#include "daemon/devices/inventory.h"

static const struct {
	const char *text;
	enum target_type type;
	uint64_t first, last;
} good[] = {
	{ "memory32", TARGET_MEMORY, 0, 0 },
	{ "dax0.0", TARGET_DEVICE, 0, 0 },
	{ "namespace10.2", TARGET_DEVICE, 0, 0 },
	{ "region3", TARGET_DEVICE, 0, 0 },
	{ "0x1f000", TARGET_ADDRESSES, 0x1f000, 0x1f000 },
	{ "0x1f000-0x2ffff", TARGET_ADDRESSES, 0x1f000, 0x2ffff },
	{ "pfn:31", TARGET_ADDRESSES, 0x1f000, 0x1ffff },
	{ "pfn:0x1f", TARGET_ADDRESSES, 0x1f000, 0x1ffff },
	{ "0xfffffffffffff", TARGET_ADDRESSES, TARGET_PHYS_MAX, TARGET_PHYS_MAX },
	{ "rxe0", TARGET_NAME, 0, 0 },
	{ "memory", TARGET_NAME, 0, 0 },
	{ "memory032", TARGET_NAME, 0, 0 },
	{ "memory3/../x", TARGET_NAME, 0, 0 },
	{ "memory99999999999999999999", TARGET_NAME, 0, 0 },
	{ "dax0", TARGET_NAME, 0, 0 },
	{ "dax0.", TARGET_NAME, 0, 0 },
	{ "dax0.0.0", TARGET_NAME, 0, 0 },
	{ "region0.0", TARGET_NAME, 0, 0 },
	{ "0000:00:04.0", TARGET_NAME, 0, 0 },
	{ "", TARGET_NAME, 0, 0 },
};

static const char *const bad[] = {
	"0x", "0x1f000-", "0x2-0x1", "0x1-0x2-0x3", "0x1-2", "0xg", "0x10000000000000",
	"0x1-0x10000000000000", "pfn:", "pfn:-1", "pfn: 1", "pfn:1x", "pfn:0x10000000000",
	"pfn:99999999999999999999999", "0x0000000000000000000000000000000000000001",
};

static void test_parse(void **state)
{
	struct target t = { .type = TARGET_NAME };
	const char *reason;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		t.range = (struct phys_range){};
		if (target_parse(good[i].text, 4096, &t, &reason) < 0 || t.type != good[i].type ||
		    t.range.first != good[i].first || t.range.last != good[i].last)
			fail_msg("%s is taken for something else", good[i].text);
	}
	assert_int_equal(target_parse("memory32", 4096, &t, &reason), 0);
	assert_int_equal(t.block, 32);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		reason = NULL;
		if (target_parse(bad[i], 4096, &t, &reason) != -EINVAL || !reason)
			fail_msg("%s is accepted", bad[i]);
	}
}

static int setup(void **state)
{
	tree_new();
	tree_put("devices/system/memory/block_size_bytes", "8000000\n");
	tree_put("devices/system/memory/memory2/phys_index", "00000002\n");
	tree_put("bus/dax/devices/dax0.0/resource", "0x140000000\n");
	tree_put("bus/dax/devices/dax0.0/size", "262144000\n");
	/* One that is made of two pieces, one without memory, one that is damaged. */
	tree_put("bus/dax/devices/dax1.0/size", "8192\n");
	tree_put("bus/dax/devices/dax1.0/mapping0/start", "0x10000\n");
	tree_put("bus/dax/devices/dax1.0/mapping0/end", "0x10fff\n");
	tree_put("bus/dax/devices/dax1.0/mapping1/start", "0x20000\n");
	tree_put("bus/dax/devices/dax1.0/mapping1/end", "0x20fff\n");
	tree_put("bus/dax/devices/dax1.1/resource", "0x0\n");
	tree_put("bus/dax/devices/dax1.1/size", "0\n");
	tree_put("bus/dax/devices/dax2.0/resource", "0xffffffffffffffff\n");
	tree_put("bus/dax/devices/dax2.0/size", "much\n");
	return 0;
}

static int nd_calls, nd_error;

static int made_up_nd(struct inventory *inv)
{
	int r = inventory_add(inv, "region0", 0x100000000, 1 << 28);

	nd_calls++;
	if (r >= 0)
		r = inventory_add(inv, "namespace0.0", UINT64_MAX, 0);
	return nd_error ?: r;
}

/* How many ranges, or a negative errno; the last one is in *ret. */
static int resolve(struct inventory *inv, const char *name, bool at_rest, struct phys_range *ret)
{
	_cleanup_(freep) struct phys_range *ranges = NULL;
	const char *reason = NULL;
	struct target t;
	size_t n = 0;
	int r;

	assert_int_equal(target_parse(name, 4096, &t, &reason), 0);
	r = inventory_resolve(inv, name, &t, at_rest, &ranges, &n, &reason);
	if (r < 0) {
		assert_true(r != -EINVAL || reason);
		return r;
	}
	assert_true(n > 0);
	*ret = ranges[n - 1];
	return n;
}

static void test_resolve(void **state)
{
	_cleanup_(inventory_freep) struct inventory *inv = NULL;
	struct phys_range range;

	nd_error = 0;
	assert_int_equal(inventory_new(tree, made_up_nd, &inv), 0);
	assert_int_equal(resolve(inv, "memory2", true, &range), 1);
	assert_true(range.first == 0x10000000 && range.last == 0x17ffffff);
	assert_int_equal(resolve(inv, "memory3", true, &range), -ENOENT);
	assert_int_equal(resolve(inv, "dax0.0", true, &range), 1);
	assert_true(range.first == 0x140000000 && range.last == 0x140000000 + 262144000 - 1);
	assert_int_equal(resolve(inv, "dax1.0", true, &range), 2);
	assert_true(range.first == 0x20000 && range.last == 0x20fff);
	assert_int_equal(resolve(inv, "dax1.1", true, &range), -EINVAL);
	assert_int_equal(resolve(inv, "dax2.0", true, &range), -EINVAL);
	assert_int_equal(resolve(inv, "dax9.9", true, &range), -ENOENT);
	assert_int_equal(resolve(inv, "region0", true, &range), 1);
	assert_true(range.first == 0x100000000 && range.last == 0x10fffffff);
	assert_int_equal(resolve(inv, "namespace0.0", true, &range), -EINVAL);
	assert_int_equal(resolve(inv, "0x1000-0x1fff", true, &range), 1);
	assert_true(range.first == 0x1000 && range.last == 0x1fff);
}

/* Memory is being taken away: nothing is read, what was known counts. */
static void test_cached(void **state)
{
	_cleanup_(inventory_freep) struct inventory *inv = NULL;
	struct phys_range range;
	int calls;

	nd_error = 0;
	assert_int_equal(inventory_new(tree, made_up_nd, &inv), 0);
	calls = nd_calls;
	assert_int_equal(resolve(inv, "region0", false, &range), -ENOENT);
	assert_int_equal(resolve(inv, "memory2", false, &range), -ENOENT);
	assert_int_equal(nd_calls, calls);
	assert_int_equal(inventory_refresh(inv), 0);
	assert_int_equal(tree_teardown(state), 0);
	assert_int_equal(resolve(inv, "region0", false, &range), 1);
	assert_int_equal(resolve(inv, "dax0.0", false, &range), 1);
	assert_int_equal(resolve(inv, "memory2", false, &range), 1);
	assert_int_equal(nd_calls, calls + 1);

	/* A look that fails leaves what was known. */
	nd_error = -EIO;
	assert_int_equal(resolve(inv, "dax0.0", true, &range), -EIO);
	assert_int_equal(resolve(inv, "dax0.0", false, &range), 1);

	/* Without memory blocks or DAX devices there are none. */
	nd_error = 0;
	assert_int_equal(resolve(inv, "dax0.0", true, &range), -ENOENT);
	assert_int_equal(resolve(inv, "memory2", true, &range), -ENOENT);
	setup(state);
}

static int too_many(struct inventory *inv)
{
	char name[32];
	int r = 0;

	for (unsigned int i = 0; i <= INVENTORY_MAX && r >= 0; i++) {
		snprintf(name, sizeof(name), "region%u", i);
		r = inventory_add(inv, name, 0, 4096);
	}
	return r;
}

static int too_many_ranges(struct inventory *inv)
{
	int r = 0;

	for (unsigned int i = 0; i <= INVENTORY_RANGES_MAX && r >= 0; i++)
		r = inventory_add(inv, "region0", i << 12, 4096);
	return r;
}

static void test_limits(void **state)
{
	_cleanup_(inventory_freep) struct inventory *inv = NULL, *other = NULL;

	assert_int_equal(inventory_new(tree, too_many, &inv), 0);
	assert_int_equal(inventory_refresh(inv), -E2BIG);
	assert_int_equal(inventory_new(tree, too_many_ranges, &other), 0);
	assert_int_equal(inventory_refresh(other), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_resolve),
		cmocka_unit_test(test_cached),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, setup, tree_teardown);
}
