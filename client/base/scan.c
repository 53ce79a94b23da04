/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "client/base/scan.h"
#include "lib/macros.h"

static void skip_space(struct scan *s)
{
	while (s->at < s->end &&
	       (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r'))
		s->at++;
}

/* Whether this character comes next, which is taken then. */
static bool take(struct scan *s, char c)
{
	skip_space(s);
	if (s->at == s->end || *s->at != c)
		return false;
	s->at++;
	return true;
}

int scan_enter(struct scan *s, char open)
{
	return take(s, open) ? 0 : -EBADMSG;
}

static int hex4(const struct scan *s, const char *at, uint32_t *ret)
{
	uint32_t value = 0;

	if (s->end - at < 4)
		return -EBADMSG;
	for (int i = 0; i < 4; i++) {
		char c = at[i];
		int digit = c >= '0' && c <= '9' ? c - '0' :
			    c >= 'a' && c <= 'f' ? c - 'a' + 10 :
			    c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;

		if (digit < 0)
			return -EBADMSG;
		value = value << 4 | (uint32_t)digit;
	}
	*ret = value;
	return 0;
}

static char *put_utf8(char *out, uint32_t c)
{
	if (c < 0x80) {
		*out++ = (char)c;
		return out;
	}
	if (c < 0x800) {
		*out++ = (char)(0xc0 | c >> 6);
	} else if (c < 0x10000) {
		*out++ = (char)(0xe0 | c >> 12);
		*out++ = (char)(0x80 | (c >> 6 & 0x3f));
	} else {
		*out++ = (char)(0xf0 | c >> 18);
		*out++ = (char)(0x80 | (c >> 12 & 0x3f));
		*out++ = (char)(0x80 | (c >> 6 & 0x3f));
	}
	*out++ = (char)(0x80 | (c & 0x3f));
	return out;
}

/* \uNNNN, after the u; two of them for what is beyond 16 bits. */
static int take_unicode(struct scan *s, char **out)
{
	uint32_t c, low;

	if (hex4(s, s->at, &c) < 0)
		return -EBADMSG;
	s->at += 4;
	if (c >= 0xd800 && c < 0xdc00) {
		if (s->end - s->at < 6 || s->at[0] != '\\' || s->at[1] != 'u' ||
		    hex4(s, s->at + 2, &low) < 0 || low < 0xdc00 || low > 0xdfff)
			return -EBADMSG;
		s->at += 6;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	if (c == 0 || (c >= 0xdc00 && c < 0xe000))
		return -EBADMSG;
	*out = put_utf8(*out, c);
	return 0;
}

static int take_escape(struct scan *s, char **out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *found;
	char c;

	if (s->at == s->end)
		return -EBADMSG;
	c = *s->at++;
	if (c == 'u')
		return take_unicode(s, out);
	found = c ? strchr(from, c) : NULL;
	if (!found)
		return -EBADMSG;
	*(*out)++ = to[found - from];
	return 0;
}

/* After the opening quote, to after the closing one. */
static int take_string(struct scan *s, struct scan_value *ret)
{
	char *start = s->at, *out;

	while (s->at < s->end && *s->at != '"' && *s->at != '\\' && (unsigned char)*s->at >= 0x20)
		s->at++;
	out = s->at;
	while (s->at < s->end && *s->at != '"') {
		if ((unsigned char)*s->at < 0x20)
			return -EBADMSG;
		if (*s->at != '\\')
			*out++ = *s->at++;
		else if (s->at++, take_escape(s, &out) < 0)
			return -EBADMSG;
	}
	if (s->at == s->end)
		return -EBADMSG;
	s->at++;
	*ret = (struct scan_value){ .type = SCAN_STRING, .text = start, .size = (size_t)(out - start) };
	return 0;
}

/* The same, but the text stays as it is. */
static int skip_string(struct scan *s)
{
	while (s->at < s->end && *s->at != '"') {
		if ((unsigned char)*s->at < 0x20)
			return -EBADMSG;
		s->at += *s->at == '\\' ? 2 : 1;
	}
	if (s->at >= s->end)
		return -EBADMSG;
	s->at++;
	return 0;
}

static int take_number(struct scan *s, struct scan_value *ret)
{
	bool negative = *s->at == '-', fraction = false, digits = false, large = false;
	int64_t value = 0;

	s->at += negative;
	for (; s->at < s->end; s->at++) {
		char c = *s->at;

		if (c >= '0' && c <= '9') {
			digits = true;
			large |= __builtin_mul_overflow(value, 10, &value) ||
				 __builtin_sub_overflow(value, c - '0', &value);
		} else if (digits && (c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-')) {
			fraction = true;
		} else {
			break;
		}
	}
	if (!digits)
		return -EBADMSG;
	/* summed up below 0, where there is one more */
	if (fraction || large || (!negative && __builtin_sub_overflow(0, value, &value)))
		*ret = (struct scan_value){ .type = SCAN_OTHER };
	else
		*ret = (struct scan_value){ .type = SCAN_INTEGER, .integer = value };
	return 0;
}

static int take_word(struct scan *s, struct scan_value *ret)
{
	static const struct {
		const char *word;
		enum scan_type type;
	} words[] = { { "null", SCAN_NULL }, { "false", SCAN_FALSE }, { "true", SCAN_TRUE } };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		size_t length = strlen(words[i].word);

		if ((size_t)(s->end - s->at) < length || memcmp(s->at, words[i].word, length) != 0)
			continue;
		s->at += length;
		*ret = (struct scan_value){ .type = words[i].type };
		return 0;
	}
	return -EBADMSG;
}

/* What is neither a string nor anything with values in it. */
static int take_plain(struct scan *s, struct scan_value *ret)
{
	if (s->at == s->end)
		return -EBADMSG;
	if (*s->at == '-' || (*s->at >= '0' && *s->at <= '9'))
		return take_number(s, ret);
	return take_word(s, ret);
}

static int skip(struct scan *s, unsigned int depth)
{
	struct scan_value ignored;
	bool object, first = true;

	skip_space(s);
	if (take(s, '"'))
		return skip_string(s);
	object = take(s, '{');
	if (!object && !take(s, '['))
		return take_plain(s, &ignored);
	if (depth == 0)
		return -EBADMSG;
	for (;; first = false) {
		if (take(s, object ? '}' : ']'))
			return 0;
		if (!first && !take(s, ','))
			return -EBADMSG;
		if (object && (!take(s, '"') || skip_string(s) < 0 || !take(s, ':')))
			return -EBADMSG;
		if (skip(s, depth - 1) < 0)
			return -EBADMSG;
	}
}

int scan_skip(struct scan *s)
{
	return skip(s, SCAN_DEPTH_MAX);
}

int scan_value(struct scan *s, struct scan_value *ret)
{
	skip_space(s);
	if (take(s, '"'))
		return take_string(s, ret);
	if (s->at == s->end || (*s->at != '{' && *s->at != '['))
		return take_plain(s, ret);
	*ret = (struct scan_value){ .type = SCAN_OTHER };
	return scan_skip(s);
}

int scan_element(struct scan *s, bool first)
{
	if (take(s, ']'))
		return 0;
	return first || take(s, ',') ? 1 : -EBADMSG;
}

int scan_member(struct scan *s, bool first, struct scan_value *ret_name)
{
	if (take(s, '}'))
		return 0;
	if ((!first && !take(s, ',')) || !take(s, '"') || take_string(s, ret_name) < 0 ||
	    !take(s, ':'))
		return -EBADMSG;
	return 1;
}

int scan_end(struct scan *s)
{
	skip_space(s);
	return s->at == s->end ? 0 : -EBADMSG;
}
