/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attributes of a message, into a struct. */
#include <errno.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <stdbool.h>
#include <string.h>

#include "daemon/kernel/pinmsg-internal.h"
#include "lib/macros.h"

#define NSEC_PER_USEC 1000ULL
#define USEC_PER_MSEC 1000ULL

static bool fits(const struct nlattr *attr, enum field_type type)
{
	const size_t len = nla_len(attr);

	switch (type) {
	case FIELD_U32:
	case FIELD_MSEC:
		return len >= sizeof(uint32_t);
	case FIELD_U64:
	case FIELD_NSEC:
		return len == sizeof(uint32_t) || len >= sizeof(uint64_t);
	case FIELD_STRING:
		return len > 0 && !((const char *)nla_data(attr))[len - 1];
	case FIELD_COMM:
		return true;
	}
	return false;
}

/* As short as the number allows. */
static uint64_t wide_number(const struct nlattr *attr)
{
	return nla_len(attr) < (int)sizeof(uint64_t) ? nla_get_u32(attr) : nla_get_u64(attr);
}

static uint64_t number(const struct nlattr *attr, const struct field *field)
{
	if (!attr)
		return field->fallback;
	switch (field->type) {
	case FIELD_U32:
		return nla_get_u32(attr);
	case FIELD_MSEC:
		return nla_get_u32(attr) * USEC_PER_MSEC;
	case FIELD_NSEC:
		return wide_number(attr) / NSEC_PER_USEC;
	default:
		return wide_number(attr);
	}
}

static void store(const struct nlattr *attr, const struct field *field, char *record)
{
	char *member = record + field->offset;
	uint8_t aside = attr != NULL;

	if (field->type == FIELD_STRING) {
		if (attr)
			nla_strlcpy(member, attr, field->size);
	} else if (field->type == FIELD_COMM) {
		aside = attr ? strnlen(nla_data(attr), MIN(nla_len(attr), field->size)) : 0;
		if (aside)
			memcpy(member, nla_data(attr), aside);
	} else {
		const uint64_t wide = number(attr, field);
		const uint32_t narrow = wide;

		if (field->size == sizeof(narrow))
			memcpy(member, &narrow, sizeof(narrow));
		else
			memcpy(member, &wide, sizeof(wide));
	}
	if (field->aside)
		record[field->aside] = aside;
}

int pinmsg_read(const struct nlmsghdr *nlh, const struct record *record, uint64_t required,
		void *ret)
{
	const struct field *fields = record->fields;
	struct nlattr *tb[PINMSG_ATTR_MAX + 1];
	size_t i;

	/* libnl takes it writable, and does not write. */
	if (genlmsg_parse((struct nlmsghdr *)nlh, 0, tb, PINMSG_ATTR_MAX, NULL) < 0)
		return -EBADMSG;
	for (i = 0; i <= PINMSG_ATTR_MAX; i++)
		if ((required >> i & 1) && !tb[i])
			return -EBADMSG;
	for (i = 0; i < record->n_fields; i++)
		if (tb[fields[i].attr] && !fits(tb[fields[i].attr], fields[i].type))
			return -EBADMSG;
	memset(ret, 0, record->size);
	for (i = 0; i < record->n_fields; i++)
		store(tb[fields[i].attr], &fields[i], ret);
	return 0;
}
