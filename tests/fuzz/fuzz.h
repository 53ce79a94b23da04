/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_FUZZ_H
#define PINGUARD_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

__attribute__((visibility("default"))) int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property that every input must keep. */
#define fuzz_assert(condition)      \
	do {                        \
		if (!(condition))   \
			abort();    \
	} while (0)

/* The input as a string, up to its first NUL. */
static inline char *fuzz_string(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	fuzz_assert(text);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

#endif
