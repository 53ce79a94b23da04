/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Failures of memory, from the map of the programs to the listener. */
#include "tests/unit/kernel/probe-fixture.h"

/* As the program does it. */
static struct probe_failure *put_failure(uint64_t pfn, uint32_t result)
{
	const uint64_t n = kernel.head->failures++;
	struct probe_failure *f = &kernel.failures[n % PROBE_FAILURES_MAX];

	*f = (struct probe_failure){
		.id = n + 1, .pfn = pfn, .since_nsec = (n + 1) * 1000000, .result = result,
		.action = "dirty LRU page",
	};
	return f;
}

static void put_wake(void)
{
	const struct probe_event e = { .type = PROBE_EVENT_FAILURE };

	put_raw(sizeof(e), &e, sizeof(e));
}

static void check_told(size_t i, uint64_t number, uint64_t pfn)
{
	assert_true(i < told.n_events);
	assert_int_equal(told.events[i].type, PIN_EVENT_FAILURE);
	assert_int_equal(told.events[i].seq, 0);
	assert_int_equal(told.events[i].failure.number, number);
	assert_int_equal(told.events[i].failure.pfn, pfn);
}

/* From before the service's start, once the pins have been listed. */
static void test_before(void **state)
{
	const uint64_t now = clock_usec(CLOCK_REALTIME), up = clock_usec(CLOCK_BOOTTIME);
	const struct failure_info *f = &told.events[0].failure;

	kernel.head->made_nsec = 77;
	put_failure(0x1234, PINGUARD_FAILURE_RESULT_DELAYED);
	put_failure(0x99, PINGUARD_FAILURE_RESULT_RECOVERED);
	start();
	assert_int_equal(told.n_ends, 1);
	wake();
	assert_int_equal(told.n_events, 2);
	check_told(0, 1, 0x1234);
	check_told(1, 2, 0x99);
	assert_int_equal(f->counter, 77);
	assert_int_equal(f->id, 1000000);
	assert_int_equal(f->kind, PINGUARD_FAILURE_KIND_UNCORRECTED);
	assert_int_equal(f->class, 0);
	assert_int_equal(f->result, PINGUARD_FAILURE_RESULT_DELAYED);
	assert_string_equal(f->action, "dirty LRU page");
	assert_in_range(f->started_usec + 1000000, now - up + 1000, now - up + 2001000);
	/* Each once. */
	wake();
	assert_int_equal(told.n_events, 2);
}

static void test_woken(void **state)
{
	start();
	put_event(PROBE_EVENT_PIN, put_pin(0, 1));
	put_failure(5, PINGUARD_FAILURE_RESULT_FAILED);
	put_wake();
	wake();
	/* The pin comes first, which may be the one that holds it. */
	assert_int_equal(told.n_events, 2);
	assert_int_equal(told.events[0].type, PIN_EVENT_PIN);
	check_told(1, 1, 5);
	/* It has no number among the pins' events. */
	put_event(PROBE_EVENT_PIN, put_pin(1, 2));
	wake();
	assert_int_equal(told.events[2].seq, 2);
	assert_int_equal(probe_n_resyncs(probe), 0);
}

/* There was no room in the ring to wake anybody. */
static void test_quiet(void **state)
{
	start();
	put_failure(5, PINGUARD_FAILURE_RESULT_FAILED);
	for (unsigned int i = 0; i < 100 && told.n_events == 0; i++)
		assert_true(sd_event_run(event, 5000000) >= 0);
	check_told(0, 1, 5);
}

/* Pins of before are in the ring yet, and one of them is being written. */
static void test_behind_ring(void **state)
{
	const struct probe_event e = { .type = PROBE_EVENT_PIN, .pin = *put_pin(0, 1) };

	start();
	put_raw(sizeof(e) | BPF_RINGBUF_BUSY_BIT, &e, sizeof(e));
	put_failure(5, PINGUARD_FAILURE_RESULT_FAILED);
	wake();
	assert_int_equal(told.n_events, 0);
	*(uint32_t *)kernel.events = sizeof(e);
	for (unsigned int i = 0; i < 100 && told.n_events < 2; i++)
		assert_true(sd_event_run(event, 5000000) >= 0);
	assert_int_equal(told.events[0].type, PIN_EVENT_PIN);
	check_told(1, 1, 5);
}

static void test_being_written(void **state)
{
	struct probe_failure *f;

	start();
	put_failure(5, PINGUARD_FAILURE_RESULT_FAILED);
	f = put_failure(6, PINGUARD_FAILURE_RESULT_FAILED);
	f->id = 0;
	wake();
	assert_int_equal(told.n_events, 1);
	f->id = 2;
	wake();
	assert_int_equal(told.n_events, 2);
	check_told(1, 2, 6);
}

/* More than there is room for: what is left has its numbers. */
static void test_overrun(void **state)
{
	start();
	for (uint64_t i = 0; i < 2 * PROBE_FAILURES_MAX + 3; i++)
		put_failure(i, PINGUARD_FAILURE_RESULT_FAILED);
	told.n_failures_max = 2;
	wake();
	assert_int_equal(told.n_failures, PROBE_FAILURES_MAX);
	check_told(0, PROBE_FAILURES_MAX + 4, PROBE_FAILURES_MAX + 3);
}

static void test_nonsense(void **state)
{
	struct probe_failure *f;

	start();
	/* No such frame, no such result, a text without an end. */
	put_failure(UINT64_MAX, PINGUARD_FAILURE_RESULT_FAILED);
	f = put_failure(7, 99);
	memset(f->action, 'x', sizeof(f->action));
	wake();
	assert_int_equal(told.n_events, 1);
	check_told(0, 2, 7);
	assert_int_equal(told.events[0].failure.result, PINGUARD_FAILURE_RESULT_FAILED);
	assert_int_equal(strlen(told.events[0].failure.action), PROBE_ACTION_MAX - 1);
}

/* A map that is not of this layout is not long enough to be mapped, or has other ids. */
static void test_other_layout(void **state)
{
	struct probe_failure failure;
	struct probe_maps *maps;

	assert_int_equal(__wrap_probe_maps_open(kernel.fds, &maps), 0);
	put_failure(5, PINGUARD_FAILURE_RESULT_FAILED)->id = UINT64_MAX;
	assert_int_equal(probe_maps_failure(maps, 1, &failure), -ESTALE);
	assert_int_equal(probe_maps_failure(maps, PROBE_FAILURES_MAX, &failure), 0);
	probe_maps_free(maps);
	/* without their map */
	assert_true(__wrap_probe_maps_open((int[PROBE_FDS]){ kernel.fds[0], kernel.fds[1], kernel.fds[2],
							     kernel.fds[3], kernel.fds[4], -1, -1 },
					   &maps) < 0);
}

/* The kernel has no such tracepoint. */
static void test_not_watched(void **state)
{
	start();
	strcpy(kernel.kinds[PROBE_KIND_FAILURE].reason, "kernel has no tracepoint");
	assert_int_equal(probe_watches(probe, PROBE_KIND_FAILURE).since_usec, 0);
	assert_string_equal(probe_watches(probe, PROBE_KIND_FAILURE).reason,
			    "kernel has no tracepoint");
	kernel.kinds[PROBE_KIND_FAILURE].since_nsec = 5;
	assert_true(probe_watches(probe, PROBE_KIND_FAILURE).since_usec > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_before),	  TEST(test_woken),   TEST(test_quiet),
		TEST(test_behind_ring),	  TEST(test_being_written), TEST(test_overrun),
		TEST(test_nonsense),	  TEST(test_other_layout),  TEST(test_not_watched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
