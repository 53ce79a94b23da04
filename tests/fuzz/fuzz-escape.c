/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <jansson.h>

#include "lib/escape.h"
#include "lib/macros.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *text = escape(data, size), *back = NULL, *raw = NULL, *other = NULL;
	_cleanup_(freep) char *name = NULL, *name_back = NULL;
	size_t back_size;
	json_t *json;

	fuzz_assert(text);
	for (const char *c = text; *c; c++)
		fuzz_assert((unsigned char)*c >= 0x20 && *c != 0x7f);
	json = json_string(text);
	fuzz_assert(json);
	json_decref(json);
	fuzz_assert(unescape(text, &back, &back_size) == 0);
	fuzz_assert(back_size == size && (size == 0 || !memcmp(back, data, size)));

	raw = fuzz_string(data, size);
	(void)unescape(raw, &other, NULL);
	name = escape_name(raw);
	fuzz_assert(name);
	for (const char *c = name; *c; c++)
		fuzz_assert((unsigned char)*c >= 0x20 && *c != 0x7f);
	/* one of the two finds it again */
	fuzz_assert(!strcmp(name, raw) ||
		    (unescape(name, &name_back, NULL) == 0 && !strcmp(name_back, raw)));
	return 0;
}
