/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_TEST_PINCTL_FIXTURE_H
#define PINGUARD_TEST_PINCTL_FIXTURE_H

#include "tests/unit/unit.h"

#include "daemon/varlink/server.h"
#include "lib/json.h"

#define MANAGER "org.pinguard.Manager."

/* A server with known answers, in a child; PINGUARD_SOCKET leads to it. */
int pinctl_start_server(const struct method *methods);
int pinctl_stop_server(void **state);

/* For answers; a text that is no JSON ends the server. */
json_t *parse(const char *text);

/* What pinctl printed last, on stdout and stderr. */
extern char output[65536];

/* Run pinctl with @arguments for the shell; its exit status. */
int run(const char *arguments);

/* Run it, and fail where the status is another or a part, in this order, is not printed. */
void expect(const char *arguments, int status, const char *const *parts);

#define EXPECT(arguments, status, ...) \
	expect(arguments, status, (const char *const[]){ __VA_ARGS__, NULL })

/* fork(), with stdout and stderr of the child in a pipe. */
pid_t pinctl_fork(int *ret_fd);
/* Start it with stdout and stderr in a pipe; its pid. */
pid_t pinctl_start(const char *arguments, int *ret_fd);
/* Add what it prints to output until that has @part; false at its end. */
bool pinctl_read_until(int fd, const char *part);
/* Read the rest, and return the exit status. */
int pinctl_finish(pid_t pid, int fd);

/* Run it on a terminal of 80 columns without colours; skips the test where there is none. */
void pinctl_run_on_terminal(const char *arguments, int status);
/* Fail where a line of the output is wider. */
void pinctl_check_width(size_t columns);

#endif
