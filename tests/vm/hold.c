/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An owner for the guest's tests: pins memory in one of many ways, says so, and keeps
 * it until its standard input ends. With --owner it is registered with the service,
 * and lets go of it when it is asked.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pinguard/pinguard.h>

#include "pinners.h"

#define AGAIN_MSEC 20

struct hold {
	const struct pinner *pinner;
	struct pinguard_owner *owner;
	bool pinned;
	char token[65]; /* of an answer that came too early */
};

static _Noreturn void die(const char *text)
{
	fprintf(stderr, "hold: %s: %s\n", text, strerror(errno));
	exit(1);
}

static void say(const char *text)
{
	puts(text);
	fflush(stdout);
}

static void complete(struct hold *hold, const char *token)
{
	if (pinguard_owner_complete(hold->owner, token, PINGUARD_RESULT_RELEASED, NULL) < 0)
		say("not answered");
}

static void on_request(struct pinguard_owner *owner, struct pinguard_request *request,
		       void *userdata)
{
	struct hold *hold = userdata;

	(void)owner;
	for (size_t i = 0; i < pinguard_request_n_pins(request); i++)
		printf("asked for %d\n",
		       (int)pinguard_pin_kind(pinguard_request_pin(request, i)));
	if (hold->pinned && hold->pinner->unpin() < 0)
		die("unpin");
	hold->pinned = false;
	complete(hold, pinguard_request_token(request));
}

/* The kernel may let go in a worker, such as where a socket was closed. */
static void on_completed(struct pinguard_owner *owner, const char *token, int error,
			 uint64_t pins_left, uint64_t bytes_left, void *userdata)
{
	struct hold *hold = userdata;

	(void)owner, (void)pins_left, (void)bytes_left;
	if (error == -EBUSY)
		snprintf(hold->token, sizeof(hold->token), "%s", token);
	else
		say(error ? "not released" : "released");
}

static void try_again(struct hold *hold)
{
	char token[sizeof(hold->token)];

	if (!hold->token[0])
		return;
	memcpy(token, hold->token, sizeof(token));
	hold->token[0] = '\0';
	complete(hold, token);
}

/* False when standard input has ended. */
static bool turn(struct hold *hold)
{
	struct pollfd fds[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = hold->owner ? pinguard_owner_fd(hold->owner) : -1, .events = POLLIN },
	};
	char byte;
	int n = poll(fds, 2, hold->token[0] ? AGAIN_MSEC : -1);

	if (n < 0 && errno != EINTR)
		die("poll");
	if (n == 0)
		try_again(hold);
	if (fds[1].revents)
		(void)pinguard_owner_dispatch(hold->owner); /* it tries again by itself */
	return !fds[0].revents || read(STDIN_FILENO, &byte, 1) > 0;
}

static void be_owner(struct hold *hold)
{
	if (pinguard_owner_new(NULL, &hold->owner) < 0)
		die("pinguard_owner_new");
	pinguard_owner_set_request_callback(hold->owner, on_request, hold);
	pinguard_owner_set_completed_callback(hold->owner, on_completed, hold);
	while (pinguard_owner_state(hold->owner) != PINGUARD_OWNER_REGISTERED)
		if (!turn(hold))
			exit(1);
}

int main(int argc, char *argv[])
{
	const bool owner = argc > 1 && strcmp(argv[1], "--owner") == 0;
	struct hold hold = {};
	size_t bytes;

	if (argc < 2 + owner) {
		fprintf(stderr, "usage: hold [--owner] PINNER [DEVICE] BYTES\n");
		return 2;
	}
	hold.pinner = pinner_open(argc - 1 - owner, argv + 1 + owner, &bytes);
	if (owner)
		be_owner(&hold);
	if (hold.pinner->pin() < 0) {
		printf("refused: %s\n", strerrorname_np(errno));
		return 1;
	}
	hold.pinned = true;
	printf("pinned %zu\n", bytes);
	fflush(stdout);
	while (turn(&hold))
		;
	return 0;
}
