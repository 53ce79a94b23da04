/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Places, from a file that may have been damaged. */
#include <errno.h>

#include "daemon/model/place.h"
#include "lib/json.h"
#include "tests/fuzz/fuzz.h"

static void check_text(const char *text, size_t size)
{
	size_t i;

	fuzz_assert(memchr(text, 0, size));
	for (i = 0; text[i]; i++)
		fuzz_assert(text[i] >= ' ' && text[i] <= '~' && text[i] != '\\');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_json_ json_t *json = json_loadb((const char *)data, size,
						 JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	_cleanup_json_ json_t *written = NULL, *again = NULL;
	struct place place, back;

	if (place_from_json(json, &place) != 0)
		return 0;
	fuzz_assert(place_class_name(place.class));
	fuzz_assert(place.n_dimms <= PLACE_DIMMS_MAX);
	check_text(place.why, sizeof(place.why));
	check_text(place.region, sizeof(place.region));
	check_text(place.pci, sizeof(place.pci));
	/* What is written is read, and is the same. */
	written = place_to_json(&place);
	fuzz_assert(written && place_from_json(written, &back) == 0);
	again = place_to_json(&back);
	fuzz_assert(again && json_equal(written, again));
	return 0;
}
