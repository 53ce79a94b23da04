/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdio.h>

#include "lib/escape.h"
#include "lib/json.h"

json_t *json_hex(uint64_t value)
{
	char text[2 + 16 + 1];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	return json_string_nocheck(text);
}

json_t *json_escaped(const void *bytes, size_t size)
{
	_cleanup_(freep) char *text = escape(bytes, size);

	return text ? json_string_nocheck(text) : NULL;
}

json_t *json_name(const char *name)
{
	_cleanup_(freep) char *text = escape_name(name);

	return text ? json_string_nocheck(text) : NULL;
}

json_t *json_bytes(uint64_t bytes)
{
	if (bytes == UINT64_MAX)
		return json_null();
	return json_integer((json_int_t)MIN(bytes, (uint64_t)INT64_MAX));
}

json_t *json_bytes_or_null(uint64_t bytes, bool known)
{
	return known ? json_bytes(bytes) : json_null();
}

const char *json_get_string(const json_t *object, const char *key, const char *fallback)
{
	const json_t *value = json_object_get(object, key);

	return json_is_string(value) ? json_string_value(value) : fallback;
}

int64_t json_get_int(const json_t *object, const char *key, int64_t fallback)
{
	const json_t *value = json_object_get(object, key);

	return json_is_integer(value) ? json_integer_value(value) : fallback;
}

bool json_get_bool(const json_t *object, const char *key, bool fallback)
{
	const json_t *value = json_object_get(object, key);

	return json_is_boolean(value) ? json_is_true(value) : fallback;
}
