/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking memory blocks offline in a made-up sysfs. */
#include "tests/unit/client/pinctl-fixture.h"

#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/base/call.h"
#include "client/base/exit.h"
#include "client/base/pinctl.h"
#include "client/parts/remove.h"
#include "client/parts/user.h"
#include "lib/varlink.h"

static char sysfs[64], blocks[128];

static int who(struct call *call, json_t *params, void *userdata)
{
	if (strcmp(json_get_string(params, "target", ""), "0x8000000-0xfffffff") != 0)
		return call_error(call, MANAGER "NoSuchTarget", json_pack("{ss}", "target", "?"));
	return call_reply(
		call,
		parse("{\"target\":\"x\",\"ranges\":[],\"inexact\":[],"
		      "\"busy\":[{\"class\":\"slab\",\"bytes\":12582912},"
		      "{\"class\":\"hugetlb\",\"bytes\":2097152},"
		      "{\"class\":\"page_tables\",\"bytes\":3145728},"
		      "{\"class\":\"kernel\",\"bytes\":524288}],\"pins\":["
		      "{\"id\":\"0x1\",\"pid\":7,\"comm\":\"mr\",\"cgroup\":\"/a\",\"bytes\":4096},"
		      "{\"id\":\"0x2\",\"pid\":8,\"comm\":\"qemu\",\"cgroup\":\"/b\",\"bytes\":8192},"
		      "{\"id\":\"0x3\",\"pid\":7,\"comm\":\"mr\",\"cgroup\":\"/a\",\"bytes\":4096}]}"));
}

static const struct method_param params[] = {
	{ "target", PARAM_STRING, true }, { "busy", PARAM_BOOL }, {}
};
static const struct method methods[] = { { MANAGER "Who", 0, params, who }, {} };

static void make_block(const char *name, const char *state)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", blocks, name);
	assert_int_equal(mkdir(path, 0700), 0);
	strcat(path, "/state");
	if (!state) {
		assert_int_equal(mkfifo(path, 0600), 0);
		return;
	}
	/* what cannot be written */
	if (*state == '/') {
		assert_int_equal(symlink(state, path), 0);
		return;
	}
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(state, file);
	fclose(file);
}

static void read_state(const char *name, char state[static 32])
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s/state", blocks, name);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_non_null(fgets(state, 32, file));
	fclose(file);
}

static int setup(void **state)
{
	char command[256];

	snprintf(sysfs, sizeof(sysfs), "/tmp/test-pinctl-remove-%d", (int)getpid());
	snprintf(blocks, sizeof(blocks), "%s/devices/system/memory", sysfs);
	snprintf(command, sizeof(command), "mkdir -p %s", blocks);
	if (system(command) != 0)
		return -1;
	make_block("memory1", "online\n");
	make_block("memory2", "offline\n");
	make_block("memory3", "/dev/full");
	make_block("memory8", NULL);
	return pinctl_start_server(methods);
}

static int teardown(void **state)
{
	char command[256];

	snprintf(command, sizeof(command), "rm -r %s", sysfs);
	return pinctl_stop_server(NULL) ?: system(command);
}

static void test_names(void **state)
{
	static const struct {
		enum removal_action action;
		const char *target;
		int status;
	} cases[] = {
		{ REMOVAL_NONE, "rxe0", -1 },
		{ REMOVAL_OFFLINE, "memory0", -1 },
		{ REMOVAL_OFFLINE, "memory", STATUS_USAGE },
		{ REMOVAL_OFFLINE, "memory1x", STATUS_USAGE },
		{ REMOVAL_OFFLINE, "memory1.1", STATUS_USAGE },
		{ REMOVAL_OFFLINE, "memory1/../memory2", STATUS_USAGE },
		{ REMOVAL_OFFLINE, "dax0.0", -1 },
		{ REMOVAL_OFFLINE, "dax0", STATUS_USAGE },
		{ REMOVAL_OFFLINE, "namespace0.0", STATUS_USAGE },
		{ REMOVAL_DISABLE, "dax0.0", -1 },
		{ REMOVAL_DISABLE, "dax0", STATUS_USAGE },
		{ REMOVAL_DISABLE, "dax0.", STATUS_USAGE },
		{ REMOVAL_DISABLE, "dax.0", STATUS_USAGE },
		{ REMOVAL_DISABLE, "namespace1.12", -1 },
		{ REMOVAL_DISABLE, "region3", -1 },
		{ REMOVAL_DISABLE, "region3.1", STATUS_USAGE },
		{ REMOVAL_DISABLE, "memory1", STATUS_USAGE },
		{ REMOVAL_DISABLE, "", STATUS_USAGE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct removal removal = { cases[i].action, cases[i].target, sysfs };

		if (removal_check_name(&removal) != cases[i].status)
			fail_msg("%s: not %d", cases[i].target, cases[i].status);
	}
}

static void test_block(void **state)
{
	struct removal removal = { REMOVAL_OFFLINE, "memory1", sysfs };
	char text[REMOVAL_TEXT_MAX], is[32];

	assert_int_equal(removal_check(&removal, text), 0);
	read_state("memory1", is);
	assert_string_equal(is, "online\n");
	assert_int_equal(removal_perform(&removal, text), 0);
	read_state("memory1", is);
	assert_string_equal(is, "offline");
	assert_int_equal(removal_check(&removal, text), 1);
	removal.target = "memory2";
	assert_int_equal(removal_check(&removal, text), 1);
	removal.target = "memory3";
	assert_int_equal(removal_perform(&removal, text), -ENOSPC);
	removal.target = "memory4";
	assert_int_equal(removal_check(&removal, text), -ENOENT);
	assert_non_null(strstr(text, "no such memory block"));
	assert_int_equal(removal_perform(&removal, text), -ENOENT);
}

/* What a child of ours prints; its exit status. */
static int run_child(const char *target, bool json)
{
	json_t *ranges = parse("[{\"first\":\"0x8000000\",\"last\":\"0xfffffff\"}]");
	struct removal removal = { REMOVAL_OFFLINE, target, sysfs };
	struct pinctl ctl = {
		.json = json, .socket = getenv("PINGUARD_SOCKET"), .interrupt_fd = -1,
	};
	int fd, status;
	pid_t pid = pinctl_fork(&fd);

	if (pid == 0) {
		status = removal_prepare(&ctl, &removal);
		if (status < 0)
			status = removal_run(&ctl, &removal, ranges);
		fflush(stdout);
		varlink_client_free(ctl.client);
		_exit(status);
	}
	json_decref(ranges);
	return pinctl_finish(pid, fd);
}

static void test_run(void **state)
{
	make_block("memory5", "online\n");
	assert_int_equal(run_child("memory5", false), STATUS_DONE);
	assert_string_equal(output, "memory5 is offline.\n");
	assert_int_equal(run_child("memory5", false), STATUS_DONE);
	assert_string_equal(output, "memory5 is offline already.\n");
	assert_int_equal(run_child("memory5", true), STATUS_DONE);
	assert_string_equal(output, "{\"removal\":{\"target\":\"memory5\",\"action\":\"offline\","
				    "\"done\":true,\"errno\":null,\"busy\":null}}\n");
	assert_int_equal(run_child("memory6", false), STATUS_NOT_FOUND);
	assert_non_null(strstr(output, "there is no such memory block"));
}

/* What the kernel refuses is told, and who is in the way. */
static void test_refused(void **state)
{
	make_block("memory7", "/dev/full");
	assert_int_equal(run_child("memory7", false), STATUS_FAILED);
	assert_non_null(strstr(output, "memory7 cannot be taken offline: No space left on device"));
	assert_non_null(strstr(output, "still pinned: 8K in 2 pins of mr[7] in /a\n"));
	assert_non_null(strstr(output, "still pinned: 8K in 1 pin of qemu[8] in /b\n"));
	assert_non_null(strstr(output, "in memory7 is more that is in the way: not movable: 12M "
				       "slab, 3M page tables, 512K other kernel memory; may not "
				       "move: 2M hugetlb\n"));
	assert_int_equal(run_child("memory7", true), STATUS_FAILED);
	assert_non_null(strstr(output, "\"done\":false,\"errno\":28,\"busy\":[{\"class\":\"slab\","
				       "\"bytes\":12582912},"));
}

/* reply NULL: none; before NULL: the same as the reply */
static int check_in_child(const char *reply, const char *before, bool force)
{
	json_t *json = reply ? parse(reply) : NULL;
	json_t *first = before ? parse(before) : json_incref(json);
	int fd, status;
	pid_t pid = pinctl_fork(&fd);

	if (pid == 0)
		_exit(check_users("dax0.0", "disabled", json, first, force) + 1);
	json_decref(json);
	json_decref(first);
	status = pinctl_finish(pid, fd);
	return status - 1;
}

/* Who uses a device without a pin is named, and it is not taken away from them unasked. */
static void test_users(void **state)
{
	static const char mapped[] =
		"{\"pins\":[{\"id\":\"0x1\",\"pid\":7}],\"users\":["
		"{\"pid\":7,\"comm\":\"mr\",\"cgroup\":\"/a\",\"how\":\"mapped\"},"
		"{\"pid\":12,\"comm\":\"redis\",\"cgroup\":null,\"how\":\"open\"},"
		"{\"pid\":1,\"comm\":\"init\",\"cgroup\":\"/\",\"how\":\"mounted\","
		"\"path\":\"/mnt\"}],\"users_unknown\":null}";
	static const char pinning[] =
		"{\"pins\":[{\"id\":\"0x1\",\"pid\":7}],\"users\":["
		"{\"pid\":7,\"comm\":\"mr\",\"cgroup\":\"/a\",\"how\":\"mapped\"}]}";
	static const char let_go[] = "{\"pins\":[],\"users\":["
		"{\"pid\":7,\"comm\":\"mr\",\"cgroup\":\"/a\",\"how\":\"mapped\"}]}";
	static const char unknown[] =
		"{\"pins\":[],\"users\":[],\"users_unknown\":\"3 were hidden\"}";
	char many[8192] = "{\"users\":[{\"pid\":1}";

	assert_int_equal(check_in_child(mapped, NULL, false), STATUS_FAILED);
	assert_non_null(strstr(output, "in use: redis[12] in - has it open\n"));
	assert_non_null(strstr(output, "in use: mounted at /mnt, as init[1] sees it\n"));
	assert_non_null(strstr(output, "dax0.0 is in use and was not disabled; "));
	assert_null(strstr(output, "mr[7]"));
	assert_int_equal(check_in_child(mapped, NULL, true), -1);
	assert_non_null(strstr(output, "redis[12]"));
	assert_null(strstr(output, "was not"));
	assert_int_equal(check_in_child(mapped, mapped, true), -1);
	assert_string_equal(output, "");
	/* It is asked to let go of its pins, and may keep the mapping. */
	assert_int_equal(check_in_child(pinning, NULL, false), -1);
	assert_int_equal(check_in_child(let_go, pinning, false), -1);
	assert_string_equal(output, "");
	/* One that comes while owners are asked. */
	assert_int_equal(check_in_child(mapped, pinning, false), STATUS_FAILED);
	assert_int_equal(check_in_child(let_go, let_go, false), STATUS_FAILED);
	assert_non_null(strstr(output, "in use: mr[7] in /a has it mapped\n"));
	/* One that may be there counts as one that is. */
	assert_int_equal(check_in_child(unknown, NULL, false), STATUS_FAILED);
	assert_non_null(strstr(output, "whether others use dax0.0 is not known: 3 were hidden"));
	assert_non_null(strstr(output, "dax0.0 was not disabled: it may be in use; "));
	assert_int_equal(check_in_child(unknown, NULL, true), -1);
	assert_non_null(strstr(output, "whether others use dax0.0 is not known: 3 were hidden"));
	assert_null(strstr(output, "was not"));
	/* in the end, too: since the beginning, without an answer, and where it was forced */
	assert_int_equal(check_in_child(unknown, let_go, false), STATUS_FAILED);
	assert_int_equal(check_in_child(NULL, let_go, false), STATUS_FAILED);
	assert_non_null(strstr(output, "whether others use dax0.0 is not known: the service did "
				       "not say"));
	assert_int_equal(check_in_child(NULL, let_go, true), -1);
	assert_int_equal(check_in_child(unknown, let_go, true), -1);
	assert_string_equal(output, "");
	/* of a service that does not look, and for what has no files */
	assert_int_equal(check_in_child("{\"pins\":[]}", NULL, false), -1);
	assert_string_equal(output, "");
	for (int i = 2; i <= 12; i++)
		snprintf(many + strlen(many), sizeof(many) - strlen(many), ",{\"pid\":%d}", i);
	strcat(many, "]}");
	assert_int_equal(check_in_child(many, NULL, false), STATUS_FAILED);
	assert_non_null(strstr(output, "?[10]"));
	assert_null(strstr(output, "?[11]"));
	assert_non_null(strstr(output, "and 2 more; see pinctl who"));
}

/* In a child: a removal that waits, since opening a fifo waits for a reader. */
static _Noreturn void wait_for_reader(void)
{
	json_t *ranges = parse("[{\"first\":\"0x8000000\",\"last\":\"0xfffffff\"}]");
	struct removal removal = { REMOVAL_OFFLINE, "memory8", sysfs };
	struct pinctl ctl = { .socket = getenv("PINGUARD_SOCKET"), .interrupt_fd = -1 };
	int status;

	if (watch_interrupt(&ctl) >= 0)
		_exit(99);
	status = removal_run(&ctl, &removal, ranges);
	json_decref(ranges);
	varlink_client_free(ctl.client);
	close(ctl.interrupt_fd);
	_exit(status);
}

/* Who a removal waits for is told, and Ctrl-C gives up what can be given up. */
static void test_interrupt(void **state)
{
	int fd;
	pid_t pid = pinctl_fork(&fd);

	if (pid == 0)
		wait_for_reader();
	assert_true(pinctl_read_until(fd, "qemu[8]"));
	assert_non_null(strstr(output, "waiting for the kernel, which gives up memory8 once nothing uses it"));
	kill(pid, SIGINT);
	assert_int_equal(pinctl_finish(pid, fd), STATUS_FAILED);
	assert_non_null(strstr(output, "given up: memory8 was not taken offline"));
}

/* On a terminal one line says so, and is drawn over; Ctrl-C is typed there. */
static void test_terminal(void **state)
{
	struct winsize size = { .ws_row = 24, .ws_col = 60 };
	int fd;
	pid_t pid = forkpty(&fd, NULL, NULL, &size);

	if (pid == 0) {
		setenv("TERM", "xterm", 1);
		wait_for_reader();
	}
	if (pid < 0)
		skip();
	*output = '\0';
	assert_true(pinctl_read_until(fd, "\033[1A\033[J"));
	assert_non_null(strstr(output, "memory8: waiting for the kernel, 2s: 2 processes, 8K in "));
	assert_int_equal(write(fd, "\003", 1), 1);
	if (!pinctl_read_until(fd, "given up: memory8 was not taken offline"))
		fail_msg("not given up: %s", output);
	pinctl_check_width(60);
	assert_int_equal(pinctl_finish(pid, fd), STATUS_FAILED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),	cmocka_unit_test(test_block),
		cmocka_unit_test(test_run),	cmocka_unit_test(test_refused),
		cmocka_unit_test(test_users),
		cmocka_unit_test(test_interrupt), cmocka_unit_test(test_terminal),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
