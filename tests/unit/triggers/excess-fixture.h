/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cgroups of plain directories, whose quotas a manager keeps, and pins that are made up. */
#ifndef PINGUARD_TEST_EXCESS_FIXTURE_H
#define PINGUARD_TEST_EXCESS_FIXTURE_H

#include "tests/unit/manager/owner-fixture.h"

#include "daemon/manager/internal.h"

#define HOUR_USEC (3600 * 1000000ULL)

/* /a, /a/b, /u and /u/v, the last two a user's; only root can. *state is a struct manager. */
int excess_setup(void **state);
int excess_teardown(void **state);
/* The kernel counts so much there. */
void cgroup_charge(const char *path, unsigned int bytes);

/* The kernel says that a process has a new pin, which is charged there. */
void say_pin(struct manager *m, uint64_t id, pid_t pid, uint64_t bytes, const char *path);
/* The same of any pin, whose kind and cgroups are filled in. */
void say_pin_like(struct manager *m, const struct pin_info *pin, const char *path,
		  const char *charged);
void say_unpin(struct manager *m, uint64_t id);
/* What SetQuota answers; high_bytes below 0 for none. */
json_t *set_quota(struct manager *m, const struct process *p, const char *cgroup,
		  int64_t max_bytes, int64_t high_bytes);
/* The next request, for pins of so many bytes. */
void check_asked(struct manager *m, struct client *c, uint64_t bytes);
/* The time of another look has come, or not for long. */
void set_looked(struct manager *m, const char *path, uint64_t usec);

#endif
