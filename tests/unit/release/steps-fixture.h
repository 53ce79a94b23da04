/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests and ladders of a test's own; for files of release.d the test must be root's. */
#ifndef PINGUARD_TEST_STEPS_FIXTURE_H
#define PINGUARD_TEST_STEPS_FIXTURE_H

#include "tests/unit/manager/owner-fixture.h"

#include "daemon/release/internal.h"

#define HOUR_USEC (3600 * 1000000LL)
#define SEC_USEC  1000000ULL

/* That of owner-fixture.h; owners have had the time to come back. */
int steps_setup(void **state);
/* Files of release.d: name.conf, for one cgroup. */
struct ladder_file {
	const char *name, *cgroup, *release;
};
void set_ladders(struct manager *m, const struct ladder_file *files, size_t n);
/* The ladder of what is in the test's cgroup. */
void set_ladder(struct manager *m, const char *release);
/* An administrator's request, of an hour where nothing else is said. */
struct release *start_until(struct manager *m, const uint64_t *ids, size_t n,
			    uint64_t timeout_usec);
struct release *start(struct manager *m, const uint64_t *ids, size_t n);
const struct release_owner *owner_of(struct release *release, pid_t pid);
void wait_until_dead(struct manager *m, const struct process *p);
/* What is told of the request's first owner. */
void check_json(struct release *release, const char *state, const char *next);

#endif
