/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An RDMA owner for the guest's tests: registers memory regions, says so, and
 * keeps them until its standard input ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <infiniband/verbs.h>

static struct ibv_pd *open_device(const char *name)
{
	struct ibv_device **devices = ibv_get_device_list(NULL);
	struct ibv_context *context = NULL;

	for (struct ibv_device **d = devices; d && *d; d++)
		if (strcmp(ibv_get_device_name(*d), name) == 0)
			context = ibv_open_device(*d);
	ibv_free_device_list(devices);
	return context ? ibv_alloc_pd(context) : NULL;
}

/* Of a file, or of the process alone where file is NULL. */
static void *map_memory(const char *file, size_t bytes)
{
	int fd = file ? open(file, O_RDWR | O_CLOEXEC) : -1;
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    file ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS, fd, 0);

	if (memory == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return memory;
}

/* Returns 0, or the errno of the registration that failed. */
static int hold(struct ibv_pd *pd, size_t bytes, unsigned count, const char *file)
{
	char *memory = map_memory(file, bytes * count);
	char byte;

	for (unsigned i = 0; i < count; i++) {
		if (!ibv_reg_mr(pd, memory + i * bytes, bytes, IBV_ACCESS_LOCAL_WRITE)) {
			printf("refused %u: %s\n", i, strerrorname_np(errno));
			return errno;
		}
	}
	printf("registered %u at %p\n", count, memory);
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}

/*
 * Rounds of registering and deregistering, with up to four regions at a time
 * and sizes that need not be whole pages.
 */
static int churn(struct ibv_pd *pd, size_t bytes, unsigned rounds, unsigned seed)
{
	struct ibv_mr *regions[4] = {};
	char *memory = map_memory(NULL, bytes);

	for (unsigned i = 0; i < rounds; i++) {
		unsigned slot = rand_r(&seed) % 4;
		size_t length = 1 + rand_r(&seed) % bytes;

		if (regions[slot] && ibv_dereg_mr(regions[slot]) != 0)
			return errno;
		regions[slot] = ibv_reg_mr(pd, memory + bytes - length, length, IBV_ACCESS_LOCAL_WRITE);
		if (!regions[slot] && errno != ENOMEM)
			return errno;
	}
	printf("done %u\n", rounds);
	return 0;
}

int main(int argc, char *argv[])
{
	bool churning = argc == 6 && strcmp(argv[1], "churn") == 0;
	struct ibv_pd *pd;
	int error;

	if (!churning && (argc < 5 || argc > 6 || strcmp(argv[1], "hold") != 0)) {
		fprintf(stderr, "usage: mr hold DEVICE BYTES COUNT [FILE]\n"
				"       mr churn DEVICE BYTES ROUNDS SEED\n");
		return 2;
	}
	pd = open_device(argv[2]);
	if (!pd) {
		fprintf(stderr, "cannot open %s\n", argv[2]);
		return 2;
	}
	if (churning)
		error = churn(pd, strtoul(argv[3], NULL, 0), strtoul(argv[4], NULL, 0),
			      strtoul(argv[5], NULL, 0));
	else
		error = hold(pd, strtoul(argv[3], NULL, 0), strtoul(argv[4], NULL, 0), argv[5]);
	if (error)
		fprintf(stderr, "%s\n", strerror(error));
	return error != 0;
}
