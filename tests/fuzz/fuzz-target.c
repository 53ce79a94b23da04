/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What somebody wants to drain. */
#include <errno.h>

#include "daemon/devices/target.h"
#include "lib/macros.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *text = fuzz_string(data, size);
	const char *reason = NULL;
	struct target target;
	int r = target_parse(text, 4096, &target, &reason);

	if (r < 0) {
		fuzz_assert(r == -EINVAL && reason && *reason);
		return 0;
	}
	switch (target.type) {
	case TARGET_ADDRESSES:
		fuzz_assert(target.range.first <= target.range.last);
		fuzz_assert(target.range.last <= TARGET_PHYS_MAX);
		break;
	case TARGET_MEMORY:
		fuzz_assert(target.block < 1000000000);
		/* fall through */
	case TARGET_DEVICE:
		/* It becomes part of a path. */
		fuzz_assert(!strchr(text, '/') && strlen(text) < 64);
		break;
	case TARGET_NAME:
		break;
	}
	return 0;
}
