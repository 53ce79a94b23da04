/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests to release pins: who is asked for which of them, until when, what
 * has come of it. A request is over when the kernel says that its pins are
 * gone, when nothing is left to be done about them, or at its deadline.
 */
#ifndef PINGUARD_RELEASE_REQUEST_H
#define PINGUARD_RELEASE_REQUEST_H

#include <jansson.h>
#include <systemd/sd-event.h>

#include "daemon/kernel/kernel.h"
#include "daemon/model/model.h"
#include "daemon/release/owners.h"

/*
 * Limits. Requests of the kernel count for none but those of memory. What those
 * of users that are no administrators take together is at most half of what may
 * run: the rest is the administrators' and the kernel's.
 */
#define RELEASES_MAX		64 /* that run at a time */
#define RELEASES_UID_MAX	4 /* of one uid that is no administrator */
/* Calls of Release of one such uid, and requests of its quotas: at once, then a second. */
#define RELEASE_CALLS_BURST	16
#define RELEASE_CALLS_RATE	1
#define RELEASES_PINS_MAX	(4U << 20) /* in all that run */
#define RELEASE_TIMEOUT_MAX_USEC (24 * 3600 * 1000000ULL)
#define RELEASE_TIMEOUT_LADDER	UINT64_MAX /* as long as the owners' ladders last */
#define RELEASE_PAUSE_USEC	(250 * 1000ULL) /* between two changes that are told */
#define RELEASE_OWNERS_SHOWN_MAX 4096 /* in one reply */
#define RELEASE_FAILURES_MAX	1024 /* failed parts of pins that a request tells of */

enum release_reason {
	RELEASE_ADMINISTRATOR,
	RELEASE_DRAIN,
	RELEASE_QUOTA,
	RELEASE_DEVICE_REMOVAL,
	RELEASE_MEMORY_OFFLINE,
	RELEASE_MEMORY_FAILURE,
};

enum release_mode {
	RELEASE_ASYNC,
	RELEASE_SYNC, /* somebody waits for it; told to the owners, no more */
};

enum release_phase {
	RELEASE_RUNNING,
	RELEASE_DONE,
	RELEASE_REFUSED,
	RELEASE_TIMED_OUT,
	RELEASE_CANCELLED,
};

struct releases;
struct release;
struct release_owner;

enum release_event {
	RELEASE_EVENT_STARTED,
	RELEASE_EVENT_STEP, /* with the owner */
	RELEASE_EVENT_OVER,
};

struct releases_config {
	struct registry *registry;
	struct owners *owners;
	const char *proc; /* "/proc" */
	const char *cgroup_mount; /* of cgroup2; NULL for none: no unit is stopped */
	/*
	 * A pin as the kernel has it this moment: above all whether its owner
	 * lives. -ENOENT: it is gone. NULL where nobody can be asked.
	 */
	int (*look)(uint64_t pin_id, struct pin_info *ret, void *userdata);
	/* Who has devices open; NULL where nobody looks. */
	struct openers *openers;
	/*
	 * The files of a device that pins, or with "" of those that do so for pins of the
	 * kind; a negative errno where it is not known.
	 */
	int (*numbers)(const char *device, uint32_t kind, struct device_numbers *ret,
		       void *userdata);
	/* Whether the registry is what the kernel says now. */
	bool (*ready)(void *userdata);
	/* For the history; the journal has been told. owner is NULL but with STEP. */
	void (*on_event)(enum release_event event, struct release *release,
			 const struct release_owner *owner, void *userdata);
	void *userdata;
};

/* All that the configuration points to must outlive it. */
int releases_new(sd_event *event, const struct releases_config *config, struct releases **ret);
/* Gives up what runs, and says so in the journal. */
struct releases *releases_free(struct releases *releases);
DEFINE_CLEANUP(struct releases *, releases_free);
/*
 * Reads the files of dir, NULL for LADDERS_DIR, also anew: requests that run keep
 * the ladders that they have. Where it cannot be read, those before stay; without
 * any, asking is all.
 */
void releases_load_ladders(struct releases *releases, const char *dir);

/*
 * Whether this uid, no administrator, may ask for a release now. 0, or -EUSERS:
 * it asks too often, or too many ask. now_usec: CLOCK_MONOTONIC
 */
int releases_admit(struct releases *releases, uid_t uid, uint64_t now_usec);

/* What the kernel said, after the registry was told of it. */
void releases_unpinned(struct releases *releases, uint64_t pin_id);
void releases_pin_changed(struct releases *releases, uint64_t pin_id);
void releases_resynced(struct releases *releases);
/* What became of an owner's registration. */
void releases_owner_registered(struct releases *releases, struct owner *owner);
void releases_owner_left(struct releases *releases, struct owner *owner);

/* A part of a pin whose memory failed. */
struct release_failure {
	uint64_t pin;
	bool has_address;
	uint64_t address; /* in the owner */
	uint64_t bytes; /* of the pin, where the address is not known */
	bool data_lost;
	enum holder_test test; /* how it is known */
};

struct release_config {
	enum release_reason reason;
	const char *target; /* of a drain or of a revoke, raw bytes; NULL for a selection */
	/*
	 * Everything in this cgroup is meant, raw; NULL: the processes behind the
	 * pins. No step reaches beyond that.
	 */
	const char *selected;
	enum release_mode mode;
	uint64_t timeout_usec; /* or RELEASE_TIMEOUT_LADDER */
	bool dry_run;
	bool admin; /* an administrator, or the kernel */
	uint32_t uid; /* who asks; PIN_UID_NONE: the kernel */
	bool has_revoke;
	uint64_t revoke_id;
	const uint64_t *pin_ids; /* in any order; ids that are gone are left out */
	size_t n_pins;
	const struct release_failure *failures; /* with memory_failure: why */
	size_t n_failures; /* what is more than RELEASE_FAILURES_MAX is left out */
};

/*
 * Asks at once. *ret, a new reference, is over already where no pin was left;
 * a dry run is not remembered. -EUSERS: too many requests of this uid; -EBUSY:
 * too many requests; -E2BIG: too many pins or owners; -ERANGE: the timeout.
 */
int release_start(struct releases *releases, const struct release_config *config,
		  struct release **ret);
/*
 * Of a dry run, once: looks for those that hold pins of processes that have ended, of
 * up to RELEASE_LOOKS_MAX of these. False where there is nothing to look for; done()
 * is called from the loop otherwise, unless the last reference goes before.
 */
bool release_foresee_holders(struct release *release, void (*done)(void *userdata),
			     void *userdata);
struct release *release_ref(struct release *release);
struct release *release_unref(struct release *release); /* NULL is fine; returns NULL */
DEFINE_CLEANUP(struct release *, release_unref);
/* No further step; owners that have not answered are told. Nothing where it is over. */
void release_cancel(struct release *release);
/*
 * The kernel's revoke is over: with what outcome, of PINGUARD_REVOKE_OUTCOME_*.
 * Ends the request that it started, if that still runs.
 */
void releases_revoke_done(struct releases *releases, uint64_t revoke_id, uint32_t outcome);

/*
 * More of its pins' memory failed: their owners are told soon, by a reminder
 * that has all parts. What is known already is none. -E2BIG: too many parts.
 */
int release_add_failures(struct release *release, const struct release_failure *failures,
			 size_t n);
/* One that runs because of failed memory, and in which something is being done about a pin. */
struct release *release_find_failure(struct releases *releases, uint64_t pin_id);
/* Of those that run. */
size_t releases_n_reason(const struct releases *releases, enum release_reason reason);

/* Those that run and those that are remembered; not a reference. NULL for none. */
struct release *release_find(struct releases *releases, const char *token);
/* Those that run; NULL starts, NULL ends. */
struct release *releases_next(struct releases *releases, struct release *prev);
/* Whether it was started because more was pinned in a cgroup than its quota says. */
bool release_is_of_quota(const struct release *release, const char *cgroup_path);
size_t releases_n_running(const struct releases *releases);

const char *release_token(const struct release *release);
enum release_phase release_phase(const struct release *release);
enum release_reason release_reason(const struct release *release);
uint32_t release_uid(const struct release *release);

/*
 * Called from the event loop after changes, at most once in RELEASE_PAUSE_USEC
 * while it runs, and when it is over; not from within a release_*() function.
 * The watch must be removed before it goes.
 */
struct release_watch {
	void (*changed)(struct release *release, void *userdata);
	void *userdata;
	struct release_watch *prev, *next;
};

void release_watch_add(struct release *release, struct release_watch *watch);
void release_watch_remove(struct release *release, struct release_watch *watch);

/*
 * org.pinguard.Manager.ReleaseRequest; a new reference. Of more than owners_max
 * owners, or more than RENDER_NAMES_BYTES of names, those that hold nothing any
 * more are left out first.
 */
json_t *release_json(const struct release *release, size_t owners_max);
/* The same with RELEASE_OWNERS_SHOWN_MAX, made once for all that follow it. */
json_t *release_shown_json(struct release *release);
/* org.pinguard.Manager.ReleaseOwner */
json_t *release_owner_json(const struct release_owner *owner);
struct release_process {
	pid_t pid;
	uint32_t uid;
	const uint8_t *comm;
	size_t comm_len;
	struct cgroup_node *cgroup; /* NULL where nobody knows */
	uint64_t pins_left;
};

/* Points into the request. */
void release_owner_process(const struct release_owner *owner, struct release_process *ret);
/* One of a request's owners: i from 0 until NULL. */
const struct release_owner *release_owner_at(const struct release *release, size_t i);

/*
 * Complete: answers the call, now or later. Errors are of org.pinguard.Owner.
 */
int releases_complete(struct releases *releases, struct call *call, const char *token,
		      enum owner_answer answer, const char *reason);

#endif
