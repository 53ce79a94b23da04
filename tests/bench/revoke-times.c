/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long it takes from the kernel's REVOKE to the owner's callback.
 *
 * An owner pins memory and answers nothing. In each round somebody tries to
 * take a memory block offline that it pins, and gives up once everybody has
 * heard of it; the kernel only waits in between. Beside the owner a program
 * listens to the same multicast group, and passes each REVOKE on to another one
 * over a Unix socket, with nothing in between. Time is that of the kernel, which
 * says when the revoke began: CLOCK_REALTIME.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <infiniband/verbs.h>
#include <linux/pinguard.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <pinguard/pinguard.h>

#define ROUNDS_MAX 10000
#define WARM_UP	   10 /* rounds that do not count */
#define PATIENCE_MS 60000
#define PAUSE_USEC 20000 /* for all to come to rest */

/* When it was heard of, in nanoseconds. */
struct times {
	uint64_t start, netlink, echo, owner;
};

/* What the processes tell the one that counts. */
enum word { PINNED = 'p', LISTENING = 'l', ASKED = 'a', ECHOED = 'e', OVER = 'o', WITHDRAWN = 'w' };

static struct shared {
	volatile unsigned int round; /* counted by one, read by all */
	struct times times[ROUNDS_MAX];
} *shared;

static int words[2]; /* a pipe */

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void tell(char word)
{
	if (write(words[1], &word, 1) != 1)
		fail("write");
}

static struct times *this_round(void)
{
	return &shared->times[shared->round];
}

static bool become_child(void)
{
	pid_t pid = fork();

	if (pid < 0)
		fail("fork");
	if (pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid == 0;
}

/* --- the owner --- */

static void pin(const char *device, size_t bytes)
{
	struct ibv_device **devices = ibv_get_device_list(NULL);
	struct ibv_context *context = NULL;
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);
	struct ibv_pd *pd;

	for (struct ibv_device **d = devices; d && *d; d++)
		if (strcmp(ibv_get_device_name(*d), device) == 0)
			context = ibv_open_device(*d);
	ibv_free_device_list(devices);
	pd = context ? ibv_alloc_pd(context) : NULL;
	if (!pd || memory == MAP_FAILED || !ibv_reg_mr(pd, memory, bytes, IBV_ACCESS_LOCAL_WRITE))
		fail(device);
}

static void on_request(struct pinguard_owner *owner, struct pinguard_request *request,
		       void *userdata)
{
	this_round()->owner = now_ns();
	tell(ASKED);
}

static void on_withdrawn(struct pinguard_owner *owner, const char *token, void *userdata)
{
	tell(WITHDRAWN);
}

static void turn(struct pinguard_owner *owner)
{
	struct pollfd p = { .fd = pinguard_owner_fd(owner), .events = POLLIN };

	if (poll(&p, 1, -1) < 0)
		fail("poll");
	(void)pinguard_owner_dispatch(owner); /* it tries again by itself */
}

static void be_owner(const char *device, size_t bytes)
{
	struct pinguard_owner *owner;

	if (pinguard_owner_new(NULL, &owner) < 0)
		fail("pinguard_owner_new");
	pinguard_owner_set_request_callback(owner, on_request, NULL);
	pinguard_owner_set_withdrawn_callback(owner, on_withdrawn, NULL);
	while (pinguard_owner_state(owner) != PINGUARD_OWNER_REGISTERED)
		turn(owner);
	pin(device, bytes);
	tell(PINNED);
	for (;;)
		turn(owner);
}

/* --- the echo --- */

static int on_message(struct nl_msg *msg, void *userdata)
{
	static struct nla_policy policy[PINGUARD_A_REVOKE_MAX + 1] = {
		[PINGUARD_A_REVOKE_START_TIME] = { .type = NLA_U64 },
	};
	struct nlattr *attrs[PINGUARD_A_REVOKE_MAX + 1];
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	const int *to = userdata;
	const uint64_t now = now_ns();
	int r;

	switch (genlmsg_hdr(nlh)->cmd) {
	case PINGUARD_CMD_REVOKE_NTF:
		if (write(*to, nlh, nlh->nlmsg_len) != (ssize_t)nlh->nlmsg_len)
			fail("write");
		r = genlmsg_parse(nlh, 0, attrs, PINGUARD_A_REVOKE_MAX, policy);
		if (r < 0 || !attrs[PINGUARD_A_REVOKE_START_TIME]) {
			fprintf(stderr, "a REVOKE without a time\n");
			exit(1);
		}
		this_round()->netlink = now;
		this_round()->start = nla_get_u64(attrs[PINGUARD_A_REVOKE_START_TIME]);
		break;
	case PINGUARD_CMD_REVOKE_DONE_NTF:
		tell(OVER);
		break;
	}
	return NL_OK;
}

static void be_listener(int to)
{
	struct nl_sock *sock = nl_socket_alloc();
	int r = sock ? genl_connect(sock) : -NLE_NOMEM;

	if (r >= 0)
		r = genl_ctrl_resolve_grp(sock, PINGUARD_FAMILY_NAME, PINGUARD_MCGRP_ALERTS);
	if (r >= 0)
		r = nl_socket_add_membership(sock, r);
	if (r < 0) {
		fprintf(stderr, "cannot listen: %s\n", nl_geterror(r));
		exit(1);
	}
	nl_socket_disable_seq_check(sock);
	nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, on_message, &to);
	tell(LISTENING);
	for (;;) {
		r = nl_recvmsgs_default(sock);
		if (r < 0) {
			fprintf(stderr, "cannot receive: %s\n", nl_geterror(r));
			exit(1);
		}
	}
}

static void be_echo(int from)
{
	char buf[4096];

	while (read(from, buf, sizeof(buf)) > 0) {
		this_round()->echo = now_ns();
		tell(ECHOED);
	}
	exit(1);
}

/* --- rounds --- */

/* Until each of these words has come once; others must not come. */
static void hear(const char *wanted)
{
	struct pollfd p = { .fd = words[0], .events = POLLIN };
	char left[8], *found, word;

	strcpy(left, wanted);
	while (left[strspn(left, " ")]) {
		if (poll(&p, 1, PATIENCE_MS) <= 0 || read(words[0], &word, 1) != 1) {
			fprintf(stderr, "round %u: nothing heard, '%s' is missing\n",
				shared->round, left);
			exit(1);
		}
		found = strchr(left, word);
		if (!found) {
			fprintf(stderr, "round %u: '%c' instead of '%s'\n", shared->round, word,
				left);
			exit(1);
		}
		*found = ' ';
	}
}

static void run_round(const char *state)
{
	int status;
	pid_t writer = fork();

	if (writer < 0)
		fail("fork");
	if (writer == 0) {
		int fd = open(state, O_WRONLY | O_CLOEXEC);

		_exit(fd >= 0 && write(fd, "offline", 7) == 7);
	}
	hear((const char[]){ ASKED, ECHOED, '\0' });
	kill(writer, SIGKILL);
	if (waitpid(writer, &status, 0) < 0 || !WIFSIGNALED(status)) {
		fprintf(stderr, "round %u: nobody waited for the owner of %s\n", shared->round,
			state);
		exit(1);
	}
	hear((const char[]){ OVER, WITHDRAWN, '\0' });
	usleep(PAUSE_USEC);
}

static int compare(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* @offset: of a time in struct times */
static void summary(const char *path, size_t offset, unsigned int rounds)
{
	static uint64_t ns[ROUNDS_MAX];

	for (unsigned int i = 0; i < rounds; i++) {
		const struct times *times = &shared->times[WARM_UP + i];

		ns[i] = *(const uint64_t *)((const char *)times + offset) - times->start;
	}
	qsort(ns, rounds, sizeof(*ns), compare);
	printf("{\"path\":\"%s\",\"rounds\":%u,\"min_usec\":%.1f,\"p50_usec\":%.1f,"
	       "\"p99_usec\":%.1f,\"max_usec\":%.1f}\n",
	       path, rounds, ns[0] / 1e3, ns[(rounds * 50 + 99) / 100 - 1] / 1e3,
	       ns[(rounds * 99 + 99) / 100 - 1] / 1e3, ns[rounds - 1] / 1e3);
}

static void start(const char *device, size_t bytes)
{
	int pair[2];

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (shared == MAP_FAILED || pipe(words) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		fail("start");
	if (become_child())
		be_owner(device, bytes);
	hear((const char[]){ PINNED, '\0' });
	if (become_child()) {
		close(pair[0]);
		be_echo(pair[1]);
	}
	if (become_child()) {
		close(pair[1]);
		be_listener(pair[0]);
	}
	hear((const char[]){ LISTENING, '\0' });
}

int main(int argc, char *argv[])
{
	unsigned int rounds = argc == 4 ? strtoul(argv[3], NULL, 0) : 0;
	char state[4096];

	if (rounds < 1 || rounds > ROUNDS_MAX - WARM_UP) {
		fprintf(stderr, "usage: revoke-times DEVICE BYTES ROUNDS\n"
				"Reads the path of a memory block's state from standard input.\n");
		return 2;
	}
	start(argv[1], strtoul(argv[2], NULL, 0));
	printf("pinned\n");
	fflush(stdout);
	if (!fgets(state, sizeof(state), stdin))
		return 2;
	state[strcspn(state, "\n")] = '\0';
	for (; shared->round < WARM_UP + rounds; shared->round++)
		run_round(state);
	summary("listener", offsetof(struct times, netlink), rounds);
	summary("echo", offsetof(struct times, echo), rounds);
	summary("owner", offsetof(struct times, owner), rounds);
	return 0;
}
