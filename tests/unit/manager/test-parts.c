/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the service does with a kernel that has a part of the patches. */
#include <stdio.h>

#include "tests/unit/kernel/genl-fixture.h"
#include "tests/unit/manager/owner-fixture.h"

#include "daemon/kernel/genl.h"

#define LISTS (PINGUARD_FEATURE_RDMA | PINGUARD_FEATURE_VFIO)

static int nothing(void *userdata)
{
	return 0;
}

static void test_source(void **state)
{
	static const struct source_listener listener = { .begin = nothing };
	static const struct {
		bool there;
		uint64_t features;
		int error;
		const char *reason;
	} cases[] = {
		{ false, 0, -ENOENT, "kernel has no pinguard support" },
		{ true, 0, -ENOENT, "does not tell of them" },
		{ true, LISTS, -ENOENT, "kernel limits and lists pins, but does not tell of them" },
		{ true, LISTS | PINGUARD_FEATURE_EVENTS, 0, NULL },
		{ true, LISTS | PINGUARD_FEATURE_EVENTS | PINGUARD_FEATURE_POLICY, 0, NULL },
		{ true, UINT64_MAX, 0, NULL },
	};
	const struct genl_config config = { .listener = &listener };
	sd_event *event;

	assert_int_equal(sd_event_new(&event), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(genl_freep) struct genl *genl = NULL;
		_cleanup_(freep) char *reason = NULL;

		fake_kernel_there = cases[i].there;
		fake_kernel.features = cases[i].features;
		assert_int_equal(genl_new(event, &config, &genl, &reason), cases[i].error);
		assert_int_equal(!genl, cases[i].error != 0);
		assert_int_equal(!reason, !cases[i].reason);
		if (reason && !strstr(reason, cases[i].reason))
			fail_msg("case %zu: %s", i, reason);
		if (genl)
			assert_true(genl_features(genl) == cases[i].features);
	}
	sd_event_unref(event);
}

static struct manager *make_manager(uint64_t features)
{
	const struct manager_config config = {
		.proc = "/proc",
		.sys = "/sys",
		.config_file = "/nonexistent",
	};
	struct manager *m;

	fake_kernel_there = true;
	fake_kernel.features = features;
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
					       ""), "does not tell of them"));
}

/* It starts all the same, says so, and refuses what would need the kernel. */
static void test_service(void **state)
{
	_cleanup_(manager_freep) struct manager *m = make_manager(LISTS);
	_cleanup_json_ json_t *status = NULL;
	_cleanup_(freep) char *line = NULL;
	const struct support support = manager_support(m);
	const json_t *kernel;
	struct process p;
	struct client c;

	assert_null(source_genl(m->source));
	assert_true(source_observes(m->source));
	line = support_status_line(&support, 0, 0, 0);
	assert_non_null(strstr(line, "observe mode: kernel limits and lists pins"));

	process_start(&p);
	client_open(m, &c, &p);
	client_send(&c, MANAGER("GetStatus"), false, NULL);
	status = client_reply(m, &c, MANAGER("GetStatus"), false);
	kernel = json_object_get(status, "kernel");
	assert_string_equal(json_get_string(kernel, "support", ""), "stock");
	assert_int_equal(json_array_size(json_object_get(kernel, "features")), 0);
	assert_non_null(strstr(json_get_string(kernel, "reason", ""), "does not tell of them"));
	check_refused(m, &c, MANAGER("Release"), json_pack("{s:s}", "kind", "rdma"));
	if (geteuid() == 0) {
		check_refused(m, &c, MANAGER("Drain"), json_pack("{s:s}", "target", "0x0-0xfff"));
		check_refused(m, &c, MANAGER("Who"), json_pack("{s:s}", "target", "0x0"));
	}
	client_close(m, &c);
	process_end(&p);
}

/* The same with events: no observing, and it says what is there. */
static void test_known(void **state)
{
	_cleanup_(manager_freep) struct manager *m = make_manager(LISTS | PINGUARD_FEATURE_EVENTS);
	_cleanup_json_ json_t *features = NULL;

	assert_non_null(source_genl(m->source));
	assert_false(source_observes(m->source));
	assert_null(source_reason(m->source));
	features = render_features(source_features(m->source));
	assert_int_equal(json_array_size(features), 3);
	assert_string_equal(json_string_value(json_array_get(features, 2)), "events");
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
