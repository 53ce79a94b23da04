/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose pins hold a page frame, by a made-up /proc. */
#include <errno.h>

#include "tests/unit/tree.h"

#include "daemon/kernel/walk.h"
#include "lib/clock.h"
#include "lib/macros.h"

#define PAGE	4096UL
#define PRESENT (UINT64_C(1) << 63)
#define SWAPPED (UINT64_C(1) << 62)
#define HWPOISON(pfn) (SWAPPED | (uint64_t)(pfn) << 5 | 23)
#define MAKER	4711
#define BASE	0x10000UL

static struct walk_found found[16];
static size_t n_found;

static void on_found(const struct walk_found *f, void *userdata)
{
	assert_true(n_found < ARRAY_SIZE(found));
	found[n_found++] = *f;
}

/* born: in hundredths of a second */
static void put_process(unsigned int pid, unsigned int born)
{
	char path[64], text[128];

	snprintf(path, sizeof(path), "%u/stat", pid);
	snprintf(text, sizeof(text), "%u (name) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 %u 0\n",
		 pid, born);
	tree_put(path, text);
}

/* From BASE on. */
static void put_pages(unsigned int pid, const uint64_t *entries, size_t n)
{
	char path[64], full[512];
	int fd;

	snprintf(path, sizeof(path), "%u/pagemap", pid);
	tree_path(full, sizeof(full), path);
	fd = open(full, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, entries, n * sizeof(*entries), BASE / PAGE * sizeof(*entries)),
			 n * sizeof(*entries));
	close(fd);
}
#define PUT_PAGES(pid, ...) \
	put_pages(pid, (uint64_t[]){ __VA_ARGS__ }, sizeof((uint64_t[]){ __VA_ARGS__ }) / 8)

static void look_until(struct walk_pin *pins, size_t n, const struct walk_range *ranges,
		       size_t n_ranges, uint64_t end_usec)
{
	struct walk w = {
		.proc_fd = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
		.pins = pins,
		.n_pins = n,
		.ranges = ranges,
		.n_ranges = n_ranges,
		.end_usec = end_usec,
		.found = on_found,
	};

	assert_true(w.proc_fd >= 0);
	n_found = 0;
	walk_pins(&w);
	close(w.proc_fd);
}

static void look(struct walk_pin *pins, size_t n, uint64_t pfn)
{
	const struct walk_range range = { pfn, pfn, 0 };

	look_until(pins, n, &range, 1, UINT64_MAX);
}

static void check(size_t i, uint64_t id, enum walk_test test, uint64_t offset)
{
	assert_true(i < n_found);
	assert_int_equal(found[i].id, id);
	assert_int_equal(found[i].test, test);
	assert_int_equal(found[i].offset, offset);
	assert_int_equal(found[i].questions, 1);
}

static struct walk_pin pin_of(uint64_t id, uint32_t tgid, uint64_t address, uint64_t pages)
{
	return (struct walk_pin){
		.id = id, .address = address, .bytes = pages * PAGE, .tgid = tgid,
		.since_boot_usec = 60 * 1000000,
	};
}

static void test_present(void **state)
{
	struct walk_pin pins[] = {
		pin_of(1, MAKER, BASE, 2), pin_of(2, MAKER, BASE + 2 * PAGE, 2),
		pin_of(3, 4712, BASE, 1),
	};

	put_process(MAKER, 1000);
	put_process(4712, 1000);
	PUT_PAGES(MAKER, PRESENT | 7, PRESENT | 8, PRESENT | 9, PRESENT | 10);
	PUT_PAGES(4712, PRESENT | 11);
	look(pins, 3, 10);
	assert_int_equal(n_found, 1);
	check(0, 2, WALK_PAGE, PAGE);
	look(pins, 3, 11);
	assert_int_equal(n_found, 1);
	check(0, 3, WALK_PAGE, 0);
	/* Nobody's, and one that there is not. */
	look(pins, 3, 12);
	assert_int_equal(n_found, 0);
	look(pins, 3, UINT64_MAX);
	assert_int_equal(n_found, 0);
}

/* What failed has been unmapped, and its place says what it was. */
static void test_poisoned(void **state)
{
	struct walk_pin pins[] = { pin_of(1, MAKER, BASE, 3) };

	put_process(MAKER, 1000);
	PUT_PAGES(MAKER, PRESENT | 7, HWPOISON(8), PRESENT | 9);
	look(pins, 1, 8);
	assert_int_equal(n_found, 1);
	check(0, 1, WALK_PAGE, PAGE);
}

/* In a swap file: a place there is no frame. */
static void test_swapped(void **state)
{
	struct walk_pin pins[] = { pin_of(1, MAKER, BASE, 2) };

	put_process(MAKER, 1000);
	PUT_PAGES(MAKER, SWAPPED | 8 << 5 | 0, PRESENT | 7);
	look(pins, 1, 8);
	assert_int_equal(n_found, 1);
	/* It is not there, and may have been pinned. */
	check(0, 1, WALK_NONE, 0);
}

static void test_not_aligned(void **state)
{
	struct walk_pin pins[] = { pin_of(1, MAKER, BASE + 100, 1), pin_of(2, MAKER, BASE, 0) };

	pins[1].bytes = 10;
	put_process(MAKER, 1000);
	PUT_PAGES(MAKER, PRESENT | 7, PRESENT | 8);
	look(pins, 1, 8);
	assert_int_equal(n_found, 1);
	check(0, 1, WALK_PAGE, PAGE);
	look(&pins[0], 2, 7);
	assert_int_equal(n_found, 2);
}

/* The maker has ended, or somebody else has its number, or hides it. */
static void test_not_looked_at(void **state)
{
	struct walk_pin pins[] = {
		pin_of(1, MAKER, BASE, 1), pin_of(2, 4712, BASE, 1), pin_of(3, 0, BASE, 1),
		pin_of(4, 4713, BASE, 1), pin_of(5, 4714, BASE, 1),
	};

	put_process(4712, 6100);
	PUT_PAGES(4712, PRESENT | 8);
	put_process(4713, 6000);
	PUT_PAGES(4713, PRESENT | 0);
	/* Without a time nobody knows whose it is. */
	PUT_PAGES(4714, PRESENT | 8);
	look(pins, 5, 8);
	assert_int_equal(n_found, 5);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(found[i].test, WALK_NONE);
}

/* It was gone in the middle, or its address makes no sense. */
static void test_ends_early(void **state)
{
	struct walk_pin pins[] = {
		pin_of(1, MAKER, BASE, 100), pin_of(2, 4712, UINT64_MAX - PAGE, 100),
		pin_of(3, 4713, BASE, 1), pin_of(4, 4714, UINT64_MAX - 3 * PAGE + 1, 1),
	};

	put_process(MAKER, 1000);
	PUT_PAGES(MAKER, PRESENT | 7, PRESENT | 8);
	put_process(4712, 1000);
	PUT_PAGES(4712, PRESENT | 7);
	put_process(4713, 1000);
	tree_put("4713/pagemap", "");
	put_process(4714, 1000);
	PUT_PAGES(4714, PRESENT | 7);
	look(pins, 4, 9);
	assert_int_equal(n_found, 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(found[i].test, WALK_NONE);
	/* What was seen before counts. */
	look(pins, 4, 8);
	assert_int_equal(n_found, 4);
	for (size_t i = 0; i < 4; i++)
		if (found[i].id == 1)
			assert_int_equal(found[i].test, WALK_PAGE);
}

static void test_late(void **state)
{
	struct walk_pin pins[] = { pin_of(1, MAKER, BASE, 1), pin_of(2, MAKER, 0, 1) };
	const struct walk_range range = { 8, 8, 0 };

	put_process(MAKER, 1000);
	PUT_PAGES(MAKER, PRESENT | 8);
	look_until(pins, 2, &range, 1, clock_usec(CLOCK_MONOTONIC));
	assert_int_equal(n_found, 2);
	assert_int_equal(found[0].test, WALK_NONE);
	assert_int_equal(found[1].test, WALK_NONE);
}

/* Of whose pin nobody knows where it is: all that its maker has. */
static void test_process(void **state)
{
	struct walk_pin pins[] = { pin_of(1, MAKER, 0, 1), pin_of(2, MAKER, 0, 1),
				   pin_of(3, MAKER, BASE, 1) };

	put_process(MAKER, 1000);
	PUT_PAGES(MAKER, PRESENT | 7, PRESENT | 8, PRESENT | 9);
	tree_put("4711/maps", "nonsense\n"
			      "00010000-00012000 rw-p 00000000 00:00 0\n"
			      "00012000-00013000 ---p 00000000 00:00 0    [kept free]\n");
	look(pins, 3, 8);
	assert_int_equal(n_found, 2);
	check(0, 1, WALK_PROCESS, 0);
	check(1, 2, WALK_PROCESS, 0);
	look(pins, 3, 9);
	assert_int_equal(n_found, 2);
	check(0, 1, WALK_NONE, 0);
	tree_remove("4711/maps");
	look(pins, 3, 8);
	assert_int_equal(n_found, 2);
	check(0, 1, WALK_NONE, 0);
}

/* Two questions in one look, one of them with two ranges. */
static void test_questions(void **state)
{
	const struct walk_range ranges[] = { { 7, 7, 0 }, { 20, 29, 1 }, { 9, 12, 1 } };
	struct walk_pin pins[] = { pin_of(1, MAKER, BASE, 2), pin_of(2, MAKER, BASE + 2 * PAGE, 2) };

	put_process(MAKER, 1000);
	PUT_PAGES(MAKER, PRESENT | 6, PRESENT | 7, PRESENT | 25, PRESENT | 9);
	look_until(pins, 2, ranges, 3, UINT64_MAX);
	assert_int_equal(n_found, 2);
	assert_int_equal(found[0].id, 1);
	assert_int_equal(found[0].questions, 1);
	assert_int_equal(found[1].id, 2);
	assert_int_equal(found[1].questions, 2);
	assert_int_equal(found[1].offset, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tree_setup, tree_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_present),	 TEST(test_poisoned),	TEST(test_swapped),
		TEST(test_not_aligned),	 TEST(test_not_looked_at), TEST(test_ends_early),
		TEST(test_late),	 TEST(test_process),	TEST(test_questions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
