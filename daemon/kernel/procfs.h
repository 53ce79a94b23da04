/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What /proc says of a process. The parsers do no I/O. */
#ifndef PINGUARD_KERNEL_PROCFS_H
#define PINGUARD_KERNEL_PROCFS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Bytes of one file: 65536 groups of a process need 720 KiB. A longer one is -EFBIG. */
#define PROCFS_FILE_MAX	 (1 << 20)
/* Threads that are looked at in place of one that has no memory any more. */
#define PROCFS_TASKS_MAX 64

struct proc_status {
	pid_t tgid; /* the process that it is a thread of; 0 where it does not say */
	uint32_t uid; /* effective */
	uint32_t threads; /* 0 likewise */
	bool has_capabilities;
	uint64_t capabilities; /* effective; bits of CAP_*, in its own user namespace */
	bool has_memory; /* not a thread of the kernel, nor one that has exited */
	uint64_t pinned_bytes; /* VmPin */
	uint64_t locked_bytes; /* VmLck */
};

/* The text of /proc/PID/status; -ENODATA where it names no user. */
int procfs_parse_status(const char *text, struct proc_status *ret);
/* The text of /proc/PID/stat: when it was started, since boot; -ENODATA where it does not say. */
int procfs_parse_start(const char *text, uint64_t ticks_per_sec, uint64_t *ret_usec);
/* RLIMIT_MEMLOCK; UINT64_MAX for unlimited */
struct proc_memlock {
	uint64_t soft_bytes, hard_bytes;
};

/* The text of /proc/PID/limits; -ENODATA where it does not say. */
int procfs_parse_memlock(const char *text, struct proc_memlock *ret);
/*
 * What /proc/PID/ns/user is a link to: whether that is the first user namespace, whose
 * number is the same on every machine; -ENODATA where it is none at all.
 */
int procfs_parse_user_ns(const char *link, bool *ret_initial);
/*
 * The cgroup2 line of /proc/PID/cgroup, in place: the path starts at the
 * result and is NUL-terminated; NULL where there is none.
 */
char *procfs_parse_cgroup(char *text);
/* The text of /proc/net/protocols: how many sockets of one there are; 0 for none. */
unsigned int procfs_parse_sockets(const char *text, const char *protocol);

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

/*
 * proc_fd: of /proc; pid: of a process or a thread. -ENOENT or -ESRCH: no such
 * process; -EACCES, -EPERM: /proc keeps it from us. Where the main thread has
 * exited and others have not, memory is what those say.
 */
int procfs_read_status(int proc_fd, pid_t pid, struct proc_status *ret);
int procfs_read_memlock(int proc_fd, pid_t pid, struct proc_memlock *ret);
/* Takes CAP_SYS_PTRACE for processes of others: -EACCES. */
int procfs_read_user_ns(int proc_fd, pid_t pid, bool *ret_initial);
int procfs_read_cgroup(int proc_fd, pid_t pid, char **ret);
/* Any bytes, up to size; their number is returned. */
int procfs_read_comm(int proc_fd, pid_t pid, void *buf, size_t size);
/* Of a protocol, such as "XDP", in this network namespace; 0 where it is not known. */
unsigned int procfs_count_sockets(int proc_fd, const char *protocol);
/*
 * When it was started, after the machine was. That is told in hundredths of a second,
 * and a pin's time by a coarse clock: they may differ by so much.
 */
#define PROCFS_BORN_TOLERANCE_USEC 50000
int procfs_read_start(int proc_fd, pid_t pid, uint64_t *ret_usec);

#endif
