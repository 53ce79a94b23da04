/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the source that eBPF programs see tells: lists, events, losses. */
#include "tests/unit/kernel/probe-fixture.h"

static void test_list(void **state)
{
	const uint64_t now = clock_usec(CLOCK_REALTIME), up = clock_usec(CLOCK_BOOTTIME);

	put_pin(0, 9);
	put_pin(2, 12);
	start();
	assert_int_equal(told.n_begins, 1);
	assert_int_equal(told.n_ends, 1);
	assert_int_equal(told.n_pins, 2);
	assert_int_equal(told.pins[0].id, 9);
	assert_int_equal(told.pins[1].id, 12);
	assert_int_equal(told.pins[0].kind, PINGUARD_KIND_RDMA);
	assert_int_equal(told.pins[0].tgid, 4711);
	assert_int_equal(told.pins[0].uid, 1000);
	assert_int_equal(told.pins[0].cgroup_id, 77);
	assert_int_equal(told.pins[0].address, 0x7000);
	assert_int_equal(told.pins[0].bytes, 8192);
	assert_int_equal(told.pins[0].comm_len, 15);
	assert_memory_equal(told.pins[0].comm, "name of 15 byte", 15);
	assert_string_equal(told.pins[0].device, "rxe0");
	/* 5 ms after the machine was started. */
	assert_in_range(told.pins[0].since_usec + 1000000, now - up + 5000, now - up + 2005000);
}

/* When it was found is known, to tell its maker from others, and not shown as when it was made. */
static void test_found(void **state)
{
	put_pin(0, 9)->flags = PROBE_PIN_FOUND;
	put_pin(1, 10);
	start();
	assert_int_equal(told.n_pins, 2);
	assert_int_equal(told.pins[0].flags, PIN_FLAG_FOUND);
	assert_int_equal(told.pins[0].since_usec, told.pins[1].since_usec);
	assert_int_equal(told.pins[1].flags, 0);
}

static void test_events(void **state)
{
	struct probe_pin *pin, gone;

	start();
	assert_int_equal(told.n_pins, 0);
	pin = put_pin(1, 5);
	put_event(PROBE_EVENT_PIN, pin);
	pin->bytes = 4096;
	put_event(PROBE_EVENT_CHANGE, pin);
	gone = *pin;
	pin->id = 0;
	put_event(PROBE_EVENT_UNPIN, &gone);
	/* Told late: it would come back. */
	put_event(PROBE_EVENT_CHANGE, &gone);
	wake();
	/* Nor does the first change count any more. */
	assert_int_equal(told.n_events, 2);
	assert_int_equal(told.events[0].type, PIN_EVENT_PIN);
	assert_int_equal(told.events[0].seq, 1);
	assert_int_equal(told.events[0].pin.id, 5);
	assert_int_equal(told.events[0].pin.bytes, 8192);
	assert_int_equal(told.events[1].type, PIN_EVENT_UNPIN);
	assert_int_equal(told.events[1].seq, 2);

	pin = put_pin(1, 6);
	put_event(PROBE_EVENT_CHANGE, pin);
	wake();
	assert_int_equal(told.n_events, 3);
	assert_int_equal(told.events[2].type, PIN_EVENT_CHANGE);
	assert_int_equal(told.events[2].seq, 3);
	assert_int_equal(*kernel.consumer, *kernel.producer);
	assert_int_equal(told.n_begins, 1);
}

/* What was there before the list is in the list. */
static void test_before(void **state)
{
	put_event(PROBE_EVENT_PIN, put_pin(0, 1));
	start();
	assert_int_equal(told.n_pins, 1);
	assert_int_equal(told.n_events, 0);
}

static void test_loss(void **state)
{
	start();
	put_pin(0, 1);
	kernel.head->lost = 1;
	wake();
	assert_int_equal(told.n_begins, 2);
	assert_int_equal(told.n_pins, 1);
	assert_int_equal(probe_n_resyncs(probe), 1);
	assert_true(probe_ready(probe));
	/* The same loss is no other one. */
	wake();
	assert_int_equal(told.n_begins, 2);
	/* What the listener misses is missing. */
	told.missing = true;
	put_event(PROBE_EVENT_PIN, put_pin(1, 2));
	wake();
	assert_int_equal(probe_n_resyncs(probe), 2);
}

/* Without an end: whoever waits for a list is served nevertheless. */
static void test_churn(void **state)
{
	told.churn = true;
	connect_probe();
	answer(&(struct probe_hello){ .layout = PROBE_LAYOUT, .n_fds = PROBE_FDS },
	       sizeof(struct probe_hello), PROBE_FDS);
	for (unsigned int i = 0; i < 100 && told.n_ends < 4; i++)
		assert_true(sd_event_run(event, 5000000) >= 0);
	settle = sd_event_source_disable_unref(settle);
	assert_int_equal(told.n_ends, 4);
	assert_in_range(told.n_ready, 3, 4);
}

static void check_nonsense(uint32_t header, const void *data, size_t bytes)
{
	struct probe_maps *maps;
	struct probe_event e;

	assert_int_equal(__real_probe_maps_open((int[]){ kernel.fds[0], kernel.fds[1], kernel.fds[2],
							 kernel.fds[3], kernel.fds[4], kernel.fds[5],
							 kernel.ring_fd }, &maps), 0);
	put_raw(header, data, bytes);
	assert_int_equal(probe_maps_next(maps, &e), -EBADMSG);
	assert_int_equal(*kernel.consumer, *kernel.producer);
	assert_int_equal(probe_maps_next(maps, &e), 0);
	probe_maps_free(maps);
}

static void test_nonsense(void **state)
{
	const struct probe_event e = {};

	check_nonsense(sizeof(e) - 8, &e, sizeof(e) - 8);
	check_nonsense(sizeof(e) | BPF_RINGBUF_DISCARD_BIT, &e, sizeof(e));
	/* Longer than all there is. */
	check_nonsense(PROBE_RING_BYTES, &e, sizeof(e));
	check_nonsense(0, &e, 0);

	start();
	put_event(7, put_pin(0, 1));
	wake();
	assert_int_equal(told.n_events, 0);
	assert_int_equal(probe_n_resyncs(probe), 1);
}

static void test_busy(void **state)
{
	const struct probe_event e = { .type = PROBE_EVENT_PIN, .pin = *put_pin(0, 1) };
	unsigned int n_looks = 0;
	uint64_t start_usec;

	start();
	put_raw(sizeof(e) | BPF_RINGBUF_BUSY_BIT, &e, sizeof(e));
	wake();
	assert_int_equal(told.n_events, 0);
	assert_int_equal(*kernel.consumer, 0);
	/* A look now and then, though the ring stays readable. */
	assert_int_equal(eventfd_write(kernel.fds[PROBE_FDS - 1], 1), 0);
	start_usec = clock_usec(CLOCK_MONOTONIC);
	for (unsigned int i = 0; i < 50; i++)
		n_looks += sd_event_run(event, 100) > 0;
	assert_true(n_looks <= (clock_usec(CLOCK_MONOTONIC) - start_usec) / 5000 + 5);
	assert_int_equal(told.n_events, 0);
	*(uint32_t *)kernel.events = sizeof(e);
	for (unsigned int i = 0; i < 100 && told.n_events == 0; i++)
		assert_true(sd_event_run(event, 5000000) >= 0);
	assert_int_equal(told.n_events, 1);
}

/* With the ring full, after the last event of all. */
static void test_quiet_loss(void **state)
{
	start();
	put_pin(0, 1);
	kernel.head->lost = 1;
	for (unsigned int i = 0; i < 100 && told.n_begins < 2; i++)
		assert_true(sd_event_run(event, 5000000) >= 0);
	run();
	assert_int_equal(told.n_begins, 2);
	assert_int_equal(told.n_pins, 1);
}

/* A second service, say: what it has read the first one lacks. */
static void test_other_reader(void **state)
{
	start();
	put_event(PROBE_EVENT_PIN, put_pin(0, 1));
	*kernel.consumer = *kernel.producer;
	wake();
	assert_int_equal(told.n_events, 0);
	assert_int_equal(probe_n_resyncs(probe), 1);
	assert_int_equal(told.n_pins, 1);
	put_event(PROBE_EVENT_PIN, put_pin(1, 2));
	wake();
	assert_int_equal(told.n_events, 1);
	assert_int_equal(probe_n_resyncs(probe), 1);
}

/* An event that goes over the end of the ring. */
static void test_end_of_ring(void **state)
{
	*kernel.producer = *kernel.consumer = PROBE_RING_BYTES - 16;
	start();
	put_event(PROBE_EVENT_PIN, put_pin(3, 8));
	wake();
	assert_int_equal(told.n_events, 1);
	assert_int_equal(told.events[0].pin.id, 8);
	assert_string_equal(told.events[0].pin.device, "rxe0");
}

static void test_places(void **state)
{
	struct probe_maps *maps;
	struct probe_pin pin;

	assert_int_equal(__wrap_probe_maps_open(kernel.fds, &maps), 0);
	assert_int_equal(probe_maps_places(maps), 0);
	put_pin(PROBE_PINS_MAX - 1, 3);
	assert_int_equal(probe_maps_places(maps), PROBE_PINS_MAX);
	assert_true(probe_maps_read(maps, PROBE_PINS_MAX - 1, &pin));
	assert_int_equal(pin.id, 3);
	assert_false(probe_maps_read(maps, PROBE_PINS_MAX, &pin));
	assert_false(probe_maps_read(maps, 0, &pin));
	/* For a moment, while two programs find that all are taken. */
	kernel.head->places = PROBE_PINS_MAX + 1;
	assert_int_equal(probe_maps_places(maps), PROBE_PINS_MAX);
	probe_maps_free(maps);
}

static void test_kinds(void **state)
{
	struct probe_kind *kind = &kernel.kinds[PINGUARD_KIND_XDP];
	struct probe_watch watch;

	kernel.kinds[PINGUARD_KIND_RDMA].since_nsec = 1000000000;
	kernel.kinds[PINGUARD_KIND_VFIO].since_nsec = 1000000000;
	memset(kernel.kinds[PINGUARD_KIND_VFIO].before, 'y', PROBE_REASON_MAX);
	memset(kind->reason, 'x', sizeof(kind->reason));
	start();
	watch = probe_watches(probe, PINGUARD_KIND_RDMA);
	assert_true(watch.since_usec > 0);
	assert_string_equal(watch.reason, "");
	assert_string_equal(watch.before, "");
	watch = probe_watches(probe, PINGUARD_KIND_VFIO);
	assert_true(watch.since_usec > 0);
	assert_int_equal(strlen(watch.before), PROBE_REASON_MAX - 1);
	watch = probe_watches(probe, PINGUARD_KIND_XDP);
	assert_int_equal(watch.since_usec, 0);
	assert_int_equal(strlen(watch.reason), PROBE_REASON_MAX - 1);
	assert_int_equal(probe_watches(probe, PROBE_KINDS_MAX).since_usec, 0);
	assert_int_equal(probe_unlisted(probe), 0);
	kernel.head->unlisted = 4;
	assert_int_equal(probe_unlisted(probe), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_list),	TEST(test_events),	 TEST(test_before),
		TEST(test_found),
		TEST(test_loss),	TEST(test_churn),	 TEST(test_nonsense),
		TEST(test_busy),	TEST(test_quiet_loss),	 TEST(test_other_reader),
		TEST(test_end_of_ring), TEST(test_places),	 TEST(test_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
