/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The history of failures, as somebody left it on disk. */
#include <errno.h>

#include "daemon/model/failure.h"
#include "lib/json.h"
#include "tests/fuzz/fuzz.h"

#define BOOT "00000000000040008000000000000001"

static void check(struct failures *fs)
{
	struct failure *f = NULL;
	uint64_t last = 0;

	fuzz_assert(failures_count(fs) <= FAILURES_MAX);
	while ((f = failures_next(fs, f))) {
		json_t *json = failure_to_json(f);

		fuzz_assert(f->id > last || (f->id == 0 && last == 0));
		fuzz_assert(strlen(f->token) == 0 || strlen(f->token) == FAILURE_TOKEN_LEN);
		fuzz_assert(json && json_is_object(json_object_get(json, "place")));
		fuzz_assert(json_array_size(json_object_get(json, "owners")) == f->n_owners);
		last = f->id;
		json_decref(json);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *root = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL), *again;
	struct failures *fs, *copy;

	if (!json_is_object(root)) {
		json_decref(root);
		return 0;
	}
	fuzz_assert(failures_new(BOOT, NULL, &fs) == 0 && failures_new(BOOT, NULL, &copy) == 0);
	if (failures_from_json(fs, root) == 0) {
		check(fs);
		/* What it writes it can read. */
		again = failures_to_json(fs);
		fuzz_assert(again && failures_from_json(copy, again) == 0);
		fuzz_assert(failures_count(copy) == failures_count(fs));
		json_decref(again);
	}
	failures_free(fs);
	failures_free(copy);
	json_decref(root);
	return 0;
}
