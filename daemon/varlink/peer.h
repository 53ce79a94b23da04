/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_VARLINK_PEER_H
#define PINGUARD_VARLINK_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/macros.h"

/* Members may do what root may. */
#define PEER_ADMIN_GROUP "pinguard"
/* Members see what those see, and change nothing. */
#define PEER_VIEW_GROUP	 "pinguard-view"

/* No such group: matches no peer. */
#define PEER_GID_NONE ((gid_t)-1)

/* Who is at the other end of a connection, as the kernel said when it was made. */
struct peer {
	uid_t uid;
	gid_t gid;
	pid_t pid;   /* names the process at the time of connect, no later one */
	int pidfd;   /* of that process; -1 where the kernel does not give it */
	gid_t *groups; /* supplementary */
	size_t n_groups;
};

/* peer_init() - read the peer of a connected Unix socket; 0 or a negative errno */
int peer_init(struct peer *peer, int fd);
void peer_done(struct peer *peer);

/*
 * peer_lookup_group() - the number of a group, PEER_GID_NONE where there is none
 * Asks NSS and may block: at start only.
 */
gid_t peer_lookup_group(const char *name);

bool peer_has_exited(const struct peer *peer);
/*
 * Whether two connections were made by one process: two that live have not got
 * the same number. False where that cannot be told.
 */
bool peer_is_same_process(const struct peer *a, const struct peer *b);

/* Who may do what. Pure functions, to be asked at each call. */

/* peer_is_admin() - root or a member of the group; everything, physical addresses included */
bool peer_is_admin(const struct peer *peer, gid_t admin_gid);
/* peer_sees_all() - one of those, or a member of the group that sees what they see */
bool peer_sees_all(const struct peer *peer, gid_t admin_gid, gid_t view_gid);

#endif
