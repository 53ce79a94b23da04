/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/iomem, whose names come from drivers. */
#include <errno.h>

#include "daemon/kernel/iomem.h"
#include "lib/macros.h"
#include "tests/fuzz/fuzz.h"

static void check_name(const char *name)
{
	size_t i;

	fuzz_assert(memchr(name, 0, IOMEM_NAME_MAX));
	for (i = 0; name[i]; i++)
		fuzz_assert(name[i] >= ' ' && name[i] <= '~' && name[i] != '\\');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *text = fuzz_string(data, size);
	static const uint64_t addresses[] = { 0, 0x1000, 0xfd000000, UINT64_MAX };
	struct iomem iomem;
	size_t i;
	int r;

	for (i = 0; i < ARRAY_SIZE(addresses); i++) {
		r = iomem_parse(text, addresses[i], &iomem);
		fuzz_assert(r == 0 || r == -ENODATA);
		if (r < 0)
			continue;
		check_name(iomem.outer);
		check_name(iomem.inner);
	}
	return 0;
}
