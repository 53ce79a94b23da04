/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include "daemon/model/sums.h"
#include "lib/json.h"

static struct registry *r;

static int setup(void **state)
{
	struct cgroup_node *node;

	r = registry_new();
	if (!r || registry_cgroup_get(r, 5, &node) < 0)
		return -1;
	return registry_cgroup_set(r, node, NULL, "/a.service");
}

static int teardown(void **state)
{
	registry_free(r);
	return 0;
}

static void add(uint64_t id, uint32_t tgid, const char *device, uint64_t address, uint64_t bytes,
		uint64_t since_usec)
{
	struct pin_info info = {
		.id = id,
		.cgroup_id = tgid == 1 ? 5 : 0,
		.address = address,
		.bytes = bytes,
		.since_usec = since_usec,
		.kind = strncmp(device, "vfio", 4) == 0 ? PINGUARD_KIND_VFIO : PINGUARD_KIND_RDMA,
		.tgid = tgid,
		.uid = 1000,
		.comm_len = 2,
		.comm = "x\n",
	};

	strcpy(info.device, device);
	assert_int_equal(registry_upsert(r, &info), 0);
}

/* As SumPins does it, of all pins. */
static json_t *sum(enum sum_by by)
{
	_cleanup_(sums_freep) struct sums *sums = sums_new(by);
	_cleanup_(pin_cursor_done) struct pin_cursor cursor;
	struct pin_origin *origin = NULL;
	struct pin *pin;

	assert_non_null(sums);
	pin_cursor_init(&cursor, r);
	while ((pin = pin_cursor_next(&cursor)))
		assert_int_equal(sums_note(sums, pin), 0);
	while ((origin = registry_origin_next(r, origin)))
		assert_int_equal(sums_count(sums, origin, origin->pins, origin->bytes), 0);
	return sums_json(sums);
}

/* "pid/cgroup/device/kind pins bytes distinct oldest" of each, by lines */
static void is(enum sum_by by, const char *wanted)
{
	_cleanup_json_ json_t *reply = sum(by);
	char text[1024] = "";
	json_t *sum;
	size_t i;

	json_array_foreach (json_object_get(reply, "sums"), i, sum)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "%lld/%s/%s/%s %lld %lld %lld %lld\n", (long long)json_get_int(sum, "pid", -1),
			 json_get_string(sum, "cgroup", "-"), json_get_string(sum, "device", "-"),
			 json_get_string(sum, "kind", "-"), (long long)json_get_int(sum, "pins", -1),
			 (long long)json_get_int(sum, "bytes", -1),
			 (long long)json_get_int(sum, "distinct_bytes", -1),
			 (long long)json_get_int(sum, "oldest_usec", -1));
	assert_string_equal(text, wanted);
}

static void test_by(void **state)
{
	add(1, 1, "rxe0", 0x1000, 0x2000, 70);
	add(2, 1, "rxe1", 0x2000, 0x2000, 60);
	add(3, 2, "rxe0", 0x2000, 0x1000, 0);
	add(4, 2, "vfio0", 0x9000, 0x100, 50);
	is(SUM_BY_PROCESS, "1//a.service/-/- 2 16384 12288 60\n2/-/-/- 2 4352 4352 50\n");
	is(SUM_BY_CGROUP, "-1//a.service/-/- 2 16384 12288 60\n-1/-/-/- 2 4352 4352 50\n");
	is(SUM_BY_DEVICE, "-1/-/rxe0/rdma 2 12288 12288 70\n-1/-/rxe1/rdma 1 8192 8192 60\n"
			  "-1/-/vfio0/vfio 1 256 256 50\n");
	is(SUM_BY_KIND, "-1/-/-/rdma 3 20480 16384 60\n-1/-/-/vfio 1 256 256 50\n");
}

/* When it was made nobody knows, only that it was there at 40. */
static void test_found(void **state)
{
	const struct pin_info info = {
		.id = 5, .address = 0x9000, .bytes = 0x100, .since_usec = 40,
		.kind = PINGUARD_KIND_RDMA, .tgid = 1, .flags = PIN_FLAG_FOUND,
	};

	add(1, 1, "rxe0", 0x1000, 0x2000, 70);
	assert_int_equal(registry_upsert(r, &info), 0);
	is(SUM_BY_KIND, "-1/-/-/rdma 2 8448 8448 70\n");
}

/* The same memory twice, part of it, beside it, and what is not known or makes no sense. */
static void test_distinct(void **state)
{
	add(1, 1, "rxe0", 0x1000, 0x1000, 1);
	add(2, 1, "rxe0", 0x1000, 0x1000, 1);
	add(3, 1, "rxe0", 0x1800, 0x1000, 1);
	add(4, 1, "rxe0", 0x2800, 0x800, 1);
	add(5, 1, "rxe0", 0x1000, 0x100, 1);
	is(SUM_BY_PROCESS, "1//a.service/-/- 5 14592 8192 1\n");
	add(6, 2, "rxe0", UINT64_MAX - 0xfff, 0x1000, 1);
	is(SUM_BY_KIND, "-1/-/-/rdma 6 18688 12288 1\n");
	add(7, 2, "rxe0", UINT64_MAX - 0xffe, 0x1000, 1);
	is(SUM_BY_PROCESS, "1//a.service/-/- 5 14592 8192 1\n2/-/-/- 2 8192 -1 1\n");
	add(7, 2, "rxe0", 0, 0x1000, 1);
	is(SUM_BY_PROCESS, "1//a.service/-/- 5 14592 8192 1\n2/-/-/- 2 8192 -1 1\n");
	assert_int_equal(registry_remove(r, 7), 0);
	is(SUM_BY_PROCESS, "1//a.service/-/- 5 14592 8192 1\n2/-/-/- 1 4096 4096 1\n");
}

static void test_nothing(void **state)
{
	_cleanup_json_ json_t *reply = sum(SUM_BY_DEVICE);

	assert_int_equal(json_array_size(json_object_get(reply, "sums")), 0);
	assert_int_equal(json_get_int(reply, "pins", -1), 0);
	assert_int_equal(json_get_int(reply, "omitted", -1), 0);
}

/* At each limit, the step before it and the step past it. */
static void test_limits(void **state)
{
	for (uint64_t id = 1; id <= SUMS_DISTINCT_PINS_MAX + 1; id++) {
		add(id, 1, "rxe0", 0x1000 * id, 0x1000, 1);
		if (id >= SUMS_DISTINCT_PINS_MAX) {
			_cleanup_json_ json_t *reply = sum(SUM_BY_PROCESS);
			const json_t *first = json_array_get(json_object_get(reply, "sums"), 0);

			assert_int_equal(json_get_int(first, "distinct_bytes", -1),
					 id == SUMS_DISTINCT_PINS_MAX ? (int64_t)id << 12 : -1);
			assert_int_equal(json_get_int(first, "pins", -1), id);
		}
	}
	while (registry_count(r) > 0)
		assert_int_equal(registry_remove(r, registry_count(r)), 0);
	for (uint64_t id = 1; id <= SUMS_MAX + 1; id++) {
		add(id, id, "rxe0", 0x1000, 0x1000, 1);
		if (id >= SUMS_MAX) {
			_cleanup_json_ json_t *reply = sum(SUM_BY_PROCESS);

			assert_int_equal(json_array_size(json_object_get(reply, "sums")), SUMS_MAX);
			assert_int_equal(json_get_int(reply, "omitted", -1), id - SUMS_MAX);
			assert_int_equal(json_get_int(reply, "pins", -1), id);
			assert_int_equal(json_get_int(reply, "bytes", -1), id << 12);
		}
	}
}

/* One that goes before the sums are counted is in none of them. */
static void test_gone_meanwhile(void **state)
{
	_cleanup_(sums_freep) struct sums *sums = sums_new(SUM_BY_PROCESS);
	_cleanup_json_ json_t *reply = NULL;
	struct pin_origin *origin;

	add(1, 1, "rxe0", 0x1000, 0x1000, 1);
	add(2, 2, "rxe0", 0x1000, 0x1000, 1);
	assert_int_equal(sums_note(sums, registry_find(r, 1)), 0);
	assert_int_equal(sums_note(sums, registry_find(r, 2)), 0);
	assert_int_equal(registry_remove(r, 1), 0);
	origin = registry_origin_next(r, NULL);
	assert_int_equal(sums_count(sums, origin, origin->pins, origin->bytes), 0);
	reply = sums_json(sums);
	assert_int_equal(json_array_size(json_object_get(reply, "sums")), 1);
	assert_int_equal(json_get_int(json_array_get(json_object_get(reply, "sums"), 0), "pid", 0), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(by), TEST(found), TEST(distinct), TEST(nothing), TEST(limits),
		TEST(gone_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
