/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes that are registered with org.pinguard.Owner. */
#ifndef PINGUARD_RELEASE_OWNERS_H
#define PINGUARD_RELEASE_OWNERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/base/base.h"
#include "daemon/kernel/kernel.h"
#include "daemon/model/model.h"
#include "daemon/varlink/varlink.h"

#define OWNER_INTERFACE "org.pinguard.Owner"

#define OWNERS_MAX	 2048
#define OWNERS_UID_MAX	 32 /* of one uid but root */
/* Register and Complete of one uid but root: so many at once, then so many a second. */
#define OWNER_CALLS_BURST 256
#define OWNER_CALLS_RATE  64

struct owners;

struct owner {
	UT_hash_handle hh; /* by pid */
	struct owners *owners;
	pid_t pid;
	uid_t uid;
	struct call *call; /* Register: its peer is the process */
	uint8_t comm[PIN_COMM_MAX];
	uint8_t comm_len;
	struct cgroup_node *cgroup; /* a reference; NULL where nobody knows */
	uint64_t since_usec; /* CLOCK_REALTIME */
	bool marked; /* the kernel knows */
	/* Requests since then. */
	uint64_t asked, released, refused, lapsed;
	unsigned int open_requests;
};

struct owners_config {
	struct genl *genl; /* is told who they are; NULL for none */
	/* The owner is gone, and freed after it. */
	void (*left)(struct owner *owner, void *userdata);
	void *userdata;
};

/* What the configuration points to must outlive them. */
int owners_new(sd_event *event, const struct owners_config *config, struct owners **ret);
/*
 * The service stops, and their connections end because of that: they have not
 * left, and the kernel goes on knowing those that come back.
 */
void owners_stop(struct owners *owners);
/* Without left(). */
struct owners *owners_free(struct owners *owners);
DEFINE_CLEANUP(struct owners *, owners_free);

/* The pins have been read: who is marked in the kernel and does not come back is not for long. */
int owners_resynced(struct owners *owners);

/*
 * The call's peer becomes an owner until its connection ends. -EEXIST: it is
 * one already; -EUSERS: too many of this uid; -ENOSPC: too many; -ESRCH: it
 * has exited, or nobody would see it exit.
 */
int owners_register(struct owners *owners, struct call *call, uint64_t now_usec,
		    struct owner **ret);
/* NULL where this process is none. */
struct owner *owners_find(struct owners *owners, pid_t pid);
struct owner *owners_next(struct owners *owners, struct owner *prev);
size_t owners_count(const struct owners *owners);
/* Whether the process that is registered still lives. */
bool owner_lives(const struct owner *owner);
/* 0, or -EUSERS where this uid calls too often. now_usec: CLOCK_MONOTONIC */
int owners_admit(struct owners *owners, uid_t uid, uint64_t now_usec);

#endif
