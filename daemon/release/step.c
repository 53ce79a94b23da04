/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Takes the steps that policy.c decides on, and what an owner does that changes them. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "daemon/release/internal.h"
#include "lib/clock.h"
#include "lib/log.h"

static void took(struct release_owner *o, int step, enum release_owner_state state)
{
	o->step = step;
	o->step_usec = clock_usec(CLOCK_MONOTONIC);
	o->step_failed = false;
	o->state = state;
}

static int ask(struct release_owner *o)
{
	struct releases *releases = o->release->releases;

	if (!o->token[0]) {
		int r = release_new_token(o->token);

		if (r < 0)
			return r;
		HASH_ADD_STR(releases->tokens, token, o);
		if (!o->hh.tbl) {
			o->token[0] = '\0';
			return -ENOMEM;
		}
	}
	took(o, STEP_ASK, OWNER_ASKED);
	o->asked_usec = o->step_usec;
	o->owner->asked++;
	o->owner->open_requests++;
	release_owner_send(o, false);
	return 0;
}

static void on_next_heir(struct release_owner *o, int step);

/*
 * The step was taken, and its process has ended: what is left is held by others,
 * of whom the same is wanted, one after the other.
 */
static void go_on_with_heirs(struct release_owner *o)
{
	if (!o->gone || !o->inherited || !o->pins_left || o->step < STEP_STOP_UNIT || o->action ||
	    o->look || o->step_failed || o->n_heirs == RELEASE_HEIRS_MAX ||
	    o->release->phase != RELEASE_RUNNING)
		return;
	if (release_owner_find_heir(o, o->step, on_next_heir) < 0)
		log_debug("cannot look who holds pins of process %d", (int)o->pid);
}

static void on_action_done(struct action *action, int error, const char *text, void *userdata)
{
	struct release_owner *o = userdata;
	struct release *release = o->release;
	struct releases *releases = release->releases;

	if (error < 0) {
		o->step_failed = true;
		release_owner_set_reason(o, text ?: strerror(-error));
		if (error == -EPERM && text && o->step >= STEP_HOOK)
			o->aims[o->step - STEP_HOOK].refused = strdup(text);
		if (o->step == STEP_HOOK && o->pins_left)
			o->state = OWNER_HOOK_FAILED;
		release_tell_failed(o, o->step);
	}
	release_owner_drop_action(o);
	release_changed(release);
	go_on_with_heirs(o);
	release_owner_decide(o);
	releases_run_queue(releases);
}

static int start_action(struct release_owner *o, int step)
{
	struct releases *releases = o->release->releases;
	const int pidfd = o->gone ? o->heir_fd : o->pidfd;
	struct actions *actions = releases->actions;
	_cleanup_(freep) char *cgroup = NULL;
	uint64_t now = clock_usec(CLOCK_MONOTONIC), left = o->release->deadline_usec - now;
	json_t *input;
	int r;

	release_owner_drop_action(o);
	if (step == STEP_HOOK) {
		input = release_owner_hook_json(o);
		if (!input)
			return -ENOMEM;
		cgroup = release_owner_cgroup(o);
		r = action_hook(actions, o->ladder, cgroup, input,
				MIN(o->ladder->usec[STEP_HOOK], left), on_action_done, o,
				&o->action);
		json_decref(input);
	} else if (step == STEP_STOP_UNIT) {
		r = action_stop_unit(actions, pidfd, o->release->selected, on_action_done, o,
				     &o->action);
	} else {
		r = action_kill(actions, pidfd, release_owner_kills(o), on_action_done, o,
				&o->action);
	}
	if (r >= 0)
		releases->n_actions++;
	return r;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	release_owner_decide(userdata);
	return 0;
}

static void arm(struct release_owner *o, uint64_t usec)
{
	struct release *release = o->release;
	int r = 0;

	/* The request has a timer of its own for its deadline. */
	if (usec >= release->deadline_usec) {
		o->timer = sd_event_source_disable_unref(o->timer);
		return;
	}
	if (!o->timer) {
		r = sd_event_add_time(release->releases->event, &o->timer, CLOCK_MONOTONIC, usec,
				      RELEASE_ACCURACY_USEC, on_timer, o);
		if (r >= 0)
			(void)sd_event_source_set_description(o->timer, "release-owner");
	} else {
		r = sd_event_source_set_time(o->timer, usec);
		if (r >= 0)
			r = sd_event_source_set_enabled(o->timer, SD_EVENT_ONESHOT);
	}
	if (r < 0)
		log_error_errno(r, "cannot set a deadline for process %d: %m", (int)o->pid);
}

static void do_step(struct release_owner *o, int step)
{
	static const enum release_owner_state states[] = {
		[STEP_HOOK] = OWNER_HOOK_RUNNING,
		[STEP_STOP_UNIT] = OWNER_UNIT_STOPPING,
		[STEP_KILL] = OWNER_KILLED,
	};
	struct aim *aim = &o->aims[step - STEP_HOOK];
	unsigned int looks = ACTION_LOOKS_MAX;
	int r;

	/* Why the step before failed is in the journal. */
	if (o->step_failed && !o->heir)
		release_owner_set_reason(o, NULL);
	r = release_owner_aim(o, step, &looks, aim);
	if (r == 0 && !aim->refused)
		r = start_action(o, step);
	took(o, step, aim->refused ? o->state : states[step]);
	if (!aim->refused)
		release_tell_step(o, step);
	if (r < 0 || aim->refused) {
		o->step_failed = true;
		release_owner_set_reason(o, aim->refused ?: strerror(-r));
		release_tell_failed(o, step);
	}
}

static void on_next_heir(struct release_owner *o, int step)
{
	if (o->heir_fd >= 0) {
		o->n_heirs++;
		do_step(o, step);
	}
	release_owner_decide(o);
}

static void on_heir(struct release_owner *o, int step)
{
	/* A hook may know more than is seen from here. */
	if (o->heir_fd < 0 && step != STEP_HOOK) {
		o->unsure = true;
	} else {
		o->n_heirs = 1;
		do_step(o, step);
	}
	release_owner_decide(o);
}

/* 1 where it has to wait: for others', or to know more */
static int act(struct release_owner *o, int step)
{
	int r;

	if (release_owner_queue(o))
		return 1;
	r = o->gone ? release_owner_find_heir(o, step, on_heir) : release_owner_may_act(o);
	if (r < 0) {
		arm(o, clock_usec(CLOCK_MONOTONIC) + RELEASE_LOOK_USEC);
		return 1;
	}
	if (o->gone)
		return 1;
	if (r == 0)
		o->unsure = true;
	else
		do_step(o, step);
	return 0;
}

/* 1 where it has to wait */
static int take_step(struct release_owner *o, int step)
{
	int r = 0;

	if (step >= STEP_HOOK)
		return act(o, step);
	if (step == STEP_REMIND) {
		took(o, step, OWNER_REMINDED);
		release_owner_send(o, true);
	} else {
		r = ask(o);
	}
	if (r < 0) {
		/* As if it had never registered. */
		log_warning_errno(r, "cannot ask process %d: %m", (int)o->pid);
		o->owner = NULL;
		return 0;
	}
	release_tell_step(o, step);
	return 0;
}

void release_owner_decide(struct release_owner *o)
{
	struct release *release = o->release;

	while (release->phase == RELEASE_RUNNING && o->pins_left && !o->settled && !o->queued &&
	       !o->look) {
		struct ladder_facts facts = release_owner_facts(o);

		o->next = policy_decide(o->ladder, &facts, clock_usec(CLOCK_MONOTONIC));
		switch (o->next.type) {
		case DECISION_STEP:
			release_changed(release);
			if (take_step(o, o->next.step) > 0)
				return;
			break;
		case DECISION_REFUSED:
			o->settled = true;
			release->n_settled++;
			release_changed(release);
			release_check(release);
			return;
		case DECISION_WAIT:
			arm(o, o->next.usec);
			return;
		case DECISION_OVER:
			return;
		}
	}
}

static void gone(struct release_owner *o)
{
	if (o->gone || !o->pins_left)
		return;
	o->gone = true;
	o->state = OWNER_GONE;
	release_owner_inherit(o);
	release_changed(o->release);
	go_on_with_heirs(o);
	release_owner_decide(o);
}

static int on_exit_(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct release_owner *o = userdata;

	o->exit = sd_event_source_disable_unref(o->exit);
	gone(o);
	return 0;
}

int release_owner_watch_exit(struct release_owner *o)
{
	int r;

	if (o->pidfd < 0)
		return 0;
	r = sd_event_add_io(o->release->releases->event, &o->exit, o->pidfd, EPOLLIN, on_exit_, o);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(o->exit, "release-owner-exit");
	return 0;
}

bool release_owner_forget(struct release_owner *o)
{
	o->owner = NULL;
	o->leaving = o->release->phase == RELEASE_RUNNING && o->pins_left;
	return o->leaving;
}

void release_owner_left(struct release_owner *o)
{
	if (!o->leaving)
		return;
	o->leaving = false;
	o->lapsed = true;
	o->lapsed_usec = clock_usec(CLOCK_MONOTONIC);
	if (o->step < STEP_HOOK && o->answer != ANSWER_REFUSED && !o->gone)
		o->state = OWNER_LAPSED;
	/* One whose unit is stopped, or that is killed, leaves because of that. */
	if (o->step < STEP_STOP_UNIT)
		release_tell_lapse(o);
	release_changed(o->release);
	release_owner_decide(o);
}

void release_owner_came(struct release_owner *o, struct owner *owner)
{
	if (o->owner || o->lapsed || o->gone || o->step >= 0)
		return;
	o->owner = owner;
	o->registered = true;
	release_changed(o->release);
	release_owner_decide(o);
}

static void released(struct release_owner *o)
{
	struct release *release = o->release;

	o->state = OWNER_RELEASED;
	/* Nobody had to be found. */
	if (o->gone && !o->inherited)
		release_owner_set_reason(o, NULL);
	o->timer = sd_event_source_disable_unref(o->timer);
	if (o->queued)
		release_owner_drop_action(o);
	release->n_holding--;
	if (o->settled)
		release->n_settled--;
	o->settled = false;
	release_owner_drop_look(o);
	if (o->owner && o->token[0])
		o->owner->released++;
	completions_settle(o);
}

void release_owner_unpinned(struct release_owner *o)
{
	if (!o->pins_left && o->state != OWNER_RELEASED)
		released(o);
	else if (o->pins_left && o->token[0] && o->owner && !o->listed_left && !o->all_listed &&
		 o->answer != ANSWER_REFUSED)
		release_owner_send(o, true); /* those that did not fit before */
}
