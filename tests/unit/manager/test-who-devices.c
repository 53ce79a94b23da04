/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who of devices: by the names that they have had, and who uses them without a pin. */
#include "tests/unit/manager/who-fixture.h"

/* The user of pid, or NULL. */
static const json_t *user_of(const json_t *reply, pid_t pid)
{
	const json_t *user;
	size_t i;

	json_array_foreach(json_object_get(reply, "users"), i, user)
		if (json_get_int(user, "pid", 0) == pid)
			return user;
	return NULL;
}

/* /dev/zero is the device, and this process has it open; that pins nothing. */
static void test_users(void **state)
{
	_cleanup_json_ json_t *dax = NULL, *space = NULL, *rdma = NULL, *other = NULL;
	_cleanup_json_ json_t *block = NULL, *address = NULL;
	_cleanup_(closep) int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	struct manager *m = *state;
	struct process p;

	assert_true(fd >= 0);
	tree_put("bus/dax/devices/dax0.0/dev", "1:5\n");
	tree_put("class/infiniband_verbs/uverbs0/ibdev", "rxe1\n");
	tree_put("class/infiniband_verbs/uverbs0/dev", "1:5\n");
	process_start(&p);
	dax = ask(m, &p, MANAGER("Who"), "dax0.0", NULL);
	assert_string_equal(json_get_string(user_of(dax, getpid()), "how", ""), "open");
	assert_true(json_get_bool(user_of(dax, getpid()), "exact", false));
	space = ask(m, &p, MANAGER("Who"), "namespace0.0", NULL);
	assert_non_null(user_of(space, getpid()));
	rdma = ask(m, &p, MANAGER("Who"), "rxe1", NULL);
	assert_false(json_get_bool(user_of(rdma, getpid()), "exact", true));
	other = ask(m, &p, MANAGER("Who"), "rxe0", NULL);
	assert_int_equal(json_array_size(json_object_get(other, "users")), 0);
	assert_true(json_is_null(json_object_get(other, "users_unknown")));
	/* No devices. */
	block = ask(m, &p, MANAGER("Who"), "memory0", NULL);
	assert_true(json_is_null(json_object_get(block, "users")));
	address = ask(m, &p, MANAGER("Who"), "0x1000", NULL);
	assert_true(json_is_null(json_object_get(address, "users")));
	process_end(&p);
}

/* The maker has ended since the kernel told of its pin. */
static void test_maker_gone(void **state)
{
	_cleanup_json_ json_t *lives = NULL, *gone = NULL;
	struct manager *m = *state;
	struct process p, maker;

	process_start(&p);
	process_start(&maker);
	add_pin_of(m, 1, maker.pid, PINGUARD_KIND_RDMA, "rxe0");
	lives = ask(m, &p, MANAGER("Who"), "rxe0", NULL);
	assert_false(json_get_bool(first(lives, "pins"), "owner_gone", true));
	process_end(&maker);
	usleep(MAKERS_KEPT_USEC + 1000);
	gone = ask(m, &p, MANAGER("Who"), "rxe0", NULL);
	assert_true(json_get_bool(first(gone, "pins"), "owner_gone", false));
	process_end(&p);
}

/* Whoever asks may go while the look is under way. */
static void test_asker_goes(void **state)
{
	struct manager *m = *state;
	struct process p;
	struct client c;

	tree_put("bus/dax/devices/dax0.0/dev", "1:5\n");
	process_start(&p);
	client_open(m, &c, &p);
	client_send(&c, MANAGER("Who"), false, json_pack("{s:s}", "target", "dax0.0"));
	pump(m);
	client_close(m, &c);
	/* The child that looks has a copy of this end for a moment. */
	for (int i = 0; i < 100 && m->calls.inquiries; i++)
		assert_true(sd_event_run(m->event, 100000) >= 0);
	assert_null(m->calls.inquiries);
	json_decref(ask(m, &p, MANAGER("Who"), "dax0.0", NULL));
	process_end(&p);
}

static void test_names(void **state)
{
	struct manager *m = *state;
	struct process p;

	process_start(&p);
	check_pins(m, &p, "rxe0", "1");
	/* It is there, and pins nothing. */
	check_pins(m, &p, "rxe1", "");
	/* It is not there, and pins do remain. */
	check_pins(m, &p, "gone0", "4");
	check_pins(m, &p, "0000:00:04.0", "23");
	/* Another of the same group, whose pins carry the first one's name. */
	check_pins(m, &p, "0000:00:04.1", "2");
	check_pins(m, &p, "/dev/vfio/12", "2");
	/* By a file, where the pins name no device, and by the device where they do. */
	tree_put("class/misc/iommu/dev", "10:126\n");
	tree_put("bus/vdpa/devices/sim0/vhost-vdpa-3/dev", "234:3\n");
	add_pin(m, 5, PINGUARD_KIND_IOMMUFD, "");
	add_pin(m, 6, PINGUARD_KIND_IO_URING, "");
	add_pin(m, 7, PINGUARD_KIND_VDPA, "sim0");
	add_pin(m, 8, PINGUARD_KIND_XDP, "sim0");
	check_pins(m, &p, "/dev/iommu", "5");
	check_pins(m, &p, "/dev/vhost-vdpa-3", "78");
	check_pins(m, &p, "sim0", "78");
	ask(m, &p, MANAGER("Who"), "/dev/udmabuf", MANAGER("NoSuchTarget"));
	ask(m, &p, MANAGER("Drain"), "rxe1", MANAGER("InvalidTarget"));
	ask(m, &p, MANAGER("Drain"), "gone0", MANAGER("InvalidTarget"));
	ask(m, &p, MANAGER("Drain"), "rxe7", MANAGER("NoSuchTarget"));
	process_end(&p);
}

static void rename_device(const char *old, const char *new)
{
	char from[128], to[128];

	snprintf(from, sizeof(from), "%s/class/infiniband/%s", tree, old);
	snprintf(to, sizeof(to), "%s/class/infiniband/%s", tree, new);
	assert_int_equal(rename(from, to), 0);
}

/* What the kernel tells of a pin of rxe0. */
static void tell_pin(struct manager *m, uint64_t id, uint64_t since_usec)
{
	const struct pin_info pin = { .id = id, .kind = PINGUARD_KIND_RDMA, .tgid = 1, .bytes = 4096,
				      .device = "rxe0", .since_usec = since_usec };

	assert_int_equal(manager_listener.pin(&pin, m), 0);
}

static const char *device_of(struct manager *m, uint64_t id)
{
	return registry_find(m->registry, id)->origin->device;
}

/* Pins have the name that their device has today, whatever the kernel calls it. */
static void test_renamed(void **state)
{
	struct manager *m = *state;
	const uint64_t before = clock_usec(CLOCK_REALTIME);
	struct process p;

	process_start(&p);
	m->devices->config.renamed = feed_renamed;
	assert_int_equal(devices_start_renames(m->devices), 0);
	tell_pin(m, 10, before);
	check_pins(m, &p, "rxe0", "1a");
	rename_device("rxe0", "rocep1s0f0");
	check_pins(m, &p, "rocep1s0f0", "1a");
	assert_string_equal(device_of(m, 1), "rocep1s0f0");
	assert_string_equal(device_of(m, 2), "0000:00:04.0");
	/* by the old name, too, while no device has that */
	check_pins(m, &p, "rxe0", "1a");
	/* another list of the kernel's has the old name */
	tell_pin(m, 10, before);
	assert_string_equal(device_of(m, 10), "rocep1s0f0");
	/* another device takes the name, and pins */
	tree_put("class/infiniband/rxe0/node_type", "1: CA\n");
	tell_pin(m, 11, clock_usec(CLOCK_REALTIME) + 1000000);
	check_pins(m, &p, "rxe0", "b");
	check_pins(m, &p, "rocep1s0f0", "1a");
	/* it goes: its pins are its own still */
	tree_remove("class/infiniband/rxe0");
	check_pins(m, &p, "rxe0", "b");
	process_end(&p);
}

/* Of a kernel that tells nothing a device's pins are known all the same, memory's are not. */
static void test_stock(void **state)
{
	_cleanup_(closep) int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	struct manager *m = *state;
	_cleanup_json_ json_t *users = NULL;
	struct process p;

	assert_true(fd >= 0);
	tree_put("class/infiniband_verbs/uverbs0/ibdev", "rxe1\n");
	tree_put("class/infiniband_verbs/uverbs0/dev", "1:5\n");
	process_start(&p);
	m->source->genl = NULL;
	check_pins(m, &p, "rxe0", "1");
	users = ask(m, &p, MANAGER("Who"), "rxe1", NULL);
	assert_non_null(user_of(users, getpid()));
	ask(m, &p, MANAGER("Who"), "dax0.0", MANAGER("NotSupported"));
	ask(m, &p, MANAGER("Who"), "0x1000", MANAGER("NotSupported"));
	process_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_users, setup, teardown),
		cmocka_unit_test_setup_teardown(test_maker_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_asker_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_renamed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stock, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
