/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Takes the steps that policy.c decides on. */
#include <errno.h>
#include <string.h>
#include <utlist.h>

#include "daemon/base/clock.h"
#include "daemon/release/internal.h"
#include "daemon/base/turn.h"
#include "lib/log.h"

static bool ready(const struct releases *releases)
{
	return !releases->config.ready || releases->config.ready(releases->config.userdata);
}

struct ladder_facts release_owner_facts(const struct release_owner *o)
{
	const struct release *release = o->release;

	return (struct ladder_facts){
		.deadline_usec = release->deadline_usec,
		.grace_usec = o->lapsed ? o->lapsed_usec + RELEASE_SETTLE_USEC :
					  release->releases->started_usec + RELEASE_GRACE_USEC,
		.registered = o->owner != NULL,
		.lapsed = o->lapsed,
		.untouchable = o->gone || o->protected || o->unsure || o->pidfd < 0 ||
			       !release->releases->config.actions,
		.uncertain = !ready(release->releases),
		.answer = o->answer,
		.step = o->step,
		.step_usec = o->step_usec,
		.step_failed = o->step_failed,
	};
}

void release_owner_set_reason(struct release_owner *o, const char *reason)
{
	free(o->reason);
	o->reason = reason ? strndup(reason, RELEASE_REASON_MAX) : NULL;
}

static void took(struct release_owner *o, int step, enum release_owner_state state)
{
	o->step = step;
	o->step_usec = clock_usec(CLOCK_MONOTONIC);
	o->step_failed = false;
	o->state = state;
}

/* To the owner; one that cannot be told will be seen to have left. */
void release_owner_send(struct release_owner *o, bool reminder)
{
	int r = call_reply_continues(o->owner->call, release_owner_request_json(o, reminder));

	if (r < 0 && r != -EPIPE)
		log_warning_errno(r, "cannot ask process %d: %m", (int)o->pid);
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

static int on_queue(sd_event_source *source, void *userdata)
{
	struct releases *releases = userdata;

	while (releases->queue && releases->n_actions < RELEASE_ACTIONS_MAX) {
		struct release_owner *o = releases->queue;

		DL_DELETE2(releases->queue, o, queue_prev, queue_next);
		o->queued = false;
		release_owner_decide(o);
	}
	return 0;
}

void releases_run_queue(struct releases *releases)
{
	int r = releases->queue ? turn_schedule(releases->event, &releases->queue_turn, on_queue,
						releases, "release-queue") : 0;

	if (r < 0)
		log_error_errno(r, "cannot take up the steps that wait: %m");
}

void release_owner_drop_action(struct release_owner *o)
{
	struct releases *releases = o->release->releases;

	if (o->queued)
		DL_DELETE2(releases->queue, o, queue_prev, queue_next);
	o->queued = false;
	if (!o->action)
		return;
	o->action = action_free(o->action);
	releases->n_actions--;
}

static void on_action_done(struct action *action, int error, const char *text, void *userdata)
{
	struct release_owner *o = userdata;
	struct release *release = o->release;
	struct releases *releases = release->releases;

	if (error < 0) {
		o->step_failed = true;
		release_owner_set_reason(o, text ?: strerror(-error));
		if (o->step == STEP_HOOK && o->pins_left)
			o->state = OWNER_HOOK_FAILED;
		release_tell_failed(o, o->step);
	}
	release_owner_drop_action(o);
	release_changed(release);
	release_owner_decide(o);
	releases_run_queue(releases);
}

static int start_action(struct release_owner *o, int step)
{
	struct releases *releases = o->release->releases;
	struct actions *actions = releases->config.actions;
	uint64_t now = clock_usec(CLOCK_MONOTONIC), left = o->release->deadline_usec - now;
	json_t *input;
	int r;

	release_owner_drop_action(o);
	if (step == STEP_HOOK) {
		input = release_owner_hook_json(o);
		if (!input)
			return -ENOMEM;
		r = action_hook(actions, o->ladder, NULL, input,
				MIN(o->ladder->usec[STEP_HOOK], left), on_action_done, o,
				&o->action);
		json_decref(input);
	} else if (step == STEP_STOP_UNIT) {
		r = action_stop_unit(actions, o->pidfd, on_action_done, o, &o->action);
	} else {
		r = action_kill(actions, o->pidfd, on_action_done, o, &o->action);
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

/* 1 where it has to wait: for others', or to know more */
static int act(struct release_owner *o, int step)
{
	static const enum release_owner_state states[] = {
		[STEP_HOOK] = OWNER_HOOK_RUNNING,
		[STEP_STOP_UNIT] = OWNER_UNIT_STOPPING,
		[STEP_KILL] = OWNER_KILLED,
	};
	struct releases *releases = o->release->releases;
	int r;

	r = release_owner_may_act(o);
	if (r < 0) {
		arm(o, clock_usec(CLOCK_MONOTONIC) + RELEASE_LOOK_USEC);
		return 1;
	}
	if (r == 0) {
		o->unsure = true;
		return 0;
	}
	if (releases->n_actions >= RELEASE_ACTIONS_MAX && !o->action) {
		DL_APPEND2(releases->queue, o, queue_prev, queue_next);
		o->queued = true;
		return 1;
	}
	/* Why the step before failed is in the journal. */
	if (o->step_failed)
		release_owner_set_reason(o, NULL);
	r = start_action(o, step);
	took(o, step, states[step]);
	release_tell_step(o, step);
	if (r < 0) {
		o->step_failed = true;
		release_owner_set_reason(o, strerror(-r));
		release_tell_failed(o, step);
	}
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

	while (release->phase == RELEASE_RUNNING && o->pins_left && !o->settled && !o->queued) {
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

void release_owner_gone(struct release_owner *o)
{
	if (o->gone || !o->pins_left)
		return;
	o->gone = true;
	o->state = OWNER_GONE;
	release_changed(o->release);
	release_owner_decide(o);
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
	o->timer = sd_event_source_disable_unref(o->timer);
	if (o->queued)
		release_owner_drop_action(o);
	release->n_holding--;
	if (o->settled)
		release->n_settled--;
	o->settled = false;
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

/* Tells an owner that has not answered; what it did not do in time is a lapse. */
static void withdraw(struct release_owner *o)
{
	if (o->release->phase == RELEASE_TIMED_OUT && o->state < OWNER_REFUSED) {
		o->owner->lapsed++;
		release_tell_lapse(o);
	}
	(void)call_reply_continues(o->owner->call,
				   json_pack("{s:n, s:s}", "request", "withdrawn", o->token));
}

void release_owner_close(struct release_owner *o)
{
	o->timer = sd_event_source_disable_unref(o->timer);
	o->exit = sd_event_source_disable_unref(o->exit);
	/* A hook that has done its work may come to its end. */
	if (o->pins_left)
		release_owner_drop_action(o);
	closep(&o->pidfd);
	o->pidfd = -1;
	completions_settle(o);
	if (!o->owner || !o->token[0])
		return;
	if (o->pins_left && o->answer != ANSWER_REFUSED)
		withdraw(o);
	o->owner->open_requests--;
}
