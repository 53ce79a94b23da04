/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the process behind a request's owner runs. */
#ifndef PINGUARD_RELEASE_CGROUP_H
#define PINGUARD_RELEASE_CGROUP_H

struct release_owner;

/*
 * The raw path of the process's cgroup, as long as its pidfd says that it
 * lives; after that, and where it cannot be read, the path of its pins' cgroup.
 * Blocks on nothing but /proc. NULL where nobody knows, or out of memory; the
 * caller's to free.
 */
char *release_owner_cgroup(const struct release_owner *o);

#endif
