/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What pins memory, for programs that do it again and again. */
#ifndef PINGUARD_TESTS_PINNERS_H
#define PINGUARD_TESTS_PINNERS_H

#include <stddef.h>

/*
 * pin() and unpin() return 0, or -1 with errno set; what pin() has begun when it
 * fails it undoes. unpin() may leave some to a worker of the kernel.
 */
struct pinner {
	const char *name;
	const char *device_name; /* of what its argument is, or NULL if it takes none */
	int (*open)(const char *device);
	int (*pin)(void);
	int (*unpin)(void);
};

/*
 * Returns the pinner of ARGUMENTS, ready to pin BYTES bytes of memory that is in
 * place: NAME [DEVICE] BYTES. Ends the program with an error where it cannot.
 */
const struct pinner *pinner_open(int argc, char *argv[], size_t *ret_bytes);

/* The VFIO group of a device at a PCI address, open; or -1. */
int pinner_open_group(const char *address);

/* The names and arguments of all, for a usage. */
extern const char pinner_usage[];

#endif
