/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What calls cost that the kernel's patches touch, or must not touch. Where the
 * clock counts instructions (tests/vm/run --icount) the figures are those, by the
 * yardstick of a loop of known length in the same process. Prints a JSON object.
 *
 *   kernel-cost PINNER [DEVICE] BYTES | read FILE | fork
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/vm/pinners.h"

#define ROUNDS	   9
#define LOOP_STEPS 100000 /* of two instructions each */
#define BLOCK	   4096

static const struct pinner *pinner;
static int direct_fd;
static void *block;

static _Noreturn void die(const char *text)
{
	fprintf(stderr, "%s: %s\n", text, strerror(errno));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void loop(void)
{
	uint64_t steps = LOOP_STEPS;

	__asm__ volatile("1: dec %0\n\tjnz 1b" : "+r"(steps));
}

static void pin_unpin(void)
{
	if (pinner->pin() < 0 || pinner->unpin() < 0)
		die(pinner->name);
}

static void open_file(const char *path)
{
	direct_fd = open(path, O_RDONLY | O_DIRECT);
	block = aligned_alloc(BLOCK, BLOCK);
	if (direct_fd < 0 || !block)
		die(path);
}

static void direct_read(void)
{
	if (pread(direct_fd, block, BLOCK, 0) != BLOCK)
		die("pread");
}

static void fork_exit(void)
{
	const pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		die("fork");
}

/* Nanoseconds of one call, in the best of some rounds. */
static double least(void (*call)(void), unsigned int n)
{
	uint64_t best = UINT64_MAX;

	for (unsigned int round = 0; round < ROUNDS; round++) {
		const uint64_t start = now_ns();
		uint64_t spent;

		for (unsigned int i = 0; i < n; i++)
			call();
		spent = now_ns() - start;
		if (spent < best)
			best = spent;
	}
	return (double)best / n;
}

int main(int argc, char *argv[])
{
	const char *name = argc > 1 ? argv[1] : "";
	void (*call)(void) = pin_unpin;
	unsigned int n = 200;
	size_t bytes = 0;
	double cost, step;

	if (argc < 2) {
		fprintf(stderr, "usage: kernel-cost %s | read FILE | fork\n", pinner_usage);
		return 2;
	}
	if (strcmp(name, "fork") == 0) {
		call = fork_exit;
		n = 50;
	} else if (strcmp(name, "read") == 0 && argc == 3) {
		open_file(argv[2]);
		call = direct_read;
		bytes = BLOCK;
	} else {
		pinner = pinner_open(argc - 1, argv + 1, &bytes);
	}
	if (bytes > 1 << 20)
		n = 20;
	call();
	step = least(loop, 10) / (2.0 * LOOP_STEPS);
	cost = least(call, n);
	printf("{\"what\":\"%s\",\"bytes\":%zu,\"ns\":%.0f,\"instructions\":%.0f}\n", name, bytes,
	       cost, cost / step);
	return 0;
}
