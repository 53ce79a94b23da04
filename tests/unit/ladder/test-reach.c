/* SPDX-License-Identifier: GPL-2.0-or-later */
/* No step reaches beyond what was selected: jobs of one unit, in cgroups of their own. */
#include <stdio.h>

#include "tests/unit/ladder/action-fixture.h"

#define UNIT  "/system.slice/slurmstepd.scope"
#define JOB   UNIT "/job_42"
#define TASK  JOB "/step_0/user"
#define OTHER UNIT "/job_43"

static const struct ladder ladder = {
	.on[STEP_HOOK] = true,
	.on[STEP_STOP_UNIT] = true,
	.on[STEP_KILL] = true,
	.hook = (char *[]){ (char *)"/usr/bin/hook", (char *)"a b", NULL },
};

static struct aim aim_of(int step, const char *cgroup, const char *selected, unsigned int looks)
{
	struct aim aim = {};

	assert_int_equal(action_aim(f.actions, &ladder, step, 77, cgroup, selected, &looks, &aim),
			 0);
	return aim;
}

static void expect_aim(int step, const char *cgroup, const char *selected, const char *type,
		       const char *name, const char *refused)
{
	struct aim aim = aim_of(step, cgroup, selected, ACTION_LOOKS_MAX);

	assert_string_equal(aim.type, type);
	if (name)
		assert_string_equal(aim.name, name);
	else
		assert_null(aim.name);
	if (refused ? !aim.refused || !strstr(aim.refused, refused) : !!aim.refused)
		fail_msg("%s, selected %s: refused: %s", cgroup, selected, aim.refused);
	aim_done(&aim);
}

static void expect_stop(const char *cgroup, const char *selected, const char *refused)
{
	expect_aim(STEP_STOP_UNIT, cgroup, selected, "unit", "slurmstepd.scope", refused);
}

static void make_jobs(void)
{
	make_cgroup(TASK, "domain\n", "77\n");
	make_cgroup(OTHER "/step_0", "domain\n", "78\n");
	/* PID 1 and the service are elsewhere */
	set_cgroup(1, "/init.scope");
	set_cgroup(getpid(), "/system.slice/pinguard.service");
}

static void test_stop(void **state)
{
	make_jobs();
	expect_stop(TASK, NULL, OTHER " would be stopped, too");
	expect_stop(TASK, JOB, OTHER " would be stopped, too");
	/* all of the unit, or more */
	expect_stop(TASK, UNIT, NULL);
	expect_stop(TASK, "/system.slice", NULL);
	expect_stop(TASK, "/", NULL);
	/* the process has left what was selected */
	expect_stop(TASK, "/system.slice/slurm", OTHER);
	/* the other job has ended: the cgroup that is left over has nothing in it */
	make_cgroup(OTHER "/step_0", "domain\n", "");
	expect_stop(TASK, NULL, OTHER);
	for (const char *const *path = (const char *const[]){ OTHER, OTHER "/step_0", NULL }; *path;
	     path++) {
		char events[256];
		FILE *file;

		snprintf(events, sizeof(events), "%s%s/cgroup.events", f.cgroups, *path);
		file = fopen(events, "w");
		assert_non_null(file);
		fputs("populated 0\n", file);
		assert_int_equal(fclose(file), 0);
	}
	expect_stop(TASK, NULL, NULL);
	/* what manages the jobs is not what was selected */
	make_cgroup(UNIT, "domain\n", "70\n");
	expect_stop(TASK, NULL, "runs in " UNIT " would");
	expect_stop(TASK, JOB, "runs in " UNIT " would");
	/* selected itself, but not the job below it */
	expect_stop(UNIT, NULL, "runs in " JOB " would");
}

/* Threads of one process in cgroups of their own are that process. */
static void test_stop_threaded(void **state)
{
	make_cgroup("/machine.slice/vm.scope/libvirt/emulator", "threaded\n", "77\n");
	make_cgroup("/machine.slice/vm.scope/libvirt/vcpu0", "threaded\n", "77\n");
	make_cgroup("/machine.slice/vm.scope/libvirt", "domain threaded\n", "77\n");
	expect_aim(STEP_STOP_UNIT, "/machine.slice/vm.scope/libvirt/emulator", NULL, "unit",
		   "vm.scope", NULL);
	make_cgroup("/machine.slice/vm.scope/other", "domain\n", "78\n");
	expect_aim(STEP_STOP_UNIT, "/machine.slice/vm.scope/libvirt/emulator", NULL, "unit",
		   "vm.scope", "vm.scope/other would");
}

static void test_stop_unknown(void **state)
{
	make_jobs();
	expect_aim(STEP_STOP_UNIT, NULL, NULL, "unit", NULL, "no unit that is known");
	expect_aim(STEP_STOP_UNIT, "/a.slice/b", NULL, "unit", NULL, "no unit that is known");
	expect_aim(STEP_STOP_UNIT, "/a.slice/gone.service", NULL, "unit", "gone.service",
		   "cannot be told: No such file");
	expect_aim(STEP_STOP_UNIT, UNIT "/../x\n.service", NULL, "unit", "slurmstepd.scope",
		   "cannot be told");
	expect_aim(STEP_STOP_UNIT, "/user.slice/user@1.service/a", NULL, "unit", "user@1.service",
		   "protected");
	closep(&f.actions->cgroup_fd);
	f.actions->cgroup_fd = -1;
	expect_stop(TASK, NULL, "cannot be told");
}

/* So many cgroups are looked at, and not one more. */
static void test_stop_limit(void **state)
{
	char path[256];

	make_cgroup(TASK, "domain\n", "77\n");
	/* of the levels: user, step_0, job_42 and the unit, each looked at */
	for (int i = 0; i < ACTION_LOOKS_MAX - 4; i++) {
		snprintf(path, sizeof(path), UNIT "/old_%d", i);
		make_cgroup(path, "domain\n", "");
	}
	expect_stop(TASK, NULL, NULL);
	make_cgroup(UNIT "/old", "domain\n", "");
	expect_stop(TASK, NULL, "more than 256 cgroups");
	/* who may look no more does not say */
	{
		struct aim aim = aim_of(STEP_STOP_UNIT, TASK, NULL, 0);

		assert_null(aim.refused);
		aim_done(&aim);
	}
}

static void test_other_aims(void **state)
{
	make_jobs();
	expect_aim(STEP_HOOK, TASK, NULL, "command", "/usr/bin/hook a b", NULL);
	expect_aim(STEP_KILL, TASK, NULL, "process", "77", NULL);
	expect_aim(STEP_KILL, TASK, JOB, "cgroup", JOB, NULL);
	expect_aim(STEP_KILL, TASK, TASK, "cgroup", TASK, NULL);
	/* a unit as a whole is systemd's, another cgroup not meant */
	expect_aim(STEP_KILL, TASK, UNIT, "process", "77", NULL);
	expect_aim(STEP_KILL, TASK, "/system.slice", "process", "77", NULL);
	expect_aim(STEP_KILL, TASK, OTHER, "process", "77", NULL);
	expect_aim(STEP_KILL, TASK, JOB "0", "process", "77", NULL);
	expect_aim(STEP_KILL, NULL, JOB, "process", "77", NULL);
	expect_aim(STEP_KILL, "/a/b", "/a", "process", "77", NULL);
	/* what must not be killed is in there */
	set_cgroup(getpid(), JOB);
	expect_aim(STEP_KILL, TASK, JOB, "process", "77", NULL);
	set_cgroup(getpid(), "/");
	expect_aim(STEP_KILL, TASK, JOB, "cgroup", JOB, NULL);
	set_cgroup(1, TASK);
	expect_aim(STEP_KILL, TASK, JOB, "process", "77", NULL);
}

static void stop_child(const char *selected, int error, const char *text)
{
	struct action *a;

	assert_int_equal(action_stop_unit(f.actions, f.pidfd, selected, on_done_free, &f, &a), 0);
	expect_end(error, text);
}

/* The same when it is done: systemd is told to stop nothing. */
static void test_stop_refused(void **state)
{
	make_jobs();
	make_child();
	set_cgroup(f.child, TASK);
	f.systemd.unit = "slurmstepd.scope";
	f.systemd.job_result = "done";
	stop_child(JOB, -EPERM, "slurmstepd.scope is not stopped: what runs in " OTHER);
	stop_child(NULL, -EPERM, "slurmstepd.scope is not stopped: what runs in " OTHER);
	assert_null(f.systemd.stopped);
	/* systemd means another unit than the one that was looked at */
	f.systemd.unit = "other.scope";
	stop_child(UNIT, -EPERM, "another unit's");
	assert_null(f.systemd.stopped);
	f.systemd.unit = "slurmstepd.scope";
	stop_child(UNIT, 0, "was stopped");
	assert_string_equal(f.systemd.stopped, "slurmstepd.scope");
}

static void kill_child(const char *selected)
{
	struct action *a;

	make_child();
	set_cgroup(f.child, TASK);
	assert_int_equal(action_kill(f.actions, f.pidfd, selected, on_done_free, &f, &a), 0);
	expect_end(0, "has ended");
	assert_int_equal(waitpid(f.child, NULL, 0), f.child);
	closep(&f.pidfd);
	f.pidfd = -1;
	f.child = 0;
}

static void test_kill(void **state)
{
	char path[256];

	make_jobs();
	kill_child(NULL);
	kill_child(UNIT);
	assert_false(was_killed(UNIT));
	assert_false(was_killed(JOB));
	assert_false(was_killed(TASK));
	kill_child(JOB);
	assert_true(was_killed(JOB));
	assert_false(was_killed(UNIT));
	assert_false(was_killed(OTHER));
	/* before Linux 5.14 */
	snprintf(path, sizeof(path), "%s%s/cgroup.kill", f.cgroups, JOB);
	assert_int_equal(unlink(path), 0);
	kill_child(JOB);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, action_setup, action_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_stop),
		TEST(test_stop_threaded),
		TEST(test_stop_unknown),
		TEST(test_stop_limit),
		TEST(test_other_aims),
		TEST(test_stop_refused),
		TEST(test_kill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
