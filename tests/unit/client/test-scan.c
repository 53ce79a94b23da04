/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include "client/base/scan.h"

static struct scan scan;
static char buf[4096];

static void read_from(const char *text)
{
	assert_true(strlen(text) < sizeof(buf));
	strcpy(buf, text);
	scan = (struct scan){ buf, buf + strlen(buf) };
}

static void is_string(const char *text, const char *wanted)
{
	struct scan_value value;

	read_from(text);
	assert_int_equal(scan_value(&scan, &value), 0);
	assert_int_equal(value.type, SCAN_STRING);
	assert_int_equal(value.size, strlen(wanted));
	assert_memory_equal(value.text, wanted, value.size);
	assert_int_equal(scan_end(&scan), 0);
}

static void is_integer(const char *text, int64_t wanted)
{
	struct scan_value value;

	read_from(text);
	assert_int_equal(scan_value(&scan, &value), 0);
	assert_int_equal(value.type, SCAN_INTEGER);
	assert_int_equal(value.integer, wanted);
	assert_int_equal(scan_end(&scan), 0);
}

static void is_of(const char *text, enum scan_type type)
{
	struct scan_value value;

	read_from(text);
	assert_int_equal(scan_value(&scan, &value), 0);
	assert_int_equal(value.type, type);
	assert_int_equal(scan_end(&scan), 0);
	/* and what is passed over is the same */
	read_from(text);
	assert_int_equal(scan_skip(&scan), 0);
	assert_string_equal(buf, text);
	assert_int_equal(scan_end(&scan), 0);
}

static void is_bad(const char *text)
{
	struct scan_value value;

	read_from(text);
	if (scan_value(&scan, &value) == 0 && scan_end(&scan) == 0)
		fail_msg("taken: %s", text);
}

static void test_strings(void **state)
{
	is_string("\"\"", "");
	is_string("  \"abc\"\n", "abc");
	is_string("\"a\\\"b\\\\c\\/\\b\\f\\n\\r\\t\"", "a\"b\\c/\b\f\n\r\t");
	is_string("\"\\u0041\\u00e9\\u20ac\\ud83d\\ude00z\"", "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z");
	is_string("\"\xc3\xa9\"", "\xc3\xa9");
	is_bad("\"");
	is_bad("\"abc");
	is_bad("\"a\\");
	is_bad("\"a\\x41\"");
	is_bad("\"\\u12\"");
	is_bad("\"\\u12g4\"");
	is_bad("\"\\u0000\"");
	is_bad("\"\\ud800\"");
	is_bad("\"\\ud800\\u0041\"");
	is_bad("\"\\udc00\"");
	is_bad("\"a\nb\"");
	is_bad("\"a\\\nb\"");
}

static void test_numbers(void **state)
{
	is_integer("0", 0);
	is_integer("-1", -1);
	is_integer("9223372036854775807", INT64_MAX);
	is_integer("-9223372036854775808", INT64_MIN);
	is_of("9223372036854775808", SCAN_OTHER);
	is_of("-9223372036854775809", SCAN_OTHER);
	is_of("1.5", SCAN_OTHER);
	is_of("1e5", SCAN_OTHER);
	is_bad("-");
	is_bad("1x");
	is_bad("");
}

static void test_others(void **state)
{
	is_of("null", SCAN_NULL);
	is_of(" true ", SCAN_TRUE);
	is_of("false", SCAN_FALSE);
	is_of("{}", SCAN_OTHER);
	is_of("[1,[2,{\"a\":\"\\\"]\"}],null]", SCAN_OTHER);
	is_bad("nul");
	is_bad("[1,]");
	is_bad("[1 2]");
	is_bad("[,1]");
	is_bad("{\"a\"}");
	is_bad("{\"a\":}");
	is_bad("{\"a\":1,}");
	is_bad("{1:1}");
	is_bad("[1");
	is_bad("{\"a\":1");
	is_bad("[}");
}

/* At the limit, the step before it and the step past it. */
static void test_depth(void **state)
{
	char text[2 * SCAN_DEPTH_MAX + 3] = {};

	for (int depth = SCAN_DEPTH_MAX - 1; depth <= SCAN_DEPTH_MAX + 1; depth++) {
		memset(text, '[', (size_t)depth);
		memset(text + depth, ']', (size_t)depth);
		text[2 * depth] = '\0';
		if (depth <= SCAN_DEPTH_MAX)
			is_of(text, SCAN_OTHER);
		else
			is_bad(text);
	}
}

static void test_members(void **state)
{
	struct scan_value name, value;

	read_from(" { \"a\" : 1 , \"b\\n\":[\"x\"] } ");
	assert_int_equal(scan_enter(&scan, '['), -EBADMSG);
	assert_int_equal(scan_enter(&scan, '{'), 0);
	assert_int_equal(scan_member(&scan, true, &name), 1);
	assert_memory_equal(name.text, "a", name.size);
	assert_int_equal(scan_value(&scan, &value), 0);
	assert_int_equal(value.integer, 1);
	assert_int_equal(scan_member(&scan, false, &name), 1);
	assert_memory_equal(name.text, "b\n", name.size);
	assert_int_equal(scan_enter(&scan, '['), 0);
	assert_int_equal(scan_element(&scan, true), 1);
	assert_int_equal(scan_value(&scan, &value), 0);
	assert_int_equal(scan_element(&scan, false), 0);
	assert_int_equal(scan_member(&scan, false, &name), 0);
	assert_int_equal(scan_end(&scan), 0);

	read_from("{\"a\":1 \"b\":2}");
	assert_int_equal(scan_enter(&scan, '{'), 0);
	assert_int_equal(scan_member(&scan, true, &name), 1);
	assert_int_equal(scan_value(&scan, &value), 0);
	assert_int_equal(scan_member(&scan, false, &name), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
