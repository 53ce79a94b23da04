/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of requests alone. */
#ifndef PINGUARD_RELEASE_INTERNAL_H
#define PINGUARD_RELEASE_INTERNAL_H

#include "daemon/ladder/ladder.h"
#include "daemon/release/request.h"

#define RELEASE_TOKEN_LEN	32 /* hex digits: 128 bits */
#define RELEASES_OWNERS_MAX	16384 /* in all that run, and once more in those remembered */
#define RELEASES_KEPT_MAX	128 /* that are over and remembered */
#define RELEASE_KEPT_USEC	(3600 * 1000000ULL) /* and for how long */
#define RELEASE_OWNER_PINS_MAX	4096 /* in one message to an owner; then the next ones */
#define RELEASE_REASON_MAX	256 /* bytes of an owner's reason that are kept */
/* Cgroups that a dry run looks at; of owners after that it is not told what is refused. */
#define RELEASE_AIMS_MAX	4096
#define RELEASE_ACTIONS_MAX	128 /* steps under way; others wait for their turn */
#define RELEASE_SETTLE_USEC	(1 * 1000000ULL) /* for the kernel to say what an owner said */
/* Owners that are not back after the service's start are not waited for any longer. */
#define RELEASE_GRACE_USEC	(10 * 1000000ULL)
/* Between two messages that tell of more failed parts: the first, doubled up to the last. */
#define RELEASE_FAILURES_MIN_USEC (250 * 1000ULL)
#define RELEASE_FAILURES_MAX_USEC (4 * 1000000ULL)
#define RELEASE_LOOKS_MAX	16 /* for who holds pins of processes that have ended */
#define RELEASE_HOLDERS_MAX	8 /* that are told, for one of those */
#define RELEASE_HEIRS_MAX	64 /* that one step is taken on, one after the other */
/* Until a process is looked at again of which nobody could tell whose it is. */
#define RELEASE_LOOK_USEC	(1 * 1000000ULL)
/* Timers may be late by that much, never early. */
#define RELEASE_ACCURACY_USEC	1000

struct asked_pin {
	uint64_t id;
	uint64_t bytes;
	uint32_t owner; /* index into the request's owners */
	bool left; /* the kernel has it still */
	bool listed; /* in a message to its owner */
	bool foreign; /* made by another process that had the owner's number */
};

enum release_owner_state {
	OWNER_WAITING,
	OWNER_ASKED,
	OWNER_REMINDED,
	OWNER_DEFERRED,
	OWNER_REFUSED,
	OWNER_LAPSED,
	OWNER_HOOK_RUNNING,
	OWNER_HOOK_FAILED,
	OWNER_UNIT_STOPPING,
	OWNER_KILLED,
	OWNER_RELEASED,
	OWNER_GONE, /* the process has exited; its pins are held by others */
};

/* A Complete that says "released" before the kernel does. */
struct completion {
	struct completion *prev, *next;
	struct release_owner *owner;
	struct call *call;
	sd_event_source *timer;
};

/* heir_fd is of a process to take the step on, or -1 */
typedef void (*release_heir_found)(struct release_owner *o, int step);

struct release_owner {
	struct release *release;
	UT_hash_handle hh; /* by token, once it has one */
	char token[RELEASE_TOKEN_LEN + 1];
	pid_t pid;
	uint32_t uid;
	uint8_t comm[PIN_COMM_MAX];
	uint8_t comm_len;
	struct cgroup_node *cgroup; /* a reference */
	const struct ladder *ladder; /* of the request's ladders */

	struct owner *owner; /* as long as it is registered */
	bool registered; /* was asked, or would be */
	bool lapsed;
	bool leaving; /* its registration is forgotten, what follows is not decided */
	uint64_t lapsed_usec;
	bool unsure; /* no pin says that the process is its owner */
	bool protected;
	bool gone; /* there is no process to act on */
	int pidfd;
	uint64_t born_usec; /* of the process, CLOCK_REALTIME; 0: unknown */
	uint64_t oldest_usec; /* of its pins, likewise */
	sd_event_source *exit;

	/* Of one that is gone: others that have the device open. */
	bool inherited; /* they can be looked for */
	struct openers_query *look; /* for them, that is under way */
	uint64_t look_usec; /* CLOCK_BOOTTIME, when it began */
	int look_step;
	release_heir_found heir_found;
	pid_t heir; /* that the step is taken on; 0 for none */
	int heir_fd; /* its pidfd */
	unsigned int n_heirs; /* that this step was taken on */
	json_t *holders; /* those that were seen; NULL where nobody looked */

	enum release_owner_state state;
	enum owner_answer answer;
	char *reason; /* raw; NULL for none */
	int step;
	uint64_t step_usec, asked_usec;
	bool step_failed;
	bool settled; /* refused, and nothing is left to be done */
	bool failures_new; /* of its pins, that it was not told of */
	struct decision next;
	sd_event_source *timer;
	struct action *action;
	struct aim aims[N_STEPS - STEP_HOOK]; /* of those that were taken */
	struct release_owner *queue_prev, *queue_next;
	bool queued;
	struct completion *completions;

	uint32_t first, n; /* in the request's order */
	uint32_t position; /* nothing is left before it */
	uint32_t listed_left;
	bool all_listed;
	uint64_t pins, bytes, pins_left, bytes_left;
};

struct release {
	unsigned int n_ref;
	sd_event *event;
	struct releases *releases; /* NULL when it is forgotten */
	struct release *prev, *next;
	char token[RELEASE_TOKEN_LEN + 1];
	enum release_reason reason;
	char *target;
	char *selected;
	enum release_mode mode;
	enum release_phase phase;
	bool dry_run, admin;
	uint32_t uid;
	bool has_revoke;
	uint64_t revoke_id;
	uint64_t started_usec, deadline_usec; /* CLOCK_MONOTONIC */
	uint64_t started_realtime_usec, over_usec;
	struct ladders *ladders;

	/* A dry run, while holders of pins are looked for. */
	struct releases *foresees;
	size_t n_foreseen; /* owners that have been come by, */
	size_t n_foreseen_looks; /* and for whom somebody was looked for */
	void (*foreseen)(void *userdata);
	void *foreseen_userdata;

	/* While it runs: by id, and their indices by owner. */
	struct asked_pin *asked;
	uint32_t *order;
	size_t n_asked;
	unsigned int looks; /* at pins that seemed to be others' */
	struct release_owner *owners; /* by pid */
	size_t n_owners;
	size_t n_holding, n_settled; /* with pins left; of those, settled */
	uint64_t pins, bytes, pins_left, bytes_left;

	struct release_failure *failures;
	size_t n_failures;
	sd_event_source *failures_timer;
	uint64_t failures_pause_usec;

	json_t *shown; /* as it stands, once somebody has asked; NULL after a change */
	sd_event_source *deadline, *notify;
	uint64_t notified_usec;
	struct release_watch *watches;
};

struct releases {
	sd_event *event;
	struct releases_config config;
	int proc_fd;
	char *own_cgroup; /* NULL where it is not known */
	uint64_t started_usec;
	struct ladders *ladders; /* NULL: asking alone */
	struct actions *actions;
	struct release *running, *kept; /* oldest first */
	size_t n_running, n_kept;
	size_t n_pins, n_owners, n_kept_owners;
	/* Of those, what users asked for. */
	size_t n_user_running, n_user_pins, n_user_owners;
	struct release_owner *tokens;
	struct release_owner *queue; /* wait until an action may start */
	unsigned int n_actions, n_looks;
	struct callers *callers; /* of requests, who are no administrators */
	sd_event_source *queue_turn;
	/* Of one whose turn has come: step.c, which is above the queue. */
	void (*take_up)(struct release_owner *o);
};

/* From the bottom up: no file uses what stands below it. */

/* names.c */
int release_new_token(char token[static RELEASE_TOKEN_LEN + 1]);
const char *release_reason_name(enum release_reason reason);
const char *release_phase_name(enum release_phase phase);
const char *release_mode_name(const struct release *release);

/* limits.c */
int releases_check_limits(struct releases *releases, const struct release_config *config);
/* What more a request may have: max is of all, n of all, n_user of users. */
size_t release_room(const struct release *release, size_t max, size_t n, size_t n_user);
void releases_count(struct releases *releases, const struct release *release);
void releases_uncount(struct releases *releases, const struct release *release);

/* select.c: whose pins */
int release_select(struct release *release, const uint64_t *ids, size_t n);
struct asked_pin *release_asked(const struct release *release, uint64_t id);
/* 1 where it was there, else 0. */
int release_drop_pin(struct release *release, struct asked_pin *pin);
struct release_owner *release_owner_by_pid(struct release *release, pid_t pid);

/* process.c: the process behind an owner */
void release_owner_identify(struct release_owner *o);
/*
 * 1 where it is known that the process made pins that are left, 0 where it is
 * not to be acted on; -EAGAIN: nobody can tell now.
 */
int release_owner_may_act(struct release_owner *o);
/*
 * The raw path of the process's cgroup, as long as its pidfd says that it
 * lives; after that, and where it cannot be read, the path of its pins' cgroup.
 * Blocks on nothing but /proc. NULL where nobody knows, or out of memory; the
 * caller's to free.
 */
char *release_owner_cgroup(const struct release_owner *o);
/*
 * What a step past asking would act on; looks as of action_aim(). In *aim, which
 * is done with before.
 */
int release_owner_aim(const struct release_owner *o, int step, unsigned int *looks,
		      struct aim *aim);
/* The cgroup that may be killed as a whole in place of the process; NULL for none. */
const char *release_owner_kills(const struct release_owner *o);
struct ladder_facts release_owner_facts(const struct release_owner *o);
/* Raw paths of cgroups in which nothing is ever ended. */
bool release_path_protected(const struct releases *releases, const char *path);
bool pidfd_has_exited(int pidfd);
void release_owner_set_reason(struct release_owner *o, const char *reason);
void release_owner_done(struct release_owner *o);

/* message.c: to an owner; one that cannot be told will be seen to have left */
void release_owner_send(struct release_owner *o, bool reminder);
void release_owner_send_withdrawn(struct release_owner *o);
json_t *release_owner_hook_json(struct release_owner *o);

/* failed-parts.c */
int release_set_failures(struct release *release, const struct release_config *config);
void release_drop_failures(struct release *release);

/* watch.c: followers will be told */
void release_changed(struct release *release);

/* heirs.c: of an owner that is gone */
/* Decides whether it can be looked for those that hold its pins now. */
void release_owner_inherit(struct release_owner *o);
/* Calls back from the loop. -EAGAIN: later, so many are looked for */
int release_owner_find_heir(struct release_owner *o, int step, release_heir_found found);
void release_owner_drop_look(struct release_owner *o);

/* log.c: the journal, then the history */
void release_tell_started(struct release *release);
void release_tell_step(struct release_owner *o, int step);
void release_tell_failed(struct release_owner *o, int step);
void release_tell_answer(struct release_owner *o);
void release_tell_lapse(struct release_owner *o);
void release_tell_over(struct release *release);

/* completion.c */
/* Answers the call when the kernel has said it, or has had the time to. */
int completion_new(struct release_owner *o, struct call *call);
void completions_settle(struct release_owner *o);

/* queue.c */
/* Puts it in line where too many steps are under way; whether it has to wait. */
bool release_owner_queue(struct release_owner *o);
void release_owner_drop_action(struct release_owner *o);
/* Later: what is taken up then may end other requests than the one at hand. */
void releases_run_queue(struct releases *releases);

/* over.c */
void release_finish(struct release *release, enum release_phase phase);
/* At its deadline: some did not answer, or all that is left was refused. */
void release_run_out(struct release *release);
/* Ends it if there is nothing left to wait for. */
void release_check(struct release *release);
/* Drops what the engine holds of a request that it lets go of. */
void release_detach(struct release *release);

/* step.c: what is done about an owner */
void release_owner_decide(struct release_owner *o);
int release_owner_watch_exit(struct release_owner *o);
/* Forgets its registration; true where release_owner_left() is to follow. */
bool release_owner_forget(struct release_owner *o);
void release_owner_left(struct release_owner *o);
void release_owner_came(struct release_owner *o, struct owner *owner);
/* Some of its pins are gone, maybe all. */
void release_owner_unpinned(struct release_owner *o);

/* find.c */
/* The one that a revoke of the kernel started, while it runs. */
struct release *release_find_revoke(struct releases *releases, uint64_t revoke_id);

#endif
