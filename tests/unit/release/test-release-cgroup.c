/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ladders and hooks go by where a process runs, not by where it made its pins. */
#include <stdio.h>
#include <sys/stat.h>

#include "tests/unit/manager/owner-fixture.h"

#include "daemon/release/internal.h"

static void write_ladder(const char *dir, const char *name, const char *cgroup)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.conf", dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	/* Far off: nothing is done here. */
	fprintf(file, "[Match]\nCgroup=%s\n[Release]\nAskSec=1h\nKill=yes\n", cgroup);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0644), 0);
}

/* One of where the pins are made, and one of the unit. */
static int cgroup_setup(void **state)
{
	char dir[] = "/tmp/pinguard-cgroup-XXXXXX", path[64];
	struct manager *m;

	owner_setup(state);
	m = *state;
	assert_non_null(mkdtemp(dir));
	write_ladder(dir, "pins", "/t*");
	write_ladder(dir, "unit", "/d.service");
	releases_load_ladders(m->releases, dir);
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s.conf", dir, i ? "pins" : "unit");
		unlink(path);
	}
	rmdir(dir);
	return 0;
}

static struct release *start(struct manager *m, pid_t pid)
{
	const uint64_t id = 1;
	const struct release_config config = {
		.reason = RELEASE_DRAIN,
		.timeout_usec = 3600 * 1000000ULL,
		.admin = true,
		.pin_ids = &id,
		.n_pins = 1,
	};
	struct release *release;

	pin_add(m, id, pid, 4096);
	assert_int_equal(release_start(m->releases, &config, &release), 0);
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
}

/* The pins were made in a cgroup that the process has left. */
static void test_left(void **state)
{
	_cleanup_(release_unrefp) struct release *release = NULL;
	struct manager *m = *state;
	struct process p;

	process_start(&p);
	process_set_cgroup(p.pid, "/d.service/b\x01");
	release = start(m, p.pid);
	expect_ladder(release, "unit.conf");
	expect_hook(release, "/d.service/b\\x01");
	/* Before the hook it moves once more. */
	process_set_cgroup(p.pid, "/d.service/c");
	expect_hook(release, "/d.service/c");
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
	release = start(m, p.pid);
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
	release = start(m, p.pid);
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
