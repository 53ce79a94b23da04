/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Steps past asking: which, and when. */
#include "tests/unit/release/steps-fixture.h"

#include "daemon/manager/internal.h"

/* Only what was turned on is done, and not before its time. */
static void test_kill_after_asking(void **state)
{
	_cleanup_(release_unrefp) struct release *release = NULL;
	struct manager *m = *state;
	struct process p, other;
	struct client c;
	char token[64];
	uint64_t asked;

	set_ladder(m, "AskSec=1\nKill=yes\nKillSec=20\n");
	process_start(&p);
	process_start(&other);
	owner_register(m, &c, &p);
	pin_add(m, 1, p.pid, 4096);
	pin_add(m, 2, other.pid, 4096);
	asked = now_usec();
	release = start(m, (uint64_t[]){ 1 }, 1);
	json_decref(owner_request(m, &c, token));
	check_json(release, "asked", "kill");
	wait_until_dead(m, &p);
	assert_true(now_usec() >= asked + SEC_USEC);
	assert_true(process_lives(&other));
	assert_int_equal(owner_of(release, p.pid)->step, STEP_KILL);
	/* That it is dead is not what the kernel says of its pins. */
	assert_int_equal(release_phase(release), RELEASE_RUNNING);
	check_json(release, "gone", "give_up");
	pin_remove(m, 1);
	assert_int_equal(release_phase(release), RELEASE_DONE);
	check_json(release, "released", "(null)");
	client_close(m, &c);
	process_end(&p);
	process_end(&other);
}

static void test_refusal_goes_on(void **state)
{
	_cleanup_(release_unrefp) struct release *release = NULL;
	struct manager *m = *state;
	struct process p;
	struct client c;
	char token[64];

	set_ladder(m, "AskSec=1h\nKill=yes\n");
	process_start(&p);
	owner_register(m, &c, &p);
	pin_add(m, 1, p.pid, 4096);
	release = start(m, (uint64_t[]){ 1 }, 1);
	json_decref(owner_request(m, &c, token));
	owner_complete(m, &p, token, "refused", NULL);
	wait_until_dead(m, &p);
	assert_int_equal(release_phase(release), RELEASE_RUNNING);
	client_close(m, &c);
	process_end(&p);
}

static void test_reminder(void **state)
{
	_cleanup_(release_unrefp) struct release *release = NULL;
	_cleanup_json_ json_t *first = NULL, *second = NULL;
	struct manager *m = *state;
	char token[64], again[64];
	struct process p;
	struct client c;
	uint64_t asked;

	set_ladder(m, "AskSec=1\nRemindSec=1h\n");
	process_start(&p);
	owner_register(m, &c, &p);
	pin_add(m, 1, p.pid, 4096);
	pin_add(m, 2, p.pid, 4096);
	asked = now_usec();
	release = start(m, (uint64_t[]){ 1, 2 }, 2);
	first = owner_request(m, &c, token);
	pin_remove(m, 1);
	second = owner_request(m, &c, again);
	assert_true(now_usec() >= asked + SEC_USEC);
	assert_string_equal(token, again);
	assert_true(json_get_bool(second, "reminder", false));
	assert_int_equal(json_array_size(json_object_get(second, "pins")), 1);
	assert_int_equal(json_get_int(first, "deadline_usec", 0),
			 json_get_int(second, "deadline_usec", 1));
	check_json(release, "reminded", "give_up");
	client_close(m, &c);
	process_end(&p);
}

/* Without systemd neither a hook nor a stop is possible; the next step is taken at once. */
static void test_failed_steps(void **state)
{
	_cleanup_(release_unrefp) struct release *release = NULL;
	struct manager *m = *state;
	struct process p;

	set_ladder(m, "Hook=/bin/false\nHookSec=1h\nStopUnit=yes\nStopSec=1h\nKill=yes\n");
	process_start(&p);
	pin_add(m, 1, p.pid, 4096);
	release = start(m, (uint64_t[]){ 1 }, 1);
	wait_until_dead(m, &p);
	assert_null(owner_of(release, p.pid)->reason);
	assert_int_equal(owner_of(release, p.pid)->step, STEP_KILL);
	process_end(&p);
}

static void test_unregistered_without_steps(void **state)
{
	_cleanup_(release_unrefp) struct release *release = NULL;
	struct manager *m = *state;
	struct process p;

	process_start(&p);
	pin_add(m, 1, p.pid, 4096);
	release = start(m, (uint64_t[]){ 1 }, 1);
	pump(m);
	check_json(release, "waiting", "give_up");
	assert_true(process_lives(&p));
	process_end(&p);
}

static void test_protected(void **state)
{
	_cleanup_(release_unrefp) struct release *release = NULL;
	struct manager *m = *state;

	set_ladder(m, "Kill=yes\nStopUnit=yes\nHook=/bin/true\n");
	pin_add(m, 1, 1, 4096);
	pin_add(m, 2, getpid(), 4096);
	release = start(m, (uint64_t[]){ 1, 2 }, 2);
	pump(m);
	assert_int_equal(release->owners[0].step, -1);
	assert_int_equal(release->owners[1].step, -1);
	assert_int_equal(release_phase(release), RELEASE_RUNNING);
}

/* After the service's start owners have time to come back before a step is taken. */
static void test_grace(void **state)
{
	_cleanup_(release_unrefp) struct release *release = NULL;
	struct manager *m = *state;
	struct process p;
	struct client c;
	char token[64];

	set_ladder(m, "AskSec=1h\nKill=yes\n");
	m->releases->started_usec = now_usec();
	process_start(&p);
	pin_add(m, 1, p.pid, 4096);
	release = start(m, (uint64_t[]){ 1 }, 1);
	pump(m);
	assert_true(process_lives(&p));
	check_json(release, "waiting", "kill");
	owner_register(m, &c, &p);
	json_decref(owner_request(m, &c, token));
	assert_true(process_lives(&p));
	client_close(m, &c);
	process_end(&p);
}

static bool kernel_ready;

static bool is_ready(void *userdata)
{
	return kernel_ready;
}

/* A step that is due while the list is being read is taken when that is over. */
static void test_due_during_resync(void **state)
{
	_cleanup_(release_unrefp) struct release *release = NULL;
	struct manager *m = *state;
	struct process p;

	set_ladder(m, "Kill=yes\n");
	m->releases->config.ready = is_ready;
	process_start(&p);
	pin_add(m, 1, p.pid, 4096);
	kernel_ready = false;
	release = start(m, (uint64_t[]){ 1 }, 1);
	pump(m);
	assert_int_equal(owner_of(release, p.pid)->step, -1);
	/* As the source does it: it is ready only after it has said that this is the end. */
	assert_int_equal(manager_listener.begin(m), 0);
	pin_add(m, 1, p.pid, 4096);
	assert_int_equal(manager_listener.end(1, m), 0);
	assert_int_equal(owner_of(release, p.pid)->step, -1);
	kernel_ready = true;
	wait_until_dead(m, &p);
	process_end(&p);
}

/* A cancelled request takes no further step. */
static void test_cancelled(void **state)
{
	_cleanup_(release_unrefp) struct release *release = NULL;
	struct manager *m = *state;
	uint64_t end;
	struct process p;
	struct client c;
	char token[64];

	set_ladder(m, "AskSec=1\nKill=yes\n");
	process_start(&p);
	owner_register(m, &c, &p);
	pin_add(m, 1, p.pid, 4096);
	release = start(m, (uint64_t[]){ 1 }, 1);
	json_decref(owner_request(m, &c, token));
	release_cancel(release);
	end = now_usec() + 3 * SEC_USEC / 2;
	while (now_usec() < end)
		assert_true(sd_event_run(m->event, 10000) >= 0);
	assert_true(process_lives(&p));
	client_close(m, &c);
	process_end(&p);
}

/* More at a time than may be under way: they wait for each other. */
static void test_queue(void **state)
{
	enum { N = RELEASE_ACTIONS_MAX + 40 };
	_cleanup_(release_unrefp) struct release *release = NULL;
	struct process *p = calloc(N, sizeof(*p));
	struct manager *m = *state;
	uint64_t ids[N];

	set_ladder(m, "Kill=yes\nKillSec=1h\n");
	for (size_t i = 0; i < N; i++) {
		process_start(&p[i]);
		ids[i] = i + 1;
		pin_add(m, ids[i], p[i].pid, 4096);
	}
	release = start(m, ids, N);
	assert_int_equal(m->releases->n_actions, RELEASE_ACTIONS_MAX);
	for (size_t i = 0; i < N; i++)
		wait_until_dead(m, &p[i]);
	for (size_t i = 0; i < N; i++) {
		assert_false(owner_of(release, p[i].pid)->step_failed);
		pin_remove(m, ids[i]);
		process_end(&p[i]);
	}
	assert_int_equal(release_phase(release), RELEASE_DONE);
	pump(m);
	assert_int_equal(m->releases->n_actions, 0);
	free(p);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, steps_setup, owner_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_kill_after_asking),
		TEST(test_refusal_goes_on),
		TEST(test_reminder),
		TEST(test_failed_steps),
		TEST(test_unregistered_without_steps),
		TEST(test_protected),
		TEST(test_grace),
		TEST(test_due_during_resync),
		TEST(test_cancelled),
		TEST(test_queue),
	};

	/* Files of release.d must be root's. */
	if (geteuid() != 0)
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
