/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is remembered of memory that failed: once for a frame, within limits. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/triggers/failures-log.h"
#include "daemon/model/failure.h"

#define SECOND 1000000ULL
#define BOOT   "00000000000040008000000000000001"

static struct failure_info report(uint64_t id, uint64_t pfn, uint32_t result)
{
	return (struct failure_info){
		.id = id,
		.pfn = pfn,
		.started_usec = id * SECOND,
		.kind = PINGUARD_FAILURE_KIND_UNCORRECTED,
		.class = PINGUARD_MEMORY_CLASS_SYSTEM_RAM,
		.result = result,
		.action = "dirty LRU page",
	};
}

static int add(struct failures *fs, uint64_t id, uint64_t pfn, uint32_t result)
{
	const struct failure_info info = report(id, pfn, result);
	struct failure *f;

	return failures_add(fs, &info, id * SECOND, &f);
}

static int add_failed(struct failures *fs, uint64_t id, uint64_t pfn)
{
	return add(fs, id, pfn, PINGUARD_FAILURE_RESULT_FAILED);
}

static int end_of(struct failures *fs, uint64_t id, uint64_t pfn, uint32_t outcome)
{
	const struct failure_info info = { .id = id, .pfn = pfn, .outcome = outcome };
	struct failure *f;

	return failures_done(fs, &info, 99 * SECOND, &f);
}

static int end(struct failures *fs, uint64_t pfn, uint32_t outcome)
{
	return end_of(fs, 1, pfn, outcome);
}

static int list(struct failures *fs, uint64_t id, uint64_t pfn)
{
	const struct failure_info info = report(id, pfn, PINGUARD_FAILURE_RESULT_FAILED);
	struct failure *f;

	return failures_list(fs, &info, 50 * SECOND, &f);
}

/* All that waits is looked at, and nobody has to be asked. */
static void look_at_all(struct failures *fs)
{
	struct failure *f;

	while ((f = failures_next_waiting(fs))) {
		f->asked_usec = f->last_usec;
		failure_set_step(f, FAILURE_IDLE);
	}
}

static int setup(void **state)
{
	struct failures *fs;

	assert_int_equal(failures_new(BOOT, NULL, &fs), 0);
	*state = fs;
	return 0;
}

static int teardown(void **state)
{
	failures_free(*state);
	return 0;
}

static void test_states(void **state)
{
	struct failures *fs = *state;
	struct failure *f;

	assert_int_equal(add_failed(fs, 1, 10), 1);
	assert_int_equal(add(fs, 2, 11, PINGUARD_FAILURE_RESULT_RECOVERED), 1);
	assert_int_equal(add(fs, 3, 12, PINGUARD_FAILURE_RESULT_IGNORED), 1);
	f = failures_find(fs, 10);
	assert_int_equal(f->state, FAILURE_OPEN);
	assert_int_equal(f->ended_usec, 0);
	assert_int_equal(f->id, 1);
	/* Out of use at once, as far as the kernel says. */
	f = failures_find(fs, 11);
	assert_int_equal(f->state, FAILURE_ISOLATED);
	assert_int_equal(f->ended_usec, 2 * SECOND);
	assert_int_equal(failures_find(fs, 12)->state, FAILURE_OPEN);

	assert_int_equal(end(fs, 10, PINGUARD_FAILURE_OUTCOME_ISOLATED), 1);
	assert_int_equal(failures_find(fs, 10)->state, FAILURE_ISOLATED);
	assert_int_equal(failures_find(fs, 10)->ended_usec, 99 * SECOND);
	/* Said twice, and of a frame that nobody knows. */
	assert_int_equal(end(fs, 10, PINGUARD_FAILURE_OUTCOME_ISOLATED), 0);
	assert_int_equal(end(fs, 77, PINGUARD_FAILURE_OUTCOME_ISOLATED), 0);
	assert_int_equal(end(fs, 11, PINGUARD_FAILURE_OUTCOME_GONE), 1);
	assert_int_equal(failures_find(fs, 11)->state, FAILURE_GONE);
	assert_int_equal(end(fs, 12, PINGUARD_FAILURE_OUTCOME_UNPOISONED), 1);
	assert_int_equal(failures_find(fs, 12)->state, FAILURE_UNPOISONED);

	/* Good again, and bad again: that is another failure. */
	assert_int_equal(add_failed(fs, 4, 12), 1);
	assert_int_equal(failures_find(fs, 12)->state, FAILURE_OPEN);
	assert_int_equal(failures_find(fs, 12)->id, 4);
	assert_int_equal(failures_count(fs), 4);
}

/* One frame, 10,000 times: one entry, and its owners are looked for once. */
static void test_same_frame(void **state)
{
	struct failures *fs = *state;
	struct failure *f;

	assert_int_equal(add_failed(fs, 1, 10), 1);
	for (uint64_t id = 2; id <= 10000; id++) {
		const struct failure_info info = report(id, 10, PINGUARD_FAILURE_RESULT_FAILED);

		assert_int_equal(failures_add(fs, &info, SECOND, &f), 2);
	}
	f = failures_find(fs, 10);
	assert_int_equal(f->count, 10000);
	assert_int_equal(f->time_usec, 1 * SECOND);
	assert_int_equal(f->last_usec, 10000 * SECOND);
	assert_int_equal(failures_count(fs), 1);
	assert_int_equal(failures_n_step(fs, FAILURE_WAITING), 1);
	assert_int_equal(failures_unseen(fs), 0);
}

/* Its owners are asked again, but not before a while has passed. */
static void test_again(void **state)
{
	const struct failure_info info = report(2, 10, PINGUARD_FAILURE_RESULT_FAILED);
	struct failures *fs = *state;
	struct failure *f;

	assert_int_equal(add_failed(fs, 1, 10), 1);
	look_at_all(fs);
	f = failures_find(fs, 10);
	f->asked_usec = 100 * SECOND;
	assert_int_equal(failures_add(fs, &info, f->asked_usec + FAILURE_AGAIN_USEC - 1, &f), 2);
	assert_int_equal(f->step, FAILURE_IDLE);
	assert_int_equal(failures_add(fs, &(struct failure_info){ .id = 3, .pfn = 10 },
				      f->asked_usec + FAILURE_AGAIN_USEC, &f), 2);
	assert_int_equal(f->step, FAILURE_WAITING);
	/* One that is isolated is nobody's any more. */
	look_at_all(fs);
	assert_int_equal(end(fs, 10, PINGUARD_FAILURE_OUTCOME_ISOLATED), 1);
	assert_int_equal(failures_add(fs, &(struct failure_info){ .id = 4, .pfn = 10,
				      .action = "already poisoned" }, 1000 * SECOND, &f), 2);
	assert_int_equal(f->step, FAILURE_IDLE);
	assert_int_equal(f->state, FAILURE_ISOLATED);
	assert_int_equal(f->count, 4);
	/* Somebody made it good in between, and somebody else has it now. */
	assert_int_equal(add_failed(fs, 5, 10), 1);
	assert_int_equal(failures_find(fs, 10)->id, 2);
	assert_int_equal(failures_find(fs, 10)->step, FAILURE_WAITING);
	assert_int_equal(f->state, FAILURE_ISOLATED);
}

/* No device holds it any more, but the kernel could not get it out of use. */
static void test_unpinned(void **state)
{
	struct failures *fs = *state;
	struct failure *f;

	assert_int_equal(add_failed(fs, 1, 10), 1);
	look_at_all(fs);
	assert_int_equal(list(fs, 1, 10), 0);
	assert_int_equal(end(fs, 10, PINGUARD_FAILURE_OUTCOME_UNPINNED), 1);
	f = failures_find(fs, 10);
	assert_int_equal(f->state, FAILURE_UNPINNED);
	assert_int_equal(f->ended_usec, 99 * SECOND);
	assert_true(failure_is_over(f));
	/* Who uses it meets it again: that is the same failure. */
	assert_int_equal(failures_add(fs,
				      &(struct failure_info){
					      .id = 2, .pfn = 10, .action = "already poisoned" },
				      1000 * SECOND, &f),
			 2);
	assert_int_equal(f->state, FAILURE_UNPINNED);
	assert_int_equal(f->step, FAILURE_IDLE);
	assert_int_equal(end(fs, 10, PINGUARD_FAILURE_OUTCOME_UNPINNED), 0);
	/* Pinned again, and bad yet. */
	assert_int_equal(list(fs, 2, 10), 1);
	assert_int_equal(failures_find(fs, 10)->state, FAILURE_OPEN);
	assert_int_equal(failures_count(fs), 2);
}

/* A list that was made before the end that was told does not open it again. */
static void test_old_list(void **state)
{
	struct failures *fs = *state;

	assert_int_equal(add_failed(fs, 1, 10), 1);
	/* The second one is told by itself, the list and the end have the first. */
	assert_int_equal(add_failed(fs, 2, 10), 2);
	assert_int_equal(end(fs, 10, PINGUARD_FAILURE_OUTCOME_ISOLATED), 1);
	assert_int_equal(list(fs, 1, 10), 0);
	assert_int_equal(failures_find(fs, 10)->state, FAILURE_ISOLATED);
	/* Of which the first was not heard of. */
	assert_int_equal(add_failed(fs, 4, 11), 1);
	assert_int_equal(end_of(fs, 3, 11, PINGUARD_FAILURE_OUTCOME_ISOLATED), 1);
	assert_int_equal(list(fs, 3, 11), 0);
	assert_int_equal(failures_find(fs, 11)->state, FAILURE_ISOLATED);
	assert_int_equal(failures_count(fs), 2);
}

/* Out of use again and again, as the memory of DAX devices is. */
static void test_recovered_again(void **state)
{
	struct failures *fs = *state;

	assert_int_equal(add(fs, 1, 10, PINGUARD_FAILURE_RESULT_RECOVERED), 1);
	assert_int_equal(add(fs, 2, 10, PINGUARD_FAILURE_RESULT_RECOVERED), 2);
	assert_int_equal(add_failed(fs, 3, 10), 1);
	assert_int_equal(failures_count(fs), 2);
	look_at_all(fs);
	assert_int_equal(end(fs, 10, PINGUARD_FAILURE_OUTCOME_ISOLATED), 1);
	/* The list is faster than the event of the next one. */
	assert_int_equal(list(fs, 4, 10), 1);
	assert_int_equal(failures_count(fs), 3);
	assert_int_equal(failures_find(fs, 10)->state, FAILURE_OPEN);
	assert_int_equal(add_failed(fs, 4, 10), 0);
	assert_int_equal(failures_count(fs), 3);
}

/* Its content was good, and now is lost: the owners have to know. */
static void test_worse(void **state)
{
	struct failure_info info = report(1, 10, PINGUARD_FAILURE_RESULT_FAILED);
	struct failures *fs = *state;
	struct failure *f;

	info.kind = PINGUARD_FAILURE_KIND_SOFT_OFFLINE;
	assert_int_equal(failures_add(fs, &info, SECOND, &f), 1);
	look_at_all(fs);
	f->told = true;
	info = report(2, 10, PINGUARD_FAILURE_RESULT_FAILED);
	assert_int_equal(failures_add(fs, &info, SECOND + 1, &f), 2);
	assert_int_equal(f->kind, PINGUARD_FAILURE_KIND_UNCORRECTED);
	assert_int_equal(f->step, FAILURE_WAITING);
	assert_false(f->told);
	/* Not the other way round. */
	look_at_all(fs);
	info.kind = PINGUARD_FAILURE_KIND_SOFT_OFFLINE;
	info.id = 3;
	assert_int_equal(failures_add(fs, &info, SECOND + 2, &f), 2);
	assert_int_equal(f->kind, PINGUARD_FAILURE_KIND_UNCORRECTED);
	assert_int_equal(f->step, FAILURE_IDLE);
}

/* 10,000 frames: bounded, what is over goes first, and the rest is counted. */
static void test_storm(void **state)
{
	struct failures *fs = *state;
	uint64_t id;

	for (id = 1; id <= FAILURES_MAX; id++)
		assert_int_equal(add_failed(fs, id, id), 1);
	assert_int_equal(add_failed(fs, id, id), -ENOSPC);
	assert_int_equal(failures_unseen(fs), 1);
	/* One that is known is counted, whatever else. */
	assert_int_equal(add_failed(fs, id + 1, 5), 2);
	for (id += 2; id <= 10000; id++)
		assert_int_equal(add_failed(fs, id, id), -ENOSPC);
	assert_int_equal(failures_count(fs), FAILURES_MAX);
	assert_int_equal(failures_unseen(fs), 10000 - FAILURES_MAX - 1);

	/* Over, but it has not been looked at: it stays. */
	assert_int_equal(end(fs, 7, PINGUARD_FAILURE_OUTCOME_ISOLATED), 1);
	assert_int_equal(end(fs, 9, PINGUARD_FAILURE_OUTCOME_ISOLATED), 1);
	assert_int_equal(add_failed(fs, 10001, 10001), -ENOSPC);
	look_at_all(fs);
	assert_int_equal(add_failed(fs, 10002, 10002), 1);
	assert_null(failures_find(fs, 7));
	assert_non_null(failures_find(fs, 9));
	assert_int_equal(add_failed(fs, 10003, 10003), 1);
	assert_null(failures_find(fs, 9));
	assert_int_equal(add_failed(fs, 10004, 10004), -ENOSPC);
	assert_int_equal(failures_count(fs), FAILURES_MAX);
}

static void test_looks(void **state)
{
	struct failures *fs = *state;
	struct failure *f;

	for (uint64_t id = 1; id <= 100; id++)
		assert_int_equal(add_failed(fs, id, id), 1);
	for (uint64_t id = 1; id <= FAILURE_LOOKS_MAX; id++) {
		f = failures_next_waiting(fs);
		assert_int_equal(f->id, id);
		failure_set_step(f, FAILURE_LOOKING);
	}
	assert_null(failures_next_waiting(fs));
	failure_set_step(failures_find(fs, 3), FAILURE_BLOCKED);
	failure_set_step(failures_find(fs, 2), FAILURE_BLOCKED);
	f = failures_next_waiting(fs);
	assert_int_equal(f->id, FAILURE_LOOKS_MAX + 1);
	/* Those that were blocked come before those that have not had their turn. */
	failures_unblock(fs);
	assert_int_equal(failures_n_step(fs, FAILURE_BLOCKED), 0);
	assert_int_equal(failures_n_step(fs, FAILURE_WAITING), 100 - FAILURE_LOOKS_MAX + 2);
	f = failures_next_waiting(fs);
	assert_int_equal(f->id, 3);
	failure_set_step(f, FAILURE_IDLE);
	assert_int_equal(failures_next_waiting(fs)->id, 2);
	failures_unblock(fs);
	assert_int_equal(failures_next_waiting(fs)->id, 2);
}

static unsigned int n_ended;

static void on_ended(struct failure *f, void *userdata)
{
	assert_int_equal(f->pfn, 10);
	n_ended++;
}

static void test_list(void **state)
{
	const struct failure_info late = report(4, 13, PINGUARD_FAILURE_RESULT_FAILED);
	struct failures *fs = *state;
	struct failure *f;

	n_ended = 0;
	assert_int_equal(add_failed(fs, 1, 10), 1);
	assert_int_equal(add(fs, 2, 11, PINGUARD_FAILURE_RESULT_RECOVERED), 1);
	assert_int_equal(add(fs, 3, 12, PINGUARD_FAILURE_RESULT_IGNORED), 1);
	look_at_all(fs);
	failures_begin_list(fs);
	assert_int_equal(list(fs, 1, 10), 0);
	/* A device holds on to what is out of use for all others. */
	assert_int_equal(list(fs, 2, 11), 1);
	/* The list is faster than the event. */
	assert_int_equal(list(fs, 4, 13), 1);
	failures_end_list(fs, 50 * SECOND, on_ended, NULL);
	assert_int_equal(n_ended, 0);
	assert_int_equal(failures_find(fs, 11)->state, FAILURE_OPEN);
	assert_int_equal(failures_find(fs, 11)->ended_usec, 0);
	assert_int_equal(failures_find(fs, 11)->step, FAILURE_WAITING);
	assert_int_equal(failures_find(fs, 10)->step, FAILURE_IDLE);
	assert_int_equal(failures_add(fs, &late, SECOND, &f), 0);
	assert_int_equal(f->count, 1);
	assert_int_equal(failures_unseen(fs), 0);

	/* It went from the list unheard; one that was never in it stays open. */
	failures_begin_list(fs);
	assert_int_equal(list(fs, 2, 11), 0);
	assert_int_equal(list(fs, 4, 13), 0);
	failures_end_list(fs, 60 * SECOND, on_ended, NULL);
	assert_int_equal(n_ended, 1);
	assert_int_equal(failures_find(fs, 10)->state, FAILURE_UNPINNED);
	assert_int_equal(failures_find(fs, 10)->ended_usec, 60 * SECOND);
	assert_int_equal(failures_find(fs, 12)->state, FAILURE_OPEN);
	/* The lost word comes after all: once, and if it says more. */
	assert_int_equal(end(fs, 10, PINGUARD_FAILURE_OUTCOME_UNPINNED), 0);
	assert_int_equal(end(fs, 10, PINGUARD_FAILURE_OUTCOME_ISOLATED), 1);
	assert_int_equal(failures_find(fs, 10)->state, FAILURE_ISOLATED);
	assert_int_equal(end(fs, 10, PINGUARD_FAILURE_OUTCOME_ISOLATED), 0);
}

static void test_unseen(void **state)
{
	struct failures *fs = *state;

	/* The service comes late: five were there before. */
	failures_counted(fs, 5);
	assert_int_equal(failures_unseen(fs), 5);
	assert_int_equal(list(fs, 3, 10), 1);
	assert_int_equal(failures_unseen(fs), 4);
	assert_int_equal(add_failed(fs, 6, 11), 1);
	assert_int_equal(failures_unseen(fs), 4);
	/* 7 and 8 were lost. */
	assert_int_equal(add_failed(fs, 9, 10), 2);
	assert_int_equal(failures_unseen(fs), 6);
}

static char *text(size_t size)
{
	char *s = malloc(size + 1);

	assert_non_null(s);
	memset(s, 'x', size);
	s[size] = '\0';
	return s;
}

/* What there is no room for is left out, and said to be. */
static void test_texts(void **state)
{
	const size_t half = FAILURES_TEXT_BYTES / 2;
	struct failures *fs = *state;

	for (uint64_t id = 1; id <= 4; id++)
		assert_int_equal(add_failed(fs, id, id), 1);
	look_at_all(fs);
	failure_set_owners(failures_find(fs, 1), text(half), 3, 1);
	failure_set_place(failures_find(fs, 2), text(half));
	failure_set_owners(failures_find(fs, 3), text(1), 16, 2);
	assert_null(failures_find(fs, 3)->owners);
	assert_int_equal(failures_find(fs, 3)->n_owners, 0);
	assert_int_equal(failures_find(fs, 3)->owners_omitted, 18);
	/* Again, with less. */
	failure_set_place(failures_find(fs, 2), text(half - 1));
	failure_set_owners(failures_find(fs, 3), text(1), 16, 0);
	assert_non_null(failures_find(fs, 3)->owners);
	/* What is over makes room. */
	assert_int_equal(end(fs, 1, PINGUARD_FAILURE_OUTCOME_ISOLATED), 1);
	failure_set_owners(failures_find(fs, 4), text(half), 1, 0);
	assert_null(failures_find(fs, 1));
	assert_non_null(failures_find(fs, 4)->owners);
}

static void test_pace(void **state)
{
	struct failure_pace pace = {};
	uint64_t now = 10 * SECOND;

	for (unsigned int i = 0; i < FAILURE_LOG_MAX; i++)
		assert_true(failure_pace_pass(&pace, now + i));
	for (unsigned int i = 0; i < 5; i++)
		assert_false(failure_pace_pass(&pace, now + 20));
	assert_int_equal(failure_pace_rest(&pace, now + SECOND), 5);
	assert_true(failure_pace_pass(&pace, now + SECOND + 1));
	/* A calm second is followed by a full one. */
	for (unsigned int i = 0; i < FAILURE_LOG_MAX; i++)
		assert_true(failure_pace_pass(&pace, now + 5 * SECOND));
	assert_false(failure_pace_pass(&pace, now + 5 * SECOND));
	assert_int_equal(failure_pace_rest(&pace, now + 6 * SECOND), 1);
	assert_int_equal(failure_pace_rest(&pace, now + 7 * SECOND), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_states), TEST(test_same_frame), TEST(test_again),  TEST(test_worse),
		TEST(test_unpinned), TEST(test_old_list), TEST(test_recovered_again),
		TEST(test_storm),  TEST(test_looks),	  TEST(test_list),   TEST(test_unseen),
		TEST(test_texts),  TEST(test_pace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
