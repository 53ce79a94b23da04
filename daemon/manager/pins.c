/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/base.h"
#include "daemon/manager/answers.h"
#include "daemon/manager/methods.h"
#include "daemon/model/model.h"
#include "lib/json.h"
#include "lib/log.h"

#define STEP_COST	4096 /* then others have their turn; to look at a pin costs 1 */
#define PIN_COST	4 /* to show it */
#define PINS_IN_SEVERAL 128 /* in each of several replies */
#define REPLY_BYTES	(256L << 10) /* or before that, where names are long */
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
	/* The reply in the making: with "more" one of several, without it the only one. */
	FILE *out;
	char *text;
	size_t size; /* of text, once it is flushed */
	size_t pins; /* in it */
	size_t pins_max;
};

static void reply_done(struct listing *l)
{
	if (l->out)
		fclose(l->out);
	l->out = NULL;
	free(l->text);
	l->text = NULL;
	l->pins = 0;
}

static struct listing *listing_free(struct listing *l)
{
	if (!l)
		return NULL;
	pin_cursor_done(&l->cursor);
	sd_event_source_disable_unref(l->source);
	call_set_watch(l->call, NULL, NULL);
	call_unref(l->call);
	reply_done(l);
	free(l->device);
	free(l);
	return NULL;
}

static int reply_begin(struct listing *l)
{
	l->out = open_memstream(&l->text, &l->size);
	return l->out && fputs("{\"pins\":[", l->out) >= 0 ? 0 : -ENOMEM;
}

static int reply_end(struct listing *l, bool last)
{
	int r;

	if (fputs("]}", l->out) < 0 || fflush(l->out) == EOF)
		return -ENOMEM;
	r = last ? call_reply_text(l->call, l->text, l->size) :
		   call_reply_continues_text(l->call, l->text, l->size);
	reply_done(l);
	return r;
}

static int add(struct listing *l, const struct pin *pin)
{
	int r = l->out ? 0 : reply_begin(l);

	if (r < 0)
		return r;
	if (l->pins > 0 && putc(',', l->out) == EOF)
		return -ENOMEM;
	r = render_pin_text(l->m->registry, pin, l->out);
	if (r < 0)
		return r;
	l->pins++;
	if (!call_more(l->call))
		return ftell(l->out) > (long)VARLINK_REPLY_MAX_BYTES ? -EMSGSIZE : 0;
	return l->pins == l->pins_max || ftell(l->out) > REPLY_BYTES ? reply_end(l, false) : 0;
}

static int end(struct listing *l)
{
	int r = l->out ? 0 : reply_begin(l);

	return r < 0 ? r : reply_end(l, true);
}

static void fail(struct listing *l, int error)
{
	/* How many there are is not for everyone. */
	size_t pins = call_sees_all(l->call) ? registry_count(l->m->registry) : l->pins;
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
	const uint64_t now_usec = loop_usec(l->m->event, CLOCK_MONOTONIC);
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
		    !may_see_pin(l->m, l->call, pin->origin->uid, pin->origin->cgroup))
			continue;
		if (!call_more(l->call) && l->pins == l->pins_max)
			return -EMSGSIZE;
		i += PIN_COST;
		makers_check(l->m->makers, pin, now_usec);
		r = add(l, pin);
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
	if (call_more(call))
		l->pins_max = PINS_IN_SEVERAL;
	else
		l->pins_max = call_sees_all(call) ? PINS_IN_ONE_MAX : PINS_IN_ONE_USER_MAX;
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
