/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include <jansson.h>

#include "lib/escape.h"

static void check(const char *bytes, size_t size, const char *expected)
{
	_cleanup_(freep) char *text = escape(bytes, size), *back = NULL;
	json_t *json;
	size_t back_size;

	assert_non_null(text);
	assert_string_equal(text, expected);
	json = json_string(text);
	assert_non_null(json);
	json_decref(json);
	assert_int_equal(unescape(text, &back, &back_size), 0);
	assert_int_equal(back_size, size);
	assert_memory_equal(back, bytes, size);
}

#define CHECK(bytes, expected) check(bytes, sizeof(bytes) - 1, expected)

static void test_plain(void **state)
{
	CHECK("", "");
	CHECK("ib_write_bw", "ib_write_bw");
	CHECK("/a b/\"c\".slice", "/a b/\"c\".slice");
	CHECK("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7", "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7");
	CHECK("\xf4\x8f\xbf\xbd", "\xf4\x8f\xbf\xbd");
}

/* They are no characters, and D-Bus takes no text with them. */
static void test_noncharacters(void **state)
{
	CHECK("\xef\xbf\xbe\xef\xbf\xbf", "\\xef\\xbf\\xbe\\xef\\xbf\\xbf"); /* U+FFFE, FFFF */
	CHECK("\xef\xbf\xbd", "\xef\xbf\xbd");
	CHECK("\xef\xb7\x90\xef\xb7\xaf", "\\xef\\xb7\\x90\\xef\\xb7\\xaf"); /* U+FDD0, FDEF */
	CHECK("\xef\xb7\x8f\xef\xb7\xb0", "\xef\xb7\x8f\xef\xb7\xb0");
	CHECK("\xf0\x9f\xbf\xbe", "\\xf0\\x9f\\xbf\\xbe"); /* U+1FFFE */
	CHECK("\xf4\x8f\xbf\xbf", "\\xf4\\x8f\\xbf\\xbf"); /* U+10FFFF */
}

static void test_backslash(void **state)
{
	CHECK("dev\\x2dsda", "dev\\\\x2dsda");
	CHECK("\\", "\\\\");
	CHECK("\\\x01", "\\\\\\x01");
}

static void test_controls(void **state)
{
	CHECK("a\033[31mb", "a\\x1b[31mb");
	CHECK("\n\r\t\x7f", "\\x0a\\x0d\\x09\\x7f");
	CHECK("a\0b", "a\\x00b");
	/* C1 as characters: a terminal may take U+009B for ESC [ */
	CHECK("\xc2\x80\xc2\x9b\xc2\x9f", "\\xc2\\x80\\xc2\\x9b\\xc2\\x9f");
	CHECK("\xc2\xa0", "\xc2\xa0");
	CHECK("\xe2\x80\xaa\xe2\x80\xae", "\\xe2\\x80\\xaa\\xe2\\x80\\xae");
	CHECK("\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xaa", "\\xe2\\x81\\xa6\\xe2\\x81\\xa9\xe2\x81\xaa");
	CHECK("\xe2\x80\x8e", "\\xe2\\x80\\x8e");
}

static void test_not_utf8(void **state)
{
	CHECK("\xff\xfe", "\\xff\\xfe");
	CHECK("\x9b", "\\x9b");
	CHECK("\xc0\xaf", "\\xc0\\xaf");		 /* overlong */
	CHECK("\xe0\x80\xaf", "\\xe0\\x80\\xaf");	 /* overlong */
	CHECK("\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf"); /* overlong */
	CHECK("\xed\xa0\x80", "\\xed\\xa0\\x80");	 /* surrogate */
	CHECK("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"); /* past U+10FFFF */
	CHECK("\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80");
	CHECK("a\xe2\x82", "a\\xe2\\x82"); /* cut off, as in a comm of 15 bytes */
	CHECK("\xe2\x82z", "\\xe2\\x82z");
}

static void check_name(const char *name, const char *expected)
{
	_cleanup_(freep) char *text = escape_name(name);

	assert_non_null(text);
	assert_string_equal(text, expected);
}

/* Names as systemd has them stay so; those that cannot are as all others. */
static void test_name(void **state)
{
	check_name("", "");
	check_name("/machine.slice/qemu\\x2d1.scope", "/machine.slice/qemu\\x2d1.scope");
	check_name("/gr\xc3\xbc\xc3\x9f\\", "/gr\xc3\xbc\xc3\x9f\\");
	check_name("/a\\x1b", "/a\\x1b");
	check_name("/a\x1b", "/a\\x1b");
	check_name("/a\\x2d\xff", "/a\\\\x2d\\xff");
	check_name("/a\\x2d\n", "/a\\\\x2d\\x0a");
}

static void test_unescape(void **state)
{
	static const char *const wrong[] = { "\\", "a\\", "\\x", "\\x1", "\\xg0", "\\n", "\\X41" };
	_cleanup_(freep) char *text = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(unescape(wrong[i], &text, NULL), -EINVAL);
	assert_null(text);
	assert_int_equal(unescape("\\x4A\\x4a", &text, NULL), 0);
	assert_string_equal(text, "JJ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),	 cmocka_unit_test(test_backslash),
		cmocka_unit_test(test_controls), cmocka_unit_test(test_not_utf8),
		cmocka_unit_test(test_name),
		cmocka_unit_test(test_unescape), cmocka_unit_test(test_noncharacters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
