/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the service does with a kernel whose ABI it does not know. */
#include <stdio.h>

#include "tests/unit/kernel/genl-fixture.h"
#include "tests/unit/manager/owner-fixture.h"

#include "daemon/kernel/genl.h"

static int nothing(void *userdata)
{
	return 0;
}

static void test_source(void **state)
{
	static const struct source_listener listener = { .begin = nothing };
	static const struct {
		bool there;
		uint32_t abi;
		int error;
		const char *reason;
	} cases[] = {
		{ false, 0, -ENOENT, "kernel has no pinguard support" },
		{ true, PINGUARD_ABI, 0, NULL },
		{ true, 0, -EPROTO, "ABI 0" },
		{ true, PINGUARD_ABI + 1, -EPROTO, "ABI" },
		{ true, UINT32_MAX, -EPROTO, "kernel has pinguard ABI 4294967295" },
	};
	const struct genl_config config = { .listener = &listener };
	sd_event *event;

	assert_int_equal(sd_event_new(&event), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(genl_freep) struct genl *genl = NULL;
		_cleanup_(freep) char *reason = NULL;
		char known[64];

		fake_kernel_there = cases[i].there;
		fake_kernel.abi = cases[i].abi;
		assert_int_equal(genl_new(event, &config, &genl, &reason), cases[i].error);
		assert_int_equal(!genl, cases[i].error != 0);
		assert_int_equal(!reason, !cases[i].reason);
		if (reason && !strstr(reason, cases[i].reason))
			fail_msg("case %zu: %s", i, reason);
		snprintf(known, sizeof(known), "this service knows %d", PINGUARD_ABI);
		if (cases[i].error == -EPROTO && !strstr(reason, known))
			fail_msg("case %zu: %s", i, reason);
	}
	sd_event_unref(event);
}

static struct manager *make_manager(uint32_t abi)
{
	const struct manager_config config = {
		.proc = "/proc",
		.sys = "/sys",
		.config_file = "/nonexistent",
	};
	struct manager *m;

	fake_kernel_there = true;
	fake_kernel.abi = abi;
	assert_int_equal(manager_new(&config, &m), 0);
	return m;
}

static void check_refused(struct manager *m, struct client *c, const char *method, json_t *params)
{
	_cleanup_json_ json_t *message = NULL;

	client_send(c, method, false, params);
	message = client_read(m, c);
	assert_string_equal(json_get_string(message, "error", "(none)"), MANAGER("NotSupported"));
	assert_non_null(strstr(json_get_string(json_object_get(message, "parameters"), "reason",
					       ""), "kernel has pinguard ABI 99"));
}

/* It starts all the same, says so, and refuses what would need the kernel. */
static void test_service(void **state)
{
	_cleanup_(manager_freep) struct manager *m = make_manager(99);
	_cleanup_json_ json_t *status = NULL;
	_cleanup_(freep) char *line = NULL;
	const struct support support = manager_support(m);
	const json_t *kernel;
	struct process p;
	struct client c;

	assert_null(source_genl(m->source));
	assert_true(source_observes(m->source));
	line = support_status_line(&support, 0, 0, 0);
	assert_non_null(strstr(line, "observe mode: kernel has pinguard ABI 99, this service knows"));

	process_start(&p);
	client_open(m, &c, &p);
	client_send(&c, MANAGER("GetStatus"), false, NULL);
	status = client_reply(m, &c, MANAGER("GetStatus"), false);
	kernel = json_object_get(status, "kernel");
	assert_string_equal(json_get_string(kernel, "support", ""), "stock");
	assert_int_equal(json_get_int(kernel, "abi", -1), 0);
	assert_non_null(strstr(json_get_string(kernel, "reason", ""), "kernel has pinguard ABI 99"));
	check_refused(m, &c, MANAGER("Release"), json_pack("{s:s}", "kind", "rdma"));
	if (geteuid() == 0) {
		check_refused(m, &c, MANAGER("Drain"), json_pack("{s:s}", "target", "0x0-0xfff"));
		check_refused(m, &c, MANAGER("Who"), json_pack("{s:s}", "target", "0x0"));
	}
	client_close(m, &c);
	process_end(&p);
}

/* The same with the ABI that it knows: no observing. */
static void test_known(void **state)
{
	_cleanup_(manager_freep) struct manager *m = make_manager(PINGUARD_ABI);

	assert_non_null(source_genl(m->source));
	assert_false(source_observes(m->source));
	assert_null(source_reason(m->source));
	assert_int_equal(source_abi(m->source), PINGUARD_ABI);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_source),
		cmocka_unit_test(test_service),
		cmocka_unit_test(test_known),
	};

	setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
