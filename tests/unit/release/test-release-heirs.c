/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pins whose maker has ended: steps are taken on those that have the device, if they are sure. */
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/sysmacros.h>

#include "tests/unit/release/steps-fixture.h"

#define DEAD_PID 0x3ffffff0 /* above all that Linux gives away */
#define PINS	 8 /* id of their cgroup */

static bool shared;

/* /dev/zero is the device, and that of pins of VFIO and iommufd which name none. */
static int numbers(const char *device, uint32_t kind, struct device_numbers *ret, void *userdata)
{
	if (strcmp(device, "rxe0") != 0 && (*device || (kind != PINGUARD_KIND_VFIO && kind != PINGUARD_KIND_IOMMUFD)))
		return -ENOENT;
	ret->n = 1;
	ret->all[0] = (struct device_number){ .number = makedev(1, 5), .shared = shared };
	return 0;
}

static int setup(void **state)
{
	struct cgroup_node *root, *node;
	struct manager *m;

	assert_int_equal(steps_setup(state), 0);
	m = *state;
	assert_int_equal(registry_cgroup_get(m->registry, 1, &root), 0);
	assert_int_equal(registry_cgroup_get(m->registry, PINS, &node), 0);
	assert_int_equal(registry_cgroup_set(m->registry, node, root, "/t2.service"), 0);
	m->releases->config.numbers = numbers;
	shared = true;
	return 0;
}

static void add_pin_of(struct manager *m, uint64_t id, pid_t pid, const char *device, uint32_t flags,
		       uint32_t kind)
{
	struct pin_info pin = { .id = id, .kind = kind, .tgid = pid, .bytes = 4096,
				.cgroup_id = PINS, .charged_cgroup_id = PINS, .flags = flags,
				.since_usec = realtime_usec() };

	strcpy(pin.device, device);
	assert_int_equal(registry_upsert(m->registry, &pin), 0);
}

static void add_pin(struct manager *m, uint64_t id, pid_t pid, const char *device, uint32_t flags)
{
	add_pin_of(m, id, pid, device, flags, PINGUARD_KIND_RDMA);
}

/* A process that has the device open. */
static void holder_start(struct process *p, const char *cgroup)
{
	int ready[2];
	char c;

	assert_int_equal(pipe(ready), 0);
	p->control = open("/dev/null", O_RDONLY | O_CLOEXEC);
	p->pid = fork();
	assert_true(p->pid >= 0);
	if (p->pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (open("/dev/zero", O_RDONLY) < 0 || write(ready[1], "r", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	process_set_cgroup(p->pid, cgroup);
}

/* Until nobody is looked for any more. */
static void run_looks(struct manager *m)
{
	uint64_t end = now_usec() + 60 * SEC_USEC;

	do {
		assert_true(now_usec() < end);
		assert_true(sd_event_run(m->event, 10000) >= 0);
	} while (m->releases->n_looks > 0);
	pump(m);
}

static const struct release_owner *first_owner(struct release *release)
{
	return &release->owners[0];
}

/* Others in the cgroup of the pins, one after the other, and nobody elsewhere. */
static void test_same_cgroup(void **state)
{
	_cleanup_(release_unrefp) struct release *release = NULL;
	_cleanup_json_ json_t *json = NULL;
	struct manager *m = *state;
	struct process one, two, elsewhere, idle;
	const json_t *owner;

	set_ladder(m, "Kill=yes\n");
	holder_start(&one, "/t2.service");
	holder_start(&two, "/t2.service/below");
	holder_start(&elsewhere, "/t3.service");
	process_start(&idle);
	process_set_cgroup(idle.pid, "/t2.service");
	add_pin(m, 1, DEAD_PID, "rxe0", PINGUARD_FLAG_OWNER_GONE);
	release = start(m, (uint64_t[]){ 1 }, 1);
	wait_until_dead(m, &one);
	wait_until_dead(m, &two);
	run_looks(m);
	assert_non_null(strstr(first_owner(release)->reason, "] holds the pins"));
	assert_true(process_lives(&elsewhere));
	assert_true(process_lives(&idle));
	check_json(release, "killed", "give_up");
	json = release_json(release, 10);
	owner = json_array_get(json_object_get(json, "owners"), 0);
	assert_true(json_is_array(json_object_get(owner, "holders")));
	pin_remove(m, 1);
	assert_int_equal(release_phase(release), RELEASE_DONE);
	process_end(&one);
	process_end(&two);
	process_end(&elsewhere);
	process_end(&idle);
}

/* A file that one alone can have: wherever it is, if root turned the step on there, too. */
static void test_exact(void **state)
{
	_cleanup_(release_unrefp) struct release *release = NULL;
	struct manager *m = *state;
	struct process holder;

	shared = false;
	set_ladder(m, "Kill=yes\n");
	holder_start(&holder, "/t3.service");
	add_pin(m, 1, DEAD_PID, "rxe0", PINGUARD_FLAG_OWNER_GONE);
	release = start(m, (uint64_t[]){ 1 }, 1);
	wait_until_dead(m, &holder);
	process_end(&holder);
}

/* iommufd names no device: whoever in the cgroup of the pins has its file open. */
static void test_iommufd(void **state)
{
	_cleanup_(release_unrefp) struct release *release = NULL, *udmabuf = NULL;
	struct manager *m = *state;
	struct process holder, elsewhere;

	set_ladder(m, "Kill=yes\n");
	holder_start(&holder, "/t2.service");
	holder_start(&elsewhere, "/t3.service");
	/* A buffer is a file of its own: nobody can tell who has it. */
	add_pin_of(m, 2, DEAD_PID + 1, "", PINGUARD_FLAG_OWNER_GONE, PINGUARD_KIND_UDMABUF);
	udmabuf = start(m, (uint64_t[]){ 2 }, 1);
	assert_int_equal(m->releases->n_looks, 0);
	check_json(udmabuf, "gone", "give_up");
	add_pin_of(m, 1, DEAD_PID, "", PINGUARD_FLAG_OWNER_GONE, PINGUARD_KIND_IOMMUFD);
	release = start(m, (uint64_t[]){ 1 }, 1);
	wait_until_dead(m, &holder);
	assert_true(process_lives(&elsewhere));
	process_end(&holder);
	process_end(&elsewhere);
}

/* Nobody that root did not turn the step on for, that is protected, or outside of a user's reach. */
static void test_left_alone(void **state)
{
	static const char *const cgroups[] = { "/other.service", "/init.scope", "/t3.service",
					       "/t2.servicexy" };
	const struct ladder_file files[] = { { "a", "/t2*", "Kill=yes\n" },
					     { "b", "/init.scope", "Kill=yes\n" },
					     { "c", "/t3*", "Kill=yes\n" } };
	struct manager *m = *state;

	set_ladders(m, files, ARRAY_SIZE(files));
	add_pin(m, 1, DEAD_PID, "rxe0", PINGUARD_FLAG_OWNER_GONE);
	for (size_t i = 0; i < ARRAY_SIZE(cgroups); i++) {
		/* The last two might be, were it an administrator who asks, or the file exact. */
		const struct release_config config = {
			.reason = RELEASE_ADMINISTRATOR, .target = "mem\nory32",
			.timeout_usec = HOUR_USEC, .admin = i != 2, .uid = i == 2 ? 1000 : 0,
			.pin_ids = (uint64_t[]){ 1 }, .n_pins = 1,
		};
		_cleanup_(release_unrefp) struct release *release = NULL;
		struct process holder;

		shared = i == 3;
		holder_start(&holder, cgroups[i]);
		assert_int_equal(release_start(m->releases, &config, &release), 0);
		run_looks(m);
		assert_true(process_lives(&holder));
		check_json(release, "gone", "give_up");
		assert_non_null(strstr(first_owner(release)->reason, "none is known to hold"));
		/* A user hears nothing of others. */
		assert_int_equal(json_array_size(first_owner(release)->holders) > 0, i != 2);
		release_cancel(release);
		process_end(&holder);
	}
}

static void test_nobody(void **state)
{
	_cleanup_(release_unrefp) struct release *none = NULL, *unknown = NULL, *no_name = NULL;
	struct manager *m = *state;

	set_ladder(m, "Kill=yes\n");
	add_pin(m, 1, DEAD_PID, "gone0", PINGUARD_FLAG_OWNER_GONE);
	add_pin(m, 2, DEAD_PID + 1, "", PINGUARD_FLAG_OWNER_GONE);
	none = start(m, (uint64_t[]){ 1 }, 1);
	run_looks(m);
	check_json(none, "gone", "give_up");
	assert_string_equal(first_owner(none)->reason,
			    "its process has ended, and no process was seen to have the device open: "
			    "perhaps a socket's message or the kernel has the file");
	/* Without a device there is nothing to look for. */
	no_name = start(m, (uint64_t[]){ 2 }, 1);
	assert_int_equal(m->releases->n_looks, 0);
	check_json(no_name, "gone", "give_up");
	assert_string_equal(first_owner(no_name)->reason,
			    "its process has ended, and its pins name no device by which those "
			    "that hold them could be found");
}

/* Mediated devices: pins that name no device are held by who has VFIO's file open. */
static void test_no_device(void **state)
{
	_cleanup_(release_unrefp) struct release *release = NULL;
	struct pin_info pin = { .id = 1, .kind = PINGUARD_KIND_VFIO, .tgid = DEAD_PID,
				.bytes = 4096, .cgroup_id = PINS, .charged_cgroup_id = PINS,
				.flags = PINGUARD_FLAG_OWNER_GONE, .since_usec = realtime_usec() };
	struct manager *m = *state;
	struct process holder, elsewhere;

	set_ladder(m, "Kill=yes\n");
	holder_start(&holder, "/t2.service");
	holder_start(&elsewhere, "/t3.service");
	assert_int_equal(registry_upsert(m->registry, &pin), 0);
	release = start(m, (uint64_t[]){ 1 }, 1);
	wait_until_dead(m, &holder);
	run_looks(m);
	assert_non_null(strstr(first_owner(release)->reason, "] holds the pins"));
	assert_true(process_lives(&elsewhere));
	pin_remove(m, 1);
	assert_int_equal(release_phase(release), RELEASE_DONE);
	process_end(&holder);
	process_end(&elsewhere);
}

/* Killed by the ladder; its child has the file. */
static void test_maker_killed(void **state)
{
	_cleanup_(release_unrefp) struct release *release = NULL;
	struct manager *m = *state;
	struct process maker, child;

	set_ladder(m, "Kill=yes\n");
	process_start(&maker);
	process_set_cgroup(maker.pid, "/t2.service");
	holder_start(&child, "/t2.service");
	add_pin(m, 1, maker.pid, "rxe0", 0);
	release = start(m, (uint64_t[]){ 1 }, 1);
	wait_until_dead(m, &maker);
	wait_until_dead(m, &child);
	process_end(&maker);
	process_end(&child);
}

static void test_dry_run(void **state)
{
	const struct release_config config = {
		.reason = RELEASE_DRAIN, .target = "mem\nory32", .timeout_usec = HOUR_USEC,
		.dry_run = true, .admin = true, .pin_ids = (uint64_t[]){ 1 }, .n_pins = 1,
	};
	_cleanup_(release_unrefp) struct release *release = NULL;
	struct manager *m = *state;
	struct process holder;

	set_ladder(m, "Kill=yes\n");
	holder_start(&holder, "/t2.service");
	add_pin(m, 1, DEAD_PID, "rxe0", PINGUARD_FLAG_OWNER_GONE);
	assert_int_equal(release_start(m->releases, &config, &release), 0);
	check_json(release, "gone", "kill");
	pump(m);
	assert_true(process_lives(&holder));
	process_end(&holder);
}

/* What is told of the pins in a dry run, as a client asks for it. */
static void test_dry_run_call(void **state)
{
	_cleanup_json_ json_t *reply = NULL;
	const json_t *owner, *holders;
	struct manager *m = *state;
	struct process holder, elsewhere, asker;
	struct client c;

	set_ladder(m, "Kill=yes\n");
	holder_start(&holder, "/t2.service");
	holder_start(&elsewhere, "/t3.service");
	add_pin(m, 1, DEAD_PID, "rxe0", PINGUARD_FLAG_OWNER_GONE);
	add_pin(m, 2, DEAD_PID + 1, "", PINGUARD_FLAG_OWNER_GONE);
	process_start(&asker);
	client_open(m, &c, &asker);
	client_send(&c, MANAGER("Release"), false,
		    json_pack("{s:s, s:b}", "kind", "rdma", "dry_run", true));
	reply = client_reply(m, &c, MANAGER("Release"), false);
	owner = json_array_get(json_object_get(json_object_get(reply, "release"), "owners"), 0);
	assert_string_equal(json_get_string(owner, "state", ""), "gone");
	assert_string_equal(json_get_string(owner, "next", ""), "kill");
	assert_non_null(strstr(json_get_string(owner, "reason", ""), "] holds the pins"));
	holders = json_object_get(owner, "holders");
	assert_true(json_array_size(holders) >= 2);
	assert_true(process_lives(&holder));
	/* Whoever asks goes meanwhile. */
	client_send(&c, MANAGER("Release"), false,
		    json_pack("{s:s, s:b}", "kind", "rdma", "dry_run", true));
	pump(m);
	client_close(m, &c);
	/* Another's answer is another's. */
	json_decref(reply);
	client_open(m, &c, &asker);
	client_send(&c, MANAGER("Release"), false,
		    json_pack("{s:s, s:b}", "kind", "vfio", "dry_run", true));
	reply = client_reply(m, &c, MANAGER("Release"), false);
	client_close(m, &c);
	process_end(&holder);
	process_end(&elsewhere);
	process_end(&asker);
}

/* The pins go, the request is cancelled, and all ends while somebody is looked for. */
static void test_over_meanwhile(void **state)
{
	_cleanup_(release_unrefp) struct release *released = NULL, *cancelled = NULL, *last = NULL;
	struct manager *m = *state;
	struct process holder;

	set_ladder(m, "Kill=yes\n");
	holder_start(&holder, "/t2.service");
	for (int i = 1; i <= 3; i++)
		add_pin(m, i, DEAD_PID + i, "rxe0", PINGUARD_FLAG_OWNER_GONE);
	released = start(m, (uint64_t[]){ 1 }, 1);
	assert_int_equal(m->releases->n_looks, 1);
	pin_remove(m, 1);
	assert_int_equal(release_phase(released), RELEASE_DONE);
	cancelled = start(m, (uint64_t[]){ 2 }, 1);
	release_cancel(cancelled);
	assert_int_equal(m->releases->n_looks, 0);
	pump(m);
	assert_true(process_lives(&holder));
	last = start(m, (uint64_t[]){ 3 }, 1);
	assert_int_equal(m->releases->n_looks, 1);
	process_end(&holder);
}

/* More than are looked for at a time: others have their turn. */
static void test_many(void **state)
{
	_cleanup_(release_unrefp) struct release *release = NULL;
	struct manager *m = *state;
	uint64_t ids[RELEASE_LOOKS_MAX + 1];
	uint64_t end = now_usec() + 60 * SEC_USEC;
	size_t looked;

	set_ladder(m, "Kill=yes\n");
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		ids[i] = i + 1;
		add_pin(m, ids[i], DEAD_PID + i, "gone0", PINGUARD_FLAG_OWNER_GONE);
	}
	release = start(m, ids, ARRAY_SIZE(ids));
	assert_int_equal(m->releases->n_looks, RELEASE_LOOKS_MAX);
	do {
		assert_true(now_usec() < end);
		assert_true(sd_event_run(m->event, 10000) >= 0);
		looked = 0;
		for (size_t i = 0; i < release->n_owners; i++)
			looked += release->owners[i].holders != NULL;
	} while (looked < ARRAY_SIZE(ids));
	assert_int_equal(m->releases->n_looks, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, owner_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_same_cgroup),
		TEST(test_exact),
		TEST(test_iommufd),
		TEST(test_left_alone),
		TEST(test_nobody),
		TEST(test_no_device),
		TEST(test_maker_killed),
		TEST(test_dry_run),
		TEST(test_dry_run_call),
		TEST(test_over_meanwhile),
		TEST(test_many),
	};

	/* Files of release.d must be root's. */
	if (geteuid() != 0)
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
