/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests as org.pinguard.Manager shows them. */
#include "daemon/model/model.h"
#include "daemon/release/internal.h"
#include "lib/clock.h"
#include "lib/escape.h"
#include "lib/json.h"

static const char *const states[] = {
	[OWNER_WAITING] = "waiting",	     [OWNER_ASKED] = "asked",
	[OWNER_REMINDED] = "reminded",	     [OWNER_DEFERRED] = "deferred",
	[OWNER_REFUSED] = "refused",	     [OWNER_LAPSED] = "lapsed",
	[OWNER_HOOK_RUNNING] = "hook_running", [OWNER_HOOK_FAILED] = "hook_failed",
	[OWNER_UNIT_STOPPING] = "unit_stopping", [OWNER_KILLED] = "killed",
	[OWNER_RELEASED] = "released",	     [OWNER_GONE] = "gone",
};

static const char *const nexts[] = {
	[STEP_ASK] = NULL, /* told by registered */
	[STEP_REMIND] = "remind",
	[STEP_HOOK] = "hook",
	[STEP_STOP_UNIT] = "stop_unit",
	[STEP_KILL] = "kill",
	[N_STEPS] = "give_up",
};

/* CLOCK_MONOTONIC as CLOCK_REALTIME, by the clock that it was when the request began. */
static json_int_t realtime(const struct release *release, uint64_t usec)
{
	return (json_int_t)(release->started_realtime_usec + usec - release->started_usec);
}

static json_t *text_json(const char *text)
{
	_cleanup_(freep) char *escaped = text ? escape_text(text) : NULL;

	if (!text)
		return json_null();
	return escaped ? json_string_nocheck(escaped) : NULL;
}

/* What follows for an owner, and when; NULL for nothing more. As things stand now. */
static const char *next_of(const struct release_owner *o, uint64_t *ret_usec)
{
	struct decision d = o->next;

	if (o->release->phase != RELEASE_RUNNING || !o->pins_left || o->settled)
		return NULL;
	/* A dry run has been decided on. */
	if (o->release->releases) {
		const struct ladder_facts facts = release_owner_facts(o);
		const uint64_t now = clock_usec(CLOCK_MONOTONIC);

		d = policy_decide(o->ladder, &facts, now);
		if (d.type == DECISION_STEP)
			d.usec = now;
	}
	if (d.type == DECISION_REFUSED || d.type == DECISION_OVER)
		return NULL;
	*ret_usec = d.usec;
	return nexts[d.step];
}

/* Those past asking: that would be taken in a dry run, else those that were. */
static json_t *steps_json(const struct release_owner *o)
{
	_cleanup_json_ json_t *array = json_array();

	for (int step = STEP_HOOK; array && step < N_STEPS; step++) {
		const struct aim *aim = &o->aims[step - STEP_HOOK];

		if (aim->type && json_array_append_new(array, json_pack("{s:s, s:s, s:s?, s:s?}",
				"step", nexts[step],
				"acts_on", aim->type,
				"name", aim->name,
				"refused", aim->refused)) < 0)
			return NULL;
	}
	return TAKE_PTR(array);
}

json_t *release_owner_json(const struct release_owner *o)
{
	uint64_t usec = 0;
	const char *next = next_of(o, &usec);

	return json_pack("{s:I, s:o, s:I, s:o, s:b, s:s, s:o, s:I, s:I, s:I, s:I, s:o, s:o,"
			 " s:o, s:O?}",
			 "pid", (json_int_t)o->pid,
			 "comm", json_escaped(o->comm, o->comm_len),
			 "uid", (json_int_t)o->uid,
			 "cgroup", render_path(o->cgroup),
			 "registered", o->registered,
			 "state", states[o->state],
			 "reason", text_json(o->reason),
			 "pins", (json_int_t)o->pins,
			 "bytes", (json_int_t)o->bytes,
			 "pins_left", (json_int_t)o->pins_left,
			 "bytes_left", (json_int_t)o->bytes_left,
			 "next", next ? json_string(next) : json_null(),
			 "next_usec",
			 next ? json_integer(realtime(o->release, usec)) : json_null(),
			 "steps", steps_json(o), "holders", o->holders);
}

/* Those that still hold something, or those that do not. */
static int add_owners(json_t *array, const struct release *release, bool holding, size_t max,
		      size_t *names_bytes)
{
	for (size_t i = 0; i < release->n_owners && json_array_size(array) < max &&
			   *names_bytes < RENDER_NAMES_BYTES; i++) {
		const struct release_owner *o = &release->owners[i];
		json_t *json;

		if (!!o->pins_left != holding)
			continue;
		json = release_owner_json(o);
		*names_bytes += render_names_bytes(json);
		if (json_array_append_new(array, json) < 0)
			return -1;
	}
	return 0;
}

json_t *release_json(const struct release *release, size_t owners_max)
{
	_cleanup_json_ json_t *owners = json_array();
	size_t names_bytes = 0;

	if (!owners || add_owners(owners, release, true, owners_max, &names_bytes) < 0 ||
	    add_owners(owners, release, false, owners_max, &names_bytes) < 0)
		return NULL;
	return json_pack("{s:s, s:s, s:o, s:s, s:s, s:b, s:I, s:I, s:o, s:o,"
			 " s:I, s:I, s:I, s:I, s:O, s:I}",
			 "token", release->token,
			 "reason", release_reason_name(release->reason),
			 "target", render_name(release->target),
			 "mode", release_mode_name(release),
			 "phase", release_phase_name(release->phase),
			 "dry_run", release->dry_run,
			 "started_usec", (json_int_t)release->started_realtime_usec,
			 "deadline_usec", realtime(release, release->deadline_usec),
			 "uid", json_bytes_or_null(release->uid, release->uid != PIN_UID_NONE),
			 "revoke_id",
			 release->has_revoke ? json_hex(release->revoke_id) : json_null(),
			 "pins", (json_int_t)release->pins,
			 "bytes", (json_int_t)release->bytes,
			 "pins_left", (json_int_t)release->pins_left,
			 "bytes_left", (json_int_t)release->bytes_left,
			 "owners", owners,
			 "owners_omitted",
			 (json_int_t)(release->n_owners - json_array_size(owners)));
}

json_t *release_shown_json(struct release *release)
{
	if (!release->shown)
		release->shown = release_json(release, RELEASE_OWNERS_SHOWN_MAX);
	return json_incref(release->shown);
}
