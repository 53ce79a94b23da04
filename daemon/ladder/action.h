/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a ladder does beyond asking: run a hook, stop a unit, kill a process.
 * Nothing here waits; systemd is spoken to over D-Bus, on the event loop.
 */
#ifndef PINGUARD_LADDER_ACTION_H
#define PINGUARD_LADDER_ACTION_H

#include <jansson.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "daemon/model/model.h"
#include "lib/macros.h"

/* Cgroups that are looked at for one step; a unit that has more is not stopped. */
#define ACTION_LOOKS_MAX 256

struct actions;
struct action;

/*
 * action_done - an action is over; called once, never from within the call that started it
 * @error: 0, or a negative errno: -EPERM where a protected process or unit is
 *	left alone, -ESRCH where the process is gone, -EOPNOTSUPP without a
 *	connection to systemd, -ETIMEDOUT for a hook that ran out of time,
 *	-ECHILD for one that failed
 * @text: for people, escaped, may be NULL; valid during the call
 *
 * The action still is its owner's: action_free() it, here or later.
 */
typedef void (*action_done)(struct action *a, int error, const char *text, void *userdata);

/**
 * actions_new() - connects to the bus when an action first needs it
 * @cgroup_mount: of cgroup2; NULL where there is none: no unit is stopped
 *
 * Return: 0, -ENOMEM
 */
int actions_new(sd_event *event, const char *cgroup_mount, struct actions **ret);
/* actions_free() - all actions must have been freed before */
struct actions *actions_free(struct actions *actions);
DEFINE_CLEANUP(struct actions *, actions_free);

/* What a step past asking acts on, as things stand. */
struct aim {
	const char *type; /* "command", "unit", "cgroup", "process"; NULL: there is no aim */
	char *name; /* escaped; NULL where nobody knows */
	char *refused; /* why it is not done, escaped; NULL where it is */
};

void aim_done(struct aim *aim);

/**
 * action_aim() - what a step would act on, and whether it may
 * @step: STEP_HOOK, STEP_STOP_UNIT or STEP_KILL
 * @cgroup: that the process is in, raw; NULL where nobody knows
 * @selected: as of the actions
 * @looks: so many cgroups may be looked at before it is told how far it would
 *	reach, at most ACTION_LOOKS_MAX of them for one step; those that were are
 *	taken off. With none left it is not refused for that
 *
 * Return: 0, -ENOMEM
 */
int action_aim(struct actions *actions, const struct ladder *ladder, int step, pid_t pid,
	       const char *cgroup, const char *selected, unsigned int *looks, struct aim *ret);

/*
 * The three below return 0, -ENOMEM, or an error of the event loop. Everything
 * else is told through @done, with a text.
 */

/**
 * action_hook() - run the hook of a ladder as a transient unit
 * @ladder: its hook must not be NULL; copied
 * @cgroup: the owner's, raw, whose unit becomes PINGUARD_UNIT; NULL for none
 * @input: written to the hook's standard input; not kept. Of its members token,
 *	reason, stop_refused (strings), pid, deadline_usec (integers) and cgroup
 *	(string, as shown) become PINGUARD_TOKEN, _REASON, _STOP_REFUSED, _PID,
 *	_DEADLINE_USEC and _CGROUP; each may be absent
 * @timeout_usec: systemd ends the hook and all that it started after this time
 */
int action_hook(struct actions *actions, const struct ladder *ladder, const char *cgroup,
		json_t *input, uint64_t timeout_usec, action_done done, void *userdata,
		struct action **ret);

/**
 * action_stop_unit() - stop the system's unit that a process is in
 * @pidfd: the process; duplicated
 * @selected: everything in this cgroup was selected; NULL: this process; copied
 *
 * Done when the job is. Slices, init.scope, managers of users and pinguard's
 * own units are protected, and a unit that has processes in cgroups which were
 * not selected.
 */
int action_stop_unit(struct actions *actions, int pidfd, const char *selected, action_done done,
		     void *userdata, struct action **ret);

/**
 * action_kill() - send SIGKILL
 * @pidfd: the process; duplicated
 * @selected: a cgroup that was selected as a whole, to be killed as a whole where
 *	it is a part of a unit and has the process in it; NULL: the process alone
 *
 * Done when the process has ended. PID 1, what is in init.scope, and pinguard
 * itself are protected.
 */
int action_kill(struct actions *actions, int pidfd, const char *selected, action_done done,
		void *userdata, struct action **ret);

/* action_free() - forget an action: a hook that runs is stopped, @done is not called any more */
struct action *action_free(struct action *action);
DEFINE_CLEANUP(struct action *, action_free);

#endif
