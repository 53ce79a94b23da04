/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ladders and hooks go by where a process runs, not by where it made its pins. */
#include "tests/unit/release/steps-fixture.h"

/* Far off: nothing is done here. */
#define FAR_OFF "AskSec=1h\nKill=yes\n"

/* One of where the pins are made, and one of the unit. */
static int cgroup_setup(void **state)
{
	static const struct ladder_file files[] = {
		{ "pins", "/t*", FAR_OFF },
		{ "unit", "/d.service", FAR_OFF },
	};

	owner_setup(state);
	set_ladders(*state, files, ARRAY_SIZE(files));
	return 0;
}

static struct release *start_one(struct manager *m, pid_t pid)
{
	const uint64_t id = 1;
	struct release *release;

	pin_add(m, id, pid, 4096);
	release = start(m, &id, 1);
	assert_int_equal(release->n_owners, 1);
	return release;
}

static void expect_ladder(const struct release *release, const char *name)
{
	const char *own = release->owners[0].ladder->name;

	assert_non_null(own);
	assert_string_equal(own, name);
}

static void expect_hook(struct release *release, const char *cgroup)
{
	_cleanup_json_ json_t *json = release_owner_hook_json(&release->owners[0]);

	assert_string_equal(json_get_string(json, "cgroup", "(null)"), cgroup);
	/* without cgroup2 */
	assert_non_null(strstr(json_get_string(json, "stop_refused", ""), "cannot be told"));
}

/* The pins were made in a cgroup that the process has left. */
static void test_left(void **state)
{
	_cleanup_(release_unrefp) struct release *release = NULL;
	struct manager *m = *state;
	struct process p;

	process_start(&p);
	process_set_cgroup(p.pid, "/d.service/b\x01");
	release = start_one(m, p.pid);
	expect_ladder(release, "unit.conf");
	expect_hook(release, "/d.service/b\\x01");
	/* Before the hook it moves once more. */
	process_set_cgroup(p.pid, "/d.service/c");
	expect_hook(release, "/d.service/c");
	/* as systemd writes it */
	process_set_cgroup(p.pid, "/d.service/c\\x2d");
	expect_hook(release, "/d.service/c\\x2d");
	process_end(&p);
	expect_hook(release, "/t\\x0a.service");
}

/* The number means nothing any more: what is told of it is of another process. */
static void test_gone(void **state)
{
	_cleanup_(release_unrefp) struct release *release = NULL;
	struct manager *m = *state;
	struct process p;

	process_start(&p);
	process_set_cgroup(p.pid, "/d.service");
	process_end(&p);
	release = start_one(m, p.pid);
	expect_ladder(release, "pins.conf");
	expect_hook(release, "/t\\x0a.service");
}

/* It runs where no ladder is: asking is all. */
static void test_elsewhere(void **state)
{
	_cleanup_(release_unrefp) struct release *release = NULL;
	struct manager *m = *state;
	struct process p;

	process_start(&p);
	process_set_cgroup(p.pid, "/e.service");
	release = start_one(m, p.pid);
	assert_ptr_equal(release->owners[0].ladder, &policy_default_ladder);
	process_end(&p);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, cgroup_setup, owner_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_left),
		TEST(test_gone),
		TEST(test_elsewhere),
	};

	/* Files of release.d must be root's. */
	if (geteuid() != 0)
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
