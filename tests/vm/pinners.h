/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What pins memory, for programs that do it again and again. */
#ifndef PINGUARD_TESTS_PINNERS_H
#define PINGUARD_TESTS_PINNERS_H

#include <stddef.h>

struct ibv_pd;

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

/* A protection domain of the RDMA device with this name, or NULL. */
struct ibv_pd *pinner_open_pd(const char *name);

/*
 * A type1 container with the VFIO group of a device at a PCI address, or -1.
 * @ret_group: the group, NULL if it is not wanted; it stays open
 */
int pinner_open_container(const char *address, int *ret_group);

/* The names and arguments of all, for a usage. */
extern const char pinner_usage[];

#endif
