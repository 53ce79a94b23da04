/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RDMA devices with other names, in a made-up sysfs. */
#include "tests/unit/tree.h"

#include "daemon/devices/renames.h"

static unsigned int n_learned;
static struct rename_entry last;

static void on_learned(const struct rename_entry *rename, void *userdata)
{
	n_learned++;
	last = *rename;
}

static void make(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "class/infiniband/%s/", name);
	tree_put(path, NULL);
}

static void move(const char *old, const char *new)
{
	char from[128], to[128];

	snprintf(from, sizeof(from), "%s/class/infiniband/%s", tree, old);
	snprintf(to, sizeof(to), "%s/class/infiniband/%s", tree, new);
	assert_int_equal(rename(from, to), 0);
}

static struct renames *start(const char *state_dir, const char *boot_id)
{
	const struct renames_config config = { tree, state_dir, boot_id, on_learned, NULL };
	struct renames *r;

	n_learned = 0;
	assert_int_equal(renames_new(&config, &r), 0);
	return r;
}

static int setup(void **state)
{
	tree_new();
	make("rxe0");
	make("rxe1");
	return 0;
}

static void check(struct renames *r, const char *name, uint64_t usec, const char *today)
{
	assert_string_equal(renames_today(r, name, usec), today);
}

static void expect_learned(const char *old, const char *new, uint64_t usec)
{
	assert_int_equal(n_learned, 1);
	assert_string_equal(last.old, old);
	assert_string_equal(last.new, new);
	assert_int_equal(last.usec, usec);
	n_learned = 0;
}

/* Nobody told of it; another device takes the name later. */
static void test_seen(void **state)
{
	_cleanup_(renames_freep) struct renames *r = start(NULL, "");

	renames_look(r, 100);
	assert_int_equal(n_learned, 0);
	check(r, "rxe0", 50, "rxe0");
	move("rxe0", "rocep1s0f0");
	assert_true(renames_is_there(r, "rxe0"));
	renames_look(r, 200);
	expect_learned("rxe0", "rocep1s0f0", 200);
	assert_false(renames_is_there(r, "rxe0"));
	assert_true(renames_is_there(r, "rocep1s0f0"));
	check(r, "rxe0", 0, "rocep1s0f0");
	check(r, "rxe0", 199, "rocep1s0f0");
	check(r, "rxe0", 200, "rxe0");
	check(r, "rxe1", 50, "rxe1");
	check(r, "rocep1s0f0", 50, "rocep1s0f0");
	make("rxe0");
	renames_look(r, 300);
	assert_int_equal(n_learned, 0);
	/* by when it was made a pin is of the one or of the other */
	check(r, "rxe0", 150, "rocep1s0f0");
	check(r, "rxe0", 350, "rxe0");
	move("rocep1s0f0", "a");
	move("rxe0", "b");
	renames_look(r, 400);
	assert_int_equal(n_learned, 2);
	check(r, "rxe0", 150, "a");
	check(r, "rxe0", 350, "b");
	check(r, "rocep1s0f0", 350, "a");
	/* one that goes is not the one that comes; unlike sysfs this file system uses numbers anew */
	make("c");
	tree_remove("class/infiniband/b");
	renames_look(r, 500);
	assert_int_equal(n_learned, 2);
	check(r, "rxe0", 350, "b");
}

/* Told before it is seen, or after; nothing is learned twice. */
static void test_told(void **state)
{
	_cleanup_(renames_freep) struct renames *r = start(NULL, "");

	renames_look(r, 100);
	move("rxe0", "x");
	renames_told(r, "rxe0", "x", 200);
	expect_learned("rxe0", "x", 200);
	renames_look(r, 201);
	move("x", "y");
	renames_look(r, 300);
	expect_learned("x", "y", 300);
	renames_told(r, "x", "y", 301);
	renames_look(r, 302);
	assert_int_equal(n_learned, 0);
	/* two, and seen as one before they are told */
	move("y", "z");
	move("z", "w");
	renames_look(r, 400);
	expect_learned("y", "w", 400);
	renames_told(r, "y", "z", 401);
	renames_told(r, "z", "w", 402);
	renames_look(r, 403);
	check(r, "rxe0", 100, "w");
	check(r, "z", 400, "w");
	assert_true(renames_is_there(r, "w"));
	/* told at once, and then seen */
	n_learned = 0;
	move("w", "v");
	move("v", "u");
	renames_told(r, "w", "v", 500);
	renames_told(r, "v", "u", 501);
	renames_look(r, 502);
	assert_int_equal(n_learned, 2);
	check(r, "rxe0", 100, "u");
	/* names change places */
	move("u", "t");
	move("rxe1", "u");
	move("t", "rxe1");
	renames_told(r, "u", "t", 600);
	renames_told(r, "rxe1", "u", 601);
	renames_told(r, "t", "rxe1", 602);
	renames_look(r, 603);
	assert_int_equal(n_learned, 5);
	check(r, "rxe0", 100, "rxe1");
	check(r, "rxe1", 100, "u");
	check(r, "rxe1", 603, "rxe1");
	/* no names */
	renames_told(r, "", "u", 700);
	renames_told(r, "a", "a", 700);
	renames_told(r, "a/b", "a", 700);
	renames_told(r, "a",
		     "a123456789012345678901234567890123456789012345678901234567890123456789", 700);
	assert_int_equal(n_learned, 5);
}

/* Also one while the service is not there; another start of the machine forgets them. */
static void test_restart(void **state)
{
	struct renames *r = start(tree, "boot1");

	renames_look(r, 100);
	move("rxe0", "x");
	renames_look(r, 200);
	renames_free(r);
	move("rxe1", "y");
	r = start(tree, "boot1");
	expect_learned("rxe0", "x", 200);
	renames_look(r, 300);
	expect_learned("rxe1", "y", 300);
	check(r, "rxe0", 100, "x");
	check(r, "rxe1", 100, "y");
	renames_free(r);
	r = start(tree, "boot2");
	assert_int_equal(n_learned, 0);
	check(r, "rxe0", 100, "rxe0");
	renames_free(r);
	/* an unknown start is like no other */
	r = start(tree, "");
	assert_int_equal(n_learned, 0);
	renames_free(r);
	tree_put(RENAMES_FILE, "{\"version\":1,\"boot_id\":\"b\",\"renames\":[{\"old\":7},3,{\"old\":\"a/b\","
			       "\"new\":\"x\",\"time_usec\":1},{\"old\":\"p\",\"new\":\"q\",\"time_usec\":1}],"
			       "\"devices\":[{\"name\":\"\"},{\"inode\":\"0x1\"}]}");
	r = start(tree, "b");
	expect_learned("p", "q", 1);
	renames_free(r);
	tree_put(RENAMES_FILE, "no JSON");
	r = start(tree, "b");
	assert_int_equal(n_learned, 0);
	renames_look(r, 100);
	renames_free(r);
}

/* So many are kept, the latest; the clock may be set back. */
static void test_limit(void **state)
{
	_cleanup_(renames_freep) struct renames *r = start(NULL, "");
	char old[32], new[32];

	for (unsigned int i = 0; i < RENAMES_MAX + 1; i++) {
		snprintf(old, sizeof(old), "d%u", i);
		snprintf(new, sizeof(new), "e%u", i);
		renames_told(r, old, new, 1000 - i);
		if (i == RENAMES_MAX - 1)
			check(r, "d0", 0, "e0");
	}
	check(r, "d0", 0, "d0");
	check(r, "d1", 0, "e1");
	snprintf(new, sizeof(new), "e%u", RENAMES_MAX);
	snprintf(old, sizeof(old), "d%u", RENAMES_MAX);
	check(r, old, 999, new);
	renames_look(r, 5000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, tree_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_seen),
		TEST(test_told),
		TEST(test_restart),
		TEST(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
