/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What Explain looks at: between its files alone. */
#ifndef PINGUARD_MANAGER_EXPLAIN_H
#define PINGUARD_MANAGER_EXPLAIN_H

#include "daemon/manager/internal.h"

#define EXPLAIN_HOLDERS_MAX  8 /* of each limit, the largest */
#define EXPLAIN_PIDS_MAX     64 /* of a cgroup without pins, that are looked at for one that lives */

struct explaining {
	struct manager *m;
	struct call *call;
	struct explain_facts facts; /* what it names is freed by explaining_done() */
	char *unit, *user_unit; /* of the process; NULL for none */
};

void explaining_done(struct explaining *x);

/*
 * explain-facts.c: a process as it is now, and by its number no other one's: 0 and *ret,
 * whose cgroup is the caller's; -ESRCH: it is gone; -EACCES: /proc keeps it from us.
 * Of a thread it is the process.
 */
int explain_read_process(struct manager *m, pid_t pid, struct explain_process *ret);
/* When it was started. CLOCK_REALTIME; 0 where nobody knows */
uint64_t explain_started_usec(struct manager *m, pid_t pid);
/* Whether pins of a kind count there. */
bool explain_counts_for(uint32_t kind, enum check_counter counter);
/* The cgroups from this one on, what they limit, and all else that is no process's. */
int explain_read_limits(struct explaining *x, const char *path);

/* explain-holders.c: those of a limit that the caller may see; NULL when out of memory */
json_t *explain_holders_json(struct explaining *x, const struct pin_check *c);
/* The process that pins most in a cgroup and below, or lives there; 0 for none. */
pid_t explain_pick_process(struct manager *m, const char *path);

#endif
