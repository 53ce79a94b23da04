/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who and Classify of memory. */
#include "tests/unit/manager/who-fixture.h"

static void test_classify(void **state)
{
	struct manager *m = *state;
	_cleanup_json_ json_t *huge = NULL, *dax = NULL, *info = NULL, *proc = NULL, *old = NULL;
	_cleanup_json_ json_t *far = NULL;
	const json_t *place;
	struct process p;

	process_start(&p);
	huge = ask(m, &p, MANAGER("Classify"), "pfn:5", NULL);
	place = json_object_get(huge, "place");
	assert_string_equal(json_get_string(place, "class", ""), "hugetlb");
	assert_string_equal(json_get_string(place, "class_source", ""), "kernel");
	assert_string_equal(json_get_string(place, "memory_block", ""), "memory0");
	assert_string_equal(json_string_value(json_array_get(json_object_get(place, "page_flags"),
							     0)), "huge");
	dax = ask(m, &p, MANAGER("Classify"), "0x140400010", NULL);
	place = json_object_get(dax, "place");
	assert_string_equal(json_get_string(place, "address", ""), "0x140400010");
	assert_string_equal(json_get_string(place, "class", ""), "device_dax");
	assert_string_equal(json_get_string(place, "dax", ""), "dax0.0");
	assert_int_equal(json_get_int(place, "offset", 0), 0x10);
	info = ask(m, &p, MANAGER("Classify"), "0x140001000", NULL);
	assert_string_equal(json_get_string(json_object_get(info, "place"), "class", ""),
			    "dax_metadata");
	/* A kernel that cannot tell, by an error or by its features; and observe mode. */
	frame_error = -EOPNOTSUPP;
	proc = ask(m, &p, MANAGER("Classify"), "0x1000", NULL);
	place = json_object_get(proc, "place");
	assert_string_equal(json_get_string(place, "class", ""), "system_ram");
	assert_string_equal(json_get_string(place, "class_source", ""), "proc");
	far = ask(m, &p, MANAGER("Classify"), "0xfffffffffffff000", NULL);
	place = json_object_get(far, "place");
	assert_string_equal(json_get_string(place, "class", ""), "none");
	assert_non_null(strstr(json_get_string(place, "why", ""), "above all memory"));
	frame_error = 0;
	features = PINGUARD_FEATURE_DEVICE_REMOVAL;
	m->source->genl = NULL;
	old = ask(m, &p, MANAGER("Classify"), "0x140001000", NULL);
	place = json_object_get(old, "place");
	assert_string_equal(json_get_string(place, "class", ""), "dax_metadata");
	assert_string_equal(json_get_string(place, "class_source", ""), "proc");
	process_end(&p);
}

static void test_bad_targets(void **state)
{
	static const char *const invalid[] = { "", "memory0", "rxe0", "0x", "0x1000-0x1fff",
					       "0x10000000000000000", "pfn:-1", "4096" };
	struct manager *m = *state;
	struct process p;

	process_start(&p);
	for (size_t i = 0; i < ARRAY_SIZE(invalid); i++)
		ask(m, &p, MANAGER("Classify"), invalid[i], MANAGER("InvalidTarget"));
	ask(m, &p, MANAGER("Who"), "0x2-0x1", MANAGER("InvalidTarget"));
	ask(m, &p, MANAGER("Who"), "dax7.0", MANAGER("NoSuchTarget"));
	ask(m, &p, MANAGER("Who"), "memory7", MANAGER("NoSuchTarget"));
	ask(m, &p, MANAGER("Who"), "rxe7", MANAGER("NoSuchTarget"));
	ask(m, &p, MANAGER("Who"), "/dev/vfio/7", MANAGER("NoSuchTarget"));
	assert_int_equal(n_queries, 0);
	process_end(&p);
	if (!process_start_as(&p, USER_UID))
		return;
	ask(m, &p, MANAGER("Classify"), "0x1000", "org.varlink.service.PermissionDenied");
	ask(m, &p, MANAGER("Who"), "0x1000", "org.varlink.service.PermissionDenied");
	process_end(&p);
}

static void test_who(void **state)
{
	struct manager *m = *state;
	_cleanup_json_ json_t *reply = NULL;
	struct process p;

	process_start(&p);
	reply = ask(m, &p, MANAGER("Who"), "namespace0.0", NULL);
	assert_string_equal(json_get_string(first(reply, "ranges"), "first", ""), "0x140000000");
	assert_string_equal(json_get_string(first(reply, "places"), "namespace", ""),
			    "namespace0.0");
	assert_string_equal(json_get_string(first(reply, "places"), "class", ""), "dax_metadata");
	assert_string_equal(json_get_string(first(reply, "pins"), "device", ""), "rxe0");
	assert_int_equal(json_array_size(json_object_get(reply, "pins")), 1);
	process_end(&p);
}

/* Of this target, as text; "null" where nobody knows. */
static void expect_busy(struct manager *m, const struct process *p, const char *target, bool ask,
			const char *expected)
{
	_cleanup_json_ json_t *reply = NULL;
	_cleanup_(freep) char *text = NULL;
	struct client c;

	client_open(m, &c, p);
	client_send(&c, MANAGER("Who"), false, json_pack("{s:s, s:b}", "target", target, "busy", ask));
	reply = client_reply(m, &c, MANAGER("Who"), false);
	client_close(m, &c);
	text = json_dumps(json_object_get(reply, "busy"), JSON_COMPACT | JSON_ENCODE_ANY);
	assert_string_equal(text, expected);
	/* the pins are told as well */
	assert_int_equal(json_array_size(json_object_get(reply, "pins")), 1);
}

static void test_who_busy(void **state)
{
	const uint64_t flags[] = {
		UINT64_C(1) << KPF_SLAB, 0, 0, UINT64_C(1) << KPF_LRU, UINT64_C(1) << KPF_HUGE,
	};
	_cleanup_(closep) int fd = memfd_create("flags", MFD_CLOEXEC);
	struct manager *m = *state;
	struct process p;

	assert_int_equal(write(fd, flags, sizeof(flags)), sizeof(flags));
	process_start(&p);
	/* without the file */
	expect_busy(m, &p, "0x0-0x3fff", true, "null");
	manager_set_proc(m, -1, fd);
	expect_busy(m, &p, "0x0-0x3fff", false, "null");
	expect_busy(m, &p, "0x0-0x3fff", true,
		    "[{\"class\":\"kernel\",\"bytes\":8192},{\"class\":\"slab\",\"bytes\":4096}]");
	expect_busy(m, &p, "pfn:3", true, "[]");
	expect_busy(m, &p, "pfn:4", true, "[{\"class\":\"hugetlb\",\"bytes\":4096}]");
	expect_busy(m, &p, "0x0-0xffffffff", true,
		    "[{\"class\":\"kernel\",\"bytes\":8192},{\"class\":\"slab\",\"bytes\":4096},"
		    "{\"class\":\"hugetlb\",\"bytes\":4096}]");
	expect_busy(m, &p, "0x0-0x100000fff", true, "null");
	process_end(&p);
}

static void remove_dax(void)
{
	tree_remove("bus/dax/devices/dax0.0");
}

static void change_dax(void)
{
	tree_put("bus/dax/devices/dax0.0/mapping0/end", "0x14effffff\n");
}

static struct inventory *read_again;

static void remove_and_tell(void)
{
	remove_dax();
	assert_int_equal(inventory_refresh(read_again), 0);
}

static void change_and_tell(void)
{
	change_dax();
	assert_int_equal(inventory_refresh(read_again), 0);
}

/* The device goes, or changes, after it has been looked up. */
static void test_vanishes(void **state)
{
	struct manager *m = *state;
	struct process p;

	process_start(&p);
	read_again = devices_inventory(m->devices);
	meanwhile = change_and_tell;
	ask(m, &p, MANAGER("Who"), "dax0.0", MANAGER("NotReady"));
	meanwhile = remove_and_tell;
	ask(m, &p, MANAGER("Who"), "dax0.0", MANAGER("NoSuchTarget"));
	assert_int_equal(n_queries, 2);
	ask(m, &p, MANAGER("Who"), "dax0.0", MANAGER("NoSuchTarget"));
	process_end(&p);
}

/* Memory is being taken away: what was seen before is told, nothing is read. */
static void test_revoke(void **state)
{
	struct manager *m = *state;
	const struct pin_event begin = { .type = PIN_EVENT_REVOKE, .seq = 1,
					 .revoke = { .id = 9, .first_pfn = 1, .last_pfn = 2 } };
	struct pin_event end = begin;
	_cleanup_json_ json_t *known = NULL, *place = NULL;
	struct process p;

	process_start(&p);
	assert_int_equal(inventory_refresh(devices_inventory(m->devices)), 0);
	assert_int_equal(triggers_event(m->triggers, &begin), 0);
	remove_dax();
	known = ask(m, &p, MANAGER("Who"), "dax0.0", NULL);
	assert_string_equal(json_get_string(first(known, "places"), "dax", ""), "dax0.0");
	place = ask(m, &p, MANAGER("Classify"), "0x1000", NULL);
	assert_true(json_is_null(json_object_get(json_object_get(place, "place"), "online")));
	ask(m, &p, MANAGER("Who"), "dax7.0", MANAGER("InvalidTarget"));
	end.type = PIN_EVENT_REVOKE_DONE;
	end.revoke.outcome = PINGUARD_REVOKE_OUTCOME_DONE;
	assert_int_equal(triggers_event(m->triggers, &end), 0);
	ask(m, &p, MANAGER("Who"), "dax0.0", MANAGER("NoSuchTarget"));
	process_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_classify, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_targets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_who, setup, teardown),
		cmocka_unit_test_setup_teardown(test_who_busy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_vanishes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_revoke, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
