/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An RDMA owner for the guest's tests: registers memory regions, says so, and
 * keeps them until its standard input ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <infiniband/verbs.h>

#include "pinners.h"

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
static int register_regions(struct ibv_pd *pd, size_t bytes, unsigned count, const char *file)
{
	char *memory = map_memory(file, bytes * count);

	for (unsigned i = 0; i < count; i++) {
		if (!ibv_reg_mr(pd, memory + i * bytes, bytes, IBV_ACCESS_LOCAL_WRITE)) {
			printf("refused %u: %s\n", i, strerrorname_np(errno));
			return errno;
		}
	}
	printf("registered %u at %p\n", count, memory);
	fflush(stdout);
	return 0;
}

static void wait_for_end(void)
{
	char byte;

	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
}

static int hold(struct ibv_pd *pd, size_t bytes, unsigned count, const char *file)
{
	int error = register_regions(pd, bytes, count, file);

	if (!error)
		wait_for_end();
	return error;
}

struct job {
	struct ibv_pd *pd;
	size_t bytes;
	bool stays;
};

static void *work(void *arg)
{
	struct job *job = arg;
	int error = register_regions(job->pd, job->bytes, 1, NULL);

	if (error)
		exit(1);
	if (job->stays) {
		wait_for_end();
		exit(0);
	}
	return NULL;
}

/*
 * A region that a thread registers: it stays beside the main thread ("stays"), ends
 * ("ends"), or goes on without it ("leads").
 */
static int work_in_thread(struct ibv_pd *pd, size_t bytes, const char *how)
{
	static struct job job;
	pthread_t thread;
	int error;

	job = (struct job){ .pd = pd, .bytes = bytes, .stays = strcmp(how, "ends") != 0 };
	error = pthread_create(&thread, NULL, work, &job);
	if (error)
		return error;
	if (strcmp(how, "leads") == 0)
		pthread_exit(NULL);
	error = pthread_join(thread, NULL);
	if (!error)
		wait_for_end();
	return error;
}

/* A region whose maker has ended: a child of its own has the file. */
static int leave(const char *device, size_t bytes)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct ibv_pd *pd = pinner_open_pd(device);

		if (!pd || register_regions(pd, bytes, 1, NULL) != 0)
			_exit(1);
		if (fork() == 0)
			wait_for_end();
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		return errno;
	wait_for_end();
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
	bool threaded = argc == 5 && strcmp(argv[1], "thread") == 0;
	bool leaving = argc == 4 && strcmp(argv[1], "leave") == 0;
	struct ibv_pd *pd;
	int error;

	if (!churning && !threaded && !leaving && (argc < 5 || argc > 6 || strcmp(argv[1], "hold") != 0)) {
		fprintf(stderr, "usage: mr hold DEVICE BYTES COUNT [FILE]\n"
				"       mr churn DEVICE BYTES ROUNDS SEED\n"
				"       mr thread DEVICE BYTES stays|ends|leads\n"
				"       mr leave DEVICE BYTES\n");
		return 2;
	}
	if (leaving)
		return leave(argv[2], strtoul(argv[3], NULL, 0)) != 0;
	pd = pinner_open_pd(argv[2]);
	if (!pd) {
		fprintf(stderr, "cannot open %s\n", argv[2]);
		return 2;
	}
	if (churning)
		error = churn(pd, strtoul(argv[3], NULL, 0), strtoul(argv[4], NULL, 0),
			      strtoul(argv[5], NULL, 0));
	else if (threaded)
		error = work_in_thread(pd, strtoul(argv[3], NULL, 0), argv[4]);
	else
		error = hold(pd, strtoul(argv[3], NULL, 0), strtoul(argv[4], NULL, 0), argv[5]);
	if (error)
		fprintf(stderr, "%s\n", strerror(error));
	return error != 0;
}
