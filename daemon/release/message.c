/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What owners and hooks are told of a request. */
#include <errno.h>

#include "daemon/model/model.h"
#include "daemon/release/internal.h"
#include "lib/json.h"
#include "lib/log.h"

static json_t *pin_json(const struct pin *pin)
{
	return json_pack("{s:o, s:s, s:o, s:o, s:o}",
			 "id", json_hex(pin->id),
			 "kind", render_kind(pin->origin->kind),
			 "device", render_device(pin->origin),
			 "address", pin->address ? json_hex(pin->address) : json_null(),
			 "bytes", json_bytes(pin->bytes));
}

/* Its own: others' are nothing that it should hear of. Of one that is gone a hook hears. */
static bool is_own(const struct release_owner *o, const struct asked_pin *asked,
		   const struct pin *pin)
{
	return pin && pin->origin->tgid == (uint32_t)o->pid &&
	       (o->gone || (!asked->foreign && !(pin->flags & PINGUARD_FLAG_OWNER_GONE)));
}

/* Up to RELEASE_OWNER_PINS_MAX of the pins that are left; list: they count as told to it. */
static json_t *pins_json(struct release_owner *o, bool list)
{
	_cleanup_json_ json_t *array = json_array();
	struct release *release = o->release;
	uint32_t i = o->position;

	for (; array && i < o->first + o->n; i++) {
		struct asked_pin *asked = &release->asked[release->order[i]];
		const struct pin *pin;

		if (!asked->left) {
			if (i == o->position)
				o->position++;
			continue;
		}
		pin = registry_find(release->releases->config.registry, asked->id);
		if (!is_own(o, asked, pin))
			continue;
		if (json_array_size(array) == RELEASE_OWNER_PINS_MAX)
			break;
		if (json_array_append_new(array, pin_json(pin)) < 0)
			return NULL;
		if (list && !asked->listed) {
			asked->listed = true;
			o->listed_left++;
		}
	}
	if (list)
		o->all_listed = i == o->first + o->n;
	return TAKE_PTR(array);
}

/* Of its own pins that are left. */
static json_t *failures_json(const struct release_owner *o)
{
	_cleanup_json_ json_t *array = json_array();
	const struct release *release = o->release;

	for (size_t i = 0; array && i < release->n_failures; i++) {
		const struct release_failure *f = &release->failures[i];
		const struct asked_pin *asked = release_asked(release, f->pin);

		if (!asked || !asked->left || &release->owners[asked->owner] != o ||
		    !is_own(o, asked, registry_find(release->releases->config.registry, f->pin)))
			continue;
		if (json_array_append_new(array, json_pack("{s:o, s:o, s:o, s:b, s:s}",
				"pin", json_hex(f->pin),
				"address", f->has_address ? json_hex(f->address) : json_null(),
				"bytes", json_bytes(f->bytes),
				"data_lost", f->data_lost,
				"test", holder_test_name(f->test))) < 0)
			return NULL;
	}
	return TAKE_PTR(array);
}

static json_t *request_json(struct release_owner *o, bool reminder)
{
	const struct release *release = o->release;
	json_t *pins = pins_json(o, true);

	if (!pins)
		return NULL;
	return json_pack("{s:{s:s, s:s, s:s, s:I, s:b, s:o, s:o}, s:n}", "request",
			 "token", o->token,
			 "mode", release_mode_name(release),
			 "reason", release_reason_name(release->reason),
			 "deadline_usec",
			 (json_int_t)policy_answer_deadline(o->ladder, o->asked_usec,
							    release->deadline_usec),
			 "reminder", reminder,
			 "pins", pins,
			 "failures", failures_json(o),
			 "withdrawn");
}

void release_owner_send(struct release_owner *o, bool reminder)
{
	int r = call_reply_continues(o->owner->call, request_json(o, reminder));

	if (r < 0 && r != -EPIPE)
		log_warning_errno(r, "cannot ask process %d: %m", (int)o->pid);
}

void release_owner_send_withdrawn(struct release_owner *o)
{
	(void)call_reply_continues(o->owner->call,
				   json_pack("{s:n, s:s}", "request", "withdrawn", o->token));
}

json_t *release_owner_hook_json(struct release_owner *o)
{
	const struct release *release = o->release;
	_cleanup_(freep) char *cgroup = release_owner_cgroup(o);
	unsigned int looks = ACTION_LOOKS_MAX;
	struct aim stop = {};
	json_t *pins, *refused;

	/* Hooks that would stop the unit are to know what StopUnit= would come to. */
	if (release_owner_aim(o, STEP_STOP_UNIT, &looks, &stop) < 0)
		return NULL;
	refused = stop.refused ? json_string(stop.refused) : json_null();
	aim_done(&stop);
	pins = pins_json(o, false);
	if (!pins) {
		json_decref(refused);
		return NULL;
	}
	return json_pack("{s:s, s:s, s:o, s:I, s:o, s:I, s:o, s:I, s:I, s:I, s:o, s:o, s:o,"
			 " s:b, s:O?}",
			 "token", release->token,
			 "reason", release_reason_name(release->reason),
			 "target", render_name(release->target),
			 "pid", (json_int_t)(o->heir ?: o->pid),
			 "comm", json_escaped(o->comm, o->comm_len),
			 "uid", (json_int_t)o->uid,
			 "cgroup", render_name(cgroup),
			 "deadline_usec", (json_int_t)release->deadline_usec,
			 "pins_left", (json_int_t)o->pins_left,
			 "bytes_left", (json_int_t)o->bytes_left,
			 "pins", pins,
			 "failures", failures_json(o),
			 "stop_refused", refused,
			 "owner_gone", o->gone,
			 "holders", o->holders);
}
