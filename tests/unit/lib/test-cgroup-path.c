/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include "lib/cgroup-path.h"

static void test_names(void **state)
{
	static const struct {
		const char *name;
		enum cgroup_name_type type;
		const char *result;
	} cases[] = {
		{ "/", CGROUP_NAME_PATH, "/" },
		{ "//", CGROUP_NAME_PATH, "/" },
		{ "/sys/fs/cgroup", CGROUP_NAME_PATH, "/" },
		{ "/sys/fs/cgroup/", CGROUP_NAME_PATH, "/" },
		{ "-.slice", CGROUP_NAME_PATH, "/" },
		{ "/system.slice/foo.service", CGROUP_NAME_PATH, "/system.slice/foo.service" },
		{ "/sys/fs/cgroup/system.slice", CGROUP_NAME_PATH, "/system.slice" },
		{ "/sys/fs/cgroups", CGROUP_NAME_PATH, "/sys/fs/cgroups" },
		{ "//a///b//", CGROUP_NAME_PATH, "/a/b" },
		{ "/a/..b/...", CGROUP_NAME_PATH, "/a/..b/..." },
		{ "/dev\\x2dsda", CGROUP_NAME_PATH, "/dev\\x2dsda" },
		{ "/bytes\xff", CGROUP_NAME_PATH, "/bytes\xff" },
		{ "foo.service", CGROUP_NAME_UNIT, "foo.service" },
		{ "foo", CGROUP_NAME_UNIT, "foo.service" },
		{ "user@1000", CGROUP_NAME_UNIT, "user@1000.service" },
		{ "init.scope", CGROUP_NAME_UNIT, "init.scope" },
		{ "a.b", CGROUP_NAME_UNIT, "a.b.service" },
		{ "system.slice", CGROUP_NAME_PATH, "/system.slice" },
		{ "a-b.slice", CGROUP_NAME_PATH, "/a.slice/a-b.slice" },
		{ "a-b-c.slice", CGROUP_NAME_PATH, "/a.slice/a-b.slice/a-b-c.slice" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(freep) char *result = NULL;
		enum cgroup_name_type type;

		assert_int_equal(cgroup_name_parse(cases[i].name, &type, &result, NULL), 0);
		assert_string_equal(result, cases[i].result);
		assert_int_equal(type, cases[i].type);
	}
}

static void check_wrong(const char *name, const char *part)
{
	enum cgroup_name_type type = 42;
	const char *reason = NULL;
	char *result = NULL;

	assert_int_equal(cgroup_name_parse(name, &type, &result, &reason), -EINVAL);
	assert_null(result);
	assert_int_equal(type, 42);
	assert_non_null(reason);
	assert_non_null(strstr(reason, part));
	assert_int_equal(cgroup_name_parse(name, &type, &result, NULL), -EINVAL);
}

static void test_wrong(void **state)
{
	char text[5000];

	check_wrong("", "empty");
	check_wrong("/..", "\"..\"");
	check_wrong("/a/../b", "\"..\"");
	check_wrong("/a/.", "\".\"");
	check_wrong("/sys/fs/cgroup/../../etc", "\"..\"");
	check_wrong("..", "no name");
	check_wrong("a/b", "must begin");
	check_wrong("../a", "must begin");
	check_wrong("/a\nb", "newline");
	check_wrong("a\nb", "newline");
	check_wrong("--.slice", "slice");
	check_wrong("a--b.slice", "slice");
	check_wrong("a-.slice", "slice");
	check_wrong("-a.slice", "slice");

	memset(text, 'a', sizeof(text));
	text[0] = '/';
	text[4096] = '\0';
	check_wrong(text, "4095");
	text[257] = '\0';
	check_wrong(text, "255");
	check_wrong(text + 1, "255");
}

static void test_longest(void **state)
{
	_cleanup_(freep) char *path = NULL, *slice = NULL;
	enum cgroup_name_type type;
	char text[300] = "/";

	memset(text + 1, 'a', 255);
	assert_int_equal(cgroup_name_parse(text, &type, &path, NULL), 0);
	assert_string_equal(path, text);

	/* a-a-a-...: the path of the deepest slice would be too long for the kernel */
	for (size_t i = 0; i < 249; i++)
		text[i] = i % 2 ? '-' : 'a';
	strcpy(text + 249, ".slice");
	check_wrong(text, "its path");
	strcpy(text + 49, ".slice");
	assert_int_equal(cgroup_name_parse(text, &type, &slice, NULL), 0);
	assert_true(strlen(slice) > 500);
}

static void test_is_in(void **state)
{
	assert_true(cgroup_path_is_in("/a/b", "/a/b"));
	assert_true(cgroup_path_is_in("/a/b", "/a"));
	assert_true(cgroup_path_is_in("/a/b", "/"));
	assert_true(cgroup_path_is_in("/", "/"));
	assert_false(cgroup_path_is_in("/a/bc", "/a/b"));
	assert_false(cgroup_path_is_in("/a", "/a/b"));
	assert_false(cgroup_path_is_in("/", "/a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_is_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
