/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pins memory again and again, and lets another allocation of the kernel fail each
 * time: the first one, the second one, and so on, until it needs no more of them.
 * What is charged to the cgroup must be what it was, each time.
 *
 *   fail-nth CGROUP PINNER [DEVICE] BYTES
 *
 * Prints how many allocations failed, and how often pinning failed for it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pinners.h"

#define MAX_NTH	 1000
#define WAIT_MS 10000 /* for a worker of the kernel */

static _Noreturn void die(const char *text)
{
	fprintf(stderr, "fail-nth: %s: %s\n", text, strerror(errno));
	exit(1);
}

/* Bytes of the resource, or UINT64_MAX. */
static uint64_t charged(const char *cgroup)
{
	uint64_t bytes = UINT64_MAX, figure;
	char path[PATH_MAX], word[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/misc.current", cgroup);
	file = fopen(path, "re");
	while (file && fscanf(file, "%63s %" SCNu64, word, &figure) == 2)
		if (strcmp(word, "pinned") == 0)
			bytes = figure;
	if (file)
		fclose(file);
	return bytes;
}

static void want(const char *cgroup, uint64_t bytes, unsigned int nth)
{
	for (int waited = 0; charged(cgroup) != bytes; waited++) {
		if (waited == WAIT_MS) {
			fprintf(stderr,
				"fail-nth: %" PRIu64 " bytes are charged after the failure of allocation %u, not %" PRIu64 "\n",
				charged(cgroup), nth, bytes);
			exit(1);
		}
		usleep(1000);
	}
}

static void set_nth(int fd, unsigned int nth)
{
	char text[16];

	if (pwrite(fd, text, snprintf(text, sizeof(text), "%u", nth), 0) < 0)
		die("/proc/thread-self/fail-nth");
}

/* Whether it has not failed yet. */
static int is_left(int fd)
{
	char text[16] = "";

	if (pread(fd, text, sizeof(text) - 1, 0) < 0)
		die("/proc/thread-self/fail-nth");
	return atoi(text) != 0;
}

int main(int argc, char *argv[])
{
	const char *cgroup = argc > 1 ? argv[1] : "";
	const struct pinner *pinner = pinner_open(argc - 2, argv + 2, &(size_t){ 0 });
	const int fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	const uint64_t before = charged(cgroup);
	unsigned int nth, failed = 0;
	int left = 0;

	if (fd < 0 || before == UINT64_MAX)
		die("no fault injection, or no such cgroup");
	if (pinner->pin() < 0 || pinner->unpin() < 0)
		die(pinner->name);
	want(cgroup, before, 0);
	for (nth = 1; nth <= MAX_NTH && !left; nth++) {
		int result;

		set_nth(fd, nth);
		result = pinner->pin();
		left = is_left(fd);
		set_nth(fd, 0);
		if (result == 0 && pinner->unpin() < 0)
			die("unpin");
		failed += result < 0;
		want(cgroup, before, nth);
	}
	printf("%u allocations failed, and pinning %u times\n", nth - 2, failed);
	return left ? 0 : 1;
}
