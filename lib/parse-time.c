/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "lib/macros.h"
#include "lib/parse.h"

#define USEC_PER_SEC UINT64_C(1000000)

static const char no_time[] =
	"it is no time such as \"2025-01-31 14:00\", \"14:00\", \"today\", \"-10min\" or \"@SECONDS\"";

static uint64_t unit_seconds(const char *name, size_t length)
{
	static const struct {
		const char *name;
		uint64_t seconds;
	} units[] = {
		{ "s", 1 },	  { "sec", 1 },	    { "second", 1 },  { "seconds", 1 },
		{ "m", 60 },	  { "min", 60 },    { "minute", 60 }, { "minutes", 60 },
		{ "h", 3600 },	  { "hour", 3600 }, { "hours", 3600 }, { "d", 86400 },
		{ "day", 86400 }, { "days", 86400 }, { "w", 604800 }, { "week", 604800 },
		{ "weeks", 604800 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (strlen(units[i].name) == length && !strncmp(units[i].name, name, length))
			return units[i].seconds;
	return 0;
}

/* "1h 30min": one or more numbers with units; the text may go on after a space. */
static int take_span(const char **text, uint64_t *ret_seconds)
{
	const char *p = *text;
	uint64_t total = 0;

	while (*p >= '0' && *p <= '9') {
		uint64_t value = 0, seconds, part;
		size_t length;

		for (; *p >= '0' && *p <= '9'; p++)
			if (__builtin_mul_overflow(value, 10, &value) ||
			    __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
				return -ERANGE;
		p += strspn(p, " ");
		length = strspn(p, "abcdefghijklmnopqrstuvwxyz");
		seconds = unit_seconds(p, length);
		if (seconds == 0)
			return -EINVAL;
		if (__builtin_mul_overflow(value, seconds, &part) ||
		    __builtin_add_overflow(total, part, &total))
			return -ERANGE;
		p += length;
		p += strspn(p, " ");
	}
	if (p == *text)
		return -EINVAL;
	*text = p;
	*ret_seconds = total;
	return 0;
}

static int parse_relative(const char *text, uint64_t now_usec, uint64_t *ret_usec)
{
	bool minus = *text == '-';
	uint64_t seconds;
	int r;

	text += minus;
	r = take_span(&text, &seconds);
	if (r < 0)
		return r;
	if (strcmp(text, minus ? "" : "ago") != 0)
		return -EINVAL;
	if (seconds > now_usec / USEC_PER_SEC)
		return -ERANGE;
	*ret_usec = now_usec - seconds * USEC_PER_SEC;
	return 0;
}

/* Two digits; strtol() would take signs and spaces. */
static bool take_digits(const char **text, unsigned int n, int *ret)
{
	int value = 0;

	for (unsigned int i = 0; i < n; i++) {
		char c = (*text)[i];

		if (c < '0' || c > '9')
			return false;
		value = value * 10 + (c - '0');
	}
	*text += n;
	*ret = value;
	return true;
}

static bool take_char(const char **text, char c)
{
	if (**text != c)
		return false;
	(*text)++;
	return true;
}

static bool take_date(const char **text, struct tm *tm)
{
	const char *p = *text;
	int year, month, day;

	if (!take_digits(&p, 4, &year) || !take_char(&p, '-') || !take_digits(&p, 2, &month) ||
	    !take_char(&p, '-') || !take_digits(&p, 2, &day))
		return false;
	tm->tm_year = year - 1900;
	tm->tm_mon = month - 1;
	tm->tm_mday = day;
	*text = p;
	return true;
}

static bool take_clock(const char **text, struct tm *tm)
{
	const char *p = *text;
	int hour, minute, second = 0;

	if (!take_digits(&p, 2, &hour) || !take_char(&p, ':') || !take_digits(&p, 2, &minute))
		return false;
	if (take_char(&p, ':') && !take_digits(&p, 2, &second))
		return false;
	if (hour > 23 || minute > 59 || second > 59)
		return false;
	tm->tm_hour = hour;
	tm->tm_min = minute;
	tm->tm_sec = second;
	*text = p;
	return true;
}

static int parse_calendar(const char *text, uint64_t now_usec, uint64_t *ret_usec)
{
	time_t seconds = (time_t)(now_usec / USEC_PER_SEC);
	struct tm tm, wanted;
	bool dated = true;

	if (!localtime_r(&seconds, &tm))
		return -ERANGE;
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_isdst = -1;
	if (!strcmp(text, "today")) {
		text += strlen("today");
	} else if (!strcmp(text, "yesterday")) {
		text += strlen("yesterday");
		tm.tm_mday--;
		dated = false;
	} else if (take_date(&text, &tm)) {
		if (*text && (!(take_char(&text, ' ') || take_char(&text, 'T')) ||
			      !take_clock(&text, &tm)))
			return -EINVAL;
	} else if (!take_clock(&text, &tm)) {
		return -EINVAL;
	}
	if (*text)
		return -EINVAL;

	wanted = tm;
	seconds = mktime(&tm);
	/* mktime() makes a 2nd of March of a 30th of February */
	if (dated && (tm.tm_mday != wanted.tm_mday || tm.tm_mon != wanted.tm_mon))
		return -EINVAL;
	if (seconds < 0)
		return -ERANGE;
	*ret_usec = (uint64_t)seconds * USEC_PER_SEC;
	return 0;
}

static int parse_epoch(const char *text, uint64_t *ret_usec)
{
	uint64_t seconds = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		seconds = seconds * 10 + (uint64_t)(*text - '0');
		if (seconds > INT64_MAX / USEC_PER_SEC)
			return -ERANGE;
	}
	*ret_usec = seconds * USEC_PER_SEC;
	return 0;
}

int parse_time(const char *text, uint64_t now_usec, uint64_t *ret_usec, const char **ret_reason)
{
	uint64_t usec = now_usec;
	const char *reason;
	int r;

	if (!strcmp(text, "now"))
		r = 0;
	else if (*text == '@')
		r = parse_epoch(text + 1, &usec);
	else {
		r = parse_calendar(text, now_usec, &usec);
		if (r == -EINVAL)
			r = parse_relative(text, now_usec, &usec);
	}
	if (r < 0) {
		reason = !*text		? "it is empty" :
			 r == -ERANGE	? "it is before 1970 or too far ahead" :
					  no_time;
		if (ret_reason)
			*ret_reason = reason;
		return r;
	}
	*ret_usec = usec;
	return 0;
}

int parse_span(const char *text, uint64_t *ret_usec, const char **ret_reason)
{
	const char *reason, *p = text;
	uint64_t seconds, usec = 0;
	int r;

	r = parse_epoch(text, &usec);
	if (r == -EINVAL) {
		r = take_span(&p, &seconds);
		if (r == 0 && *p)
			r = -EINVAL;
		if (r == 0 && (__builtin_mul_overflow(seconds, USEC_PER_SEC, &usec) ||
			       usec > INT64_MAX))
			r = -ERANGE;
	}
	if (r < 0) {
		reason = !*text		? "it is empty" :
			 r == -ERANGE	? "it is too long" :
			 *text == '-'	? "it is negative" :
					  "it is no span such as 90, 30s, 5min or \"1min 30s\"";
		if (ret_reason)
			*ret_reason = reason;
		return r;
	}
	*ret_usec = usec;
	return 0;
}
