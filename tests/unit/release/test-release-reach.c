/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What steps act on is told, and none reaches beyond what was selected. */
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

#include "tests/unit/release/steps-fixture.h"

#define UNIT "/slurm.scope"
#define JOB  UNIT "/job_42"

static char tree[64];

static void write_file(const char *cgroup, const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s%s/%s", tree, cgroup, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void make_cgroup(const char *cgroup, const char *procs)
{
	char path[128];

	snprintf(path, sizeof(path), "%s%s", tree, cgroup);
	assert_int_equal(mkdir(path, 0700), 0);
	write_file(cgroup, "cgroup.type", "domain\n");
	write_file(cgroup, "cgroup.procs", procs);
	write_file(cgroup, "cgroup.events", "populated 1\n");
	write_file(cgroup, "cgroup.kill", "");
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static int reach_setup(void **state)
{
	static const struct ladder_file files[] = {
		{ "a", JOB "/step", "Kill=yes\n" },
		{ "b", UNIT, "Hook=/bin/false a\nStopUnit=yes\nStopSec=1h\nKill=yes\nKillSec=1h\n" },
	};
	struct manager *m;

	steps_setup(state);
	m = *state;
	strcpy(tree, "/tmp/pinguard-cgroup-XXXXXX");
	assert_non_null(mkdtemp(tree));
	make_cgroup(UNIT, "");
	make_cgroup(JOB, "");
	make_cgroup(JOB "/task", "1\n");
	make_cgroup(JOB "/step", "1\n");
	make_cgroup(UNIT "/job_43", "1\n");
	m->releases->actions = actions_free(m->releases->actions);
	assert_int_equal(actions_new(m->event, tree, &m->releases->actions), 0);
	set_ladders(m, files, ARRAY_SIZE(files));
	return 0;
}

static int reach_teardown(void **state)
{
	owner_teardown(state);
	return nftw(tree, remove_one, 4, FTW_DEPTH | FTW_PHYS);
}

static struct release *start_selected(struct manager *m, enum release_reason reason,
				      const char *selected, bool dry_run)
{
	const uint64_t id = 1;
	const struct release_config config = {
		.reason = reason,
		.selected = selected,
		.timeout_usec = HOUR_USEC,
		.admin = true,
		.dry_run = dry_run,
		.pin_ids = &id,
		.n_pins = 1,
	};
	struct release *release;

	assert_int_equal(release_start(m->releases, &config, &release), 0);
	return release;
}

/* steps: lines "STEP TYPE NAME", or "STEP TYPE NAME, REFUSED" */
static void expect_steps(struct release *release, const char *steps)
{
	_cleanup_json_ json_t *json = release_json(release, 10);
	const json_t *owner = json_array_get(json_object_get(json, "owners"), 0), *step;
	_cleanup_(freep) char *text = NULL;
	size_t i, size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);

	idl_check_type(idl_org_pinguard_Manager, "ReleaseRequest", json);
	json_array_foreach (json_object_get(owner, "steps"), i, step) {
		const char *refused = json_get_string(step, "refused", NULL);

		fprintf(out, "%s %s %s%s%s\n", json_get_string(step, "step", "?"),
			json_get_string(step, "acts_on", "?"), json_get_string(step, "name", "?"),
			refused ? ", " : "", refused ?: "");
	}
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, steps);
}

static void expect_dry_run(struct manager *m, enum release_reason reason, const char *selected,
			   const char *steps)
{
	_cleanup_(release_unrefp) struct release *release =
		start_selected(m, reason, selected, true);

	expect_steps(release, steps);
}

#define HOOK   "hook command /bin/false a\n"
#define STOP   "stop_unit unit slurm.scope\n"
#define BEYOND(cgroup) "stop_unit unit slurm.scope, what runs in " cgroup \
		       " would be stopped, too, and was not selected\n"
#define OTHERS BEYOND(UNIT "/job_43")

static void test_dry_run(void **state)
{
	struct manager *m = *state;
	struct process p;
	char process[512];

	process_start(&p);
	process_set_cgroup(p.pid, JOB "/task");
	pin_add(m, 1, p.pid, 4096);
	snprintf(process, sizeof(process), HOOK STOP "kill process %d\n", p.pid);
	expect_dry_run(m, RELEASE_ADMINISTRATOR, JOB "/task",
		       HOOK BEYOND(JOB "/step") "kill cgroup " JOB "/task\n");
	/* it would be killed, but what is in it has ladders of its own */
	expect_dry_run(m, RELEASE_ADMINISTRATOR, UNIT, process);
	expect_dry_run(m, RELEASE_ADMINISTRATOR, "/", process);
	/* pins were chosen, which is no cgroup; a quota is one's, but not all that is in it */
	snprintf(process, sizeof(process), HOOK BEYOND(JOB "/step") "kill process %d\n",
		 p.pid);
	expect_dry_run(m, RELEASE_DRAIN, NULL, process);
	expect_dry_run(m, RELEASE_MEMORY_FAILURE, NULL, process);
	snprintf(process, sizeof(process), HOOK OTHERS "kill process %d\n", p.pid);
	expect_dry_run(m, RELEASE_QUOTA, JOB, process);
	snprintf(process, sizeof(process), HOOK STOP "kill process %d\n", p.pid);
	expect_dry_run(m, RELEASE_QUOTA, UNIT, process);
	expect_dry_run(m, RELEASE_ADMINISTRATOR, JOB,
		       HOOK OTHERS "kill cgroup " JOB "\n");
	/* root's Kill= for one cgroup is none for what is around it */
	process_set_cgroup(p.pid, JOB "/step");
	snprintf(process, sizeof(process), "kill process %d\n", p.pid);
	expect_dry_run(m, RELEASE_ADMINISTRATOR, JOB, process);
	expect_dry_run(m, RELEASE_ADMINISTRATOR, JOB "/step", "kill cgroup " JOB "/step\n");
	process_end(&p);
}

/* A step that is refused is a step that failed: the next one is taken. */
static void test_refused(void **state)
{
	_cleanup_(release_unrefp) struct release *release = NULL;
	struct manager *m = *state;
	struct process p;

	process_start(&p);
	process_set_cgroup(p.pid, JOB "/task");
	pin_add(m, 1, p.pid, 4096);
	release = start_selected(m, RELEASE_ADMINISTRATOR, JOB, false);
	wait_until_dead(m, &p);
	assert_int_equal(owner_of(release, p.pid)->step, STEP_KILL);
	assert_null(owner_of(release, p.pid)->reason);
	expect_steps(release, HOOK OTHERS "kill cgroup " JOB "\n");
	process_end(&p);
}

/* Nobody is to be acted on: nothing is told of what would be. */
static void test_none(void **state)
{
	struct manager *m = *state;

	pin_add(m, 1, 1, 4096);
	expect_dry_run(m, RELEASE_ADMINISTRATOR, UNIT, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, reach_setup, reach_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_dry_run),
		TEST(test_refused),
		TEST(test_none),
	};

	/* Files of release.d must be root's. */
	if (geteuid() != 0)
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
