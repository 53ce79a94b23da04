/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Quotas, and the file that keeps them: written whole, or not at all. */
#ifndef PINGUARD_CGROUP_QUOTA_STORE_H
#define PINGUARD_CGROUP_QUOTA_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/base/base.h"
#include "daemon/cgroup/declarations.h"

#define QUOTA_STORE_FILE "quotas.json"

struct quota {
	struct quota *prev, *next;
	char *path; /* raw bytes */
	uint64_t max_bytes; /* UINT64_MAX: explicitly none */
	uint64_t high_bytes; /* more than that is asked back; UINT64_MAX for none, <= max_bytes */
	bool runtime; /* not in the file */
	uid_t uid; /* who set it, where that was no administrator; else (uid_t)-1 */
	uint64_t cgroup_id; /* then: good for this very cgroup alone */
	/* The section of a file that says so; NULL for a quota that was set. */
	const struct declaration *declaration;
	bool overridden; /* then: one that was set is in force */
	bool external; /* then: somebody else has written another limit, which is */
	/* For whoever asks for what is too much. */
	bool pressed; /* memory is short there, since the last look */
	bool passed; /* the high mark, and owners have been asked because of it */
	bool raised; /* more may be pinned since the last look */
	bool again; /* it was too much, and a look is due when some request is over */
	bool failed; /* it has been said that the owners could not be asked */
	uint64_t looked_usec; /* CLOCK_MONOTONIC */
};

/* Without a high mark. */
struct quota *quota_new(const char *path, uint64_t max_bytes);
struct quota *quota_free(struct quota *quota); /* one that is in no list */
void quota_list_add(struct quota **list, struct quota *quota);
void quota_list_remove(struct quota **list, struct quota *quota); /* and free it */
void quota_list_clear(struct quota **list);
struct quota *quota_list_find(struct quota *list, const char *path);

/*
 * 0, also where there is no file; -EBADMSG where it is none of ours or
 * damaged, and *ret_reason (a constant text) says what is wrong
 */
int quota_store_load(int dir_fd, struct quota **ret_list, const char **ret_reason);
/* Out of the way, to QUOTA_STORE_FILE.corrupt-TIME. */
int quota_store_set_aside(int dir_fd, uint64_t now_usec, char **ret_name);
int quota_store_save(int dir_fd, const struct quota *list);

#endif
