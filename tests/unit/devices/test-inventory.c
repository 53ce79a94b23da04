/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which devices are behind an address, in a made-up machine. */
#include <linux/kernel-page-flags.h>
#include <sys/sysmacros.h>

#include "tests/unit/devices/machine.h"

#define KPF_RESERVED 32

static const struct expected {
	uint64_t phys;
	uint32_t class;
	const char *block, *region, *namespace, *dax, *block_device, *pci;
	int64_t offset; /* -1 for none */
	int node, online, bad;
	enum place_gap gap;
} expected[] = {
	{ 0x1234, PINGUARD_MEMORY_CLASS_SYSTEM_RAM, "memory0", .offset = -1, .online = 1,
	  .bad = -1 },
	{ 0x8000000, PINGUARD_MEMORY_CLASS_SYSTEM_RAM, "memory1", .offset = -1, .online = 1,
	  .bad = -1 },
	{ 0x10000000, PINGUARD_MEMORY_CLASS_SYSTEM_RAM, "memory2", .offset = -1, .node = -1,
	  .bad = -1 },
	{ 0x100000000, PINGUARD_MEMORY_CLASS_SYSTEM_RAM, "memory32", .offset = -1, .node = 1,
	  .online = 1, .bad = -1 },
	{ 0x108000010, PINGUARD_MEMORY_CLASS_SYSTEM_RAM, "memory33", .dax = "dax2.0",
	  .offset = 0x10, .node = -1, .online = 1, .bad = -1 },
	/* device-dax: data, the page with a bad block, and what is before the data */
	{ 0x140400000, PINGUARD_MEMORY_CLASS_DEVICE_DAX, NULL, "region0", "namespace0.0", "dax0.0",
	  .offset = 0, .node = 1, .online = -1 },
	{ 0x140600e00, PINGUARD_MEMORY_CLASS_DEVICE_DAX, NULL, "region0", "namespace0.0", "dax0.0",
	  .offset = 0x200e00, .node = 1, .online = -1, .bad = 1 },
	{ 0x140601000, PINGUARD_MEMORY_CLASS_DEVICE_DAX, NULL, "region0", "namespace0.0", "dax0.0",
	  .offset = 0x201000, .node = 1, .online = -1 },
	{ 0x140001000, PINGUARD_MEMORY_CLASS_DAX_METADATA, NULL, "region0", "namespace0.0",
	  .offset = 0x1000, .node = 1, .online = -1 },
	/* fsdax: metadata, data, padding */
	{ 0x1501fffff, PINGUARD_MEMORY_CLASS_DAX_METADATA, NULL, "region0", "namespace0.1",
	  .offset = 0x1fffff, .node = 1, .online = -1 },
	{ 0x150200010, PINGUARD_MEMORY_CLASS_FSDAX, NULL, "region0", "namespace0.1", NULL,
	  "pmem0.1", .offset = 0x10, .node = 1, .online = -1 },
	{ 0x157e00000, PINGUARD_MEMORY_CLASS_PMEM_RAW, NULL, "region0", "namespace0.1",
	  .offset = 0x7e00000, .node = 1, .online = -1 },
	/* raw; sector, which has no offset of its own; free */
	{ 0x158000200, PINGUARD_MEMORY_CLASS_PMEM_RAW, NULL, "region0", "namespace0.2", NULL,
	  "pmem0.2", .offset = 0x200, .node = 1, .online = -1 },
	{ 0x15c000000, PINGUARD_MEMORY_CLASS_PMEM_RAW, NULL, "region0", "namespace0.3", NULL,
	  "pmem0.3s", .offset = -1, .node = 1, .online = -1 },
	{ 0x15e000000, PINGUARD_MEMORY_CLASS_PMEM_RAW, NULL, "region0", .offset = 0x1e000000,
	  .node = 1, .online = -1 },
	/* the second piece */
	{ 0x190000000, PINGUARD_MEMORY_CLASS_DEVICE_DAX, .dax = "dax1.0", .offset = 0x100000,
	  .node = -1, .online = -1, .bad = -1 },
	{ 0xfe003fff, PINGUARD_MEMORY_CLASS_NONE, .pci = "0000:01:00.0", .offset = -1, .node = -1,
	  .online = -1, .bad = -1, .gap = PLACE_GAP_MMIO },
	/* in the bridge's window alone, a port and no memory, a hole, above */
	{ 0xfe004000, PINGUARD_MEMORY_CLASS_NONE, .offset = -1, .node = -1, .online = -1,
	  .bad = -1, .gap = PLACE_GAP_HOLE },
	{ 0x18000000, PINGUARD_MEMORY_CLASS_NONE, .offset = -1, .node = -1, .online = -1,
	  .bad = -1, .gap = PLACE_GAP_HOLE },
	{ 0x190100000, PINGUARD_MEMORY_CLASS_NONE, .offset = -1, .node = -1, .online = -1,
	  .bad = -1, .gap = PLACE_GAP_ABOVE },
	{ TARGET_PHYS_MAX, PINGUARD_MEMORY_CLASS_NONE, .offset = -1, .node = -1, .online = -1,
	  .bad = -1, .gap = PLACE_GAP_ABOVE },
};

static void check(const struct expected *e, const struct place *p, bool at_rest)
{
	const struct {
		const char *want, *is;
	} names[] = {
		{ e->block, p->memory_block }, { e->region, p->region },
		{ e->namespace, p->namespace }, { e->dax, p->dax },
		{ e->block_device, p->block_device }, { e->pci, p->pci },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i].want ?: "", names[i].is) != 0)
			fail_msg("0x%lx: \"%s\" instead of \"%s\"", (unsigned long)e->phys,
				 names[i].is, names[i].want ?: "");
	if (p->class != e->class || p->gap != e->gap || p->node != e->node || p->bad != e->bad ||
	    p->online != (at_rest ? e->online : -1) || p->has_offset != (e->offset >= 0) ||
	    (p->has_offset && p->offset != (uint64_t)e->offset))
		fail_msg("0x%lx: class %u gap %d node %d bad %d online %d offset %ld",
			 (unsigned long)e->phys, p->class, p->gap, p->node, p->bad, p->online,
			 p->has_offset ? (long)p->offset : -1L);
	assert_false(p->from_kernel);
	assert_int_equal(p->n_dimms, e->region ? 2 : 0);
	assert_true(p->why[0]);
}

static void test_places(void **state)
{
	_cleanup_(inventory_freep) struct inventory *inv = NULL;
	struct place p;

	assert_int_equal(inventory_new(tree, made_up_nd, &inv), 0);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		assert_int_equal(inventory_place(inv, expected[i].phys, true, &p), 0);
		check(&expected[i], &p, true);
	}
	/* Memory is being taken away: the same, but for what was not looked at. */
	nd_reads = 0;
	tree_remove("devices");
	tree_remove("bus/dax");
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		assert_int_equal(inventory_place(inv, expected[i].phys, false, &p), 0);
		check(&expected[i], &p, false);
	}
	assert_int_equal(nd_reads, 0);
}

/* Nothing at all is known, as on most machines. */
static void test_bare(void **state)
{
	_cleanup_(inventory_freep) struct inventory *inv = NULL;
	struct place p;

	tree_remove("devices");
	tree_remove("bus");
	assert_int_equal(inventory_new(tree, NULL, &inv), 0);
	assert_int_equal(inventory_place(inv, 0x1000, true, &p), 0);
	assert_int_equal(p.class, PINGUARD_MEMORY_CLASS_NONE);
	assert_int_equal(p.gap, PLACE_GAP_NONE);
	nd_error = -EIO;
	inv = inventory_free(inv);
	assert_int_equal(inventory_new(tree, made_up_nd, &inv), 0);
	assert_int_equal(inventory_place(inv, 0x1000, true, &p), -EIO);
}

static int open_tree(const char *path)
{
	char full[128];
	int fd;

	snprintf(full, sizeof(full), "%s/%s", tree, path);
	fd = open(full, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	return fd;
}

static uint32_t class_of(struct inventory *inv, uint64_t phys)
{
	struct place p;

	assert_int_equal(inventory_place(inv, phys, true, &p), 0);
	return p.class;
}

static void put_flags(int fd, uint64_t pfn, uint64_t flags)
{
	assert_int_equal(pwrite(fd, &flags, sizeof(flags), pfn * sizeof(flags)), sizeof(flags));
}

static void test_proc(void **state)
{
	_cleanup_(inventory_freep) struct inventory *inv = NULL;
	_cleanup_(closep) int iomem = -1, flags = -1;
	const uint64_t page = sysconf(_SC_PAGESIZE);
	struct place p;

	tree_put("iomem", "00001000-0009fbff : System RAM\n"
			  "000a0000-000fffff : Reserved\n"
			  "00100000-17ffffff : System RAM\n"
			  "  01000000-01ffffff : Kernel code\n"
			  "fed00000-fed003ff : HPET 0\n"
			  "200000000-20fffffff : System RAM\n");
	iomem = open_tree("iomem");
	flags = open_tree("kpageflags");
	assert_int_equal(inventory_new(tree, made_up_nd, &inv), 0);
	inventory_set_proc(inv, iomem, flags, false);
	assert_int_equal(class_of(inv, 0xa0000), PINGUARD_MEMORY_CLASS_SYSTEM_RAM);
	inventory_set_proc(inv, iomem, flags, true);
	assert_int_equal(class_of(inv, 0x2000), PINGUARD_MEMORY_CLASS_SYSTEM_RAM);
	assert_int_equal(class_of(inv, 0xa0000), PINGUARD_MEMORY_CLASS_RESERVED);
	assert_int_equal(class_of(inv, 0x1000000), PINGUARD_MEMORY_CLASS_RESERVED);
	assert_int_equal(class_of(inv, 0x140400000), PINGUARD_MEMORY_CLASS_DEVICE_DAX);
	/* Known from there alone, and what is no memory. */
	assert_int_equal(class_of(inv, 0x200000000), PINGUARD_MEMORY_CLASS_SYSTEM_RAM);
	assert_int_equal(inventory_place(inv, 0xfed00010, true, &p), 0);
	assert_int_equal(p.gap, PLACE_GAP_MMIO);
	assert_int_equal(inventory_place(inv, 0x1f0000000, true, &p), 0);
	assert_int_equal(p.gap, PLACE_GAP_HOLE);
	/* A hole in a block. */
	assert_int_equal(class_of(inv, 0x9fc00), PINGUARD_MEMORY_CLASS_NONE);

	put_flags(flags, 0x2000000 / page, BIT(KPF_HUGE) | BIT(KPF_HWPOISON));
	put_flags(flags, 0x3000000 / page, BIT(KPF_RESERVED));
	put_flags(flags, 0x4000000 / page, BIT(KPF_NOPAGE));
	put_flags(flags, 0x5000000 / page, BIT(KPF_BUDDY));
	assert_int_equal(class_of(inv, 0x3000000), PINGUARD_MEMORY_CLASS_RESERVED);
	assert_int_equal(class_of(inv, 0x4000000), PINGUARD_MEMORY_CLASS_NONE);
	assert_int_equal(class_of(inv, 0x5000000), PINGUARD_MEMORY_CLASS_SYSTEM_RAM);
	assert_int_equal(inventory_place(inv, 0x2000000, true, &p), 0);
	assert_int_equal(p.class, PINGUARD_MEMORY_CLASS_HUGETLB);
	assert_true(p.poisoned);
	assert_true(p.page_flags == (BIT(KPF_HUGE) | BIT(KPF_HWPOISON)));
}

static void test_check(void **state)
{
	const struct target dax = { .type = TARGET_DEVICE };
	_cleanup_(inventory_freep) struct inventory *inv = NULL;
	_cleanup_(freep) struct phys_range *ranges = NULL;
	const struct phys_range other[2] = {};
	const char *reason;
	size_t n;

	assert_int_equal(inventory_new(tree, made_up_nd, &inv), 0);
	assert_int_equal(inventory_resolve(inv, "dax1.0", &dax, true, &ranges, &n, &reason), 0);
	assert_int_equal(n, 2);
	assert_int_equal(inventory_check(inv, "dax1.0", &dax, true, ranges, n), 0);
	assert_int_equal(inventory_check(inv, "dax1.0", &dax, true, other, 2), -ESTALE);
	assert_int_equal(inventory_check(inv, "dax1.0", &dax, true, ranges, 1), -ESTALE);
	tree_remove("bus/dax/devices/dax1.0");
	/* While memory is being taken away it counts what was known. */
	assert_int_equal(inventory_check(inv, "dax1.0", &dax, false, ranges, n), 0);
	assert_int_equal(inventory_refresh(inv), 0);
	assert_int_equal(inventory_check(inv, "dax1.0", &dax, true, ranges, n), -ENOENT);
}

static int many_bad(struct inventory *inv)
{
	const struct place_dimm dimm = { .name = "nmem0" }, odd = { .name = "a b" };

	assert_int_equal(inventory_add(inv, "region0", 0, 1 << 30), 0);
	assert_int_equal(inventory_set_region(inv, "region0", -1, true), 0);
	assert_int_equal(inventory_add_dimm(inv, "region0", &odd), 0);
	for (unsigned int i = 0; i <= PLACE_DIMMS_MAX; i++)
		assert_int_equal(inventory_add_dimm(inv, "region0", &dimm), 0);
	for (unsigned int i = 0; i <= INVENTORY_BAD_MAX; i++)
		assert_int_equal(inventory_add_bad(inv, "region0", i * 4096, 512), 0);
	return inventory_add(inv, "a/b", 0, 0) == -ENAMETOOLONG ? 0 : -EIO;
}

static void test_limits(void **state)
{
	_cleanup_(inventory_freep) struct inventory *inv = NULL;
	struct place p;

	assert_int_equal(inventory_new(tree, many_bad, &inv), 0);
	tree_remove("devices");
	assert_int_equal(inventory_place(inv, (INVENTORY_BAD_MAX - 1) * 4096, true, &p), 0);
	assert_int_equal(p.bad, 1);
	assert_int_equal(p.n_dimms, PLACE_DIMMS_MAX);
	assert_string_equal(p.dimms[0].name, "nmem0");
	assert_int_equal(inventory_place(inv, INVENTORY_BAD_MAX * 4096, true, &p), 0);
	assert_int_equal(p.bad, 0);
}

/* "cMAJOR:MINOR " or "bMAJOR:MINOR ", in the order in which devices were read. */
static void check_numbers(struct inventory *inv, const char *name, const char *want)
{
	struct device_numbers numbers;
	char text[128] = "";

	assert_int_equal(inventory_find_numbers(inv, name, &numbers), 0);
	for (size_t i = 0; i < numbers.n; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%c%u:%u ",
			 numbers.all[i].block ? 'b' : 'c', major(numbers.all[i].number),
			 minor(numbers.all[i].number));
	assert_string_equal(text, want);
}

/* A region has the files of all that is made of its memory. */
static void test_numbers(void **state)
{
	_cleanup_(inventory_freep) struct inventory *inv = NULL;
	struct device_numbers numbers;

	tree_put("bus/dax/devices/dax0.0/dev", "252:1\n");
	tree_put("bus/dax/devices/dax2.0/dev", "rubbish\n");
	tree_put("class/block/pmem0.1/dev", "259:1\n");
	tree_put("class/block/pmem0.1/pmem0.1p1/", NULL);
	tree_put("class/block/pmem0.1/power/", NULL);
	tree_put("class/block/pmem0.1p1/dev", "259:2\n");
	tree_put("class/block/pmem0.1p1/holders/dm-0/", NULL);
	tree_put("class/block/dm-0/dev", "253:0\n");
	/* One that would never end. */
	tree_put("class/block/dm-0/holders/dm-0/", NULL);
	assert_int_equal(inventory_new(tree, made_up_nd, &inv), 0);
	assert_int_equal(inventory_refresh(inv), 0);
	check_numbers(inv, "dax0.0", "c252:1 ");
	check_numbers(inv, "dax1.0", "");
	check_numbers(inv, "dax2.0", "");
	check_numbers(inv, "namespace0.0", "c252:1 ");
	check_numbers(inv, "namespace0.1", "b259:1 b259:2 b253:0 ");
	check_numbers(inv, "region0", "c252:1 b259:1 b259:2 b253:0 ");
	assert_int_equal(inventory_find_numbers(inv, "dax9.9", &numbers), -ENOENT);
	/* Also when nothing may be read. */
	tree_remove("bus");
	check_numbers(inv, "dax0.0", "c252:1 ");
}

static void test_many_numbers(void **state)
{
	_cleanup_(inventory_freep) struct inventory *inv = NULL;
	struct device_numbers numbers;
	char path[128], text[32];
	int i;

	for (i = 0; i <= OPENERS_NUMBERS_MAX; i++) {
		snprintf(path, sizeof(path), "class/block/pmem0.1/pmem0.1p%d/", i);
		tree_put(path, NULL);
		snprintf(path, sizeof(path), "class/block/pmem0.1p%d/dev", i);
		snprintf(text, sizeof(text), "259:%d\n", i);
		tree_put(path, text);
	}
	assert_int_equal(inventory_new(tree, made_up_nd, &inv), 0);
	assert_int_equal(inventory_refresh(inv), 0);
	assert_int_equal(inventory_find_numbers(inv, "namespace0.1", &numbers), 0);
	assert_int_equal(numbers.n, OPENERS_NUMBERS_MAX);
	/* With another's that no room is left for. */
	tree_put("bus/dax/devices/dax0.0/dev", "252:1\n");
	assert_int_equal(inventory_refresh(inv), 0);
	assert_int_equal(inventory_find_numbers(inv, "region0", &numbers), -E2BIG);
	assert_int_equal(numbers.n, OPENERS_NUMBERS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_places, machine_setup, machine_teardown),
		cmocka_unit_test_setup_teardown(test_bare, machine_setup, machine_teardown),
		cmocka_unit_test_setup_teardown(test_proc, machine_setup, machine_teardown),
		cmocka_unit_test_setup_teardown(test_check, machine_setup, machine_teardown),
		cmocka_unit_test_setup_teardown(test_limits, machine_setup, machine_teardown),
		cmocka_unit_test_setup_teardown(test_numbers, machine_setup, machine_teardown),
		cmocka_unit_test_setup_teardown(test_many_numbers, machine_setup, machine_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
