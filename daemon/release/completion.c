/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers of owners that wait for what the kernel says. */
#include <errno.h>
#include <utlist.h>

#include "daemon/release/internal.h"

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
	int r;

	if (!config->look || !release->asked)
		return true;
	for (uint32_t i = o->position; i < o->first + o->n; i++) {
		const struct asked_pin *asked = &release->asked[release->order[i]];

		if (!asked->left)
			continue;
		if (tries-- == 0)
			return true;
		r = config->look(asked->id, &info, config->userdata);
		if (r != -ENOENT && (r < 0 || info.bytes > 0))
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
int completion_new(struct release_owner *o, struct call *call)
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
