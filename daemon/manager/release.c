/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Release, FollowRelease, CancelRelease. */
#include <errno.h>
#include <string.h>

#include "daemon/ladder/ladder.h"
#include "daemon/manager/internal.h"
#include "daemon/manager/methods.h"
#include "daemon/manager/release.h"
#include "daemon/model/render.h"
#include "daemon/base/turn.h"
#include "daemon/triggers/triggers.h"
#include "lib/escape.h"
#include "lib/json.h"

/* A list that grows. */
struct ids {
	uint64_t *ids;
	size_t n, size;
};

static void ids_done(struct ids *ids)
{
	free(ids->ids);
}

static int ids_add(struct ids *ids, uint64_t id)
{
	if (ids->n == ids->size) {
		size_t size = 2 * ids->size ?: 64;
		uint64_t *more = reallocarray(ids->ids, size, sizeof(*more));

		if (!more)
			return -ENOMEM;
		ids->ids = more;
		ids->size = size;
	}
	ids->ids[ids->n++] = id;
	return 0;
}

static bool may_ask(struct manager *m, struct call *call, const struct pin *pin)
{
	return call_is_admin(call) || owns_node(m, call, pin->cgroup);
}

static int select_pins(struct manager *m, struct call *call, const struct pin_filter *f,
		       struct ids *ids)
{
	_cleanup_(pin_cursor_done) struct pin_cursor cursor;
	struct pin *pin;
	int r = 0;

	pin_cursor_init(&cursor, m->registry);
	while (r == 0 && (pin = pin_cursor_next(&cursor)))
		if (pin_filter_match(f, pin) && may_ask(m, call, pin))
			r = ids_add(ids, pin->id);
	return r;
}

/* Who may ask nobody is told so, and not whether there was anybody to ask. */
static bool may_release(struct manager *m, struct call *call, const struct pin_filter *f,
			const struct ids *ids)
{
	if (call_is_admin(call) || ids->n > 0)
		return true;
	return f->has_cgroup &&
	       owns_node(m, call, registry_cgroup_find(m->registry, f->cgroup_id));
}

static int start(struct manager *m, struct call *call, bool ready, json_t *params)
{
	_cleanup_(release_unrefp) struct release *release = NULL;
	_cleanup_(ids_done) struct ids ids = {};
	const bool async = json_get_bool(params, "async", false);
	struct release_config config = {
		.reason = RELEASE_ADMINISTRATOR,
		.mode = async ? RELEASE_ASYNC : RELEASE_SYNC,
		.dry_run = json_get_bool(params, "dry_run", false),
		.admin = call_is_admin(call),
		.uid = call_peer(call)->uid,
	};
	struct pin_filter f;
	int r;

	if (!ready)
		return reply_not_ready(call);
	r = parse_pin_filter(m, call, params, &f);
	if (r == 0)
		r = parse_release_timeout(call, params, &config.timeout_usec);
	if (r != 0)
		return MIN(r, 0);
	r = select_pins(m, call, &f, &ids);
	if (r < 0)
		return r;
	if (!may_release(m, call, &f, &ids))
		return call_error_denied(call);
	config.pin_ids = ids.ids;
	config.n_pins = ids.n;
	r = release_start(m->releases, &config, &release);
	if (r < 0)
		return reply_release_error(call, r);
	return manager_follow_release(m, call, release, async);
}

/* 0, or 1 when the call has been answered: each one goes through all pins. */
static int admit(struct manager *m, struct call *call)
{
	int r;

	if (call_is_admin(call))
		return 0;
	r = callers_admit(m->requesters, call_peer(call)->uid, loop_usec(m->event, CLOCK_MONOTONIC));
	if (r != -EUSERS)
		return r;
	return call_error(call, MANAGER_INTERFACE ".LimitExceeded",
			  json_pack("{s:s, s:i}", "limit", "Release calls of one user in a second",
				    "max", RELEASE_CALLS_RATE)) ?: 1;
}

int method_release(struct call *call, json_t *params, void *userdata)
{
	static const char *const selectors[] = { "cgroup", "pid", "kind", "device", "id" };
	const struct support support = manager_support(userdata);
	struct manager *m = userdata;
	bool any = false;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(selectors); i++) {
		const json_t *value = json_object_get(params, selectors[i]);

		any = any || (value && !json_is_null(value));
	}
	if (!any)
		return call_error(call, MANAGER_INTERFACE ".NoSelector", json_object());
	/* Without the kernel's word nobody knows whether a pin is gone. */
	if (source_observes(m->source))
		return reply_not_supported(call, support_reason(&support));
	r = admit(m, call);
	if (r != 0)
		return MIN(r, 0);
	return manager_wait_ready(m, call, params, start);
}

/* The caller's own, or any for administrators; NULL when the call has been answered. */
static struct release *find(struct manager *m, struct call *call, json_t *params, int *ret_answer)
{
	const char *token = json_get_string(params, "token", "");
	struct release *release = release_find(m->releases, token);

	if (release && (call_is_admin(call) || release_uid(release) == call_peer(call)->uid))
		return release;
	*ret_answer = call_error(call, MANAGER_INTERFACE ".NoSuchToken",
				 json_pack("{s:s}", "token", token));
	return NULL;
}

int method_follow_release(struct call *call, json_t *params, void *userdata)
{
	int answer;
	struct release *release = find(userdata, call, params, &answer);

	return release ? manager_follow_release(userdata, call, release, false) : answer;
}

int method_cancel_release(struct call *call, json_t *params, void *userdata)
{
	int answer;
	struct release *release = find(userdata, call, params, &answer);

	if (!release)
		return answer;
	release_cancel(release);
	return call_reply(call, json_object());
}

/* --- start and stop --- */

static char *as_text(json_t *json)
{
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	return text;
}

static void on_event(enum release_event type, struct release *release,
		     const struct release_owner *o, void *userdata)
{
	static const enum event_type types[] = {
		[RELEASE_EVENT_STARTED] = EVENT_RELEASE,
		[RELEASE_EVENT_STEP] = EVENT_RELEASE_STEP,
		[RELEASE_EVENT_OVER] = EVENT_RELEASE_DONE,
	};
	struct manager *m = userdata;
	struct event *event = event_new(types[type], loop_usec(m->event, CLOCK_REALTIME));
	struct release_process process;

	if (type == RELEASE_EVENT_OVER)
		triggers_release_over(m->triggers, release);
	if (!event)
		return;
	event->uid = release_uid(release);
	event->release = as_text(release_json(release, 0));
	if (o) {
		release_owner_process(o, &process);
		event->owner = as_text(release_owner_json(o));
		event->pin.uid = process.uid;
		event->cgroup = cgroup_node_ref(process.cgroup);
	}
	if (!event->release || (o && !event->owner)) {
		event_free(event);
		return;
	}
	events_add(m->events, event);
}

static int look(uint64_t pin_id, struct pin_info *ret, void *userdata)
{
	struct manager *m = userdata;

	return genl_get_pin(source_genl(m->source), pin_id, ret);
}

static bool is_ready(void *userdata)
{
	return manager_ready(userdata);
}

void manager_load_ladders(struct manager *m)
{
	releases_load_ladders(m->releases, LADDERS_DIR);
}

static int on_resynced(sd_event_source *source, void *userdata)
{
	struct manager *m = userdata;

	releases_resynced(m->releases);
	return 0;
}

int manager_releases_resynced(struct manager *m)
{
	if (!m->releases)
		return 0;
	/* Later: the source is not ready before all of the list has been handed over. */
	return turn_schedule(m->event, &m->resynced_source, on_resynced, m, "releases-resynced");
}

static void on_owner_left(struct owner *owner, void *userdata)
{
	struct manager *m = userdata;

	/* The service stops: the kernel's mark stays for those that come back. */
	if (!m->releases)
		return;
	if (owner->marked)
		(void)genl_set_owner(source_genl(m->source), call_peer(owner->call)->pidfd,
				     false);
	releases_owner_left(m->releases, owner);
}

int manager_releases_new(struct manager *m)
{
	struct releases_config config = {
		.registry = m->registry,
		.proc = "/proc",
		.ready = is_ready,
		.on_event = on_event,
		.userdata = m,
	};
	int r;

	r = owners_new(on_owner_left, m, &m->owners);
	if (r >= 0)
		r = callers_new(RELEASE_CALLS_BURST, RELEASE_CALLS_RATE, &m->requesters);
	if (r < 0)
		return r;
	config.owners = m->owners;
	if (source_genl(m->source))
		config.look = look;
	r = releases_new(m->event, &config, &m->releases);
	if (r < 0)
		return r;
	manager_load_ladders(m);
	return 0;
}

void manager_releases_free(struct manager *m)
{
	m->resynced_source = sd_event_source_disable_unref(m->resynced_source);
	m->releases = releases_free(m->releases);
}

void manager_owners_free(struct manager *m)
{
	m->owners = owners_free(m->owners);
	m->requesters = callers_free(m->requesters);
}
