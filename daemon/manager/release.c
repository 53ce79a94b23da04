/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Release, FollowRelease, CancelRelease. */
#include <errno.h>

#include "daemon/base/base.h"
#include "daemon/manager/answers.h"
#include "daemon/manager/methods.h"
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
	return call_is_admin(call) || owns_node(m, call, pin->origin->cgroup);
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

/*
 * The cgroup that was asked for as a whole, where nothing else was said, and all of
 * it is the caller's to end; NULL: the processes behind the pins are meant.
 */
static const char *selected(struct manager *m, struct call *call, const struct pin_filter *f)
{
	struct cgroup_node *node =
		f->has_cgroup ? registry_cgroup_find(m->registry, f->cgroup_id) : NULL;

	if (!node || f->has_tgid || f->has_kind || f->has_id || f->device)
		return NULL;
	return call_is_admin(call) || owns_node(m, call, node) ? node->path : NULL;
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
	config.selected = selected(m, call, &f);
	r = release_start(m->releases, &config, &release);
	if (r < 0)
		return reply_release_error(call, r);
	return follow_release(call, release, async);
}

/* 0, or 1 when the call has been answered: each one goes through all pins. */
static int admit(struct manager *m, struct call *call)
{
	int r;

	if (call_is_admin(call))
		return 0;
	r = releases_admit(m->releases, call_peer(call)->uid, loop_usec(m->event, CLOCK_MONOTONIC));
	if (r != -EUSERS)
		return r;
	return reply_limit(call, "Release calls of one user in a second", RELEASE_CALLS_RATE) ?: 1;
}

int method_release(struct call *call, json_t *params, void *userdata)
{
	static const char *const selectors[] = { "cgroup", "pid", "kind", "device", "id" };
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
		return reply_not_supported(call, source_reason(m->source));
	r = admit(m, call);
	if (r != 0)
		return MIN(r, 0);
	return manager_wait_ready(m, call, params, start);
}

/* The caller's own, or any for those who may; NULL when the call has been answered. */
static struct release *find(struct manager *m, struct call *call, json_t *params, bool may_any,
			    int *ret_answer)
{
	const char *token = json_get_string(params, "token", "");
	struct release *release = release_find(m->releases, token);

	if (release && (may_any || release_uid(release) == call_peer(call)->uid))
		return release;
	*ret_answer = call_error(call, MANAGER_INTERFACE ".NoSuchToken",
				 json_pack("{s:s}", "token", token));
	return NULL;
}

int method_follow_release(struct call *call, json_t *params, void *userdata)
{
	int answer;
	struct release *release = find(userdata, call, params, call_sees_all(call), &answer);

	return release ? follow_release(call, release, false) : answer;
}

int method_cancel_release(struct call *call, json_t *params, void *userdata)
{
	int answer;
	struct release *release = find(userdata, call, params, call_is_admin(call), &answer);

	if (!release)
		return answer;
	release_cancel(release);
	return call_reply(call, json_object());
}
