/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_PINCTL_SCAN_H
#define PINGUARD_PINCTL_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * JSON text, value by value, for lists so long that a tree of them takes most of
 * the time. What is no JSON is -EBADMSG. Strings are unescaped in place: text that
 * has been read cannot be read again.
 */
struct scan {
	char *at, *end;
};

#define SCAN_DEPTH_MAX 32

enum scan_type {
	SCAN_NULL, /* also what was not there */
	SCAN_FALSE,
	SCAN_TRUE,
	SCAN_INTEGER,
	SCAN_STRING,
	SCAN_OTHER, /* an object, an array, a fraction */
};

struct scan_value {
	enum scan_type type;
	int64_t integer;
	const char *text; /* UTF-8 without a NUL in it, nor one after it */
	size_t size;
};

/* An object ('{') or an array ('[') begins here. 0 or -EBADMSG */
int scan_enter(struct scan *s, char open);

/*
 * The next member of an object that was entered; its value is to be read then.
 * first: none has been read yet. 1, 0 at its end, -EBADMSG
 */
int scan_member(struct scan *s, bool first, struct scan_value *ret_name);
/* The same for an array. */
int scan_element(struct scan *s, bool first);

/* Any value; one of type SCAN_OTHER is passed over. 0 or -EBADMSG */
int scan_value(struct scan *s, struct scan_value *ret);

/* Passes over a value, and leaves it alone: from s->at before to s->at after. */
int scan_skip(struct scan *s);

/* Nothing is left but white space. 0 or -EBADMSG */
int scan_end(struct scan *s);

#endif
