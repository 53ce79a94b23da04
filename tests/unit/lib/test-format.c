/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <time.h>

#include "lib/format.h"
#include "lib/json.h"
#include "lib/parse.h"

static void test_size(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 1, "1B" },
		{ 1023, "1023B" },
		{ 1024, "1K" },
		{ 1536, "1.5K" },
		{ 8388608, "8M" },
		{ 8388609, "8M" },
		{ 1048575, "1M" },
		{ 1023 * 1024, "1023K" },
		{ 1023 * 1024 + 970, "1023.9K" },
		{ UINT64_C(1610612736), "1.5G" },
		{ UINT64_C(1) << 40, "1T" },
		{ INT64_MAX, "8E" },
		{ UINT64_MAX, "16E" },
	};
	char buf[FORMAT_SIZE_LEN];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(format_size(buf, cases[i].bytes), cases[i].text);
}

/* What is printed is read back, within the rounding. */
static void test_size_parses(void **state)
{
	char buf[FORMAT_SIZE_LEN];

	for (uint64_t bytes = 1; bytes < INT64_MAX / 3; bytes = bytes * 2 + bytes / 3) {
		uint64_t back, unit = 1;
		int r = parse_size(format_size(buf, bytes), 0, &back, NULL);

		if (r == -EINVAL)
			continue; /* a tenth that is no whole number of bytes */
		assert_int_equal(r, 0);
		while (bytes / unit >= 1024)
			unit *= 1024;
		assert_true((back > bytes ? back - bytes : bytes - back) <= unit / 10);
	}
}

static void test_span(void **state)
{
	static const struct {
		uint64_t seconds;
		const char *text;
	} cases[] = {
		{ 0, "0s" },	 { 59, "59s" },	  { 60, "1min" },   { 3599, "59min" },
		{ 3600, "1h" }, { 86399, "23h" }, { 86400, "1d" }, { 8640000, "100d" },
	};
	char buf[FORMAT_SIZE_LEN];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(format_span(buf, cases[i].seconds * 1000000), cases[i].text);
	assert_string_equal(format_span(buf, UINT64_MAX), "213503982d");
}

static void test_time(void **state)
{
	char buf[FORMAT_TIME_LEN];

	assert_string_equal(format_time(buf, UINT64_C(1738330215999999)), "2025-01-31 13:30:15");
	assert_true(strlen(format_time(buf, UINT64_MAX)) > 0);
}

static void test_json(void **state)
{
	_cleanup_json_ json_t *hex = json_hex(UINT64_MAX), *escaped = json_escaped("a\033\0", 3);
	_cleanup_json_ json_t *max = json_bytes(UINT64_MAX), *large = json_bytes(UINT64_MAX - 1);
	_cleanup_json_ json_t *object = json_pack("{si ss sb sn}", "i", 7, "s", "x", "b", 1, "n");

	assert_string_equal(json_string_value(hex), "0xffffffffffffffff");
	assert_string_equal(json_string_value(escaped), "a\\x1b\\x00");
	assert_true(json_is_null(max));
	assert_true(json_integer_value(large) == INT64_MAX);
	assert_int_equal(json_get_int(object, "i", 1), 7);
	assert_int_equal(json_get_int(object, "s", 1), 1);
	assert_string_equal(json_get_string(object, "s", ""), "x");
	assert_null(json_get_string(object, "n", NULL));
	assert_true(json_get_bool(object, "b", false));
	assert_true(json_get_bool(object, "absent", true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_size), cmocka_unit_test(test_size_parses),
		cmocka_unit_test(test_span), cmocka_unit_test(test_time),
		cmocka_unit_test(test_json),
	};

	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
