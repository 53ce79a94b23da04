/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/escape.h"
#include "lib/macros.h"

/* The length of the UTF-8 sequence at @bytes and its character; 0 where there is none. */
static size_t utf8_decode(const unsigned char *bytes, size_t size, uint32_t *ret_char)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length, i;
	uint32_t c;

	if (bytes[0] < 0x80) {
		*ret_char = bytes[0];
		return 1;
	}
	if (bytes[0] >= 0xc2 && bytes[0] <= 0xdf)
		length = 2;
	else if (bytes[0] >= 0xe0 && bytes[0] <= 0xef)
		length = 3;
	else if (bytes[0] >= 0xf0 && bytes[0] <= 0xf4)
		length = 4;
	else
		return 0;
	if (length > size)
		return 0;

	c = bytes[0] & (0xff >> (length + 1));
	for (i = 1; i < length; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (bytes[i] & 0x3f);
	}
	if (c < smallest[length] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret_char = c;
	return length;
}

/*
 * Characters that a terminal obeys or that reorder the text around them, and
 * those that are none: D-Bus refuses text that has them.
 */
static bool is_hostile(uint32_t c)
{
	if ((c >= 0xfdd0 && c <= 0xfdef) || (c & 0xfffe) == 0xfffe)
		return true;
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x061c || c == 0x200e || c == 0x200f ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

static char *escape_bytes(const void *bytes, size_t size, bool backslashes)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *in = bytes;
	char *text, *out;

	if (size > (SIZE_MAX - 1) / 4)
		return NULL;
	out = text = malloc(size * 4 + 1);
	if (!text)
		return NULL;

	while (size > 0) {
		uint32_t c = 0;
		size_t length = utf8_decode(in, size, &c), i;

		if (c == '\\' && backslashes)
			*out++ = '\\';
		if (length > 0 && !is_hostile(c)) {
			memcpy(out, in, length);
			out += length;
		} else {
			length = MAX(length, 1U);
			for (i = 0; i < length; i++) {
				*out++ = '\\';
				*out++ = 'x';
				*out++ = hex[in[i] >> 4];
				*out++ = hex[in[i] & 15];
			}
		}
		in += length;
		size -= length;
	}
	*out = '\0';
	return text;
}

char *escape(const void *bytes, size_t size)
{
	return escape_bytes(bytes, size, true);
}

char *escape_text(const char *text)
{
	return escape_bytes(text, strlen(text), false);
}

char *escape_string(const char *string)
{
	return escape(string, strlen(string));
}

char *escape_name(const char *name)
{
	_cleanup_(freep) char *text = escape_text(name);

	return text && strcmp(text, name) == 0 ? TAKE_PTR(text) : escape_string(name);
}

static int unhex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int unescape(const char *text, char **ret, size_t *ret_size)
{
	_cleanup_(freep) char *bytes = malloc(strlen(text) + 1);
	char *out = bytes;

	if (!bytes)
		return -ENOMEM;
	while (*text) {
		if (text[0] != '\\') {
			*out++ = *text++;
		} else if (text[1] == '\\') {
			*out++ = '\\';
			text += 2;
		} else {
			int high = text[1] == 'x' ? unhex(text[2]) : -1;
			int low = high >= 0 ? unhex(text[3]) : -1;

			if (low < 0)
				return -EINVAL;
			*out++ = (char)(high << 4 | low);
			text += 4;
		}
	}
	*out = '\0';
	if (ret_size)
		*ret_size = out - bytes;
	*ret = TAKE_PTR(bytes);
	return 0;
}
