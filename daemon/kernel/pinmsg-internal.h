/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of the family's messages alone. */
#ifndef PINGUARD_KERNEL_PINMSG_INTERNAL_H
#define PINGUARD_KERNEL_PINMSG_INTERNAL_H

#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

#define PINMSG_ATTR_MAX 63 /* of any record: required ones are bits of a word */

enum field_type {
	FIELD_U32,
	FIELD_U64, /* or 32 bits, where that is enough */
	FIELD_MSEC, /* 32 bits, kept in microseconds */
	FIELD_NSEC, /* likewise, kept in microseconds */
	FIELD_STRING, /* as much of it as there is room for */
	FIELD_COMM, /* any bytes up to a NUL, which is not kept */
};

/* An attribute, and the member of a struct where it goes. */
struct field {
	uint16_t attr;
	enum field_type type;
	uint16_t offset, size;
	/* Of one more member, 0 for none: the length of FIELD_COMM, else a bool: it is there. */
	uint16_t aside;
	uint64_t fallback; /* of a number that is not there */
};

/* What a message is made of, as a struct. */
struct record {
	const struct field *fields;
	size_t n_fields;
	size_t size; /* of the struct */
};

/* required: a bit for each attribute. 0, or -EBADMSG, and ret is left alone then. */
int pinmsg_read(const struct nlmsghdr *nlh, const struct record *record, uint64_t required,
		void *ret);

#endif
