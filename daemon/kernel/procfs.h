/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What /proc says of a process. The parsers do no I/O. */
#ifndef PINGUARD_KERNEL_PROCFS_H
#define PINGUARD_KERNEL_PROCFS_H

#include <stdbool.h>
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

/* A line of /proc/PID/maps, of what is mapped from a file with a path. */
struct proc_mapping {
	unsigned long start, end, inode;
	dev_t dev; /* of the file system that the file is on */
	bool shared;
};

/* -ENODATA: it is of no file */
int procfs_parse_mapping(const char *line, struct proc_mapping *ret);
/*
 * A line of /proc/PID/mountinfo, in place: the device, and where it is mounted, with
 * blanks as the kernel writes them; -ENODATA where it does not say.
 */
int procfs_parse_mount(char *line, dev_t *ret_dev, const char **ret_where);

/* proc_fd: of /proc. -ENOENT or -ESRCH: no such process */
int procfs_read_status(int proc_fd, pid_t pid, struct proc_status *ret);
int procfs_read_cgroup(int proc_fd, pid_t pid, char **ret);
/* Any bytes, up to size; their number is returned. */
int procfs_read_comm(int proc_fd, pid_t pid, void *buf, size_t size);
int procfs_read_start(int proc_fd, pid_t pid, uint64_t *ret_usec);

#endif
