/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many owners for the guest's tests: so many processes, each with a connection
 * to the service and a memory region of its own, which it deregisters when it
 * is asked to. Ends when its standard input does.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <infiniband/verbs.h>
#include <pinguard/pinguard.h>

#define AT_A_TIME 16 /* that start */

/* Of one process; shared with the parent. */
struct slot {
	uint64_t asked_usec, released_usec; /* CLOCK_MONOTONIC */
	unsigned int asked;
};

struct member {
	struct slot *slot;
	struct pinguard_owner *owner;
	struct ibv_mr *region;
	int pipe;
};

static uint64_t now_usec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000ULL + ts.tv_nsec / 1000;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void tell(const struct member *member, char word)
{
	if (write(member->pipe, &word, 1) != 1)
		fail("write");
}

static struct ibv_mr *pin(const char *device, size_t bytes)
{
	struct ibv_device **devices = ibv_get_device_list(NULL);
	struct ibv_context *context = NULL;
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);
	struct ibv_mr *region;
	struct ibv_pd *pd;

	for (struct ibv_device **d = devices; d && *d; d++)
		if (strcmp(ibv_get_device_name(*d), device) == 0)
			context = ibv_open_device(*d);
	ibv_free_device_list(devices);
	pd = context ? ibv_alloc_pd(context) : NULL;
	if (!pd || memory == MAP_FAILED)
		fail(device);
	region = ibv_reg_mr(pd, memory, bytes, IBV_ACCESS_LOCAL_WRITE);
	if (!region)
		fail("ibv_reg_mr");
	return region;
}

static void on_request(struct pinguard_owner *owner, struct pinguard_request *request,
		       void *userdata)
{
	struct member *member = userdata;

	if (!member->slot->asked++)
		member->slot->asked_usec = now_usec();
	if (member->region && ibv_dereg_mr(member->region) != 0)
		fail("ibv_dereg_mr");
	member->region = NULL;
	if (pinguard_owner_complete(owner, pinguard_request_token(request),
				    PINGUARD_RESULT_RELEASED, NULL) < 0)
		tell(member, 'e');
}

static void on_completed(struct pinguard_owner *owner, const char *token, int error,
			 uint64_t pins_left, uint64_t bytes_left, void *userdata)
{
	struct member *member = userdata;

	member->slot->released_usec = now_usec();
	tell(member, error ? 'e' : 'r');
}

static void turn(const struct member *member)
{
	struct pollfd p = { .fd = pinguard_owner_fd(member->owner), .events = POLLIN };

	if (poll(&p, 1, -1) < 0 && errno != EINTR)
		fail("poll");
	(void)pinguard_owner_dispatch(member->owner); /* it tries again by itself */
}

static void be_member(struct member *member, const char *device, size_t bytes)
{
	if (pinguard_owner_new(NULL, &member->owner) < 0)
		fail("pinguard_owner_new");
	pinguard_owner_set_request_callback(member->owner, on_request, member);
	pinguard_owner_set_completed_callback(member->owner, on_completed, member);
	while (pinguard_owner_state(member->owner) != PINGUARD_OWNER_REGISTERED)
		turn(member);
	member->region = pin(device, bytes);
	tell(member, 'p');
	for (;;)
		turn(member);
}

/* What the members say, until it is so much, or the standard input ends. */
static bool hear(int fd, char word, unsigned int count, unsigned int *ret_errors)
{
	struct pollfd p[] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = STDIN_FILENO, .events = POLLIN },
	};
	char heard;

	while (count) {
		if (poll(p, 2, -1) < 0)
			fail("poll");
		if (p[1].revents && read(STDIN_FILENO, &heard, 1) <= 0)
			return false;
		if (!p[0].revents)
			continue;
		if (read(fd, &heard, 1) != 1)
			return false;
		count -= heard == word || heard == 'e';
		*ret_errors += heard == 'e';
	}
	return true;
}

static void summary(const struct slot *slots, unsigned int count, unsigned int errors)
{
	uint64_t first = UINT64_MAX, last = 0, end = 0;
	unsigned int once = 0;

	for (unsigned int i = 0; i < count; i++) {
		first = slots[i].asked_usec < first ? slots[i].asked_usec : first;
		last = slots[i].asked_usec > last ? slots[i].asked_usec : last;
		end = slots[i].released_usec > end ? slots[i].released_usec : end;
		once += slots[i].asked == 1;
	}
	printf("released %u, asked once %u, errors %u\n", count, once, errors);
	printf("the last was asked %" PRIu64 " ms after the first, all were done after %" PRIu64
	       " ms\n",
	       (last - first) / 1000, (end - first) / 1000);
	fflush(stdout);
}

int main(int argc, char *argv[])
{
	unsigned int count = argc == 4 ? strtoul(argv[2], NULL, 0) : 0, errors = 0;
	uint64_t start = now_usec();
	struct slot *slots;
	int fds[2];

	if (!count) {
		fprintf(stderr, "usage: crowd DEVICE COUNT BYTES\n");
		return 2;
	}
	slots = mmap(NULL, count * sizeof(*slots), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (slots == MAP_FAILED || pipe(fds) < 0)
		fail("crowd");
	for (unsigned int i = 0; i < count; i++) {
		pid_t pid;

		/* the others have to come as one goes */
		if (i >= AT_A_TIME && !hear(fds[0], 'p', 1, &errors))
			return 1;
		pid = fork();
		if (pid < 0)
			fail("fork");
		if (pid == 0) {
			struct member member = { .slot = &slots[i], .pipe = fds[1] };

			prctl(PR_SET_PDEATHSIG, SIGKILL);
			be_member(&member, argv[1], strtoul(argv[3], NULL, 0));
		}
	}
	if (!hear(fds[0], 'p', count < AT_A_TIME ? count : AT_A_TIME, &errors))
		return 1;
	printf("ready %u after %" PRIu64 " ms\n", count, (now_usec() - start) / 1000);
	fflush(stdout);
	if (!hear(fds[0], 'r', count, &errors))
		return 1;
	summary(slots, count, errors);
	while (read(STDIN_FILENO, fds, sizeof(fds)) > 0)
		;
	return 0;
}
