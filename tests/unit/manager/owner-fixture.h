/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_TEST_OWNER_FIXTURE_H
#define PINGUARD_TEST_OWNER_FIXTURE_H

#include "tests/unit/unit.h"

#include "daemon/manager/idl.h"
#include "daemon/manager/answers.h"
#include "daemon/manager/methods.h"
#include "lib/json.h"
#include "lib/varlink.h"
#include "tests/unit/idl.h"

#define MANAGER(name) "org.pinguard.Manager." name
#define OWNER(name)   "org.pinguard.Owner." name

#define USER_UID 65534

/*
 * A manager in this process, without a kernel: the test says what is pinned.
 * Its clients are processes that do nothing but connect.
 */
struct process {
	pid_t pid;
	int control;
};

struct client {
	int fd;
	struct varlink_reader reader;
	bool eof;
};

int owner_setup(void **state); /* *state is a struct manager */
int owner_teardown(void **state);
/* In place of none: devices of a made up sysfs. sys outlives it; source: of inventory_new() */
void make_devices(struct manager *m, const char *sys, inventory_source source);
/*
 * Likewise a kernel that has told of all its pins, and counts them in the cgroups at
 * mount. For programs linked with the genl-fixture.
 */
void make_kernel(struct manager *m, const char *mount);

/* False where the test may not do that. */
bool process_start_as(struct process *p, uid_t uid);
void process_start(struct process *p);
/* It is gone when this returns; its connections stay, if the test has them. */
void process_end(struct process *p);
/* Whether it still lives. */
bool process_lives(const struct process *p);
/* Where requests find it; FIXTURE_CGROUP for a process that pins and is nowhere yet. */
void process_set_cgroup(pid_t pid, const char *path);
#define FIXTURE_CGROUP "/t.service"

/* The service's end, which has not been accepted. */
int client_connect(struct client *c, const struct process *p);
void client_open(struct manager *m, struct client *c, const struct process *p);
/* The manager has seen it when this returns. */
void client_close(struct manager *m, struct client *c);

/* parameters: the reference is taken over; NULL for none */
void client_send(struct client *c, const char *method, bool more, json_t *parameters);
/* What comes next, a whole message; NULL when the server has hung up. Waits for it. */
json_t *client_read(struct manager *m, struct client *c);
/* There is nothing to be read now. */
void client_silent(struct manager *m, struct client *c);

/* The parameters of the next reply, or of the error of that name, checked. */
json_t *client_reply(struct manager *m, struct client *c, const char *method, bool continues);
void client_error(struct manager *m, struct client *c, const char *error);

/* Register: the first reply has been read. */
void owner_register(struct manager *m, struct client *c, const struct process *p);
/* The next request, checked; its token is copied. */
json_t *owner_request(struct manager *m, struct client *c, char token[static 64]);
/* Complete on a connection of its own. error: NULL for none */
void owner_complete(struct manager *m, const struct process *p, const char *token,
		    const char *result, const char *error);

/* All that the loop can do now. */
void pump(struct manager *m);
uint64_t now_usec(void);

#define TEST_CGROUP 7
void pin_add(struct manager *m, uint64_t id, pid_t pid, uint64_t bytes);
/* since_usec: CLOCK_REALTIME */
void pin_add_since(struct manager *m, uint64_t id, pid_t pid, uint64_t bytes, uint64_t since_usec,
		   uint32_t flags);
void pin_remove(struct manager *m, uint64_t id);
uint64_t realtime_usec(void);

#endif
