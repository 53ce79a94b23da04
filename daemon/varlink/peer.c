/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "daemon/varlink/peer.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5 */
#endif

static int read_groups(struct peer *peer, int fd)
{
	socklen_t size = 0;
	gid_t *groups;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) == 0)
		return 0;
	if (errno != ERANGE)
		return errno == ENODATA ? 0 : -errno;
	groups = malloc(size);
	if (!groups)
		return -ENOMEM;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0) {
		free(groups);
		return -errno;
	}
	peer->groups = groups;
	peer->n_groups = size / sizeof(*groups);
	return 0;
}

int peer_init(struct peer *peer, int fd)
{
	struct ucred credentials;
	socklen_t size = sizeof(credentials);
	int r;

	*peer = (struct peer){ .pidfd = -1 };
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
		return -errno;
	peer->uid = credentials.uid;
	peer->gid = credentials.gid;
	peer->pid = credentials.pid;
	r = read_groups(peer, fd);
	if (r < 0)
		return r;

	/*
	 * A process that has exited has none. An old kernel gives none: then the
	 * number is looked up right here, soon after the connection was made.
	 */
	size = sizeof(peer->pidfd);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &peer->pidfd, &size) < 0)
		peer->pidfd = errno == ENOPROTOOPT && peer->pid > 0 ?
				      (int)syscall(SYS_pidfd_open, peer->pid, 0) : -1;
	if (peer->pidfd >= 0)
		(void)fcntl(peer->pidfd, F_SETFL, O_NONBLOCK);
	return 0;
}

void peer_done(struct peer *peer)
{
	closep(&peer->pidfd);
	free(peer->groups);
	*peer = (struct peer){ .pidfd = -1 };
}

gid_t peer_lookup_group(const char *name)
{
	const struct group *group = getgrnam(name);

	return group ? group->gr_gid : PEER_GID_NONE;
}

bool peer_has_exited(const struct peer *peer)
{
	struct pollfd p = { .fd = peer->pidfd, .events = POLLIN };

	return peer->pidfd >= 0 && poll(&p, 1, 0) > 0;
}

bool peer_is_same_process(const struct peer *a, const struct peer *b)
{
	/* One without a pidfd may have exited, and its number be another's. */
	return a->pid == b->pid && a->pid > 0 && a->pidfd >= 0 && b->pidfd >= 0 &&
	       !peer_has_exited(a) && !peer_has_exited(b);
}

static bool peer_in_group(const struct peer *peer, gid_t gid)
{
	if (gid == PEER_GID_NONE)
		return false;
	if (peer->gid == gid)
		return true;
	for (size_t i = 0; i < peer->n_groups; i++)
		if (peer->groups[i] == gid)
			return true;
	return false;
}

bool peer_is_admin(const struct peer *peer, gid_t admin_gid)
{
	return peer->uid == 0 || peer_in_group(peer, admin_gid);
}

bool peer_sees_all(const struct peer *peer, gid_t admin_gid, gid_t view_gid)
{
	return peer_is_admin(peer, admin_gid) || peer_in_group(peer, view_gid);
}
