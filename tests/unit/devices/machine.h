/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A made-up machine with memory of many kinds, for tests of the inventory. */
#ifndef PINGUARD_TEST_MACHINE_H
#define PINGUARD_TEST_MACHINE_H

#include "tests/unit/tree.h"

#include "daemon/devices/inventory-internal.h"

#define BIT(n) (UINT64_C(1) << (n))

static int nd_reads, nd_error;

/* 512 MiB of persistent memory: device-dax, fsdax, raw, sector, and some that is free. */
static inline int made_up_nd(struct inventory *inv)
{
	const struct inventory_layout devdax = {
		.mapped = true, .data = { 0x140400000, 0x14fffffff },
	}, fsdax = {
		.mapped = true, .linear = true, .block_device = "pmem0.1",
		.data = { 0x150200000, 0x157dfffff },
	}, raw = { .linear = true, .block_device = "pmem0.2" },
	   sector = { .block_device = "pmem0.3s" };
	const struct place_dimm nmem0 = { .name = "nmem0", .handle = 1, .serial = "0x00123456" },
				nmem1 = { .name = "nmem1", .handle = 2 };

	nd_reads++;
	if (nd_error)
		return nd_error;
	assert_int_equal(inventory_add(inv, "region0", 0x140000000, 0x20000000), 0);
	assert_int_equal(inventory_set_region(inv, "region0", 1, true), 0);
	assert_int_equal(inventory_add_dimm(inv, "region0", &nmem0), 0);
	assert_int_equal(inventory_add_dimm(inv, "region0", &nmem1), 0);
	assert_int_equal(inventory_add_bad(inv, "region0", 0x140600200, 0x200), 0);
	assert_int_equal(inventory_add(inv, "namespace0.0", 0x140000000, 0x10000000), 0);
	assert_int_equal(inventory_set_layout(inv, "namespace0.0", &devdax), 0);
	assert_int_equal(inventory_add(inv, "namespace0.1", 0x150000000, 0x8000000), 0);
	assert_int_equal(inventory_set_layout(inv, "namespace0.1", &fsdax), 0);
	assert_int_equal(inventory_add(inv, "namespace0.2", 0x158000000, 0x4000000), 0);
	assert_int_equal(inventory_set_layout(inv, "namespace0.2", &raw), 0);
	assert_int_equal(inventory_add(inv, "namespace0.3", 0x15c000000, 0x2000000), 0);
	assert_int_equal(inventory_set_layout(inv, "namespace0.3", &sector), 0);
	assert_int_equal(inventory_add(inv, "namespace0.4", UINT64_MAX, 0), 0);
	assert_int_equal(inventory_set_layout(inv, "namespace9.9", &raw), -ENOENT);
	return 0;
}

static inline int machine_setup(void **state)
{
	tree_new();
	nd_error = 0;
	tree_put("devices/system/memory/block_size_bytes", "8000000\n");
	tree_put("devices/system/memory/memory0/state", "online\n");
	tree_put("devices/system/memory/memory1/state", "going-offline\n");
	tree_put("devices/system/memory/memory2/state", "offline\n");
	tree_put("devices/system/memory/memory32/state", "online\n");
	tree_put("devices/system/memory/memory33/state", "online\n");
	tree_put("devices/system/memory/memory5x/state", "online\n");
	tree_put("devices/system/node/node0/memory0/", NULL);
	tree_put("devices/system/node/node0/memory1/", NULL);
	tree_put("devices/system/node/node0/meminfo", "");
	tree_put("devices/system/node/node1/memory32/", NULL);
	tree_put("bus/dax/devices/dax0.0/resource", "0x140400000\n");
	tree_put("bus/dax/devices/dax0.0/size", "264241152\n");
	/* Two pieces, of no namespace. */
	tree_put("bus/dax/devices/dax1.0/mapping0/start", "0x180000000\n");
	tree_put("bus/dax/devices/dax1.0/mapping0/end", "0x1800fffff\n");
	tree_put("bus/dax/devices/dax1.0/mapping1/start", "0x190000000\n");
	tree_put("bus/dax/devices/dax1.0/mapping1/end", "0x1900fffff\n");
	/* Given to the system. */
	tree_put("bus/dax/devices/dax2.0/resource", "0x108000000\n");
	tree_put("bus/dax/devices/dax2.0/size", "134217728\n");
	/* A bridge, whose window has the function's BAR in it, and the function. */
	tree_put("bus/pci/devices/0000:00:03.0/resource",
		 "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		 "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		 "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		 "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		 "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		 "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		 "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		 "0x00000000fe000000 0x00000000fe1fffff 0x0000000000000200\n");
	tree_put("bus/pci/devices/0000:01:00.0/resource",
		 "0x000000000000c000 0x000000000000c01f 0x0000000000040101\n"
		 "0x00000000fe000000 0x00000000fe003fff 0x0000000000140204\n");
	tree_put("bus/pci/devices/0000:02:00.0/resource", "rubbish\n");
	return 0;
}

static inline int machine_teardown(void **state)
{
	tree_remove(NULL);
	return 0;
}

#endif
