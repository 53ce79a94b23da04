/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_TEST_SCENE_H
#define PINGUARD_TEST_SCENE_H

#include "tests/unit/manager/owner-fixture.h"

#define HOUR_USEC (3600 * 1000000LL)

/*
 * An administrator, and a registered owner that has the pins 1 and 2; pin 3 is
 * the administrator's own. Skips the test where it is not root's.
 */
struct scene {
	struct manager *m;
	struct process root, owner;
	struct client admin, registered;
};

void scene_open(struct scene *s, void **state);
void scene_close(struct scene *s);

/* Release of a process's pins. */
void release_ask(struct client *c, pid_t pid, bool more, bool async, int64_t timeout_usec);
/* The administrator follows a request of an hour; what the owner is asked, its token copied. */
json_t *scene_ask(struct scene *s, char token[static 64]);
/* The next reply: its phase is as said. */
json_t *release_state(struct manager *m, struct client *c, const char *method, bool continues,
		      const char *phase);
const char *owner_state(const json_t *release, size_t i);
/* With "more": until the owner is in a state. */
void release_wait_state(struct manager *m, struct client *c, const char *state);
/* The last reply, whatever comes before it. */
json_t *release_last_state(struct manager *m, struct client *c, const char *phase);

#endif
