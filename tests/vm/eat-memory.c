/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes all free memory, in small pages that it locks, and says whether it was
 * given one of the page frames that it is told. It stops before the kernel would
 * have to kill: what is free then has the flag BUDDY in /proc/kpageflags. How much
 * that is depends on vm.min_free_kbytes.
 *
 * Exit status: 0 it met none, 1 it met some, 2 it could not look.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define PAGE_BYTES    4096UL
#define CHUNK_BYTES   (2UL << 20)
#define CHUNKS_MAX    65536 /* 128 GiB */
#define LEFT_BYTES    (24UL << 20) /* above what the kernel keeps free twice over */
#define PAGEMAP_FRAME ((1ULL << 55) - 1)
#define PAGEMAP_THERE (1ULL << 63)

static char *chunks[CHUNKS_MAX];
static size_t n_chunks;

static int fail(const char *what)
{
	perror(what);
	return 2;
}

/* The number of KiB in the first line of a file that has the format, in bytes; 0 for none. */
static uint64_t read_kib(const char *path, const char *format)
{
	FILE *file = fopen(path, "re");
	unsigned long long kib = 0;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, format, &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib * 1024;
}

static uint64_t free_bytes(void)
{
	return read_kib("/proc/meminfo", "MemFree: %llu kB");
}

/* Returns how many of the frames the chunk has, or -1. */
static int look(int pagemap, const char *chunk, const uint64_t *frames, int n_frames)
{
	uint64_t entries[CHUNK_BYTES / PAGE_BYTES];
	int met = 0;

	if (pread(pagemap, entries, sizeof(entries),
		  (off_t)((uintptr_t)chunk / PAGE_BYTES * sizeof(entries[0]))) != sizeof(entries))
		return -1;
	for (size_t i = 0; i < CHUNK_BYTES / PAGE_BYTES; i++) {
		for (int j = 0; (entries[i] & PAGEMAP_THERE) && j < n_frames; j++) {
			if ((entries[i] & PAGEMAP_FRAME) != frames[j])
				continue;
			printf("met 0x%" PRIx64 "\n", frames[j]);
			met++;
		}
	}
	return met;
}

/* False when nothing is left to take but what is to be left. */
static bool eat(uint64_t left_bytes)
{
	char *chunk;

	if (n_chunks == CHUNKS_MAX || free_bytes() < left_bytes)
		return false;
	chunk = mmap(NULL, CHUNK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (chunk == MAP_FAILED)
		return false;
	chunks[n_chunks++] = chunk;
	return mlock(chunk, CHUNK_BYTES) == 0;
}

/* Should the kernel want to kill after all, then this. */
static int offer(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	ssize_t written = fd < 0 ? -1 : write(fd, "1000", 4);

	if (fd >= 0)
		close(fd);
	return written == 4 ? 0 : -1;
}

int main(int argc, char *argv[])
{
	uint64_t *frames = calloc((size_t)argc, sizeof(*frames));
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t left_bytes, still;
	int met = 0, n;

	if (!frames || pagemap < 0)
		return fail("/proc/self/pagemap");
	if (argc < 2) {
		fprintf(stderr, "usage: eat-memory FRAME...\n");
		return 2;
	}
	for (int i = 1; i < argc; i++)
		frames[i - 1] = strtoull(argv[i], NULL, 0);
	if (offer() < 0 || prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) < 0)
		return fail("eat-memory");

	left_bytes = 2 * read_kib("/proc/sys/vm/min_free_kbytes", "%llu") + LEFT_BYTES;
	while (eat(left_bytes))
		;
	still = free_bytes();
	/* At the end, because the kernel may have moved pages meanwhile. */
	for (size_t i = 0; i < n_chunks; i++) {
		n = look(pagemap, chunks[i], frames, argc - 1);
		if (n < 0)
			return fail("pagemap");
		met += n;
	}
	printf("ate %lu MiB, left %" PRIu64 " MiB\n", n_chunks * CHUNK_BYTES >> 20, still >> 20);
	if (n_chunks == 0)
		return 2;
	return met != 0;
}
