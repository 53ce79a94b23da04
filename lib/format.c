/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "lib/format.h"
#include "lib/macros.h"

char *format_size(char buf[static FORMAT_SIZE_LEN], uint64_t bytes)
{
	static const char suffixes[] = "BKMGTPE";
	uint64_t tenths;
	size_t i = 0;

	if (bytes == 0)
		return snprintf(buf, FORMAT_SIZE_LEN, "0"), buf;
	while (i + 1 < sizeof(suffixes) - 1 && bytes >> (10 * (i + 1)))
		i++;

	for (;; i++) {
		uint64_t unit = UINT64_C(1) << (10 * i);
		uint64_t rest = bytes % unit;

		/* rest * 10 would not fit for E */
		tenths = bytes / unit * 10 +
			 (i > 0 ? ((rest >> (10 * (i - 1))) * 10 + 512) / 1024 : 0);
		if (tenths < 10240 || i + 1 == sizeof(suffixes) - 1)
			break;
	}
	if (tenths % 10)
		snprintf(buf, FORMAT_SIZE_LEN, "%" PRIu64 ".%" PRIu64 "%c", tenths / 10,
			 tenths % 10, suffixes[i]);
	else
		snprintf(buf, FORMAT_SIZE_LEN, "%" PRIu64 "%c", tenths / 10, suffixes[i]);
	return buf;
}

char *format_span(char buf[static FORMAT_SIZE_LEN], uint64_t usec)
{
	static const struct {
		const char *name;
		uint64_t seconds;
	} units[] = { { "d", 86400 }, { "h", 3600 }, { "min", 60 }, { "s", 1 } };
	uint64_t seconds = usec / 1000000;
	size_t i = 0;

	while (i + 1 < ARRAY_SIZE(units) && seconds < units[i].seconds)
		i++;
	snprintf(buf, FORMAT_SIZE_LEN, "%" PRIu64 "%s", seconds / units[i].seconds, units[i].name);
	return buf;
}

char *format_time(char buf[static FORMAT_TIME_LEN], uint64_t usec)
{
	time_t seconds = (time_t)(usec / 1000000);
	struct tm tm;

	if (!localtime_r(&seconds, &tm) ||
	    strftime(buf, FORMAT_TIME_LEN, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		snprintf(buf, FORMAT_TIME_LEN, "@%" PRIu64, usec / 1000000);
	return buf;
}
