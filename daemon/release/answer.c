/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The answers of owners: org.pinguard.Owner.Complete. */
#include "daemon/release/internal.h"

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
		return completion_new(o, call);
	/* It has said no, and that was the end of it. */
	if (!o->settled)
		note_answer(o, what, reason);
	return call_reply(call, json_object());
}
