/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ApplyQuotas, for a service that is about to start, and what ListQuotas tells of files. */
#include "tests/unit/manager/kernel-fixture.h"

#define APPLY MANAGER("ApplyQuotas")

static int setup(void **state)
{
	if (geteuid() != 0)
		return 0;
	assert_int_equal(kernel_setup(state), 0);
	put_cgroup("/s.slice", "pinned 0\n", "pinned max\n");
	put_cgroup("/s.slice/a.service", "pinned 0\n", "pinned max\n");
	put_cgroup("/s.slice/a.service/in", "pinned 0\n", "pinned max\n");
	put_cgroup("/s.slice/b.service", "pinned 0\n", "pinned max\n");
	return 0;
}

static void declare(struct manager *m, const char *text)
{
	struct declarations *d = declarations_new();
	const char *reason = "";
	unsigned int line;

	if (declarations_parse(d, text, "/etc/x.conf", 0, &line, &reason) < 0)
		fail_msg("%u: %s", line, reason);
	quotas_declare(cgroups_quotas(m->cgroups), d, true);
}

static void is_max(struct manager *m, const char *path, uint64_t wanted)
{
	_cleanup_(closep) int fd = cgroupfs_open(cgroups_fs(m->cgroups), path);
	struct cgroup_misc misc;

	assert_true(fd >= 0);
	assert_int_equal(cgroupfs_read_misc(NULL, fd, &misc), 0);
	if (misc.max_bytes != wanted)
		fail_msg("%s: %llu", path, (unsigned long long)misc.max_bytes);
}

static json_t *of(const char *cgroup)
{
	return json_pack("{s:s}", "cgroup", cgroup);
}

static void apply(struct manager *m, const char *cgroup)
{
	json_decref(ask(m, APPLY, of(cgroup)));
}

static void test_applied(void **state)
{
	struct manager *m = *state;

	if (geteuid() != 0)
		skip();
	apply(m, "/s.slice/a.service");
	is_max(m, "/s.slice/a.service", UINT64_MAX);
	declare(m, "[Match]\nUnit=a.service s.slice\n[Quota]\nMax=4096\n"
		   "[Match]\nUnit=b.service\n[Quota]\nMax=1\n");
	/* systemd may have put its first process below */
	apply(m, "/s.slice/a.service/in");
	is_max(m, "/s.slice", 4096);
	is_max(m, "/s.slice/a.service", 4096);
	is_max(m, "/s.slice/a.service/in", UINT64_MAX);
	is_max(m, "/s.slice/b.service", UINT64_MAX);
	/* by a unit's name, as everywhere; again; and beside what others have set */
	apply(m, "a.service");
	is_max(m, "/s.slice/a.service", 4096);
	put_cgroup("/s.slice/b.service", "pinned 0\n", "pinned 8192\n");
	apply(m, "b.service");
	is_max(m, "/s.slice/b.service", 8192);
}

/* What was set counts more, and is in force when this is answered. */
static void test_set(void **state)
{
	struct manager *m = *state;

	if (geteuid() != 0)
		skip();
	declare(m, "[Match]\nUnit=a.service\n[Quota]\nMax=4096\n");
	json_decref(ask(m, MANAGER("SetQuota"), json_pack("{s:s, s:i}", "cgroup", "/s.slice/a.service",
							  "max_bytes", 8192)));
	put_cgroup("/s.slice/a.service", "pinned 0\n", "pinned max\n");
	apply(m, "/s.slice/a.service");
	is_max(m, "/s.slice/a.service", 8192);
}

static void test_impossible(void **state)
{
	struct manager *m = *state;
	struct process user;

	if (geteuid() != 0)
		skip();
	declare(m, "[Match]\nUnit=t.service\n[Quota]\nMax=4096\n");
	ask_as(m, NULL, APPLY, of("/"), MANAGER("RootCgroup"));
	ask_as(m, NULL, APPLY, of("/s.slice/none"), MANAGER("NoSuchCgroup"));
	ask_as(m, NULL, APPLY, of("/../x"), MANAGER("InvalidCgroup"));
	ask_as(m, NULL, APPLY, json_object(), VARLINK_ERROR_INVALID_PARAMETER);
	tree_put("cgroup/s.slice/t.service/cgroup.type", "threaded\n");
	ask_as(m, NULL, APPLY, of("/s.slice/t.service"), MANAGER("QuotaNotPossible"));
	assert_true(process_start_as(&user, USER_UID));
	ask_as(m, &user, APPLY, of("/s.slice/a.service"), VARLINK_ERROR_PERMISSION_DENIED);
	process_end(&user);
	m->cgroups->misc = false;
	ask_as(m, NULL, APPLY, of("/s.slice/a.service"), MANAGER("NotSupported"));
}

static json_t *of_cgroup(json_t *list, const char *path)
{
	json_t *quota;
	size_t i;

	json_array_foreach(json_object_get(list, "quotas"), i, quota)
		if (strcmp(json_get_string(quota, "cgroup", ""), path) == 0)
			return quota;
	fail_msg("no %s", path);
	return NULL;
}

/* Where each value is from; with all also what no cgroup has. */
static void test_list(void **state)
{
	_cleanup_json_ json_t *list = NULL, *all = NULL;
	struct manager *m = *state;
	json_t *source, *unmatched;

	if (geteuid() != 0)
		skip();
	declare(m, "[Match]\nUnit=a.service\n[Quota]\nMax=4096\nHigh=1024\n"
		   "[Match]\nUnit=x.service y-*.service\n[Quota]\nPolicy=deny\n");
	apply(m, "/s.slice/a.service");
	list = ask(m, MANAGER("ListQuotas"), NULL);
	assert_true(json_is_null(json_object_get(list, "unmatched")));
	source = json_object_get(of_cgroup(list, "/s.slice/a.service"), "source");
	assert_string_equal(json_get_string(source, "file", ""), "/etc/x.conf");
	assert_int_equal(json_get_int(source, "line", 0), 1);
	assert_int_equal(json_get_int(source, "max_line", 0), 4);
	assert_int_equal(json_get_int(source, "high_line", 0), 5);
	assert_true(json_is_null(json_object_get(source, "policy_line")));

	all = ask(m, MANAGER("ListQuotas"), json_pack("{s:b}", "all", 1));
	unmatched = json_object_get(all, "unmatched");
	assert_int_equal(json_array_size(unmatched), 1);
	unmatched = json_array_get(unmatched, 0);
	assert_string_equal(json_get_string(unmatched, "policy", ""), "deny");
	assert_int_equal(json_array_size(json_object_get(unmatched, "match")), 2);
	assert_int_equal(json_get_int(json_object_get(unmatched, "source"), "line", 0), 6);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, kernel_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_applied), TEST(test_set), TEST(test_impossible), TEST(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
