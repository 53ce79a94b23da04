/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions of who holds memory, and the child that looks: with a made-up /proc. */
#include <errno.h>

#include "tests/unit/tree.h"

#include "daemon/kernel/holders.h"
#include "lib/macros.h"

#define PAGE	4096UL
#define PRESENT (UINT64_C(1) << 63)
#define BASE	0x10000UL
#define MADE	(1000 * 1000000ULL) /* when the pins were, and 60 s after the machine's start */
#define STARTED (MADE - 60 * 1000000ULL)

static sd_event *loop;
static struct registry *registry;
static struct walks *walks;
static bool no_probe;

const struct probe *__wrap_source_probe(const struct source *s);
uint64_t __wrap_probe_boot_usec(const struct probe *p);

const struct probe *__wrap_source_probe(const struct source *s)
{
	return no_probe ? NULL : (const struct probe *)&no_probe;
}

uint64_t __wrap_probe_boot_usec(const struct probe *p)
{
	return STARTED;
}

struct result {
	struct holders *holders;
	struct holder pins[8];
	size_t n;
	int error;
	bool done;
};

static void on_done(int error, const struct holder *pins, size_t n, void *userdata)
{
	struct result *r = userdata;

	assert_false(r->done);
	assert_true(n <= ARRAY_SIZE(r->pins));
	r->done = true;
	r->error = error;
	r->n = n;
	if (n > 0)
		memcpy(r->pins, pins, n * sizeof(*pins));
	r->holders = holders_free(r->holders);
}

static void ask(struct result *r, const struct pfn_range *ranges, size_t n, size_t max)
{
	const struct holders_config config = {
		.walks = walks, .registry = registry, .exact = true, .max = max,
		.ranges = ranges, .n_ranges = n, .done = on_done, .userdata = r,
	};

	*r = (struct result){};
	assert_int_equal(holders_find(loop, &config, &r->holders), 0);
}

static void wait_for(struct result *r)
{
	while (!r->done)
		assert_true(sd_event_run(loop, 10 * 1000000) > 0);
}

static void look(struct result *r, uint64_t first, uint64_t last)
{
	const struct pfn_range range = { first, last };

	ask(r, &range, 1, SIZE_MAX);
	wait_for(r);
}

static void put_process(unsigned int pid, const uint64_t *entries, size_t n)
{
	char path[64], full[512], text[128];
	int fd;

	snprintf(path, sizeof(path), "%u/stat", pid);
	snprintf(text, sizeof(text), "%u (name) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 5 0\n",
		 pid);
	tree_put(path, text);
	snprintf(path, sizeof(path), "%u/pagemap", pid);
	tree_path(full, sizeof(full), path);
	fd = open(full, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, entries, n * 8, BASE / PAGE * 8), n * 8);
	close(fd);
}

static void put_pin(uint64_t id, uint32_t tgid, uint64_t address, uint64_t bytes)
{
	const struct pin_info info = {
		.id = id, .tgid = tgid, .address = address, .bytes = bytes, .since_usec = MADE,
		.kind = PINGUARD_KIND_RDMA,
	};

	assert_int_equal(registry_upsert(registry, &info), 0);
}

static int setup(void **state)
{
	const uint64_t pages[] = { PRESENT | 7, PRESENT | 8, PRESENT | 9 };

	no_probe = false;
	tree_new();
	registry = registry_new();
	assert_true(sd_event_new(&loop) >= 0);
	assert_int_equal(walks_new(loop, tree, registry, NULL, &walks), 0);
	put_process(71, pages, 3);
	put_pin(5, 71, BASE, 2 * PAGE);
	put_pin(3, 71, BASE + 2 * PAGE, PAGE);
	return 0;
}

static int teardown(void **state)
{
	walks = walks_free(walks);
	registry_free(registry);
	loop = sd_event_unref(loop);
	tree_remove(NULL);
	return 0;
}

static void test_page(void **state)
{
	struct result r;

	look(&r, 8, 8);
	assert_int_equal(r.error, 0);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.pins[0].id, 5);
	assert_int_equal(r.pins[0].test, HOLDER_PAGE);
	assert_false(r.pins[0].inexact);
	assert_true(r.pins[0].has_offset);
	assert_int_equal(r.pins[0].offset, PAGE);
	/* By id, and each once. */
	look(&r, 7, 9);
	assert_int_equal(r.n, 2);
	assert_int_equal(r.pins[0].id, 3);
	assert_int_equal(r.pins[1].id, 5);
	assert_int_equal(r.pins[1].offset, 0);
	look(&r, 10, 99);
	assert_int_equal(r.n, 0);
}

static void test_maybe(void **state)
{
	struct result r;

	/* A maker that has ended, one that is known to, and a pin that is empty. */
	put_pin(9, 72, BASE, PAGE);
	put_pin(10, 71, BASE, PAGE);
	registry_find(registry, 10)->flags |= PINGUARD_FLAG_OWNER_GONE;
	put_pin(11, 71, BASE, 0);
	look(&r, 7, 7);
	assert_int_equal(r.n, 3);
	assert_int_equal(r.pins[0].id, 5);
	assert_int_equal(r.pins[0].test, HOLDER_PAGE);
	assert_int_equal(r.pins[1].id, 9);
	assert_int_equal(r.pins[1].test, HOLDER_NONE);
	assert_true(r.pins[1].inexact);
	assert_false(r.pins[1].has_offset);
	assert_int_equal(r.pins[2].id, 10);
	assert_int_equal(r.pins[2].test, HOLDER_NONE);
}

/* A maker that was born after the pin was made is none, but for what the clocks leave open. */
static void test_reused_number(void **state)
{
	struct pin_info info = {
		.id = 20, .tgid = 71, .address = BASE, .bytes = PAGE, .since_usec = STARTED,
		.kind = PINGUARD_KIND_RDMA,
	};
	struct result r;

	/* The process was born 50 ms after the start. */
	assert_int_equal(registry_upsert(registry, &info), 0);
	look(&r, 7, 7);
	assert_int_equal(r.n, 2);
	assert_int_equal(r.pins[1].test, HOLDER_PAGE);
	tree_put("71/stat", "71 (name) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 500 0\n");
	look(&r, 7, 7);
	assert_int_equal(r.n, 2);
	assert_int_equal(r.pins[0].test, HOLDER_PAGE);
	assert_int_equal(r.pins[1].id, 20);
	assert_int_equal(r.pins[1].test, HOLDER_NONE);
}

static void test_many(void **state)
{
	const struct pfn_range ranges[] = { { 9, 9 }, { 1, 6 }, { 8, 8 } };
	struct result first, second, all[WALK_QUESTIONS_MAX + 3];

	/* One child for all of them; nobody waits for what it says of the third. */
	ask(&first, &ranges[0], 1, SIZE_MAX);
	ask(&second, &ranges[0], 3, SIZE_MAX);
	ask(&all[0], &ranges[0], 1, SIZE_MAX);
	holders_free(all[0].holders);
	wait_for(&first);
	wait_for(&second);
	assert_int_equal(first.n, 1);
	assert_int_equal(first.pins[0].id, 3);
	assert_int_equal(second.n, 2);
	assert_false(second.pins[0].has_offset);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		ask(&all[i], &ranges[2], 1, SIZE_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		wait_for(&all[i]);
		assert_int_equal(all[i].n, 1);
		assert_int_equal(all[i].pins[0].id, 5);
	}
}

static void test_too_many(void **state)
{
	const struct pfn_range range = { 7, 9 };
	struct result r;

	ask(&r, &range, 1, 1);
	wait_for(&r);
	assert_int_equal(r.error, -E2BIG);
	assert_int_equal(r.n, 0);
}

static void test_not_watched(void **state)
{
	struct result r;

	no_probe = true;
	look(&r, 7, 7);
	assert_int_equal(r.error, -EOPNOTSUPP);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_page), TEST(test_maybe),    TEST(test_reused_number),
		TEST(test_many), TEST(test_too_many), TEST(test_not_watched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
