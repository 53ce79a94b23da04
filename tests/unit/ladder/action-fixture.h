/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Actions without a service around them, on a bus with a systemd of the test. */
#ifndef PINGUARD_TEST_ACTION_FIXTURE_H
#define PINGUARD_TEST_ACTION_FIXTURE_H

#include <signal.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "daemon/ladder/internal.h"
#include "tests/unit/ladder/systemd-fixture.h"

struct action_fixture {
	sd_event *event;
	struct actions *actions;
	struct systemd systemd;
	unsigned int n_done;
	int error;
	char text[256];
	pid_t child;
	int pidfd;
	char proc[64], cgroups[64]; /* trees of the test's own; proc is "" until there is one */
};

extern struct action_fixture f;

int action_setup(void **state);
int action_teardown(void **state);

/* Counts the end of an action, and keeps what it was. */
void on_done(struct action *a, int error, const char *text, void *userdata);
/* The owner of an action may free it at its end. */
void on_done_free(struct action *a, int error, const char *text, void *userdata);

/* All that is on its way has arrived when nothing happens any more. */
void settle(void);
/* One action ends so, and no other. */
void expect_end(int error, const char *text);
/* A process to act on: f.child, f.pidfd. */
void make_child(void);
/* Have a process run in a cgroup, as far as the service can see. */
void set_cgroup(pid_t pid, const char *path);
/* A cgroup with so many processes in it: those above it are populated, too. */
void make_cgroup(const char *path, const char *type, const char *procs);
/* What has been written to cgroup.kill of it. */
bool was_killed(const char *path);

#endif
