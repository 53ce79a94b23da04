/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "daemon/base/base.h"
#include "daemon/manager/answers.h"
#include "daemon/manager/methods.h"
#include "daemon/model/model.h"
#include "lib/json.h"
#include "lib/log.h"

#define STEP_COST	4096 /* then others have their turn; to look at a pin costs 1 */
#define PIN_COST	16 /* to show it */
#define PINS_IN_ONE_MAX 32768 /* in one reply */
/* To others than administrators, who may ask on many connections and never read. */
#define PINS_IN_ONE_USER_MAX 1024

/* A ListPins under way. */
struct listing {
	struct manager *m;
	struct call *call;
	sd_event_source *source;
	struct pin_cursor cursor;
	struct pin_filter filter;
	char *device;
	json_t *pending; /* with "more": the pin that waits to know whether it is the last */
	json_t *pins; /* without: all so far */
	size_t pins_max; /* in them */
};

static struct listing *listing_free(struct listing *l)
{
	if (!l)
		return NULL;
	pin_cursor_done(&l->cursor);
	sd_event_source_disable_unref(l->source);
	call_set_watch(l->call, NULL, NULL);
	call_unref(l->call);
	json_decref(l->pending);
	json_decref(l->pins);
	free(l->device);
	free(l);
	return NULL;
}

static json_t *one_pin(json_t *pin)
{
	return json_pack("{s:[O]}", "pins", pin);
}

static int add(struct listing *l, json_t *pin)
{
	_cleanup_json_ json_t *ready = l->pending;

	if (!pin)
		return -ENOMEM;
	if (l->pins) {
		if (json_array_append_new(l->pins, pin) < 0)
			return -ENOMEM;
		return json_array_size(l->pins) > l->pins_max ? -EMSGSIZE : 0;
	}
	l->pending = pin;
	return ready ? call_reply_continues(l->call, one_pin(ready)) : 0;
}

static int end(struct listing *l)
{
	if (l->pins)
		return call_reply(l->call, json_pack("{s:O}", "pins", l->pins));
	if (l->pending)
		return call_reply(l->call, one_pin(l->pending));
	return call_reply(l->call, json_pack("{s:[]}", "pins"));
}

static void fail(struct listing *l, int error)
{
	/* How many there are is not for everyone. */
	size_t pins = call_is_admin(l->call) ? registry_count(l->m->registry) :
					       json_array_size(l->pins);
	int r = 0;

	if (error == -EMSGSIZE)
		r = call_error(l->call, MANAGER_INTERFACE ".TooManyPins",
			       json_pack("{s:I}", "pins", (json_int_t)pins));
	else if (error != -EPIPE)
		r = call_error_errno(l->call, error);
	if (r < 0)
		log_debug_errno(r, "cannot answer ListPins: %m");
}

/* 1 when done, 0 to go on later. */
static int step(struct listing *l)
{
	struct pin *pin;
	unsigned int i;
	int r;

	for (i = 0; i < STEP_COST && call_writable(l->call); i++) {
		pin = pin_cursor_next(&l->cursor);
		if (!pin) {
			r = end(l);
			return r < 0 ? r : 1;
		}
		if (!pin_filter_match(&l->filter, pin) ||
		    !may_see_pin(l->m, l->call, pin->uid, pin->cgroup))
			continue;
		i += PIN_COST;
		makers_check(l->m->makers, pin);
		r = add(l, render_pin(pin));
		if (r < 0)
			return r;
	}
	return 0;
}

static int on_step(sd_event_source *source, void *userdata);

static int next_step(struct listing *l)
{
	return turn_schedule(l->m->event, &l->source, on_step, l, "list-pins");
}

static int on_step(sd_event_source *source, void *userdata)
{
	struct listing *l = userdata;
	int r = step(l);

	if (r == 0 && call_writable(l->call))
		r = next_step(l);
	if (r < 0)
		fail(l, r);
	if (r != 0)
		listing_free(l);
	return 0;
}

static void on_drained(struct call *call, void *userdata)
{
	struct listing *l = userdata;
	int r = next_step(l);

	if (r < 0) {
		fail(l, r);
		listing_free(l);
	}
}

static void on_gone(struct call *call, void *userdata)
{
	listing_free(userdata);
}

static const struct call_watch watch = { .drained = on_drained, .gone = on_gone };

static int start(struct manager *m, struct call *call, bool ready, json_t *params)
{
	struct listing *l;
	int r;

	if (!ready)
		return reply_not_ready(call);
	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	l->m = m;
	l->call = call_ref(call);
	r = parse_pin_filter(m, call, params, &l->filter);
	if (r == 0 && l->filter.device) {
		l->device = strdup(l->filter.device);
		l->filter.device = l->device;
		r = l->device ? 0 : -ENOMEM;
	}
	if (r != 0) {
		listing_free(l);
		return r < 0 ? r : 0;
	}
	if (!call_more(call) && !(l->pins = json_array())) {
		listing_free(l);
		return -ENOMEM;
	}
	l->pins_max = call_is_admin(call) ? PINS_IN_ONE_MAX : PINS_IN_ONE_USER_MAX;
	pin_cursor_init(&l->cursor, m->registry);
	call_set_watch(call, &watch, l);
	r = next_step(l);
	if (r < 0)
		listing_free(l);
	return r;
}

int method_list_pins(struct call *call, json_t *params, void *userdata)
{
	return manager_wait_ready(userdata, call, params, start);
}
