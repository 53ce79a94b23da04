/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hot-plug, with events that are made up. */
#include <libudev.h>
#include <sys/socket.h>

#include "tests/unit/devices/machine.h"

struct udev_device {
	char action[8], subsystem[16], name[16], old[64];
};

static int sockets[2], told_error;
static unsigned int changes;

int __wrap_udev_monitor_get_fd(struct udev_monitor *monitor);
struct udev_device *__wrap_udev_monitor_receive_device(struct udev_monitor *monitor);
struct udev_device *__wrap_udev_device_unref(struct udev_device *device);
const char *__wrap_udev_device_get_action(struct udev_device *device);
const char *__wrap_udev_device_get_subsystem(struct udev_device *device);
const char *__wrap_udev_device_get_sysname(struct udev_device *device);
const char *__wrap_udev_device_get_property_value(struct udev_device *device, const char *key);

int __wrap_udev_monitor_get_fd(struct udev_monitor *monitor)
{
	return sockets[0];
}

struct udev_device *__wrap_udev_monitor_receive_device(struct udev_monitor *monitor)
{
	static struct udev_device device;

	if (told_error) {
		errno = told_error;
		told_error = 0;
		return NULL;
	}
	return recv(sockets[0], &device, sizeof(device), MSG_DONTWAIT) > 0 ? &device : NULL;
}

struct udev_device *__wrap_udev_device_unref(struct udev_device *device)
{
	return NULL;
}

const char *__wrap_udev_device_get_action(struct udev_device *device)
{
	return device->action;
}

const char *__wrap_udev_device_get_subsystem(struct udev_device *device)
{
	return device->subsystem;
}

const char *__wrap_udev_device_get_sysname(struct udev_device *device)
{
	return device->name;
}

const char *__wrap_udev_device_get_property_value(struct udev_device *device, const char *key)
{
	assert_string_equal(key, "DEVPATH_OLD");
	return device->old[0] ? device->old : NULL;
}

static void on_changed(void *userdata)
{
	changes++;
}

static char pinners[128];

static void on_pinner(const char *old_name, const char *name, void *userdata)
{
	snprintf(pinners + strlen(pinners), sizeof(pinners) - strlen(pinners), "%s>%s ",
		 old_name ?: "", name);
}

static void tell_move(const char *old, const char *name)
{
	struct udev_device device = { "move", "infiniband" };

	strcpy(device.old, old);
	strcpy(device.name, name);
	assert_int_equal(send(sockets[1], &device, sizeof(device), 0), sizeof(device));
}

static void tell(const char *action, const char *subsystem, const char *name)
{
	struct udev_device device = {};

	strcpy(device.action, action);
	strcpy(device.subsystem, subsystem);
	strcpy(device.name, name);
	assert_int_equal(send(sockets[1], &device, sizeof(device), 0), sizeof(device));
}

static void plug(void)
{
	tell("add", "memory", "memory7");
}

static void check_gone(struct inventory *inv, const char *subsystem, const char *name,
		       uint64_t phys, size_t field, bool gone)
{
	struct place p;

	assert_int_equal(inventory_place(inv, phys, false, &p), 0);
	assert_true(((char *)&p)[field]);
	tell("remove", subsystem, name);
	assert_int_equal(inventory_place(inv, phys, false, &p), 0);
	assert_int_equal(((char *)&p)[field] == '\0', gone);
}

/* While nothing can be read, what goes is not told of any more. */
static void check_removals(struct inventory *inv)
{
	const size_t dax = offsetof(struct place, dax), block = offsetof(struct place, memory_block);

	const size_t disk = offsetof(struct place, block_device);

	check_gone(inv, "nd", "dax0.0", 0x140400000, dax, false);
	check_gone(inv, "dax", "dax0.0", 0x140400000, dax, true);
	check_gone(inv, "dax", "dax9.9", 0x108000000, dax, false);
	check_gone(inv, "dax", "dax2.0", 0x108000000, dax, true);
	check_gone(inv, "block", "sda", 0x158000000, disk, false);
	check_gone(inv, "block", "pmem0.2", 0x158000000, disk, true);
	check_gone(inv, "nd", "namespace0.1", 0x150000000, offsetof(struct place, namespace), true);
	check_gone(inv, "nd", "region0", 0x140400000, offsetof(struct place, region), true);
	check_gone(inv, "memory", "memory9", 0, block, false);
	check_gone(inv, "memory", "memory1", 0x8000000, block, true);
	check_gone(inv, "memory", "memory0", 0, block, true);
	check_gone(inv, "memory", "memory2", 0x10000000, block, true);
	check_gone(inv, "memory", "memory33", 0x108000000, block, true);
}

static void test_table(void **state)
{
	const uint64_t order[] = { 5, 2, 9, 1, 3, 4, 8, 6, 7, 7, 10 };
	struct block_table table = { .runs = calloc(1, sizeof(*table.runs)), .n = 1 };
	uint64_t gone = 0;

	table.runs[0] = (struct blocks){ 1, 9, 0 };
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		block_table_remove(&table, order[i]);
		gone |= BIT(order[i]);
		for (uint64_t b = 0; b < 12; b++)
			assert_int_equal(block_table_find(&table, b) != NULL,
					 b >= 1 && b <= 9 && !(gone >> b & 1));
	}
	assert_int_equal(table.n, 0);
	block_table_done(&table);
}

/* Devices that pin are none of the inventory's. */
static void check_pinners(struct inventory *inv)
{
	inventory_follow_pinners(inv, on_pinner, NULL);
	assert_int_equal(inventory_update(inv), 0);
	nd_reads = 0;
	tell("add", "infiniband", "rxe0");
	tell_move("/devices/virtual/infiniband/rxe0", "rocep1s0f0");
	inventory_drain(inv);
	assert_string_equal(pinners, ">rxe0 rxe0>rocep1s0f0 ");
	assert_int_equal(inventory_update(inv), 0);
	assert_int_equal(nd_reads, 0);
	inventory_follow_pinners(inv, NULL, NULL);
}

static void test_watch(void **state)
{
	_cleanup_(inventory_freep) struct inventory *inv = NULL;
	sd_event *event;
	struct place p;

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, sockets), 0);
	assert_true(sd_event_new(&event) >= 0);
	assert_int_equal(inventory_new(tree, made_up_nd, &inv), 0);
	if (inventory_watch(inv, event, on_changed, NULL) < 0) {
		sd_event_unref(event);
		skip();
	}
	check_pinners(inv);
	inv->current = false;
	nd_reads = changes = 0;
	/* Once, and again only when something has come or gone. */
	assert_int_equal(inventory_place(inv, 0x1000, true, &p), 0);
	assert_int_equal(inventory_place(inv, 0x1000, true, &p), 0);
	assert_int_equal(inventory_update(inv), 0);
	assert_int_equal(nd_reads, 1);
	plug();
	plug();
	/* No turn of the loop is needed for that. */
	tree_remove("bus/dax/devices/dax1.0");
	assert_int_equal(inventory_place(inv, 0x190000000, true, &p), 0);
	assert_string_equal(p.dax, "");
	assert_int_equal(nd_reads, 2);
	assert_int_equal(changes, 0);
	/* Not while memory is being taken away; it is not forgotten. */
	plug();
	assert_true(sd_event_run(event, 0) >= 0);
	assert_int_equal(changes, 1);
	assert_int_equal(inventory_place(inv, 0x1000, false, &p), 0);
	assert_int_equal(nd_reads, 2);
	assert_int_equal(inventory_update(inv), 0);
	assert_int_equal(nd_reads, 3);
	/* A disk is nothing to look at. */
	tell("add", "block", "sda");
	tell("remove", "block", "sda");
	assert_int_equal(inventory_update(inv), 0);
	assert_int_equal(nd_reads, 3);
	/* Events were lost. */
	told_error = ENOBUFS;
	assert_int_equal(inventory_update(inv), 0);
	assert_int_equal(nd_reads, 4);
	/* A look that fails is tried again. */
	plug();
	nd_error = -EIO;
	assert_int_equal(inventory_update(inv), -EIO);
	nd_error = 0;
	assert_int_equal(inventory_update(inv), 0);
	assert_int_equal(nd_reads, 6);
	check_removals(inv);
	assert_int_equal(nd_reads, 6);
	assert_int_equal(inventory_place(inv, 0, true, &p), 0);
	assert_string_equal(p.memory_block, "memory0");
	assert_int_equal(nd_reads, 7);
	inv = inventory_free(inv);
	sd_event_unref(event);
	closep(&sockets[0]);
	closep(&sockets[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_watch, machine_setup, machine_teardown),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
