/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is valid JSON for jansson says the same value by value. */
#include <jansson.h>

#include "client/base/scan.c"
#include "lib/macros.h"
#include "tests/fuzz/fuzz.h"

static void same(const json_t *json, const struct scan_value *value)
{
	switch (json_typeof(json)) {
	case JSON_STRING:
		fuzz_assert(value->type == SCAN_STRING);
		fuzz_assert(value->size == json_string_length(json));
		fuzz_assert(memcmp(value->text, json_string_value(json), value->size) == 0);
		break;
	case JSON_INTEGER:
		fuzz_assert(value->type == SCAN_INTEGER);
		fuzz_assert(value->integer == json_integer_value(json));
		break;
	case JSON_TRUE:
		fuzz_assert(value->type == SCAN_TRUE);
		break;
	case JSON_FALSE:
		fuzz_assert(value->type == SCAN_FALSE);
		break;
	case JSON_NULL:
		fuzz_assert(value->type == SCAN_NULL);
		break;
	default:
		fuzz_assert(value->type == SCAN_OTHER);
	}
}

/* 0 where it has been read to its end */
static int walk(char *text, size_t size, const json_t *object)
{
	struct scan s = { text, text + size };
	struct scan_value name, value;
	_cleanup_(freep) char *key = NULL;
	bool first = true;
	int r = scan_enter(&s, '{');

	while (r == 0 && (r = scan_member(&s, first, &name)) > 0) {
		first = false;
		r = scan_value(&s, &value);
		if (r < 0 || !object)
			continue;
		free(key);
		key = fuzz_string((const uint8_t *)name.text, name.size);
		fuzz_assert(json_object_get(object, key));
		same(json_object_get(object, key), &value);
	}
	return r < 0 ? r : scan_end(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *text = fuzz_string(data, size), *copy = fuzz_string(data, size);
	json_t *object = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
	struct scan s = { copy, copy + size };
	int r;

	if (scan_skip(&s) == 0)
		fuzz_assert(s.at <= s.end);
	fuzz_assert(memcmp(copy, data, size) == 0);
	if (!json_is_object(object)) {
		json_decref(object);
		object = NULL;
	}
	r = walk(text, size, object);
	/* jansson goes deeper */
	fuzz_assert(!object || r == 0 || scan_skip(&(struct scan){ copy, copy + size }) < 0);
	json_decref(object);
	return 0;
}
