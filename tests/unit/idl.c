/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>

#include "tests/unit/idl.h"
#include "tests/unit/unit.h"

struct idl {
	const char *text, *at;
	char where[128]; /* for messages */
};

static void check_value(struct idl *idl, const json_t *value);

static void blank(struct idl *idl)
{
	while (isspace((unsigned char)*idl->at) || *idl->at == '#') {
		if (*idl->at == '#')
			idl->at += strcspn(idl->at, "\n");
		else
			idl->at++;
	}
}

static bool take(struct idl *idl, const char *token)
{
	blank(idl);
	if (strncmp(idl->at, token, strlen(token)) != 0)
		return false;
	idl->at += strlen(token);
	return true;
}

static void expect(struct idl *idl, const char *token)
{
	if (!take(idl, token))
		fail_msg("%s: expected \"%s\" at \"%.20s\"", idl->where, token, idl->at);
}

static void word(struct idl *idl, char *buf, size_t size)
{
	size_t n = 0;

	blank(idl);
	while ((isalnum((unsigned char)*idl->at) || *idl->at == '_') && n + 1 < size)
		buf[n++] = *idl->at++;
	buf[n] = '\0';
	assert_true(n > 0);
}

/* At what follows "KEYWORD NAME", at the beginning of a line. */
static void seek(struct idl *idl, const char *keyword, const char *name)
{
	char head[96];
	size_t length;

	length = snprintf(head, sizeof(head), "%s %s", keyword, name);
	for (idl->at = idl->text; idl->at; idl->at = strchr(idl->at, '\n')) {
		idl->at += *idl->at == '\n';
		if (strncmp(idl->at, head, length) == 0 &&
		    (idl->at[length] == ' ' || idl->at[length] == '(')) {
			idl->at += length;
			return;
		}
	}
	fail_msg("no %s in the interface", head);
}

static void check_named(struct idl *idl, const char *name, const json_t *value)
{
	struct idl inner = *idl;

	if (!value)
		return;
	if (strcmp(name, "bool") == 0) {
		assert_true(json_is_boolean(value));
	} else if (strcmp(name, "int") == 0) {
		assert_true(json_is_integer(value));
	} else if (strcmp(name, "string") == 0) {
		assert_true(json_is_string(value));
	} else {
		seek(&inner, "type", name);
		check_value(&inner, value);
	}
}

/* After "(NAME" of a struct. */
static void check_fields(struct idl *idl, char *name, size_t size, const json_t *value)
{
	size_t n = 0;

	for (;;) {
		const json_t *field = json_object_get(value, name);

		snprintf(idl->where, sizeof(idl->where), "%s", name);
		if (value && !field)
			fail_msg("\"%s\" is missing", name);
		expect(idl, ":");
		check_value(idl, field);
		n++;
		if (take(idl, ")"))
			break;
		expect(idl, ",");
		word(idl, name, size);
	}
	if (value && json_object_size(value) != n)
		fail_msg("%zu keys, not %zu, near \"%s\"", json_object_size(value), n, name);
}

static void check_names(struct idl *idl, char *name, size_t size, const json_t *value)
{
	bool found = false;

	for (;;) {
		found = found || (value && strcmp(json_string_value(value), name) == 0);
		if (take(idl, ")"))
			break;
		expect(idl, ",");
		word(idl, name, size);
	}
	if (value && !found)
		fail_msg("%s: \"%s\" is no name of the list", idl->where, json_string_value(value));
}

static void check_brackets(struct idl *idl, const json_t *value)
{
	char name[64];

	if (take(idl, ")")) {
		assert_true(!value || json_object_size(value) == 0);
		return;
	}
	word(idl, name, sizeof(name));
	blank(idl);
	if (*idl->at == ':') {
		assert_true(!value || json_is_object(value));
		check_fields(idl, name, sizeof(name), value);
	} else {
		if (value && !json_is_string(value))
			fail_msg("%s: no string", idl->where);
		check_names(idl, name, sizeof(name), value);
	}
}

static void check_array(struct idl *idl, const json_t *value)
{
	const char *start = idl->at;
	const json_t *element;
	size_t i;

	assert_true(!value || json_is_array(value));
	check_value(idl, NULL);
	for (i = 0; i < json_array_size(value); i++) {
		struct idl inner = *idl;

		inner.at = start;
		element = json_array_get(value, i);
		check_value(&inner, element);
	}
}

/* value NULL: only skips */
static void check_value(struct idl *idl, const json_t *value)
{
	char name[64];

	if (take(idl, "?")) {
		check_value(idl, json_is_null(value) ? NULL : value);
	} else if (take(idl, "[]")) {
		check_array(idl, value);
	} else if (take(idl, "(")) {
		check_brackets(idl, value);
	} else {
		word(idl, name, sizeof(name));
		if (value && json_is_null(value))
			fail_msg("%s is null", idl->where);
		check_named(idl, name, value);
	}
}

void idl_check_type(const char *text, const char *type, const json_t *value)
{
	struct idl idl = { .text = text };

	assert_non_null(value);
	seek(&idl, "type", type);
	check_value(&idl, value);
}

void idl_check_reply(const char *text, const char *method, const json_t *parameters)
{
	struct idl idl = { .text = text };

	assert_non_null(parameters);
	seek(&idl, "method", method);
	check_value(&idl, NULL);
	expect(&idl, "->");
	check_value(&idl, parameters);
}

void idl_check_error(const char *text, const char *error, const json_t *parameters)
{
	struct idl idl = { .text = text };

	assert_non_null(parameters);
	seek(&idl, "error", error);
	check_value(&idl, parameters);
}
