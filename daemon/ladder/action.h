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

/* actions_new() - connects to the bus when an action first needs it; 0, -ENOMEM */
int actions_new(sd_event *event, struct actions **ret);
/* actions_free() - all actions must have been freed before */
struct actions *actions_free(struct actions *actions);
DEFINE_CLEANUP(struct actions *, actions_free);

/*
 * The three below return 0, -ENOMEM, or an error of the event loop. Everything
 * else is told through @done, with a text.
 */

/**
 * action_hook() - run the hook of a ladder as a transient unit
 * @ladder: its hook must not be NULL; copied
 * @cgroup: the owner's, raw, whose unit becomes PINGUARD_UNIT; NULL for none
 * @input: written to the hook's standard input; not kept. Of its members token,
 *	reason (strings), pid, deadline_usec (integers) and cgroup (string, as shown)
 *	become PINGUARD_TOKEN, _REASON, _PID, _DEADLINE_USEC and _CGROUP; each may be absent
 * @timeout_usec: systemd ends the hook and all that it started after this time
 */
int action_hook(struct actions *actions, const struct ladder *ladder, const char *cgroup,
		json_t *input, uint64_t timeout_usec, action_done done, void *userdata,
		struct action **ret);

/**
 * action_stop_unit() - stop the system's unit that a process is in
 * @pidfd: the process; duplicated
 *
 * Done when the job is. Slices, init.scope, managers of users and pinguard's
 * own units are protected.
 */
int action_stop_unit(struct actions *actions, int pidfd, action_done done, void *userdata,
		     struct action **ret);

/**
 * action_kill() - send SIGKILL
 * @pidfd: the process; duplicated
 *
 * Done when the process has ended. PID 1, what is in init.scope, and pinguard
 * itself are protected.
 */
int action_kill(struct actions *actions, int pidfd, action_done done, void *userdata,
		struct action **ret);

/* action_free() - forget an action: a hook that runs is stopped, @done is not called any more */
struct action *action_free(struct action *action);
DEFINE_CLEANUP(struct action *, action_free);

#endif
