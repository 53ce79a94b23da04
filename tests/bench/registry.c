/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What very many pins cost the registry: memory, a resync, a look-up, and what is
 * left of the memory when they have gone. Times are of the processor. Prints a JSON
 * object.
 *
 *   registry [PINS]
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/model/model.h"
#include "lib/clock.h"

#define PINS	  1000000
#define PROCESSES 100
#define LOOKUPS	  1000000

static void fail(const char *what)
{
	fprintf(stderr, "registry: %s\n", what);
	exit(1);
}

/* Bytes of this process's own memory. */
static uint64_t private_bytes(void)
{
	FILE *file = fopen("/proc/self/smaps_rollup", "re");
	unsigned long kib;
	uint64_t sum = 0;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "Private_Clean: %lu", &kib) == 1 ||
		    sscanf(line, "Private_Dirty: %lu", &kib) == 1)
			sum += kib << 10;
	if (!file || sum == 0)
		fail("no smaps_rollup");
	fclose(file);
	return sum;
}

/* As the kernel lists them: by id. */
static uint64_t resync(struct registry *r, uint64_t n)
{
	uint64_t start = clock_usec(CLOCK_PROCESS_CPUTIME_ID);

	registry_begin_resync(r);
	for (uint64_t id = 1; id <= n; id++) {
		struct pin_info info = {
			.id = id,
			.cgroup_id = 100 + id % PROCESSES,
			.charged_cgroup_id = 100 + id % PROCESSES,
			.address = 0x7f0000000000 + (id << 12),
			.bytes = 4096,
			.since_usec = start,
			.kind = PINGUARD_KIND_RDMA,
			.tgid = 1000 + id % PROCESSES,
			.comm_len = 4,
			.comm = "mpi0",
			.device = "mlx5_0",
		};

		if (registry_upsert(r, &info) < 0)
			fail("out of memory");
	}
	registry_end_resync(r, n);
	return clock_usec(CLOCK_PROCESS_CPUTIME_ID) - start;
}

/* Of pins all over the place, in nanoseconds. */
static double look_up(struct registry *r, uint64_t n)
{
	uint64_t start = clock_usec(CLOCK_PROCESS_CPUTIME_ID), id = 1;

	for (unsigned int i = 0; i < LOOKUPS; i++) {
		id = id * UINT64_C(6364136223846793005) + 1442695040888963407;
		if (!registry_find(r, (id >> 20) % n + 1))
			fail("a pin is missing");
	}
	return (clock_usec(CLOCK_PROCESS_CPUTIME_ID) - start) * 1000.0 / LOOKUPS;
}

static uint64_t sum_up(struct registry *r)
{
	uint64_t start = clock_usec(CLOCK_PROCESS_CPUTIME_ID);
	_cleanup_(sums_freep) struct sums *sums = sums_new(SUM_BY_PROCESS);
	_cleanup_(pin_cursor_done) struct pin_cursor cursor;
	struct pin_origin *origin = NULL;
	struct pin *pin;
	json_t *json;

	pin_cursor_init(&cursor, r);
	while ((pin = pin_cursor_next(&cursor)))
		if (!sums || sums_note(sums, pin) < 0)
			fail("out of memory");
	while ((origin = registry_origin_next(r, origin)))
		if (sums_count(sums, origin, origin->pins, origin->bytes) < 0)
			fail("out of memory");
	json = sums_json(sums);
	if (!json)
		fail("out of memory");
	json_decref(json);
	return clock_usec(CLOCK_PROCESS_CPUTIME_ID) - start;
}

int main(int argc, char **argv)
{
	uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : PINS, before, with, first, again, sum;
	struct registry *r = registry_new();
	double lookup_nsec;

	if (!r || n == 0)
		fail("usage: registry [PINS]");
	before = private_bytes();
	first = resync(r, n);
	with = private_bytes();
	again = resync(r, n);
	lookup_nsec = look_up(r, n);
	sum = sum_up(r);
	registry_begin_resync(r);
	registry_end_resync(r, n + 1);
	malloc_trim(0);
	printf("{\"pins\":%lu,\"bytes_per_pin\":%.1f,\"first_resync_usec\":%lu,\"resync_usec\":%lu,"
	       "\"lookup_nsec\":%.0f,\"sum_usec\":%lu,\"left_bytes\":%ld}\n",
	       n, (double)(with - before) / n, first, again, lookup_nsec, sum,
	       (long)(private_bytes() - before));
	registry_free(r);
	return 0;
}
