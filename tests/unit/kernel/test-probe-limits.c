/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Limits that eBPF programs keep: where they are, what the loader is asked for, refusals. */
#include "tests/unit/kernel/probe-fixture.h"

static struct probe_groups groups_of_maps(void)
{
	return (struct probe_groups){ .n = 4, .groups = kernel.groups, .limits = kernel.limits };
}

static void test_sums(void **state)
{
	const struct probe_groups g = groups_of_maps();

	assert_int_equal(probe_groups_current(&g, 77), 0);
	kernel.groups[2] = (struct probe_group){ .cgroup_id = 77, .current_bytes = 8192 };
	assert_int_equal(probe_groups_current(&g, 77), 8192);
	kernel.groups[2].current_bytes = PROBE_GROUP_GONE;
	assert_int_equal(probe_groups_current(&g, 77), 0);
	/* Behind those that are in use. */
	kernel.groups[4] = (struct probe_group){ .cgroup_id = 78, .current_bytes = 4096 };
	assert_int_equal(probe_groups_current(&g, 78), 0);
}

static void test_limits(void **state)
{
	const struct probe_groups g = groups_of_maps();
	const struct probe_limit *limit = kernel.limits[probe_bucket_of(77)].ways;

	assert_int_equal(probe_groups_max(&g, 77), UINT64_MAX);
	assert_int_equal(probe_groups_set_max(&g, 77, 4096), 0);
	assert_int_equal(probe_groups_max(&g, 77), 4096);
	assert_int_equal(limit->cgroup_id, 77);
	assert_int_equal(limit->max_bytes, 4096);
	kernel.limits[probe_bucket_of(77)].ways[0].denied = 3;
	assert_int_equal(probe_groups_denied(&g, 77), 3);
	assert_int_equal(probe_groups_set_max(&g, 77, 0), 0);
	assert_int_equal(probe_groups_max(&g, 77), 0);
	assert_int_equal(probe_groups_denied(&g, 77), 3);
	assert_int_equal(probe_groups_set_max(&g, 77, UINT64_MAX), 0);
	assert_int_equal(probe_groups_max(&g, 77), UINT64_MAX);
	assert_int_equal(limit->cgroup_id, 0);
	/* One that comes after it starts anew. */
	assert_int_equal(probe_groups_set_max(&g, 77, 1), 0);
	assert_int_equal(probe_groups_denied(&g, 77), 0);
	assert_int_equal(probe_groups_max(&g, 0), UINT64_MAX);
}

static void test_full(void **state)
{
	const struct probe_groups g = groups_of_maps();
	uint64_t id = 0, ids[PROBE_WAYS_MAX + 1];
	size_t n = 0, seen = 0;

	for (uint64_t i = 1; n < ARRAY_SIZE(ids); i++)
		if (probe_bucket_of(i) == probe_bucket_of(77))
			ids[n++] = i;
	for (size_t i = 0; i < PROBE_WAYS_MAX; i++)
		assert_int_equal(probe_groups_set_max(&g, ids[i], i + 1), 0);
	assert_int_equal(probe_groups_set_max(&g, ids[PROBE_WAYS_MAX], 1), -ENOSPC);
	assert_int_equal(probe_groups_max(&g, ids[PROBE_WAYS_MAX]), UINT64_MAX);
	for (size_t i = 0; i < PROBE_WAYS_MAX; i++)
		assert_int_equal(probe_groups_max(&g, ids[i]), i + 1);
	while ((id = probe_groups_next(&g, id)))
		seen++;
	assert_int_equal(seen, PROBE_WAYS_MAX);
	assert_int_equal(probe_groups_set_max(&g, ids[3], UINT64_MAX), 0);
	assert_int_equal(probe_groups_set_max(&g, ids[PROBE_WAYS_MAX], 1), 0);
}

/* Thousands of limits find room, whatever the ids are. */
static void test_many(void **state)
{
	const struct probe_groups g = groups_of_maps();

	for (uint64_t i = 0; i < 8192; i++)
		assert_int_equal(probe_groups_set_max(&g, 1 + i, i), 0);
	for (uint64_t i = 0; i < 8192; i++)
		assert_int_equal(probe_groups_max(&g, 1 + i), i);
	memset(kernel.limits, 0, sizeof(*kernel.limits) * PROBE_BUCKETS_MAX);
	/* With generations, as on machines of 32 bits. */
	for (uint64_t i = 0; i < 8192; i++)
		assert_int_equal(probe_groups_set_max(&g, (i << 32) + 4711, i), 0);
}

static unsigned int n_limited;

static int on_limited(void *userdata)
{
	n_limited++;
	return 0;
}

static enum probe_wish read_wish(void)
{
	struct probe_request request;

	assert_int_equal(recv(loader_fd, &request, sizeof(request), 0), sizeof(request));
	assert_int_equal(request.layout, PROBE_LAYOUT);
	return request.wish;
}

static void connect_wishing(bool limits)
{
	const struct probe_config config = {
		.socket = socket_path, .limits = limits, .listener = &listener,
		.failed = on_failed, .limited = on_limited,
	};

	n_limited = 0;
	assert_int_equal(probe_new(event, &config, &probe), 0);
	loader_fd = accept(listener_fd, NULL, NULL);
}

static void answer_again(void)
{
	const struct probe_hello hello = { .layout = PROBE_LAYOUT, .n_fds = PROBE_FDS };

	answer(&hello, sizeof(hello), PROBE_FDS);
	run();
}

static void test_wish(void **state)
{
	connect_wishing(true);
	assert_int_equal(read_wish(), PROBE_WISH_LIMIT);
	kernel.kinds[PINGUARD_KIND_XDP].enforced = PROBE_ENFORCED_LSM;
	strcpy(kernel.kinds[PINGUARD_KIND_RDMA].limit_reason, "it is not watched");
	put_pin(0, 1);
	answer_again();
	assert_true(probe_is_limited(probe));
	assert_null(probe_why_unlimited(probe));
	assert_int_equal(n_limited, 1);
	assert_int_equal(told.n_pins, 1);
	assert_int_equal(told.pins[0].charged_cgroup_id, 77);
	assert_int_equal(probe_watches(probe, PINGUARD_KIND_XDP).enforced, PROBE_ENFORCED_LSM);
	assert_string_equal(probe_watches(probe, PINGUARD_KIND_RDMA).limit_reason, "it is not watched");

	/* What is wished already is not asked for. */
	assert_int_equal(probe_wish_limits(probe, true), 0);
	closep(&loader_fd);
	assert_int_equal(probe_wish_limits(probe, false), 0);
	loader_fd = accept(listener_fd, NULL, NULL);
	assert_int_equal(read_wish(), PROBE_WISH_WATCH);
	kernel.kinds[PINGUARD_KIND_XDP].enforced = PROBE_ENFORCED_NOTHING;
	answer_again();
	assert_false(probe_is_limited(probe));
	assert_null(probe_why_unlimited(probe));
	assert_int_equal(n_limited, 2);
	assert_int_equal(told.pins[0].charged_cgroup_id, 0);
}

static void test_no_lsm(void **state)
{
	connect_wishing(true);
	strcpy(kernel.kinds[PINGUARD_KIND_XDP].limit_reason, "no bpf in the list");
	answer_again();
	assert_false(probe_is_limited(probe));
	assert_string_equal(probe_why_unlimited(probe), "no bpf in the list");
	assert_int_equal(n_limited, 0);
}

/* Programs that were left by a service with another wish. */
static void test_not_wished(void **state)
{
	kernel.kinds[PINGUARD_KIND_XDP].enforced = PROBE_ENFORCED_LSM;
	connect_wishing(false);
	assert_int_equal(read_wish(), PROBE_WISH_WATCH);
	answer_again();
	assert_false(probe_is_limited(probe));
	assert_int_equal(n_limited, 0);
}

static void test_denied(void **state)
{
	struct probe_event e = {
		.type = PROBE_EVENT_DENY, .suppressed = 4, .limit_cgroup_id = 12,
		.current_bytes = 8192, .max_bytes = 9000,
		.pin = { .cgroup_id = 77, .address = 0x7000, .bytes = 4096, .since_nsec = 5000000,
			 .kind = PINGUARD_KIND_VFIO, .tgid = 4711, .uid = 1000, .comm = "x" },
	};

	connect_wishing(true);
	kernel.kinds[PINGUARD_KIND_VFIO].enforced = PROBE_ENFORCED_LSM;
	answer_again();
	put_raw(sizeof(e), &e, sizeof(e));
	wake();
	assert_int_equal(told.n_events, 1);
	assert_int_equal(told.events[0].type, PIN_EVENT_DENY);
	assert_int_equal(told.events[0].reason, PINGUARD_REASON_LIMIT);
	assert_int_equal(told.events[0].limit_cgroup_id, 12);
	assert_int_equal(told.events[0].usage_bytes, 8192);
	assert_int_equal(told.events[0].max_bytes, 9000);
	assert_int_equal(told.events[0].suppressed, 4);
	assert_int_equal(told.events[0].pin.id, 0);
	assert_int_equal(told.events[0].pin.since_usec, 0);
	assert_int_equal(told.events[0].pin.bytes, 4096);
	assert_int_equal(told.events[0].pin.cgroup_id, 77);
	assert_int_equal(told.events[0].pin.charged_cgroup_id, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_sums), TEST(test_limits), TEST(test_full),	   TEST(test_many),
		TEST(test_wish), TEST(test_no_lsm), TEST(test_not_wished), TEST(test_denied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
