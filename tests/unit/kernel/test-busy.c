/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is in the way of memory, from flags of page frames that are made up. */
#include <fcntl.h>
#include <linux/kernel-page-flags.h>
#include <stdlib.h>

#include "tests/unit/unit.h"

#include "daemon/kernel/busy.h"

#define BIT(n)	 (UINT64_C(1) << (n))
#define RESERVED BIT(32)
#define HEAD	 BIT(KPF_COMPOUND_HEAD)
#define TAIL	 BIT(KPF_COMPOUND_TAIL)

static void test_classes(void **state)
{
	static const struct {
		uint64_t flags;
		enum busy_class class;
	} pages[] = {
		{ BIT(KPF_BUDDY), BUSY_NONE },
		{ BIT(KPF_NOPAGE), BUSY_NONE },
		{ BIT(KPF_HWPOISON) | RESERVED, BUSY_NONE },
		{ BIT(KPF_LRU) | BIT(KPF_ANON) | BIT(KPF_SWAPBACKED) | BIT(KPF_MMAP), BUSY_NONE },
		{ BIT(KPF_UPTODATE) | BIT(KPF_REFERENCED), BUSY_NONE }, /* not in a list yet */
		{ BIT(KPF_ANON) | BIT(KPF_THP) | HEAD, BUSY_NONE },
		{ TAIL, BUSY_NONE },
		{ BIT(KPF_SLAB) | HEAD, BUSY_SLAB },
		{ TAIL, BUSY_SLAB },
		{ TAIL | BIT(KPF_SLAB), BUSY_SLAB },
		{ BIT(KPF_PGTABLE), BUSY_PAGE_TABLES },
		{ BIT(KPF_PGTABLE) | BIT(KPF_MMAP), BUSY_PAGE_TABLES },
		{ RESERVED, BUSY_RESERVED },
		{ 0, BUSY_KERNEL },
		{ BIT(KPF_MMAP), BUSY_KERNEL }, /* rings of a driver, in a program's sight */
		{ BIT(KPF_HUGE) | HEAD | BIT(KPF_MMAP), BUSY_HUGETLB },
		{ TAIL | BIT(KPF_HUGE), BUSY_HUGETLB },
		{ TAIL, BUSY_HUGETLB },
		{ BIT(KPF_LRU) | BIT(KPF_UNEVICTABLE), BUSY_UNEVICTABLE },
		{ BIT(KPF_OFFLINE), BUSY_OFFLINE },
		/* a poisoned page in a large one is no page of it */
		{ HEAD | BIT(KPF_SLAB), BUSY_SLAB },
		{ TAIL | BIT(KPF_HWPOISON), BUSY_NONE },
	};
	struct busy_sums sums = {};

	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		const struct busy_sums before = sums;

		busy_add(&sums, &pages[i].flags, 1);
		for (int class = 0; class < BUSY_CLASSES; class++)
			if (sums.frames[class] !=
			    before.frames[class] + (class == (int)pages[i].class))
				fail_msg("page %zu: not %s", i,
					 busy_class_name(pages[i].class) ?: "none");
	}
}

/* --- in turns of the loop --- */

static unsigned int n_done;
static struct busy_sums result;
static struct busy *running;

static void on_done(int error, const struct busy_sums *sums, void *userdata)
{
	n_done++;
	assert_int_equal(error, *(int *)userdata);
	result = *sums;
	running = busy_free(running);
}

/* Frames 0 to n - 1: the first ten of slab, the others free. */
static int make_file(size_t n)
{
	char path[] = "/tmp/pinguard-flags-XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);

	assert_true(fd >= 0);
	unlink(path);
	for (size_t i = 0; i < n; i++) {
		uint64_t flags = i < 10 ? BIT(KPF_SLAB) : BIT(KPF_BUDDY);

		assert_int_equal(write(fd, &flags, sizeof(flags)), sizeof(flags));
	}
	return fd;
}

static unsigned int run(sd_event *event, int fd, const struct pfn_range *ranges, size_t n, int error)
{
	const struct busy_config config = { fd, ranges, n, on_done, &error };
	unsigned int turns = 0;

	n_done = 0;
	assert_int_equal(busy_find(event, &config, &running), 0);
	while (running) {
		assert_true(sd_event_run(event, 0) > 0);
		turns++;
	}
	assert_int_equal(n_done, 1);
	return turns;
}

static void test_turns(void **state)
{
	const size_t n = 2 * BUSY_FRAMES_TURN + 100;
	struct pfn_range ranges[] = { { 8, n - 1 }, { 0, 1 }, { n + 5, n + 6 } };
	_cleanup_(closep) int fd = make_file(n), dir = open("/", O_RDONLY | O_DIRECTORY);
	sd_event *event;

	assert_int_equal(sd_event_new(&event), 0);
	assert_true(run(event, fd, ranges, 1, 0) >= 3);
	assert_int_equal(result.frames[BUSY_SLAB], 2);
	assert_int_equal(result.frames[BUSY_NONE], n - 10);
	/* behind the end of the file is nothing */
	run(event, fd, ranges, 3, 0);
	assert_int_equal(result.frames[BUSY_SLAB], 4);
	assert_int_equal(result.frames[BUSY_NONE], n - 10);
	run(event, fd, ranges, 0, 0);
	assert_int_equal(result.frames[BUSY_SLAB], 0);
	run(event, dir, ranges, 1, -EISDIR);
	sd_event_unref(event);
}

static int find(sd_event *event, int fd, const struct pfn_range *ranges, size_t n)
{
	int error = 0;
	const struct busy_config config = { fd, ranges, n, on_done, &error };
	struct busy *busy = NULL;
	int r = busy_find(event, &config, &busy);

	busy_free(busy);
	return r;
}

static void test_limits(void **state)
{
	const struct pfn_range most = { 1, BUSY_FRAMES_MAX }, more = { 0, BUSY_FRAMES_MAX };
	const struct pfn_range all = { 0, UINT64_MAX };
	const struct pfn_range two[] = { { 1, BUSY_FRAMES_MAX }, { 0, 0 } };
	_cleanup_(closep) int fd = make_file(1);
	sd_event *event;

	assert_int_equal(sd_event_new(&event), 0);
	assert_int_equal(find(event, fd, &most, 1), 0);
	assert_int_equal(find(event, fd, &more, 1), -E2BIG);
	assert_int_equal(find(event, fd, &all, 1), -E2BIG);
	assert_int_equal(find(event, fd, two, 2), -E2BIG);
	assert_int_equal(find(event, -1, &most, 1), -EBADF);
	sd_event_unref(event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
