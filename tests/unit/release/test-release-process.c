/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Steps past asking: on whom they are taken, and that the kernel has the last word on that. */
#include "tests/unit/release/steps-fixture.h"

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
	kernel_says = (struct pin_info){ .tgid = p.pid, .bytes = 4096 };
	release = start(m, (uint64_t[]){ 1 }, 1);
	json_decref(owner_request(m, &c, token));
	owner_complete(m, &p, token, "released", OWNER("StillPinned"));
	kernel_says.bytes = 0;
	owner_complete(m, &p, token, "released", NULL);
	kernel_says.tgid = 0;
	owner_complete(m, &p, token, "released", NULL);
	assert_int_equal(release_phase(release), RELEASE_RUNNING);
	pin_remove(m, 1);
	assert_int_equal(release_phase(release), RELEASE_DONE);
	client_close(m, &c);
	process_end(&p);
}

static void change(struct manager *m, uint64_t id, pid_t pid, uint64_t bytes)
{
	pin_add(m, id, pid, bytes);
	releases_pin_changed(m->releases, id);
}

/* What is empty is released, though the kernel keeps it, as vhost-vdpa an address space. */
static void test_emptied(void **state)
{
	_cleanup_(release_unrefp) struct release *release = NULL, *missed = NULL, *none = NULL;
	struct manager *m = *state;
	struct process p;

	process_start(&p);
	pin_add(m, 1, p.pid, 8192);
	pin_add(m, 2, p.pid, 4096);
	release = start(m, (uint64_t[]){ 1, 2 }, 2);
	missed = start(m, (uint64_t[]){ 2 }, 1);
	change(m, 1, p.pid, 4096);
	assert_int_equal(release->pins_left, 2);
	assert_int_equal(release->bytes_left, 8192);
	change(m, 1, p.pid, 0);
	assert_int_equal(release->pins_left, 1);
	assert_int_equal(release->bytes_left, 4096);
	/* What fills it again was made later. */
	change(m, 1, p.pid, 4096);
	assert_int_equal(release->pins_left, 1);
	/* The event was lost. */
	pin_add(m, 2, p.pid, 0);
	releases_resynced(m->releases);
	assert_int_equal(release_phase(release), RELEASE_DONE);
	assert_int_equal(release_phase(missed), RELEASE_DONE);
	none = start(m, (uint64_t[]){ 2 }, 1);
	assert_int_equal(none->pins, 0);
	process_end(&p);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, steps_setup, owner_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_reused_number),
		TEST(test_reused_number_is_not_asked),
		TEST(test_kernel_knows_better),
		TEST(test_kernel_does_not_answer),
		TEST(test_others_pins_are_not_told),
		TEST(test_complete_asks_the_kernel),
		TEST(test_emptied),
	};

	/* Files of release.d must be root's. */
	if (geteuid() != 0)
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
