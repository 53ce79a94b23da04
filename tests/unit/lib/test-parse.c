/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <time.h>

#include "lib/parse.h"

#define K UINT64_C(1024)

static void test_size(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} cases[] = {
		{ "0", 0 },
		{ "1", 1 },
		{ "512B", 512 },
		{ "8M", 8 * K * K },
		{ "8m", 8 * K * K },
		{ "8MB", 8 * K * K },
		{ "8MiB", 8 * K * K },
		{ "1.5G", 3 * K * K * K / 2 },
		{ "1.50G", 3 * K * K * K / 2 },
		{ "0.5K", 512 },
		{ "1.000", 1 },
		{ "2.0009765625K", 2 * K + 1 },
		{ "1T", K * K * K * K },
		{ "1P", K * K * K * K * K },
		{ "7E", 7 * K * K * K * K * K * K },
		{ "7.5E", 15 * (K * K * K * K * K * K / 2) },
		{ "9223372036854775807", INT64_MAX },
		{ "0000000000000000000000001", 1 },
		{ "8Gi", 8 * K * K * K },
		{ "8192Mi", 8 * K * K * K },
		{ "8GiB", 8 * K * K * K },
		{ "max", PARSE_SIZE_MAX },
		{ "infinity", PARSE_SIZE_MAX },
		{ "unlimited", PARSE_SIZE_MAX },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t bytes = 42;

		assert_int_equal(parse_size(cases[i].text, 0, &bytes, NULL), 0);
		assert_true(bytes == cases[i].bytes);
	}
}

static void test_share(void **state)
{
	static const struct {
		const char *text;
		uint64_t all_bytes, bytes;
		int error;
	} cases[] = {
		{ "0%", 1000, 0, 0 },
		{ "50%", 16 * K * K * K, 8 * K * K * K, 0 },
		{ "100%", INT64_MAX, INT64_MAX, 0 },
		{ "33.3%", 1000, 333, 0 },
		{ "33.3%", 1001, 333, 0 }, /* and 333 thousandths */
		{ "99.999999999999999999%", INT64_MAX, INT64_MAX - 1, 0 },
		{ "100.1%", 1000, 42, ERANGE },
		{ "101%", 1000, 42, ERANGE },
		{ "9223372036854775807%", INT64_MAX, 42, ERANGE },
		{ "-5%", 1000, 42, ERANGE },
		{ "50%%", 1000, 42, EINVAL },
		{ "50K%", 1000, 42, EINVAL },
		{ "50 %", 1000, 42, EINVAL },
		{ "%", 1000, 42, EINVAL },
		/* and the rest is as without */
		{ "8K", 1000, 8 * K, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *reason = NULL;
		uint64_t bytes = 42;

		assert_int_equal(parse_size(cases[i].text, cases[i].all_bytes, &bytes, &reason),
				 -cases[i].error);
		assert_int_equal(bytes, cases[i].bytes);
		assert_int_equal(!reason, !cases[i].error);
	}
}

static void test_size_errors(void **state)
{
	static const struct {
		const char *text;
		int error;
		const char *reason; /* part of it */
	} cases[] = {
		{ "", EINVAL, "empty" },
		{ "-1", ERANGE, "negative; max or infinity is no limit" },
		{ "-1G", ERANGE, "negative" },
		{ "-", EINVAL, "no number" },
		{ "+1", EINVAL, "no number" },
		{ " 1", EINVAL, "no number" },
		{ "G", EINVAL, "no number" },
		{ ".5G", EINVAL, "no number" },
		{ "MAX", EINVAL, "no number" },
		{ "maximum", EINVAL, "no number" },
		{ "inf", EINVAL, "no number" },
		{ "1.", EINVAL, "missing after its point" },
		{ "1.G", EINVAL, "missing after its point" },
		{ "1X", EINVAL, "suffix is none" },
		{ "1 G", EINVAL, "suffix is none" },
		{ "1e3", EINVAL, "after its suffix" }, /* 1E, no power of ten */
		{ "0x10", EINVAL, "suffix is none" },
		{ "1,5G", EINVAL, "suffix is none" },
		{ "1Gx", EINVAL, "after its suffix" },
		{ "1GiBB", EINVAL, "after its suffix" },
		{ "1GiBi", EINVAL, "after its suffix" },
		{ "1i", EINVAL, "suffix is none" },
		{ "50%", EINVAL, "suffix is none" },
		{ "1K1", EINVAL, "after its suffix" },
		{ "1.5", EINVAL, "whole number" },
		{ "1.3K", EINVAL, "whole number" },
		{ "1.0000000000000000001K", EINVAL, "too many decimals" },
		{ "9223372036854775808", ERANGE, "larger" },
		{ "99999999999999999999999", ERANGE, "larger" },
		{ "8E", ERANGE, "larger" },
		{ "8388608T", ERANGE, "larger" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *reason = NULL;
		uint64_t bytes = 42;

		assert_int_equal(parse_size(cases[i].text, 0, &bytes, &reason), -cases[i].error);
		assert_non_null(reason);
		assert_non_null(strstr(reason, cases[i].reason));
		assert_true(bytes == 42);
		assert_int_equal(parse_size(cases[i].text, 0, &bytes, NULL), -cases[i].error);
	}
}

static void test_id(void **state)
{
	static const char *const wrong[] = { "", "1f", "0x", "x1", "0xg", "0x1 ", "0x-1", "-0x1" };
	const char *reason;
	uint64_t id;

	assert_int_equal(parse_id("0x1f", &id, NULL), 0);
	assert_true(id == 0x1f);
	assert_int_equal(parse_id("0XFFFFffffFFFFffff", &id, NULL), 0);
	assert_true(id == UINT64_MAX);
	assert_int_equal(parse_id("0x00000000000000000000001", &id, NULL), 0);
	assert_true(id == 1);
	assert_int_equal(parse_id("0x10000000000000000", &id, &reason), -ERANGE);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(parse_id(wrong[i], &id, &reason), -EINVAL);
}

static void test_pid(void **state)
{
	static const char *const wrong[] = { "", "x", "1x", "-1", " 1", "1.0", "self" };
	const char *reason;
	pid_t pid;

	assert_int_equal(parse_pid("1", &pid, NULL), 0);
	assert_int_equal(pid, 1);
	assert_int_equal(parse_pid("2147483647", &pid, NULL), 0);
	assert_int_equal(pid, INT32_MAX);
	assert_int_equal(parse_pid("2147483648", &pid, &reason), -ERANGE);
	assert_int_equal(parse_pid("0", &pid, &reason), -ERANGE);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(parse_pid(wrong[i], &pid, &reason), -EINVAL);
}

#define SEC UINT64_C(1000000)

/* 2025-01-31 14:30:15 in Berlin */
#define NOW (UINT64_C(1738330215) * SEC)

static void test_time(void **state)
{
	static const struct {
		const char *text;
		uint64_t seconds;
	} cases[] = {
		{ "now", 1738330215 },
		{ "@0", 0 },
		{ "@1738330215", 1738330215 },
		{ "today", 1738330215 - (14 * 3600 + 30 * 60 + 15) },
		{ "yesterday", 1738330215 - (14 * 3600 + 30 * 60 + 15) - 86400 },
		{ "14:30", 1738330200 },
		{ "14:30:15", 1738330215 },
		{ "2025-01-31", 1738330215 - (14 * 3600 + 30 * 60 + 15) },
		{ "2025-01-31 14:30", 1738330200 },
		{ "2025-01-31T14:30:15", 1738330215 },
		{ "2024-07-01 00:00:00", 1719784800 }, /* in summer time */
		{ "2024-02-29", 1709161200 },
		{ "-10min", 1738330215 - 600 },
		{ "10min ago", 1738330215 - 600 },
		{ "10 minutes ago", 1738330215 - 600 },
		{ "-1h 30min", 1738330215 - 5400 },
		{ "-1h30m", 1738330215 - 5400 },
		{ "2d ago", 1738330215 - 2 * 86400 },
		{ "-1w", 1738330215 - 7 * 86400 },
		{ "-0s", 1738330215 },
	};
	uint64_t usec;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(parse_time(cases[i].text, NOW, &usec, NULL), 0);
		assert_true(usec == cases[i].seconds * SEC);
	}
}

static void test_time_errors(void **state)
{
	static const char *const wrong[] = {
		"",	      "soon",		  "10min",	      "-10",	  "-10xyz",
		"@",	      "@-1",		  "@1.5",	      "25:00",	  "14:60",
		"14",	      "2025-02-29",	  "2025-13-01",	      "2025-1-1", "2025-01-31x",
		"2025-01-31 ", "2025-01-31 14:30x", "-10min ago later", "ago",	  "- 10min",
		"14:30:61",   "2025-00-10",	  "today 14:00",
	};
	static const char *const beyond[] = { "-100000w", "-99999999999999999999h", "1960-01-01",
					      "@99999999999999999", "-18446744073709551615w" };
	const char *reason;
	uint64_t usec = 42;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		reason = NULL;
		assert_int_equal(parse_time(wrong[i], NOW, &usec, &reason), -EINVAL);
		assert_non_null(reason);
	}
	for (size_t i = 0; i < ARRAY_SIZE(beyond); i++)
		assert_int_equal(parse_time(beyond[i], NOW, &usec, &reason), -ERANGE);
	assert_true(usec == 42);
}

static void test_span(void **state)
{
	static const struct {
		const char *text;
		uint64_t seconds;
	} cases[] = { { "0", 0 },	     { "90", 90 },	  { "30s", 30 },
		      { "1min 30s", 90 }, { "1h30min", 5400 }, { "2 days", 172800 } };
	static const char *const wrong[] = { "", "-1", "1x", "s", "1min 30", "1.5s", " 1", "30s ago" };
	static const char *const beyond[] = { "99999999999999999999", "9999999999999999w",
					      "9223372036855s" };
	const char *reason;
	uint64_t usec;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(parse_span(cases[i].text, &usec, NULL), 0);
		assert_int_equal(usec, cases[i].seconds * 1000000);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		reason = NULL;
		assert_int_equal(parse_span(wrong[i], &usec, &reason), -EINVAL);
		assert_non_null(reason);
	}
	for (size_t i = 0; i < ARRAY_SIZE(beyond); i++)
		assert_int_equal(parse_span(beyond[i], &usec, NULL), -ERANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_size), cmocka_unit_test(test_size_errors),
		cmocka_unit_test(test_share),
		cmocka_unit_test(test_id),   cmocka_unit_test(test_pid),
		cmocka_unit_test(test_time), cmocka_unit_test(test_time_errors),
		cmocka_unit_test(test_span),
	};

	/* spelt out, so that no time zone data is needed */
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
