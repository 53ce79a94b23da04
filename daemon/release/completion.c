/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The answers of owners: org.pinguard.Owner.Complete. */
#include <errno.h>
#include <utlist.h>

#include "daemon/release/internal.h"
#include "lib/log.h"

#define LOOKS_MAX 256

static void completion_free(struct completion *c)
{
	DL_DELETE(c->owner->completions, c);
	sd_event_source_disable_unref(c->timer);
	call_set_watch(c->call, NULL, NULL);
	call_unref(c->call);
	free(c);
}

static int reply_still_pinned(struct call *call, const struct release_owner *o)
{
	return call_error(call, OWNER_INTERFACE ".StillPinned",
			  json_pack("{s:I, s:I}", "pins", (json_int_t)o->pins_left, "bytes",
				    (json_int_t)o->bytes_left));
}

/* Asked for the first ones: where there are more, the list has to do. */
static bool kernel_has_any(const struct release_owner *o)
{
	const struct release *release = o->release;
	const struct releases_config *config = &release->releases->config;
	unsigned int tries = LOOKS_MAX;
	struct pin_info info;

	if (!config->look || !release->asked)
		return true;
	for (uint32_t i = o->position; i < o->first + o->n; i++) {
		const struct asked_pin *asked = &release->asked[release->order[i]];

		if (asked->left && (tries-- == 0 ||
				    config->look(asked->id, &info, config->userdata) != -ENOENT))
			return true;
	}
	return false;
}

/* As the kernel has said by now, or says when it is asked. */
static int answer(struct call *call, const struct release_owner *o)
{
	if (o->pins_left && kernel_has_any(o))
		return reply_still_pinned(call, o);
	return call_reply(call, json_object());
}

void completions_settle(struct release_owner *o)
{
	while (o->completions) {
		_cleanup_(call_unrefp) struct call *call = call_ref(o->completions->call);

		completion_free(o->completions);
		(void)answer(call, o);
	}
}

static void on_gone(struct call *call, void *userdata)
{
	completion_free(userdata);
}

static const struct call_watch watch = { .gone = on_gone };

static int on_settle(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct completion *c = userdata;
	_cleanup_(call_unrefp) struct call *call = call_ref(c->call);
	struct release_owner *o = c->owner;

	completion_free(c);
	(void)answer(call, o);
	return 0;
}

/*
 * The kernel's word for it comes on another way than the owner's, and may be
 * behind it.
 */
static int wait_for_kernel(struct release_owner *o, struct call *call)
{
	struct completion *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	r = sd_event_add_time_relative(o->release->releases->event, &c->timer, CLOCK_MONOTONIC,
				       RELEASE_SETTLE_USEC, 0, on_settle, c);
	if (r < 0) {
		free(c);
		return r;
	}
	(void)sd_event_source_set_description(c->timer, "release-settle");
	c->owner = o;
	c->call = call_ref(call);
	call_set_watch(call, &watch, c);
	DL_APPEND(o->completions, c);
	return 0;
}

static void note_answer(struct release_owner *o, enum owner_answer what, const char *reason)
{
	if (what == ANSWER_REFUSED && o->answer != ANSWER_REFUSED)
		o->owner->refused++;
	o->answer = what;
	if (o->step < STEP_HOOK)
		o->state = what == ANSWER_REFUSED ? OWNER_REFUSED : OWNER_DEFERRED;
	release_owner_set_reason(o, reason);
	release_tell_answer(o);
	release_changed(o->release);
	release_owner_decide(o);
}

int releases_complete(struct releases *releases, struct call *call, const char *token,
		      enum owner_answer what, const char *reason)
{
	struct release_owner *o;

	HASH_FIND_STR(releases->tokens, token, o);
	/* One text for all that is wrong with it: nothing is to be learnt by trying. */
	if (!o || !o->owner || !peer_is_same_process(call_peer(o->owner->call), call_peer(call)) ||
	    (o->release->phase != RELEASE_RUNNING && o->pins_left))
		return call_error(call, OWNER_INTERFACE ".NoSuchToken",
				  json_pack("{s:s}", "token", token));
	/* Its pins are gone: whatever it says. */
	if (!o->pins_left)
		return call_reply(call, json_object());
	if (what == ANSWER_RELEASED)
		return wait_for_kernel(o, call);
	/* It has said no, and that was the end of it. */
	if (!o->settled)
		note_answer(o, what, reason);
	return call_reply(call, json_object());
}
