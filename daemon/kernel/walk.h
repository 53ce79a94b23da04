/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which pins hold some page frames, on a kernel that does not say it: by the page tables
 * of their makers, as /proc/PID/pagemap tells them. It waits for locks of these processes,
 * and is for a child of the service, and for tests.
 */
#ifndef PINGUARD_KERNEL_WALK_H
#define PINGUARD_KERNEL_WALK_H

#include <stddef.h>
#include <stdint.h>

#define WALK_QUESTIONS_MAX 32

struct walk_pin {
	uint64_t id;
	uint64_t address; /* in its maker; 0: nobody knows it */
	uint64_t bytes;
	uint64_t since_boot_usec; /* when it was made: what was born later is not its maker */
	uint32_t tgid; /* 0: nobody knows it, or it is gone */
	uint64_t process_bytes; /* of all of them; walk_pins() fills it in */
};

/* One of the ranges of a question. */
struct walk_range {
	uint64_t first, last; /* pfn */
	uint32_t question; /* below WALK_QUESTIONS_MAX */
};

enum walk_test {
	WALK_PAGE, /* a frame is, or was until it failed, where the pin is in its maker */
	WALK_PROCESS, /* of a pin without an address: it is somewhere in its maker */
	WALK_NONE, /* could not be looked at, or not in full: it may hold some */
};

struct walk_found {
	uint64_t id;
	uint64_t offset; /* WALK_PAGE: in the pin, of its first page that is in question */
	uint32_t questions; /* a bit for each */
	uint32_t test;
};

struct walk {
	int proc_fd;
	struct walk_pin *pins; /* are sorted: small processes first */
	size_t n_pins;
	const struct walk_range *ranges;
	size_t n_ranges;
	uint64_t end_usec; /* of CLOCK_MONOTONIC: nothing is looked at from then on */
	/* A pin may be found more than once, for other questions. */
	void (*found)(const struct walk_found *found, void *userdata);
	void *userdata;
};

void walk_pins(struct walk *w);

#endif
