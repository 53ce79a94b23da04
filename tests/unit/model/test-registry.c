/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <time.h>
#include <malloc.h>

#include "tests/unit/unit.h"

#include "daemon/model/render.h"
#include "lib/json.h"

static struct pin_info make(uint64_t id, uint64_t cgroup, uint64_t charged, uint64_t bytes)
{
	struct pin_info info = {
		.id = id,
		.cgroup_id = cgroup,
		.charged_cgroup_id = charged,
		.bytes = bytes,
		.kind = PINGUARD_KIND_RDMA,
		.tgid = 100 + id % 3,
		.uid = 1000,
		.comm_len = 4,
		.comm = "test",
		.device = "rxe0",
	};

	return info;
}

static struct pin_event make_event(enum pin_event_type type, uint64_t seq, uint64_t id)
{
	return (struct pin_event){ .type = type, .seq = seq, .pin = make(id, 5, 4, 4096) };
}

static struct cgroup_node *node(struct registry *r, uint64_t id, uint64_t parent, const char *path)
{
	struct cgroup_node *n, *up = NULL;

	assert_int_equal(registry_cgroup_get(r, id, &n), 0);
	if (parent)
		assert_int_equal(registry_cgroup_get(r, parent, &up), 0);
	assert_int_equal(registry_cgroup_set(r, n, up, path), 0);
	return n;
}

static void test_counts(void **state)
{
	_cleanup_(registry_freep) struct registry *r = registry_new();
	struct cgroup_node *root = node(r, 1, 0, "/"), *a = node(r, 4, 1, "/a");
	struct cgroup_node *b = node(r, 5, 4, "/a/b");
	struct pin_info one = make(1, 5, 4, 4096), two = make(2, 4, 4, 100);

	assert_int_equal(registry_upsert(r, &one), 0);
	assert_int_equal(registry_upsert(r, &two), 0);
	registry_sum(r, NULL, NULL);
	assert_int_equal(root->sum_pins, 2);
	assert_int_equal(root->sum_bytes, 4196);
	assert_int_equal(a->sum_charged_bytes, 4196);
	assert_int_equal(b->sum_bytes, 4096);
	assert_int_equal(b->sum_charged_bytes, 0);

	/* What others are charged for. */
	two.shared_bytes = 60;
	assert_int_equal(registry_upsert(r, &two), 0);
	registry_sum(r, NULL, NULL);
	assert_int_equal(a->sum_bytes, 4196);
	assert_int_equal(a->sum_charged_bytes, 4136);
	assert_int_equal(registry_charged_bytes(r, 4), 4136);
	two.shared_bytes = 0;
	assert_int_equal(registry_upsert(r, &two), 0);

	/* A change moves what it changes. */
	one.bytes = 8192;
	one.cgroup_id = 4;
	strcpy(one.device, "rxe1");
	assert_int_equal(registry_upsert(r, &one), 0);
	registry_sum(r, NULL, NULL);
	assert_int_equal(registry_bytes(r), 8292);
	assert_int_equal(b->sum_pins, 0);
	assert_int_equal(a->pins, 2);
	assert_string_equal(registry_find(r, 1)->origin->device, "rxe1");
	assert_string_equal(registry_find(r, 2)->origin->device, "rxe0");

	assert_int_equal(registry_remove(r, 1), 0);
	assert_int_equal(registry_remove(r, 1), -ENOENT);
	assert_int_equal(registry_remove(r, 2), 0);
	registry_sum(r, NULL, NULL);
	assert_int_equal(root->sum_bytes, 0);
	assert_int_equal(registry_bytes(r), 0);
	registry_trim(r, 0);
	assert_null(registry_cgroup_next(r, NULL));
}

static void test_events_by_number(void **state)
{
	_cleanup_(registry_freep) struct registry *r = registry_new();
	struct pin_event pin = make_event(PIN_EVENT_PIN, 11, 7);
	struct pin_event unpin = make_event(PIN_EVENT_UNPIN, 12, 7);
	struct pin_event deny = make_event(PIN_EVENT_DENY, 13, 0);
	struct pin_event later = make_event(PIN_EVENT_PIN, 15, 8);

	registry_begin_resync(r);
	registry_end_resync(r, 10);
	assert_int_equal(registry_apply(r, &pin), 1);
	assert_int_equal(registry_apply(r, &pin), 0);
	assert_int_equal(registry_count(r), 1);
	assert_int_equal(registry_apply(r, &deny), -EILSEQ);
	assert_int_equal(registry_apply(r, &unpin), 1);
	assert_int_equal(registry_count(r), 0);
	/* Known already: must not come back. */
	assert_int_equal(registry_apply(r, &pin), 0);
	assert_int_equal(registry_count(r), 0);
	assert_int_equal(registry_apply(r, &deny), 1);
	assert_int_equal(registry_count(r), 0);
	assert_int_equal(registry_apply(r, &later), -EILSEQ);
	assert_int_equal(registry_seq(r), 13);
}

static void test_resync_sweeps(void **state)
{
	_cleanup_(registry_freep) struct registry *r = registry_new();
	struct pin_info keep = make(1, 5, 5, 10), gone = make(2, 5, 5, 20), fresh = make(3, 5, 5, 40);
	unsigned int i;

	registry_begin_resync(r);
	registry_upsert(r, &keep);
	registry_upsert(r, &gone);
	registry_end_resync(r, 5);
	assert_int_equal(registry_bytes(r), 30);

	/* Tries that were given up, more than the mark can count. */
	for (i = 0; i < 600; i++)
		registry_begin_resync(r);
	registry_upsert(r, &keep);
	registry_upsert(r, &fresh);
	registry_end_resync(r, 9);
	assert_int_equal(registry_bytes(r), 50);
	assert_null(registry_find(r, 2));
	assert_int_equal(registry_seq(r), 9);
}

static void test_cursor_survives_removal(void **state)
{
	_cleanup_(registry_freep) struct registry *r = registry_new();
	struct pin_cursor a, b;
	struct pin_info info;
	struct pin *pin;
	uint64_t id;

	for (id = 1; id <= 10; id++) {
		info = make(id, 5, 5, 1);
		registry_upsert(r, &info);
	}
	pin_cursor_init(&a, r);
	pin_cursor_init(&b, r);
	pin = pin_cursor_next(&a);
	assert_int_equal(pin->id, 1);
	/* The one that a returned, the one it would return next, and more. */
	for (id = 1; id <= 4; id++)
		registry_remove(r, id);
	assert_int_equal(pin_cursor_next(&a)->id, 5);
	assert_int_equal(pin_cursor_next(&b)->id, 5);
	for (id = 5; id <= 10; id++)
		registry_remove(r, id);
	assert_null(pin_cursor_next(&a));
	assert_null(pin_cursor_next(&b));
	pin_cursor_done(&a);
	pin_cursor_done(&b);
	pin_cursor_done(&b);
}

static void test_filter(void **state)
{
	_cleanup_(registry_freep) struct registry *r = registry_new();
	struct pin_info info = make(1, 5, 4, 1);
	struct pin_filter f = {};
	struct pin *pin;

	node(r, 1, 0, "/");
	node(r, 4, 1, "/a");
	node(r, 5, 4, "/a/b");
	registry_upsert(r, &info);
	pin = registry_find(r, 1);
	assert_true(pin_filter_match(&f, pin));
	f = (struct pin_filter){ .has_cgroup = true, .cgroup_id = 4 };
	assert_true(pin_filter_match(&f, pin));
	f.cgroup_id = 6;
	assert_false(pin_filter_match(&f, pin));
	f = (struct pin_filter){ .device = "rxe0", .has_kind = true, .kind = PINGUARD_KIND_RDMA };
	assert_true(pin_filter_match(&f, pin));
	f.kind = PINGUARD_KIND_VFIO;
	assert_false(pin_filter_match(&f, pin));
	f = (struct pin_filter){ .device = "rxe" };
	assert_false(pin_filter_match(&f, pin));
	f = (struct pin_filter){ .has_id = true, .id = 1, .has_tgid = true, .tgid = 101 };
	assert_true(pin_filter_match(&f, pin));
	f.tgid = 1;
	assert_false(pin_filter_match(&f, pin));
}

static void test_cgroups(void **state)
{
	_cleanup_(registry_freep) struct registry *r = registry_new();
	struct cgroup_node *root = node(r, 1, 0, "/"), *a = node(r, 4, 1, "/a");

	assert_int_equal(registry_cgroup_set(r, root, a, "/"), -ELOOP);
	assert_int_equal(registry_cgroup_set(r, a, a, "/a"), -ELOOP);
	assert_true(cgroup_node_below(a, 4));
	assert_false(cgroup_node_below(root, 4));
	cgroup_node_ref(a);
	registry_trim(r, 0);
	assert_ptr_equal(registry_cgroup_find(r, 4), a);
	assert_ptr_equal(registry_cgroup_find(r, 1), root);
	cgroup_node_unref(a);
	registry_trim(r, 2);
	assert_non_null(registry_cgroup_find(r, 4));
	registry_trim(r, 1);
	assert_null(registry_cgroup_find(r, 4));
	assert_null(registry_cgroup_find(r, 1));
}

static uint64_t now_nsec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static size_t heap_bytes(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* The budget: 160 bytes per pin, which sanitizers change. The time is for the reader. */
static void test_budget(void **state)
{
	_cleanup_(registry_freep) struct registry *r = registry_new();
	const uint64_t n = 200000;
	size_t before = heap_bytes(), used;
	struct pin_info info;
	uint64_t id, start, spent;

	for (id = 1; id <= n; id++) {
		info = make(id, 5 + id % 100, 4, 4096);
		assert_int_equal(registry_upsert(r, &info), 0);
	}
	used = heap_bytes() - before;
	start = now_nsec();
	for (id = 1; id <= n; id++)
		assert_non_null(registry_find(r, id));
	spent = now_nsec() - start;
	print_message("%zu bytes per pin, %u ns per lookup\n", used / (size_t)n,
		      (unsigned int)(spent / n));
#ifndef __SANITIZE_ADDRESS__
	assert_true(used / n <= 160);
#endif
}

/* As text, a pin is what it is as a tree, whatever its names are, and when paths change. */
static void same_as_text(struct registry *r, uint64_t id)
{
	_cleanup_json_ json_t *tree = render_pin(registry_find(r, id)), *parsed = NULL;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(render_pin_text(r, registry_find(r, id), out), 0);
	assert_int_equal(fclose(out), 0);
	parsed = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(parsed);
	assert_true(json_equal(tree, parsed));
	free(text);
}

static void test_text(void **state)
{
	_cleanup_(registry_freep) struct registry *r = registry_new();
	struct pin_info info = make(1, 5, 4, 4096);

	assert_int_equal(registry_upsert(r, &info), 0);
	same_as_text(r, 1);
	node(r, 1, 0, "/");
	node(r, 5, 1, "/a \"b\"\n\\x2d\xff");
	same_as_text(r, 1);
	info = (struct pin_info){
		.id = UINT64_MAX,
		.bytes = UINT64_MAX,
		.address = UINT64_MAX,
		.since_usec = 1,
		.kind = 77,
		.tgid = UINT32_MAX,
		.uid = PIN_UID_NONE,
		.flags = PINGUARD_FLAG_OWNER_GONE | PINGUARD_FLAG_RELEASING,
		.comm_len = 5,
		.comm = "\"\\\1\x80}",
	};
	assert_int_equal(registry_upsert(r, &info), 0);
	same_as_text(r, UINT64_MAX);
}

/* When it was made nobody knows. */
static void test_found(void **state)
{
	_cleanup_(registry_freep) struct registry *r = registry_new();
	_cleanup_json_ json_t *pin = NULL;
	struct pin_info info = make(1, 5, 4, 4096);

	info.since_usec = 7;
	info.flags = PIN_FLAG_FOUND;
	assert_int_equal(registry_upsert(r, &info), 0);
	same_as_text(r, 1);
	pin = render_pin(registry_find(r, 1));
	assert_true(json_is_null(json_object_get(pin, "since_usec")));
	assert_int_equal(registry_find(r, 1)->since_usec, 7);
}

/* What pins have in common is there once, with their sums, for as long as one of them. */
static void test_origins(void **state)
{
	_cleanup_(registry_freep) struct registry *r = registry_new();
	struct pin_origin *origin;
	struct pin_info info;
	uint64_t id;

	for (id = 3; id <= 3000; id += 3) {
		info = make(id, 5, 4, 4096);
		assert_int_equal(registry_upsert(r, &info), 0);
	}
	origin = registry_origin_next(r, NULL);
	assert_non_null(origin);
	assert_null(registry_origin_next(r, origin));
	assert_int_equal(origin->pins, 1000);
	assert_int_equal(origin->bytes, 4096000);
	info.uid++;
	assert_int_equal(registry_upsert(r, &info), 0);
	assert_int_equal(origin->pins, 999);
	assert_int_equal(registry_origin_next(r, origin)->pins, 1);
	assert_int_equal(registry_remove(r, 3000), 0);
	assert_null(registry_origin_next(r, origin));
}

/* Names are told apart by all of their bytes, and no name shares a bucket with many. */
static void test_names(void **state)
{
	_cleanup_(registry_freep) struct registry *r = registry_new();
	const struct pin *pin;
	uint64_t id;

	for (id = 1; id <= 5000; id++) {
		struct pin_info info = make(id, 5, 4, 4096);

		info.comm_len = 1 + id % PIN_COMM_MAX;
		memset(info.comm, 0, sizeof(info.comm));
		memcpy(info.comm, &id, MIN(sizeof(id), info.comm_len));
		assert_int_equal(registry_upsert(r, &info), 0);
	}
	for (id = 1; id <= 5000; id++) {
		size_t len = 1 + id % PIN_COMM_MAX;

		pin = registry_find(r, id);
		assert_int_equal(pin->origin->comm_len, len);
		assert_memory_equal(pin->origin->comm, &id, MIN(sizeof(id), len));
	}
	pin = registry_find(r, 1);
	for (id = 0; id < pin->origin->hh.tbl->num_buckets; id++)
		assert_in_range(pin->origin->hh.tbl->buckets[id].count, 0, 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_events_by_number),
		cmocka_unit_test(test_resync_sweeps),
		cmocka_unit_test(test_cursor_survives_removal),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_cgroups),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_origins),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
