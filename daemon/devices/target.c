/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/devices/target.h"
#include "lib/parse.h"

/* Digits, without leading zeros; how many, 0 for none. */
static size_t number(const char *text)
{
	size_t n = strspn(text, "0123456789");

	return n > 9 || (n > 1 && text[0] == '0') ? 0 : n;
}

/* NAME.N.N or NAMEN */
static bool is_device(const char *text, const char *prefix, bool two)
{
	size_t n, len = strlen(prefix);

	if (strncmp(text, prefix, len) != 0)
		return false;
	text += len;
	n = number(text);
	if (n == 0)
		return false;
	text += n;
	if (!two)
		return !*text;
	return text[0] == '.' && number(text + 1) > 0 && !text[1 + number(text + 1)];
}

static int parse_phys(const char *text, size_t len, uint64_t *ret, const char **ret_reason)
{
	char copy[32];

	if (len >= sizeof(copy)) {
		*ret_reason = "no address";
		return -EINVAL;
	}
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (parse_id(copy, ret, ret_reason) < 0)
		return -EINVAL;
	if (*ret > TARGET_PHYS_MAX) {
		*ret_reason = "beyond what a processor can address";
		return -EINVAL;
	}
	return 0;
}

static int parse_addresses(const char *text, struct phys_range *ret, const char **ret_reason)
{
	const char *dash = strchr(text, '-');
	struct phys_range range;
	int r;

	r = parse_phys(text, dash ? (size_t)(dash - text) : strlen(text), &range.first, ret_reason);
	if (r < 0)
		return r;
	range.last = range.first;
	if (dash) {
		r = parse_phys(dash + 1, strlen(dash + 1), &range.last, ret_reason);
		if (r < 0)
			return r;
	}
	if (range.last < range.first) {
		*ret_reason = "the last address is below the first";
		return -EINVAL;
	}
	*ret = range;
	return 0;
}

static int parse_pfn(const char *text, uint64_t page_bytes, struct phys_range *ret,
		     const char **ret_reason)
{
	unsigned long long pfn;
	char *end;

	errno = 0;
	pfn = strtoull(text, &end, 0);
	if (!isdigit((unsigned char)text[0]) || *end || errno) {
		*ret_reason = "no number of a page frame";
		return -EINVAL;
	}
	if (pfn > TARGET_PHYS_MAX / page_bytes) {
		*ret_reason = "beyond what a processor can address";
		return -EINVAL;
	}
	ret->first = pfn * page_bytes;
	ret->last = ret->first + page_bytes - 1;
	return 0;
}

int target_parse(const char *text, uint64_t page_bytes, struct target *ret,
		 const char **ret_reason)
{
	struct target t = { .type = TARGET_NAME };
	int r = 0;

	if (is_device(text, "memory", false)) {
		t.type = TARGET_MEMORY;
		t.block = strtoull(text + strlen("memory"), NULL, 10);
	} else if (is_device(text, "dax", true) || is_device(text, "namespace", true) ||
		   is_device(text, "region", false)) {
		t.type = TARGET_DEVICE;
	} else if (strncmp(text, "0x", 2) == 0) {
		t.type = TARGET_ADDRESSES;
		r = parse_addresses(text, &t.range, ret_reason);
	} else if (strncmp(text, "pfn:", 4) == 0) {
		t.type = TARGET_ADDRESSES;
		r = parse_pfn(text + 4, page_bytes, &t.range, ret_reason);
	}
	if (r < 0)
		return r;
	*ret = t;
	return 0;
}
