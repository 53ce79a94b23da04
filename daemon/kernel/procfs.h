/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What /proc says of a process. The parsers do no I/O. */
#ifndef PINGUARD_KERNEL_PROCFS_H
#define PINGUARD_KERNEL_PROCFS_H

#include <stdint.h>
#include <sys/types.h>

struct proc_status {
	uint32_t uid; /* effective */
	uint64_t pinned_bytes; /* VmPin */
	uint64_t locked_bytes; /* VmLck */
};

/* The text of /proc/PID/status; -ENODATA where it names no user. */
int procfs_parse_status(const char *text, struct proc_status *ret);
/* The text of /proc/PID/stat: when it was started, since boot; -ENODATA where it does not say. */
int procfs_parse_start(const char *text, uint64_t ticks_per_sec, uint64_t *ret_usec);
/*
 * The cgroup2 line of /proc/PID/cgroup, in place: the path starts at the
 * result and is NUL-terminated; NULL where there is none.
 */
char *procfs_parse_cgroup(char *text);

/* proc_fd: of /proc. -ENOENT or -ESRCH: no such process */
int procfs_read_status(int proc_fd, pid_t pid, struct proc_status *ret);
int procfs_read_cgroup(int proc_fd, pid_t pid, char **ret);
/* Any bytes, up to size; their number is returned. */
int procfs_read_comm(int proc_fd, pid_t pid, void *buf, size_t size);
int procfs_read_start(int proc_fd, pid_t pid, uint64_t *ret_usec);

#endif
