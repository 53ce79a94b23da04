/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Limits of pinned bytes: kept here, enforced by the kernel through misc.max. */
#ifndef PINGUARD_CGROUP_QUOTAS_H
#define PINGUARD_CGROUP_QUOTAS_H

#include "daemon/cgroup/quota-store.h"
#include "daemon/cgroup/tree.h"

#define QUOTAS_MAX	4096
#define QUOTAS_UID_MAX	256
#define QUOTAS_DECLARED_MAX 4096 /* cgroups that files declare something for */
#define QUOTAS_DECLARED_UID_MAX 1024 /* of which one user may own so many */

struct quotas;

enum quota_state {
	QUOTA_APPLIED,
	QUOTA_PENDING, /* no such cgroup now */
	QUOTA_FAILED,
};

struct quota_status {
	enum quota_state state;
	bool exists;
	uint64_t cgroup_id;
	uint64_t current_bytes; /* UINT64_MAX where nobody counts */
	uint64_t effective_bytes; /* smallest limit up to the root, UINT64_MAX for none */
	uint64_t external_bytes; /* limit here that somebody else has set, UINT64_MAX for none */
	char *reason; /* the caller frees it; NULL for none */
};

/*
 * state_dir: NULL for none, quotas are of the runtime then. A damaged file is
 * set aside and logged. tree tells why a controller is off, may be NULL.
 */
int quotas_new(struct cgroupfs *fs, const char *state_dir, struct quotas **ret);
struct quotas *quotas_free(struct quotas *q);
DEFINE_CLEANUP(struct quotas *, quotas_free);
void quotas_set_tree(struct quotas *q, struct cgroup_tree *tree);
/*
 * Stored ones beside another service, which alone may change the file, and give back
 * limits: it may have reasons to keep what it read before. Problems are logged.
 */
int quotas_peek(struct quotas *q, const char *state_dir);

/* Why a cgroup does not have the misc controller; the caller frees it, NULL where nobody knows. */
char *quotas_why_not(struct quotas *q, const char *path);

/* Those that were set, how many; quotas_next() has those that files declare, too. */
unsigned int quotas_count(const struct quotas *q);
void quotas_status(struct quotas *q, const struct quota *quota, struct quota_status *ret);
/*
 * The one with this path, or NULL; good until a quota is set, cleared, applied or
 * declared. What was set comes before what files declare.
 */
struct quota *quotas_find(struct quotas *q, const char *path);
struct quota *quotas_next(struct quotas *q, struct quota *prev); /* NULL starts, NULL ends */
/* The same where it has a high mark: made to be asked with each pin. */
struct quota *quotas_find_high(struct quotas *q, const char *path);
size_t quotas_n_high(struct quotas *q);
/* A user's quota is good for one cgroup, and that may be gone or replaced. */
bool quotas_is_stale(struct quotas *q, const struct quota *quota);
/* What is charged there; 0 as well where nobody knows, or the quota was for another cgroup. */
uint64_t quotas_current_bytes(struct quotas *q, const struct quota *quota);
/* Of this cgroup; UINT64_MAX for none. */
uint64_t quotas_high_bytes(struct quotas *q, const char *path, uint64_t cgroup_id);
/* The same where this service has set none. */
void quotas_others_status(struct quotas *q, const char *path, struct quota_status *ret);

/*
 * high_bytes: not above max_bytes, UINT64_MAX for none; it is not for the kernel.
 * uid: of who asks where that is no administrator, else (uid_t)-1.
 * -ENOENT: no such cgroup; -EOPNOTSUPP: not possible, *ret_reason (the caller
 * frees it) says why; -E2BIG: too many; -EPERM: an administrator's;
 * -EFBIG: their names are too long for the file
 */
int quotas_set(struct quotas *q, const char *path, uint64_t max_bytes, uint64_t high_bytes,
	       bool runtime, uid_t uid, char **ret_reason);
/* -ENOENT: there is none; -EPERM as above */
int quotas_clear(struct quotas *q, const char *path, uid_t uid);

/* Put the stored limits into the kernel: all, or those at and below a path that appeared. */
void quotas_apply(struct quotas *q, const char *path);

/*
 * What files declare from now on; takes them over. Each cgroup is to be looked at
 * then, and in the end quotas_looked() is to be called. possible: the kernel limits
 * pinned memory.
 */
void quotas_declare(struct quotas *q, struct declarations *d, bool possible);
/*
 * A cgroup gets what is declared for it, or gives back what was. What others have
 * written into misc.max is left alone. Says what fails, once for each section.
 * -EOPNOTSUPP: not possible, *ret_reason (the caller frees it, may be NULL) says why
 */
int quotas_look(struct quotas *q, int fd, const char *path, char **ret_reason);
void quotas_looked(struct quotas *q);
/* The same as quotas_look() of one that has been set, too. */
int quotas_enforce(struct quotas *q, int fd, const char *path, char **ret_reason);
struct declarations *quotas_declarations(const struct quotas *q); /* NULL before that */
/* Whether some have come that files declare, since this was asked: those are raised. */
bool quotas_take_raised(struct quotas *q);
/* The cgroups of each section: its n_matches. */
void quotas_count_matches(struct quotas *q);

#endif
