/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "lib/macros.h"
#include "lib/parse.h"

static int fail(int error, const char *reason, const char **ret_reason)
{
	if (ret_reason)
		*ret_reason = reason;
	return -error;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A decimal number; -ERANGE where it is over @max, -EINVAL where there is none. */
static int take_decimal(const char **text, uint64_t max, uint64_t *ret)
{
	const char *p = *text;
	uint64_t value = 0;

	if (!is_digit(*p))
		return -EINVAL;
	for (; is_digit(*p); p++) {
		unsigned int digit = *p - '0';

		if (value > (max - digit) / 10)
			return -ERANGE;
		value = value * 10 + digit;
	}
	*text = p;
	*ret = value;
	return 0;
}

/* The digits after a decimal point, as *ret_value / 10^*ret_digits. */
static int take_fraction(const char **text, uint64_t *ret_value, unsigned int *ret_digits)
{
	const char *p = *text, *end;
	uint64_t value = 0;

	if (!is_digit(*p))
		return -EINVAL;
	while (is_digit(*p))
		p++;
	for (end = p; end > *text && end[-1] == '0'; end--)
		;
	/* 18 digits fit; more name no byte that anyone means */
	if (end - *text > 18)
		return -ERANGE;
	*ret_digits = end - *text;
	while (*text < end)
		value = value * 10 + (unsigned int)(*(*text)++ - '0');
	*text = p;
	*ret_value = value;
	return 0;
}

/* A suffix as the power of two that it stands for; -EINVAL for what is none. */
static int take_suffix(const char **text)
{
	static const char letters[] = "KMGTPE";
	const char *p = *text, *letter;
	int shift = 0;

	if (*p) {
		letter = strchr(letters, *p & ~0x20);
		if (letter && *letter) {
			shift = 10 * (int)(letter - letters + 1);
			p++;
			if (*p == 'i')
				p++;
		}
		if (*p == 'B')
			p++;
		if (p == *text)
			return -EINVAL;
	}
	*text = p;
	return shift;
}

/* (whole + fraction / scale) percent of all that there is. */
static int take_share(uint64_t whole, uint64_t fraction, uint64_t scale, uint64_t all_bytes,
		      uint64_t *ret_bytes, const char **ret_reason)
{
	unsigned __int128 bytes;

	if (whole > 100 || (whole == 100 && fraction > 0))
		return fail(ERANGE, "it is more than all of the memory, 100%", ret_reason);
	/* below 2^63 * 10^20 / 10^2, which fits, whatever the decimals */
	bytes = (unsigned __int128)all_bytes * whole;
	bytes += (unsigned __int128)all_bytes * fraction / scale;
	*ret_bytes = (uint64_t)(bytes / 100);
	return 0;
}

static bool is_no_limit(const char *text)
{
	return !strcmp(text, "max") || !strcmp(text, "infinity") || !strcmp(text, "unlimited");
}

int parse_size(const char *text, uint64_t all_bytes, uint64_t *ret_bytes, const char **ret_reason)
{
	static const char too_large[] = "it is larger than the largest size, 8E less one byte";
	uint64_t whole, fraction = 0, scale = 1;
	unsigned int digits = 0;
	unsigned __int128 bytes;
	bool percent;
	int r, shift;

	if (!*text)
		return fail(EINVAL, "it is empty", ret_reason);
	if (is_no_limit(text)) {
		*ret_bytes = PARSE_SIZE_MAX;
		return 0;
	}
	if (text[0] == '-' && is_digit(text[1]))
		return fail(ERANGE, "it is negative; max or infinity is no limit", ret_reason);
	r = take_decimal(&text, INT64_MAX, &whole);
	if (r == -ERANGE)
		return fail(ERANGE, too_large, ret_reason);
	if (r < 0)
		return fail(EINVAL, "it is no number", ret_reason);
	if (*text == '.') {
		text++;
		r = take_fraction(&text, &fraction, &digits);
		if (r == -ERANGE)
			return fail(EINVAL, "it has too many decimals", ret_reason);
		if (r < 0)
			return fail(EINVAL, "digits are missing after its point", ret_reason);
	}
	percent = all_bytes > 0 && *text == '%';
	text += percent;
	shift = percent ? 0 : take_suffix(&text);
	if (shift < 0)
		return fail(EINVAL, all_bytes > 0 ? "its suffix is none of K, M, G, T, P, E and %" :
						    "its suffix is none of K, M, G, T, P and E",
			    ret_reason);
	if (*text)
		return fail(EINVAL, "there is text after its suffix", ret_reason);

	while (digits-- > 0)
		scale *= 10;
	if (percent)
		return take_share(whole, fraction, scale, all_bytes, ret_bytes, ret_reason);
	bytes = (unsigned __int128)fraction << shift;
	if (bytes % scale)
		return fail(EINVAL, "it is no whole number of bytes", ret_reason);
	bytes = bytes / scale + ((unsigned __int128)whole << shift);
	if (bytes > INT64_MAX)
		return fail(ERANGE, too_large, ret_reason);
	*ret_bytes = (uint64_t)bytes;
	return 0;
}

int parse_id(const char *text, uint64_t *ret_id, const char **ret_reason)
{
	uint64_t id = 0;
	size_t i;

	if (text[0] != '0' || (text[1] != 'x' && text[1] != 'X') || !text[2])
		return fail(EINVAL, "it is not of the form 0x1f", ret_reason);
	for (text += 2, i = 0; text[i]; i++) {
		char c = text[i] >= 'A' && text[i] <= 'F' ? text[i] | 0x20 : text[i];

		if (!is_digit(c) && (c < 'a' || c > 'f'))
			return fail(EINVAL, "it is not of the form 0x1f", ret_reason);
		if (id >> 60)
			return fail(ERANGE, "it has more than 64 bits", ret_reason);
		id = id << 4 | (unsigned int)(is_digit(c) ? c - '0' : c - 'a' + 10);
	}
	*ret_id = id;
	return 0;
}

int parse_pid(const char *text, pid_t *ret_pid, const char **ret_reason)
{
	uint64_t value;
	int r = take_decimal(&text, INT32_MAX, &value);

	if (r == -EINVAL || (r == 0 && *text))
		return fail(EINVAL, "it is no process number", ret_reason);
	if (r < 0 || value == 0)
		return fail(ERANGE, "no process can have this number", ret_reason);
	*ret_pid = (pid_t)value;
	return 0;
}
