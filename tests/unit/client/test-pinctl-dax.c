/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DAX devices that are system RAM, in a made-up sysfs: their blocks go offline one by one. */
#include "tests/unit/client/pinctl-fixture.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/base/exit.h"
#include "client/base/pinctl.h"
#include "client/parts/remove.h"
#include "client/parts/request.h"
#include "lib/varlink.h"

#define BLOCK 0x8000000ULL

static char sysfs[64];

/* --- the server: memory33 is pinned, memory35 by one that does not let go --- */

static int who(struct call *call, json_t *params, void *userdata)
{
	const char *target = json_get_string(params, "target", "");
	bool pinned = !strcmp(target, "memory33") || !strcmp(target, "memory35") ||
		      !strncmp(target, "0x", 2);

	return call_reply(call, json_pack("{s[{ssss}]so}", "ranges", "first", "0x1", "last", "0x2",
					  "pins",
					  pinned ? json_pack("[{sssissss}]", "id", "0x1", "pid", 7,
							     "comm", "mr", "cgroup", "/a")
						 : json_array()));
}

static int drain(struct call *call, json_t *params, void *userdata)
{
	const char *target = json_get_string(params, "target", "");
	bool done = strcmp(target, "memory35") != 0;

	/* as the device was asked for */
	assert_int_equal(json_get_int(params, "timeout_usec", 0), 77);
	return call_reply(call, json_pack("{s{ssss ss si si si si s[]}}", "release", "token",
					  "0123456789abcdef0123456789abcdef", "target", target,
					  "phase", done ? "done" : "refused", "pins", 1, "bytes",
					  4096, "pins_left", !done, "bytes_left", done ? 0 : 4096,
					  "owners"));
}

static const struct method_param who_params[] = {
	{ "target", PARAM_STRING, true }, { "busy", PARAM_BOOL }, {}
};
static const struct method_param drain_params[] = {
	{ "target", PARAM_STRING, true }, { "timeout_usec", PARAM_INT }, {}
};
static const struct method methods[] = {
	{ MANAGER "Who", 0, who_params, who },
	{ MANAGER "Drain", 0, drain_params, drain },
	{},
};

static void write_file(const char *name, const char *format, ...) _printf_(2, 3);
static void write_file(const char *name, const char *format, ...)
{
	char path[256];
	va_list ap;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", sysfs, name);
	file = fopen(path, "we");
	assert_non_null(file);
	va_start(ap, format);
	vfprintf(file, format, ap);
	va_end(ap);
	assert_int_equal(fclose(file), 0);
}

static void make_dir(const char *format, ...) _printf_(1, 2);
static void make_dir(const char *format, ...)
{
	char name[128], command[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(name, sizeof(name), format, ap);
	va_end(ap);
	snprintf(command, sizeof(command), "mkdir -p %s/%s", sysfs, name);
	assert_int_equal(system(command), 0);
}

/* A block of this number; a state that begins with "/" is a file that cannot be written. */
static void make_block(unsigned int number, const char *state)
{
	char name[128], path[256];

	make_dir("devices/system/memory/memory%u", number);
	snprintf(name, sizeof(name), "devices/system/memory/memory%u/state", number);
	snprintf(path, sizeof(path), "%s/%s", sysfs, name);
	(void)unlink(path);
	if (*state == '/')
		assert_int_equal(symlink(state, path), 0);
	else
		write_file(name, "%s\n", state);
}

static void make_device(const char *name, const char *driver)
{
	char path[256];

	make_dir("bus/dax/devices/%s", name);
	snprintf(path, sizeof(path), "%s/bus/dax/devices/%s/driver", sysfs, name);
	if (driver)
		assert_int_equal(symlink(driver, path), 0);
}

/* dax0.0 has the blocks 32 to 34 as a whole, and 40; dax1.0 35 and 36, in the older way. */
static int setup(void **state)
{
	snprintf(sysfs, sizeof(sysfs), "/tmp/test-pinctl-dax-%d", (int)getpid());
	make_dir("devices/system/memory");
	write_file("devices/system/memory/block_size_bytes", "%llx\n", BLOCK);
	make_device("dax0.0", "../../../bus/dax/drivers/kmem");
	make_dir("bus/dax/devices/dax0.0/mapping0");
	make_dir("bus/dax/devices/dax0.0/mapping1");
	write_file("bus/dax/devices/dax0.0/mapping0/start", "0x%llx\n", 31 * BLOCK + 4096);
	write_file("bus/dax/devices/dax0.0/mapping0/end", "0x%llx\n", 35 * BLOCK + 4095);
	write_file("bus/dax/devices/dax0.0/mapping1/start", "0x%llx\n", 40 * BLOCK);
	write_file("bus/dax/devices/dax0.0/mapping1/end", "0x%llx\n", 41 * BLOCK - 1);
	make_device("dax1.0", "../../../bus/dax/drivers/kmem");
	write_file("bus/dax/devices/dax1.0/resource", "0x%llx\n", 35 * BLOCK);
	write_file("bus/dax/devices/dax1.0/size", "%llu\n", 2 * BLOCK);
	make_device("dax2.0", "../../../bus/dax/drivers/device_dax");
	make_device("dax3.0", NULL);
	make_device("dax4.0", "../../../bus/dax/drivers/kmem");
	write_file("bus/dax/devices/dax4.0/resource", "0x%llx\n", 31 * BLOCK + 1);
	write_file("bus/dax/devices/dax4.0/size", "%llu\n", BLOCK);
	return pinctl_start_server(methods);
}

static int teardown(void **state)
{
	char command[256];

	snprintf(command, sizeof(command), "rm -r %s", sysfs);
	return pinctl_stop_server(NULL) ?: system(command);
}

static void make_blocks(const char *last)
{
	for (unsigned int i = 31; i < 40; i++)
		make_block(i, "online");
	make_block(40, last);
}

static void expect_online(const char *device, const char *online, const char *offline)
{
	_cleanup_(dax_memory_done) struct dax_memory memory = {};
	char text[REMOVAL_TEXT_MAX], ranges[128];

	assert_int_equal(dax_memory_read(sysfs, device, &memory, text), 0);
	dax_memory_format(&memory, true, ranges, sizeof(ranges));
	assert_string_equal(ranges, online);
	dax_memory_format(&memory, false, ranges, sizeof(ranges));
	assert_string_equal(ranges, offline);
}

static void test_read(void **state)
{
	struct dax_memory memory = {};
	char text[REMOVAL_TEXT_MAX] = "";

	make_blocks("online");
	expect_online("dax0.0", "memory32-memory34, memory40", "");
	expect_online("dax1.0", "memory35-memory36", "");
	expect_online("dax4.0", "", "");
	make_block(33, "offline");
	expect_online("dax0.0", "memory32, memory34, memory40", "memory33");
	assert_int_equal(dax_memory_read(sysfs, "dax2.0", &memory, text), 1);
	assert_int_equal(dax_memory_read(sysfs, "dax3.0", &memory, text), 1);
	assert_string_equal(text, "");
	assert_int_equal(dax_memory_read(sysfs, "dax9.0", &memory, text), -ENOENT);
	assert_non_null(strstr(text, "no such DAX device"));
	write_file("bus/dax/devices/dax1.0/size", "x\n");
	assert_int_equal(dax_memory_read(sysfs, "dax1.0", &memory, text), -EBADMSG);
	write_file("bus/dax/devices/dax1.0/size", "%llu\n", 2 * BLOCK);
}

/* Many ranges are cut, and no more is written than there is room for. */
static void test_format(void **state)
{
	struct dax_block blocks[40];
	const struct dax_memory memory = { blocks, ARRAY_SIZE(blocks), ARRAY_SIZE(blocks) };
	char text[256];

	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
		blocks[i] = (struct dax_block){ 10 * i, true };
	dax_memory_format(&memory, true, text, sizeof(text));
	assert_string_equal(text, "memory0, memory10, memory20, memory30, memory40, memory50, "
				  "memory60, memory70, ...");
	for (size_t size = 1; size < 100; size++) {
		memset(text, 'x', sizeof(text));
		dax_memory_format(&memory, true, text, size);
		assert_true(strlen(text) < size);
	}
}

static void expect_may(const char *target, int error, const char *what)
{
	const struct removal removal = { REMOVAL_OFFLINE, target, sysfs };
	char text[REMOVAL_TEXT_MAX];

	assert_int_equal(removal_check(&removal, text), error);
	if (!strstr(text, what))
		fail_msg("%s: %s", target, text);
}

static void test_check(void **state)
{
	make_blocks("online");
	expect_may("dax0.0", 0, "");
	expect_may("dax2.0", -EINVAL, "not in use as system RAM; for this there is --disable");
	expect_may("dax3.0", -EINVAL, "not in use as system RAM");
	expect_may("dax4.0", -ENODEV, "no memory block");
	expect_may("dax9.0", -ENOENT, "no such DAX device");
	make_block(35, "offline");
	expect_may("dax1.0", 0, "");
	make_block(36, "offline");
	expect_may("dax1.0", 1, "");
}

static int run_child(const char *target, bool json)
{
	json_t *params = parse("{\"target\":\"dax0.0\",\"timeout_usec\":77}");
	const struct removal removal = { REMOVAL_OFFLINE, target, sysfs };
	const struct request request = { "Drain", params };
	struct pinctl ctl = {
		.json = json, .socket = getenv("PINGUARD_SOCKET"), .interrupt_fd = -1,
	};
	int fd, status;
	pid_t pid = pinctl_fork(&fd);

	if (pid == 0) {
		status = removal_prepare(&ctl, &removal);
		if (status < 0)
			status = removal_run_dax(&ctl, &removal, &request);
		fflush(stdout);
		varlink_client_free(ctl.client);
		if (ctl.interrupt_fd >= 0)
			close(ctl.interrupt_fd);
		_exit(status);
	}
	json_decref(params);
	return pinctl_finish(pid, fd);
}

static void test_run(void **state)
{
	make_blocks("online");
	assert_int_equal(run_child("dax0.0", false), STATUS_DONE);
	/* of the one block that was pinned, and of the end */
	assert_string_equal(output, "memory33: 4K released, in 1 pin.\n"
				    "dax0.0 is offline, in 4 memory blocks.\n");
	expect_online("dax0.0", "", "memory32-memory34, memory40");
	expect_online("dax1.0", "memory35-memory36", "");
	assert_int_equal(run_child("dax0.0", false), STATUS_DONE);
	assert_string_equal(output, "dax0.0 is offline already.\n");
	make_blocks("online");
	make_block(32, "offline");
	assert_int_equal(run_child("dax0.0", true), STATUS_DONE);
	assert_null(strstr(output, "\"memory32\""));
	assert_non_null(strstr(output, "{\"removal\":{\"target\":\"memory40\",\"action\":\"offline\","
				       "\"done\":true,\"errno\":null,\"busy\":null}}\n"
				       "{\"removal\":{\"target\":\"dax0.0\",\"action\":\"offline\","
				       "\"done\":true,\"errno\":null,\"blocks\":4,"
				       "\"blocks_online\":0}}\n"));
}

/* It stops at the first one that does not go, and says what is offline then. */
static void test_stops(void **state)
{
	make_blocks("/dev/full");
	assert_int_equal(run_child("dax0.0", false), STATUS_FAILED);
	assert_non_null(strstr(output, "memory40 cannot be taken offline: No space left on device"));
	assert_non_null(strstr(output, "dax0.0 is not offline: 1 of 4 memory blocks are online "
				       "still: memory40\n"));
	assert_non_null(strstr(output, "offline are memory32-memory34: nothing is undone; to have "
				       "them back: daxctl online-memory dax0.0\n"));
	expect_online("dax0.0", "memory40", "memory32-memory34");
	make_blocks("online");
	make_block(32, "/dev/full");
	assert_int_equal(run_child("dax0.0", true), STATUS_FAILED);
	assert_non_null(strstr(output, "\"done\":false,\"errno\":null,\"blocks\":4,"
				       "\"blocks_online\":4}}"));
	assert_null(strstr(output, "offline are"));
	expect_online("dax0.0", "memory32-memory34, memory40", "");
	/* one that is pinned and stays so is not tried */
	make_blocks("online");
	assert_int_equal(run_child("dax1.0", false), STATUS_FAILED);
	assert_non_null(strstr(output, "memory35 was not taken offline\n"));
	assert_non_null(strstr(output, "2 of 2 memory blocks are online still: "
				       "memory35-memory36\n"));
	expect_online("dax1.0", "memory35-memory36", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),  cmocka_unit_test(test_format),
		cmocka_unit_test(test_check), cmocka_unit_test(test_run),
		cmocka_unit_test(test_stops),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
