/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pins and unpins as it is told, for the guest's "acts":
 *
 *   act PINNER [DEVICE] BYTES
 *
 * Says "ready". Each line of its standard input is a number of turns, each of which
 * pins what is not pinned, or unpins it; the answer is a line with the bytes that are
 * pinned at the end, and how often the kernel refused.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "pinners.h"

int main(int argc, char *argv[])
{
	size_t bytes;
	const struct pinner *pinner = pinner_open(argc - 1, argv + 1, &bytes);
	bool pinned = false;
	char line[32];

	setlinebuf(stdout);
	puts("ready");
	while (fgets(line, sizeof(line), stdin)) {
		unsigned int refused = 0;

		for (long left = strtol(line, NULL, 10); left > 0; left--) {
			if (!pinned && pinner->pin() == 0) {
				pinned = true;
			} else if (!pinned && (errno == ENOMEM || errno == EFAULT)) {
				refused++;
			} else if (!pinned || pinner->unpin() < 0) {
				perror(pinner->name);
				return 1;
			} else {
				pinned = false;
			}
		}
		printf("%zu %u\n", pinned ? bytes : 0, refused);
	}
	return 0;
}
