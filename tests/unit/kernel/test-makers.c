/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the makers of pins live, by a made-up /proc and a made-up kernel. */
#include "daemon/kernel/makers.h"
#include "lib/clock.h"
#include "tests/unit/tree.h"

static unsigned int looks;
static int look_error;
static uint32_t look_flags;

int __wrap_genl_get_pin(struct genl *g, uint64_t id, struct pin_info *ret);
int __wrap_genl_get_pin(struct genl *g, uint64_t id, struct pin_info *ret)
{
	looks++;
	*ret = (struct pin_info){ .id = id, .flags = look_flags };
	return look_error;
}

static int setup(void **state)
{
	looks = 0;
	look_error = 0;
	look_flags = PINGUARD_FLAG_OWNER_GONE;
	tree_new();
	return 0;
}

/* Started so long after the machine was. */
static void put_process(int pid, unsigned int seconds)
{
	char path[64], text[128];

	snprintf(path, sizeof(path), "%d/stat", pid);
	snprintf(text, sizeof(text), "%d (a) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 %ld 0\n",
		 pid, seconds * sysconf(_SC_CLK_TCK));
	tree_put(path, text);
}

/* Made so long after the machine was started. */
static struct pin made(uint32_t tgid, unsigned int seconds)
{
	static struct pin_origin origin;

	origin.tgid = tgid;
	return (struct pin){ .id = 1, .origin = &origin,
			     .since_usec = clock_usec(CLOCK_REALTIME) -
					   clock_usec(CLOCK_BOOTTIME) + seconds * 1000000ULL };
}

static bool is_gone(struct makers *m, struct pin pin)
{
	makers_check(m, &pin, clock_usec(CLOCK_MONOTONIC));
	return pin.flags & PINGUARD_FLAG_OWNER_GONE;
}

static struct makers *new_makers(void)
{
	struct makers *m;

	assert_int_equal(makers_new(tree, (struct genl *)tree, &m), 0);
	return m;
}

static void test_ends(void **state)
{
	_cleanup_(makers_freep) struct makers *m = new_makers();
	struct pin marked = made(10, 9);

	put_process(10, 5);
	put_process(10 + MAKERS_KEPT, 5);
	assert_false(is_gone(m, made(10, 9)));
	assert_true(is_gone(m, made(11, 9)));
	/* Two that share a place do not take each other's answer. */
	assert_false(is_gone(m, made(10 + MAKERS_KEPT, 9)));
	assert_true(is_gone(m, made(10 + 2 * MAKERS_KEPT, 9)));
	assert_false(is_gone(m, made(10, 9)));
	tree_remove("10");
	/* It may be told for a moment that it lives, no longer. */
	usleep(MAKERS_KEPT_USEC + 1000);
	assert_true(is_gone(m, made(10, 9)));
	assert_int_equal(looks, 0);
	/* What the kernel said stays. */
	put_process(10, 5);
	marked.flags = PINGUARD_FLAG_OWNER_GONE;
	marked.origin->tgid = 10;
	assert_true(is_gone(m, marked));
	/* Nobody knows who made it. */
	assert_false(is_gone(m, made(0, 9)));
	makers_check(NULL, &marked, 0);
}

/* The number is another process's by now: the kernel says whether it is. */
static void test_number_again(void **state)
{
	_cleanup_(makers_freep) struct makers *m = new_makers();

	put_process(20, 100);
	put_process(21, 100);
	assert_true(is_gone(m, made(20, 9)));
	assert_true(is_gone(m, made(20, 9)));
	assert_int_equal(looks, 1);
	/* Its own pins are its own. */
	assert_false(is_gone(m, made(20, 100)));
	/* A clock was set: the maker lives, though it seems younger than the pin. */
	look_flags = 0;
	assert_false(is_gone(m, made(21, 9)));
	look_flags = PINGUARD_FLAG_OWNER_GONE;
	look_error = -EAGAIN;
	assert_false(is_gone(m, made(21, 9)));
}

static void test_no_proc(void **state)
{
	struct makers *m;

	assert_int_equal(makers_new("/nonexistent", NULL, &m), 0);
	assert_false(is_gone(m, made(30, 9)));
	makers_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ends, setup, tree_teardown),
		cmocka_unit_test_setup_teardown(test_number_again, setup, tree_teardown),
		cmocka_unit_test_setup_teardown(test_no_proc, setup, tree_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
