/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a hook is given, and what becomes of it and its request. The linker puts
 * the functions below in place of those that would run one.
 */
#include <stdio.h>

#include "tests/unit/release/steps-fixture.h"

/* The last hook that was started. */
static struct hook {
	json_t *input;
	uint64_t timeout_usec;
	action_done done;
	void *userdata;
	unsigned int n_started, n_freed;
} hook;

int __wrap_action_hook(struct actions *actions, const struct ladder *ladder, const char *cgroup,
		       json_t *input, uint64_t timeout_usec, action_done done, void *userdata,
		       struct action **ret);
struct action *__wrap_action_free(struct action *action);

int __wrap_action_hook(struct actions *actions, const struct ladder *ladder, const char *cgroup,
		       json_t *input, uint64_t timeout_usec, action_done done, void *userdata,
		       struct action **ret)
{
	assert_string_equal(ladder->hook[0], "/bin/hook");
	json_decref(hook.input);
	hook.input = json_incref(input);
	hook.timeout_usec = timeout_usec;
	hook.done = done;
	hook.userdata = userdata;
	hook.n_started++;
	*ret = (struct action *)&hook;
	return 0;
}

struct action *__wrap_action_free(struct action *action)
{
	hook.n_freed += action != NULL;
	return NULL;
}

static void hook_ends(int error, const char *text)
{
	hook.done((struct action *)&hook, error, text, hook.userdata);
}

static int hook_setup(void **state)
{
	steps_setup(state);
	hook = (struct hook){};
	set_ladder(*state, "Hook=/bin/hook\nHookSec=60\n");
	return 0;
}

static int hook_teardown(void **state)
{
	owner_teardown(state);
	json_decref(hook.input);
	/* None is forgotten. */
	assert_int_equal(hook.n_started, hook.n_freed);
	return 0;
}

static struct release *start_hook(struct manager *m, const struct process *p,
				  uint64_t timeout_usec)
{
	pin_add(m, 1, p->pid, 4096);
	pin_add(m, 2, p->pid, 8192);
	return start_until(m, (uint64_t[]){ 1, 2 }, 2, timeout_usec);
}

static const char *state_of(const struct release *release, const char **ret_reason)
{
	static char state[32], reason[64];
	_cleanup_json_ json_t *json = release_json(release, 1);
	const json_t *owner = json_array_get(json_object_get(json, "owners"), 0);

	snprintf(state, sizeof(state), "%s", json_get_string(owner, "state", ""));
	snprintf(reason, sizeof(reason), "%s", json_get_string(owner, "reason", "(null)"));
	if (ret_reason)
		*ret_reason = reason;
	return state;
}

static void test_input(void **state)
{
	_cleanup_(release_unrefp) struct release *release = NULL;
	struct manager *m = *state;
	const json_t *pin;
	struct process p;

	process_start(&p);
	release = start_hook(m, &p, RELEASE_TIMEOUT_LADDER);
	assert_int_equal(hook.n_started, 1);
	assert_string_equal(json_get_string(hook.input, "token", ""), release_token(release));
	assert_string_equal(json_get_string(hook.input, "reason", ""), "drain");
	assert_string_equal(json_get_string(hook.input, "target", ""), "mem\\x0aory32");
	assert_string_equal(json_get_string(hook.input, "comm", ""), "t\\x0a\\xff!");
	assert_string_equal(json_get_string(hook.input, "cgroup", ""), FIXTURE_CGROUP);
	assert_int_equal(json_get_int(hook.input, "pid", 0), p.pid);
	assert_int_equal(json_get_int(hook.input, "uid", 0), USER_UID);
	assert_int_equal(json_get_int(hook.input, "pins_left", 0), 2);
	assert_int_equal(json_get_int(hook.input, "bytes_left", 0), 12288);
	assert_int_equal(json_array_size(json_object_get(hook.input, "pins")), 2);
	assert_int_equal(json_array_size(json_object_get(hook.input, "failures")), 0);
	pin = json_array_get(json_object_get(hook.input, "pins"), 0);
	idl_check_type(idl_org_pinguard_Owner, "Pin", pin);
	assert_string_equal(state_of(release, NULL), "hook_running");
	process_end(&p);
}

static int no_files(const char *device, uint32_t kind, struct device_numbers *ret, void *userdata)
{
	ret->n = 0;
	return 0;
}

/* Its process has ended, and nobody is seen who holds the pins: a hook may know who does. */
static void test_owner_gone(void **state)
{
	_cleanup_(release_unrefp) struct release *release = NULL;
	struct manager *m = *state;
	struct pin_info pin = { .id = 1, .kind = PINGUARD_KIND_RDMA, .tgid = 0x3ffffff0,
				.bytes = 4096, .cgroup_id = TEST_CGROUP, .device = "rxe0",
				.charged_cgroup_id = TEST_CGROUP, .since_usec = realtime_usec(),
				.flags = PINGUARD_FLAG_OWNER_GONE };

	m->releases->config.numbers = no_files;
	assert_int_equal(registry_upsert(m->registry, &pin), 0);
	release = start(m, (uint64_t[]){ 1 }, 1);
	for (int i = 0; i < 100 && hook.n_started == 0; i++)
		assert_true(sd_event_run(m->event, 100000) >= 0);
	assert_int_equal(hook.n_started, 1);
	assert_true(json_get_bool(hook.input, "owner_gone", false));
	assert_true(json_is_array(json_object_get(hook.input, "holders")));
	assert_int_equal(json_array_size(json_object_get(hook.input, "pins")), 1);
	assert_int_equal(json_get_int(hook.input, "pid", 0), 0x3ffffff0);
	assert_string_equal(json_get_string(hook.input, "cgroup", ""), "/t\\x0a.service");
	assert_string_equal(state_of(release, NULL), "hook_running");
}

static void test_failed_memory(void **state)
{
	_cleanup_(release_unrefp) struct release *release = NULL;
	struct manager *m = *state;
	const struct release_failure failures[] = {
		{ .pin = 1,
		  .has_address = true,
		  .address = 0x7f0000001000,
		  .bytes = 4096,
		  .data_lost = true },
		{ .pin = 2, .bytes = 8192 }, /* nobody knows where */
	};
	const struct release_config config = {
		.reason = RELEASE_MEMORY_FAILURE,
		.timeout_usec = RELEASE_TIMEOUT_LADDER,
		.admin = true,
		.pin_ids = (const uint64_t[]){ 1, 2 },
		.n_pins = 2,
		.failures = failures,
		.n_failures = ARRAY_SIZE(failures),
	};
	const json_t *array, *failure;
	struct process p;

	process_start(&p);
	pin_add(m, 1, p.pid, 8192);
	pin_add(m, 2, p.pid, 8192);
	assert_int_equal(release_start(m->releases, &config, &release), 0);
	assert_string_equal(json_get_string(hook.input, "reason", ""), "memory_failure");
	array = json_object_get(hook.input, "failures");
	assert_int_equal(json_array_size(array), 2);
	failure = json_array_get(array, 0);
	idl_check_type(idl_org_pinguard_Owner, "Failure", failure);
	assert_string_equal(json_get_string(failure, "pin", ""), "0x1");
	assert_string_equal(json_get_string(failure, "address", ""), "0x7f0000001000");
	assert_true(json_is_true(json_object_get(failure, "data_lost")));
	failure = json_array_get(array, 1);
	idl_check_type(idl_org_pinguard_Owner, "Failure", failure);
	assert_true(json_is_null(json_object_get(failure, "address")));
	process_end(&p);
}

/* It has no longer than the request. */
static void test_time(void **state)
{
	_cleanup_(release_unrefp) struct release *longer = NULL, *shorter = NULL;
	struct manager *m = *state;
	struct process p;

	process_start(&p);
	longer = start_hook(m, &p, HOUR_USEC);
	assert_int_equal(hook.timeout_usec, 60 * SEC_USEC);
	shorter = start_hook(m, &p, 5 * SEC_USEC);
	assert_true(hook.timeout_usec <= 5 * SEC_USEC);
	process_end(&p);
}

/* That it has ended well is not what counts. */
static void test_success(void **state)
{
	_cleanup_(release_unrefp) struct release *release = NULL;
	struct manager *m = *state;
	struct process p;

	process_start(&p);
	release = start_hook(m, &p, HOUR_USEC);
	hook_ends(0, NULL);
	assert_int_equal(hook.n_freed, 1);
	assert_int_equal(release_phase(release), RELEASE_RUNNING);
	pin_remove(m, 1);
	pin_remove(m, 2);
	assert_int_equal(release_phase(release), RELEASE_DONE);
	assert_int_equal(hook.n_started, 1);
	process_end(&p);
}

static void test_failure(void **state)
{
	_cleanup_(release_unrefp) struct release *release = NULL;
	struct manager *m = *state;
	const char *reason;
	struct process p;

	process_start(&p);
	release = start_hook(m, &p, HOUR_USEC);
	hook_ends(-ECHILD, "exit status 1");
	assert_string_equal(state_of(release, &reason), "hook_failed");
	assert_string_equal(reason, "exit status 1");
	assert_int_equal(release_phase(release), RELEASE_RUNNING);
	process_end(&p);
}

/* The pins go while it still runs: it may tidy up, and is not stopped. */
static void test_still_running(void **state)
{
	_cleanup_(release_unrefp) struct release *release = NULL;
	struct manager *m = *state;
	struct process p;

	process_start(&p);
	release = start_hook(m, &p, HOUR_USEC);
	pin_remove(m, 1);
	pin_remove(m, 2);
	assert_int_equal(release_phase(release), RELEASE_DONE);
	assert_int_equal(hook.n_freed, 0);
	hook_ends(-ECHILD, "too late");
	assert_int_equal(hook.n_freed, 1);
	assert_int_equal(m->releases->n_actions, 0);
	assert_string_equal(state_of(release, NULL), "released");
	process_end(&p);
}

/* Cancelled, or forgotten, or the service stops: it does not run on. */
static void test_stopped(void **state)
{
	_cleanup_(release_unrefp) struct release *release = NULL, *open = NULL;
	struct manager *m = *state;
	struct process p;

	process_start(&p);
	release = start_hook(m, &p, HOUR_USEC);
	release_cancel(release);
	assert_int_equal(hook.n_freed, 1);
	assert_int_equal(m->releases->n_actions, 0);
	open = start_hook(m, &p, HOUR_USEC);
	assert_int_equal(hook.n_started, 2);
	m->releases = releases_free(m->releases);
	assert_int_equal(hook.n_freed, 2);
	process_end(&p);
}

static struct release *start_one(struct manager *m, uint64_t id, const struct process *p)
{
	pin_add(m, id, p->pid, 4096);
	return start(m, &id, 1);
}

/* A request ends while all are gone through, and the one after it because of that. */
static void test_end_of_the_next(void **state)
{
	_cleanup_(release_unrefp) struct release *first = NULL, *second = NULL, *third = NULL;
	struct manager *m = *state;
	struct process p[3];

	for (size_t i = 0; i < ARRAY_SIZE(p); i++)
		process_start(&p[i]);
	first = start_one(m, 1, &p[0]);
	assert_int_equal(hook.n_started, 1);
	m->releases->n_actions = RELEASE_ACTIONS_MAX;
	second = start_one(m, 2, &p[1]);
	third = start_one(m, 3, &p[2]);
	assert_true(second->owners[0].queued);
	/* The first one has refused, and its hook had its time. */
	first->owners[0].answer = ANSWER_REFUSED;
	first->owners[0].step_usec = 0;
	/* Nothing can be done about the second one. */
	second->owners[0].answer = ANSWER_REFUSED;
	process_end(&p[1]);
	/* The third one's pin is not in the list. */
	assert_int_equal(registry_remove(m->registry, 3), 0);
	releases_resynced(m->releases);
	assert_int_equal(release_phase(first), RELEASE_REFUSED);
	assert_int_equal(release_phase(second), RELEASE_RUNNING);
	assert_int_equal(release_phase(third), RELEASE_DONE);
	pump(m);
	assert_int_equal(release_phase(second), RELEASE_REFUSED);
	process_end(&p[0]);
	process_end(&p[2]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, hook_setup, hook_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_input),   TEST(test_failed_memory),	TEST(test_time),
		TEST(test_success), TEST(test_failure),		TEST(test_still_running),
		TEST(test_stopped), TEST(test_end_of_the_next), TEST(test_owner_gone),
	};

	/* Files of release.d must be root's. */
	if (geteuid() != 0)
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
