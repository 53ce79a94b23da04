/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Steps past asking: on whom they are taken, and on whom not. */
#include <stdio.h>
#include <sys/stat.h>

#include "tests/unit/owner-fixture.h"

#include "daemon/ladder.h"
#include "daemon/manager-internal.h"
#include "daemon/release-internal.h"

#define HOUR_USEC (3600 * 1000000LL)
#define SEC_USEC  1000000ULL

/* The ladder of what is in the test's cgroup. */
static void set_ladder(struct manager *m, const char *release)
{
	char dir[] = "/tmp/pinguard-ladder-XXXXXX", path[64];
	struct ladders *ladders;
	FILE *file;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/a.conf", dir);
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "[Match]\nCgroup=/t*\n[Release]\n%s", release);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(ladders_load(dir, &ladders), 0);
	releases_set_ladders(m->releases, ladders);
	unlink(path);
	rmdir(dir);
}

static int steps_setup(void **state)
{
	struct manager *m;

	owner_setup(state);
	m = *state;
	/* Owners have had the time to come back. */
	m->releases->started_usec = 0;
	return 0;
}

static struct release *start(struct manager *m, const uint64_t *ids, size_t n)
{
	const struct release_config config = {
		.reason = RELEASE_DRAIN,
		.target = "mem\nory32",
		.timeout_usec = HOUR_USEC,
		.admin = true,
		.pin_ids = ids,
		.n_pins = n,
	};
	struct release *release;

	assert_int_equal(release_start(m->releases, &config, &release), 0);
	return release;
}

static const struct release_owner *owner_of(struct release *release, pid_t pid)
{
	return release_owner_by_pid(release, pid);
}

static void wait_until_dead(struct manager *m, const struct process *p)
{
	uint64_t end = now_usec() + 60 * SEC_USEC;

	while (process_lives(p)) {
		assert_true(now_usec() < end);
		assert_true(sd_event_run(m->event, 10000) >= 0);
	}
	pump(m);
}

static void check_json(struct release *release, const char *state, const char *next)
{
	_cleanup_json_ json_t *json = release_json(release, 10);
	const json_t *owner = json_array_get(json_object_get(json, "owners"), 0);

	idl_check_type(server_idl_org_pinguard_Manager, "ReleaseRequest", json);
	assert_string_equal(json_get_string(owner, "state", ""), state);
	assert_string_equal(json_get_string(owner, "next", "(null)"), next);
	assert_string_equal(json_get_string(json, "target", ""), "mem\\x0aory32");
}

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

/* A process that has the number of a dead owner, told by the flag or by its age. */
static void test_reused_number(void **state)
{
	_cleanup_(release_unrefp) struct release *flagged = NULL, *older = NULL, *moved = NULL;
	struct manager *m = *state;
	struct process p;

	set_ladder(m, "Kill=yes\n");
	process_start(&p);
	pin_add_since(m, 1, p.pid, 4096, realtime_usec(), PINGUARD_FLAG_OWNER_GONE);
	pin_add_since(m, 2, p.pid, 4096, realtime_usec() - 60 * SEC_USEC, 0);
	flagged = start(m, (uint64_t[]){ 1 }, 1);
	older = start(m, (uint64_t[]){ 2 }, 1);
	pump(m);
	check_json(flagged, "gone", "give_up");
	check_json(older, "gone", "give_up");
	/* The flag comes while it runs. */
	pin_add(m, 3, p.pid, 4096);
	m->releases->started_usec = now_usec();
	moved = start(m, (uint64_t[]){ 3 }, 1);
	check_json(moved, "waiting", "kill");
	pin_add_since(m, 3, p.pid, 4096, realtime_usec(), PINGUARD_FLAG_OWNER_GONE);
	releases_pin_changed(m->releases, 3);
	m->releases->started_usec = 0;
	release_owner_decide(release_owner_by_pid(moved, p.pid));
	pump(m);
	assert_true(process_lives(&p));
	check_json(moved, "waiting", "give_up");
	process_end(&p);
}

/* Neither is one asked for pins of a dead process that had its number. */
static void test_reused_number_is_not_asked(void **state)
{
	_cleanup_(release_unrefp) struct release *release = NULL;
	struct manager *m = *state;
	struct process p;
	struct client c;

	process_start(&p);
	owner_register(m, &c, &p);
	pin_add_since(m, 1, p.pid, 4096, realtime_usec(), PINGUARD_FLAG_OWNER_GONE);
	release = start(m, (uint64_t[]){ 1 }, 1);
	client_silent(m, &c);
	client_close(m, &c);
	process_end(&p);
}

/* What the kernel says of all pins, when it is asked. */
static struct pin_info kernel_says;
static unsigned int n_looks;

static int look_error;

static int look(uint64_t pin_id, struct pin_info *ret, void *userdata)
{
	n_looks++;
	if (look_error)
		return look_error;
	if (!kernel_says.tgid)
		return -ENOENT;
	*ret = kernel_says;
	ret->id = pin_id;
	return 0;
}

/* No event tells that an owner has exited: the kernel is asked before each step. */
static void test_kernel_knows_better(void **state)
{
	_cleanup_(release_unrefp) struct release *gone = NULL, *vanished = NULL, *alive = NULL;
	struct manager *m = *state;
	struct process p;

	set_ladder(m, "Kill=yes\n");
	m->releases->config.look = look;
	process_start(&p);
	/* The list says that it lives, the kernel that this is another. */
	pin_add(m, 1, p.pid, 4096);
	kernel_says = (struct pin_info){ .tgid = p.pid, .flags = PINGUARD_FLAG_OWNER_GONE };
	n_looks = 0;
	gone = start(m, (uint64_t[]){ 1 }, 1);
	pump(m);
	assert_int_equal(n_looks, 1);
	check_json(gone, "waiting", "give_up");
	/* The pin is gone, the event about that is still to come. */
	pin_add(m, 2, p.pid, 4096);
	kernel_says.tgid = 0;
	vanished = start(m, (uint64_t[]){ 2 }, 1);
	pump(m);
	assert_true(process_lives(&p));
	/* The clock was set since the pin was made, which makes it look old. */
	pin_add_since(m, 3, p.pid, 4096, realtime_usec() - 3600 * SEC_USEC, 0);
	kernel_says = (struct pin_info){ .tgid = p.pid };
	alive = start(m, (uint64_t[]){ 3 }, 1);
	wait_until_dead(m, &p);
	process_end(&p);
}

/* A kernel that cannot be asked is asked again; the clock is no substitute for it. */
static void test_kernel_does_not_answer(void **state)
{
	_cleanup_(release_unrefp) struct release *failed = NULL;
	struct manager *m = *state;
	struct process p;

	set_ladder(m, "Kill=yes\n");
	m->releases->config.look = look;
	process_start(&p);
	pin_add(m, 1, p.pid, 4096);
	kernel_says = (struct pin_info){ .tgid = p.pid };
	look_error = -ENOBUFS;
	failed = start(m, (uint64_t[]){ 1 }, 1);
	assert_true(process_lives(&p));
	check_json(failed, "waiting", "kill");
	/* Nor is a pin that is gone the end of it, as long as its event has not come. */
	look_error = -ENOENT;
	release_owner_decide(release_owner_by_pid(failed, p.pid));
	check_json(failed, "waiting", "kill");
	look_error = 0;
	wait_until_dead(m, &p);
	process_end(&p);
}

/* An owner hears nothing of the pins of a dead process that had its number. */
static void test_others_pins_are_not_told(void **state)
{
	_cleanup_(release_unrefp) struct release *mixed = NULL, *others = NULL;
	_cleanup_json_ json_t *request = NULL;
	struct manager *m = *state;
	struct process p;
	struct client c;
	char token[64];
	json_t *pins;

	m->releases->config.look = look;
	process_start(&p);
	owner_register(m, &c, &p);
	pin_add_since(m, 1, p.pid, 4096, realtime_usec() - 3600 * SEC_USEC, 0);
	pin_add(m, 2, p.pid, 4096);
	kernel_says = (struct pin_info){ .tgid = p.pid, .flags = PINGUARD_FLAG_OWNER_GONE };
	mixed = start(m, (uint64_t[]){ 1, 2 }, 2);
	request = owner_request(m, &c, token);
	pins = json_object_get(request, "pins");
	assert_int_equal(json_array_size(pins), 1);
	assert_string_equal(json_get_string(json_array_get(pins, 0), "id", ""), "0x2");
	others = start(m, (uint64_t[]){ 1 }, 1);
	client_silent(m, &c);
	check_json(others, "gone", "give_up");
	client_close(m, &c);
	process_end(&p);
}

/* The event that a pin is gone may be late, after a loss above all: the kernel is asked. */
static void test_complete_asks_the_kernel(void **state)
{
	_cleanup_(release_unrefp) struct release *release = NULL;
	struct manager *m = *state;
	struct process p;
	struct client c;
	char token[64];

	m->releases->config.look = look;
	process_start(&p);
	owner_register(m, &c, &p);
	pin_add(m, 1, p.pid, 4096);
	kernel_says = (struct pin_info){ .tgid = p.pid };
	release = start(m, (uint64_t[]){ 1 }, 1);
	json_decref(owner_request(m, &c, token));
	owner_complete(m, &p, token, "released", OWNER("StillPinned"));
	kernel_says.tgid = 0;
	owner_complete(m, &p, token, "released", NULL);
	assert_int_equal(release_phase(release), RELEASE_RUNNING);
	pin_remove(m, 1);
	assert_int_equal(release_phase(release), RELEASE_DONE);
	client_close(m, &c);
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

static bool source_ready;

static bool is_ready(void *userdata)
{
	return source_ready;
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
	source_ready = false;
	release = start(m, (uint64_t[]){ 1 }, 1);
	pump(m);
	assert_int_equal(owner_of(release, p.pid)->step, -1);
	/* As the source does it: it is ready only after it has said that this is the end. */
	assert_int_equal(manager_listener.begin(m), 0);
	pin_add(m, 1, p.pid, 4096);
	assert_int_equal(manager_listener.end(1, m), 0);
	assert_int_equal(owner_of(release, p.pid)->step, -1);
	source_ready = true;
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
		TEST(test_reused_number),
		TEST(test_reused_number_is_not_asked),
		TEST(test_kernel_knows_better),
		TEST(test_kernel_does_not_answer),
		TEST(test_others_pins_are_not_told),
		TEST(test_complete_asks_the_kernel),
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
