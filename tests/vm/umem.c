/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An AF_XDP owner for the guest's tests: registers memory for packets, bound to no
 * device, says so, and keeps it until its standard input ends.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_xdp.h>

static int fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	return 1;
}

int main(int argc, char *argv[])
{
	struct xdp_umem_reg reg = { .chunk_size = 4096 };
	void *memory;
	char byte;
	int fd;

	if (argc != 2) {
		fprintf(stderr, "usage: umem BYTES\n");
		return 2;
	}
	reg.len = strtoul(argv[1], NULL, 0);
	memory = mmap(NULL, reg.len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return fail("mmap");
	reg.addr = (uintptr_t)memory;
	fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail("socket");
	if (setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &reg, sizeof(reg)) < 0)
		return fail("XDP_UMEM_REG");
	printf("registered at %p\n", memory);
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}
