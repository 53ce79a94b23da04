/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is said of an address, and that it comes back from JSON the same. */
#include <linux/kernel-page-flags.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <stdio.h>

#include "tests/unit/unit.h"

#include "daemon/model/place.h"
#include "daemon/kernel/pinmsg.h"
#include "lib/json.h"

#define BIT(n) (UINT64_C(1) << (n))

static void fill(struct place *p)
{
	place_init(p, 0x140201234);
	p->page_bytes = 4096;
	strcpy(p->region, "region0");
	strcpy(p->namespace, "namespace0.0");
	strcpy(p->dax, "dax0.0");
	p->has_offset = true;
	p->offset = 0x1234;
	p->node = 1;
	p->bad = 0;
	p->part = PLACE_PART_DATA;
	p->n_dimms = 2;
	strcpy(p->dimms[0].name, "nmem0");
	p->dimms[0].handle = 0x11;
	strcpy(p->dimms[0].serial, "0x00123456");
	p->dimms[0].health = PLACE_HEALTH_NON_CRITICAL;
	strcpy(p->dimms[1].name, "nmem1");
}

static void test_json(void **state)
{
	const uint64_t flags = BIT(KPF_HWPOISON) | BIT(KPF_MMAP) | BIT(KPF_PGTABLE) | BIT(63);
	_cleanup_json_ json_t *json = NULL, *again = NULL;
	struct place p, back;

	fill(&p);
	place_set_frame(&p, PINGUARD_MEMORY_CLASS_DEVICE_DAX, true, &flags);
	json = place_to_json(&p);
	assert_non_null(json);
	assert_string_equal(json_get_string(json, "address", ""), "0x140201234");
	assert_string_equal(json_get_string(json, "class", ""), "device_dax");
	assert_string_equal(json_get_string(json, "class_source", ""), "kernel");
	assert_true(json_get_bool(json, "poisoned", false));
	assert_true(json_is_false(json_object_get(json, "bad")));
	assert_true(json_is_null(json_object_get(json, "online")));
	assert_true(json_is_null(json_object_get(json, "memory_block")));
	assert_true(json_is_null(json_object_get(json, "pci")));
	assert_int_equal(json_get_int(json, "offset", 0), 0x1234);
	/* Those that have no name are left out. */
	assert_int_equal(json_array_size(json_object_get(json, "page_flags")), 3);
	assert_int_equal(json_array_size(json_object_get(json, "dimms")), 2);
	assert_int_equal(place_from_json(json, &back), 0);
	assert_int_equal(back.class, PINGUARD_MEMORY_CLASS_DEVICE_DAX);
	assert_int_equal(back.page_flags, flags & ~BIT(63));
	assert_int_equal(back.dimms[0].handle, 0x11);
	assert_int_equal(back.dimms[0].health, PLACE_HEALTH_NON_CRITICAL);
	assert_string_equal(back.dimms[1].serial, "");
	again = place_to_json(&back);
	assert_true(json_equal(json, again));
}

static const struct {
	const char *key;
	const char *value; /* NULL: without the key */
} bad[] = {
	{ "address", NULL }, { "address", "5" }, { "address", "\"12\"" },
	{ "address", "\"0x11111111111111111\"" },
	{ "class", "\"ram\"" }, { "class", "null" }, { "class_source", "\"me\"" },
	{ "why", "null" }, { "why", "\"a\\u001bb\"" }, { "why", "\"\\\\x1b\"" },
	{ "page_flags", "null" }, { "page_flags", "[\"red\"]" }, { "page_flags", "[5]" },
	{ "poisoned", "1" }, { "poisoned", NULL },
	{ "memory_block", "5" }, { "memory_block", "\"\"" }, { "memory_block", NULL },
	{ "region", "\"0123456789012345678901234567890123456789012345678\"" },
	{ "dax", "\"d\\u00e9\"" }, { "dax", "\"d\\u0000x\"" },
	{ "online", "1" }, { "online", NULL }, { "bad", "\"no\"" },
	{ "node", "-1" }, { "node", "2147483648" }, { "node", "1.5" },
	{ "offset", "-1" }, { "offset", "\"0x1\"" },
	{ "dimms", "{}" }, { "dimms", "[null]" }, { "dimms", NULL },
	{ "dimms", "[{\"name\":\"\",\"handle\":\"0x1\",\"serial\":null,\"health\":null}]" },
	{ "dimms", "[{\"name\":\"n\",\"handle\":1,\"serial\":null,\"health\":null}]" },
	{ "dimms", "[{\"name\":\"n\",\"handle\":\"0x1\",\"serial\":null,\"health\":\"bad\"}]" },
	{ "dimms", "[{\"name\":\"n\",\"handle\":\"0x1\",\"health\":null}]" },
};

static void test_bad_json(void **state)
{
	_cleanup_json_ json_t *good = NULL, *number = json_integer(5), *many = NULL;
	struct place p, back = { .phys = 99 };

	fill(&p);
	place_set_frame(&p, PINGUARD_MEMORY_CLASS_DEVICE_DAX, true, NULL);
	good = place_to_json(&p);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_json_ json_t *json = json_copy(good);

		if (bad[i].value)
			json_object_set_new(json, bad[i].key,
					    json_loads(bad[i].value,
						       JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL));
		else
			json_object_del(json, bad[i].key);
		if (place_from_json(json, &back) != -EBADMSG || back.phys != 99)
			fail_msg("%s: %s is accepted", bad[i].key, bad[i].value ?: "nothing");
	}
	assert_int_equal(place_from_json(NULL, &back), -EBADMSG);
	assert_int_equal(place_from_json(number, &back), -EBADMSG);
	many = json_copy(good);
	json_object_set_new(many, "dimms", json_array());
	for (size_t i = 0; i <= PLACE_DIMMS_MAX; i++)
		json_array_append(json_object_get(many, "dimms"),
				  json_array_get(json_object_get(good, "dimms"), 0));
	assert_int_equal(place_from_json(many, &back), -EBADMSG);
	/* A newer service may have written more. */
	json_object_set_new(good, "colour", json_string("red"));
	assert_int_equal(place_from_json(good, &back), 0);
}

/* Does what is said contain that? */
static void check(const struct place *p, uint32_t class, const char *text)
{
	assert_int_equal(p->class, class);
	if (!strstr(p->why, text))
		fail_msg("\"%s\" does not say \"%s\"", p->why, text);
}

static void test_metadata(void **state)
{
	struct place p;

	/* The kernel takes an info block before data in a RAM-mapped namespace for data. */
	fill(&p);
	p.dax[0] = '\0';
	p.part = PLACE_PART_METADATA;
	place_set_frame(&p, PINGUARD_MEMORY_CLASS_DEVICE_DAX, true, NULL);
	check(&p, PINGUARD_MEMORY_CLASS_DAX_METADATA, "namespace0.0");
	check(&p, PINGUARD_MEMORY_CLASS_DAX_METADATA, "the kernel takes it for device_dax");
	place_set_frame(&p, PINGUARD_MEMORY_CLASS_FSDAX, true, NULL);
	check(&p, PINGUARD_MEMORY_CLASS_DAX_METADATA, "the kernel takes it for fsdax");
	place_set_frame(&p, PINGUARD_MEMORY_CLASS_DAX_METADATA, true, NULL);
	check(&p, PINGUARD_MEMORY_CLASS_DAX_METADATA, "info block");
	assert_null(strstr(p.why, "takes it for"));
	/* What is not of the device is left to the kernel. */
	place_set_frame(&p, PINGUARD_MEMORY_CLASS_SYSTEM_RAM, true, NULL);
	check(&p, PINGUARD_MEMORY_CLASS_SYSTEM_RAM, "page allocator");

	fill(&p);
	place_set_frame(&p, PINGUARD_MEMORY_CLASS_DEVICE_DAX, true, NULL);
	check(&p, PINGUARD_MEMORY_CLASS_DEVICE_DAX, "data of dax0.0 in namespace0.0");
	check(&p, PINGUARD_MEMORY_CLASS_DEVICE_DAX, "page frame at 0x140201000");
	p.dax[0] = '\0';
	p.part = PLACE_PART_PADDING;
	place_set_frame(&p, PINGUARD_MEMORY_CLASS_PMEM_RAW, true, NULL);
	check(&p, PINGUARD_MEMORY_CLASS_PMEM_RAW, "used by nobody");
}

static void test_none(void **state)
{
	struct place p;

	place_init(&p, 0xfe000000);
	place_set_frame(&p, PINGUARD_MEMORY_CLASS_NONE, true, NULL);
	check(&p, PINGUARD_MEMORY_CLASS_NONE, "no memory");
	p.gap = PLACE_GAP_HOLE;
	place_set_frame(&p, PINGUARD_MEMORY_CLASS_NONE, true, NULL);
	check(&p, PINGUARD_MEMORY_CLASS_NONE, "hole");
	p.gap = PLACE_GAP_ABOVE;
	place_set_frame(&p, PINGUARD_MEMORY_CLASS_NONE, true, NULL);
	check(&p, PINGUARD_MEMORY_CLASS_NONE, "above all memory");
	p.gap = PLACE_GAP_MMIO;
	place_set_frame(&p, PINGUARD_MEMORY_CLASS_NONE, true, NULL);
	check(&p, PINGUARD_MEMORY_CLASS_NONE, "registers of a device");
	strcpy(p.pci, "0000:00:04.0");
	place_set_frame(&p, PINGUARD_MEMORY_CLASS_NONE, false, NULL);
	check(&p, PINGUARD_MEMORY_CLASS_NONE, "PCI device 0000:00:04.0");
	check(&p, PINGUARD_MEMORY_CLASS_NONE, "the kernel does not tell");
	/* What a newer kernel says. */
	place_set_frame(&p, 77, true, NULL);
	check(&p, PINGUARD_MEMORY_CLASS_NONE, "0000:00:04.0");
}

static void test_ram(void **state)
{
	uint64_t flags = BIT(KPF_BUDDY);
	struct place p;

	place_init(&p, 0x8000000);
	strcpy(p.memory_block, "memory1");
	place_set_frame(&p, PINGUARD_MEMORY_CLASS_SYSTEM_RAM, true, &flags);
	check(&p, PINGUARD_MEMORY_CLASS_SYSTEM_RAM, "free memory");
	assert_false(p.poisoned);
	flags = BIT(KPF_ANON) | BIT(KPF_THP) | BIT(KPF_HWPOISON);
	place_set_frame(&p, PINGUARD_MEMORY_CLASS_SYSTEM_RAM, true, &flags);
	check(&p, PINGUARD_MEMORY_CLASS_SYSTEM_RAM, "transparent huge page");
	assert_true(p.poisoned);
	/* Not told: what was known stays. */
	place_set_frame(&p, PINGUARD_MEMORY_CLASS_HUGETLB, true, NULL);
	check(&p, PINGUARD_MEMORY_CLASS_HUGETLB, "hugetlb");
	assert_true(p.poisoned);
	place_set_frame(&p, PINGUARD_MEMORY_CLASS_VMEMMAP, true, NULL);
	check(&p, PINGUARD_MEMORY_CLASS_VMEMMAP, "in memory1 itself");
	p.online = 0;
	place_set_frame(&p, PINGUARD_MEMORY_CLASS_SYSTEM_RAM, true, NULL);
	check(&p, PINGUARD_MEMORY_CLASS_SYSTEM_RAM, "memory1, which is offline");
	/* However long names are, the text ends. */
	memset(p.memory_block, 'm', sizeof(p.memory_block) - 1);
	memset(p.dax, 'd', sizeof(p.dax) - 1);
	place_set_frame(&p, PINGUARD_MEMORY_CLASS_SYSTEM_RAM, false, NULL);
	assert_true(strlen(p.why) < sizeof(p.why));
}

static void test_message(void **state)
{
	struct nl_msg *msg = nlmsg_alloc();
	struct frame_info frame = {};

	assert_non_null(genlmsg_put(msg, 0, 0, 30, 0, 0, PINGUARD_CMD_GET_FRAME, 1));
	assert_int_equal(pinmsg_parse_frame(nlmsg_hdr(msg), &frame), -EBADMSG);
	nla_put_u64(msg, PINGUARD_A_FRAME_PFN, 0x140201);
	assert_int_equal(pinmsg_parse_frame(nlmsg_hdr(msg), &frame), -EBADMSG);
	nla_put_u32(msg, PINGUARD_A_FRAME_CLASS, PINGUARD_MEMORY_CLASS_HUGETLB);
	assert_int_equal(pinmsg_parse_frame(nlmsg_hdr(msg), &frame), 0);
	assert_int_equal(frame.pfn, 0x140201);
	assert_int_equal(frame.class, PINGUARD_MEMORY_CLASS_HUGETLB);
	assert_false(frame.has_page_flags);
	nla_put_u64(msg, PINGUARD_A_FRAME_PAGE_FLAGS, BIT(KPF_HUGE));
	assert_int_equal(pinmsg_parse_frame(nlmsg_hdr(msg), &frame), 0);
	assert_true(frame.has_page_flags && frame.page_flags == BIT(KPF_HUGE));
	nlmsg_free(msg);

	msg = nlmsg_alloc();
	assert_non_null(genlmsg_put(msg, 0, 0, 30, 0, 0, PINGUARD_CMD_GET_PIN, 1));
	nla_put_u64(msg, PINGUARD_A_FRAME_PFN, 1);
	nla_put_u32(msg, PINGUARD_A_FRAME_CLASS, 1);
	assert_int_equal(pinmsg_parse_frame(nlmsg_hdr(msg), &frame), -EBADMSG);
	nlmsg_free(msg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json),	 cmocka_unit_test(test_bad_json),
		cmocka_unit_test(test_metadata), cmocka_unit_test(test_none),
		cmocka_unit_test(test_ram),	 cmocka_unit_test(test_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
