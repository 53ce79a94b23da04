/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_TEST_LIBPINGUARD_FIXTURE_H
#define PINGUARD_TEST_LIBPINGUARD_FIXTURE_H

#include "tests/unit/unit.h"

#include <stdbool.h>
#include <sys/socket.h>

#include "libpinguard/owner-internal.h"

/* An owner against a service that the test plays, in one thread and by turns. */

#define REGISTERED "{\"parameters\":{},\"continues\":true}"
#define REQUEST(token)                                                                          \
	"{\"parameters\":{\"request\":{\"token\":\"" token "\",\"mode\":\"sync\","              \
	"\"reason\":\"drain\",\"deadline_usec\":7,\"reminder\":true,\"pins\":[{\"id\":\"0x1\"," \
	"\"kind\":\"rdma\",\"device\":\"rxe0\",\"address\":\"0x2000\",\"bytes\":4096}]}},"      \
	"\"continues\":true}"
#define WITHDRAWN(token) "{\"parameters\":{\"withdrawn\":\"" token "\"},\"continues\":true}"
#define DONE		 "{\"parameters\":{}}"
#define ERROR(name, params) \
	"{\"error\":\"org.pinguard.Owner." name "\",\"parameters\":{" params "}}"

#define CALL_REGISTER "{\"method\":\"org.pinguard.Owner.Register\",\"parameters\":{},\"more\":true}"
#define CALL_COMPLETE(params) \
	"{\"method\":\"org.pinguard.Owner.Complete\",\"parameters\":{" params "}}"
#define CALL_RELEASED(token) CALL_COMPLETE("\"token\":\"" token "\",\"result\":\"released\"")

struct fixture {
	char path[64];
	int listen_fd, stream_fd;
	unsigned int n_fds;
	struct pinguard_owner *owner;
	char log[4096];	 /* what the callbacks were told, a line each */
	char answer[64]; /* a token to complete from the request callback */
	bool drop, reenter, fork;
	struct pinguard_request *kept;
};

int setup(void **state);
int teardown(void **state);
unsigned int count_fds(void);

/* What the callbacks were told since the last time. */
void expect_log(struct fixture *f, const char *wanted);

/* Whether the owner's fd is readable. */
bool ready(struct fixture *f, int timeout_ms);

/* Turns the owner's timers off, for what must not depend on how late it is. */
void halt(struct fixture *f);

/* Dispatches once where the fd says so, within a time that is never reached. */
int turn(struct fixture *f);

/* A message of the service. */
void say(int fd, const char *message);

/* The owner's next connection, and the call that came on it. */
int take_call(struct fixture *f, const char *call);

/* Another call on the same connection. */
void more_calls(int fd, const char *call);

/* Whether the owner ended the connection, and left nothing unread. */
bool hung_up(int fd);

/* Up to the registration; f->stream_fd is then the service's end. */
void enroll(struct fixture *f);

/* Answers "released". */
int complete(struct fixture *f, const char *token);

#endif
