/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls that wait for a request to be over, or hear of each change. */
#include <errno.h>
#include <utlist.h>

#include "daemon/manager/methods.h"
#include "daemon/manager/release.h"
#include "lib/json.h"
#include "lib/log.h"

struct follower {
	struct follower *prev, *next;
	struct manager *m;
	struct call *call;
	struct release *release;
	struct release_watch watch;
};

static struct follower *follower_free(struct follower *f)
{
	if (!f)
		return NULL;
	DL_DELETE(f->m->followers, f);
	release_watch_remove(f->release, &f->watch);
	release_unref(f->release);
	call_set_watch(f->call, NULL, NULL);
	call_unref(f->call);
	free(f);
	return NULL;
}

void followers_free(struct manager *m)
{
	while (m->followers)
		follower_free(m->followers);
}

static int reply(struct call *call, struct release *release, bool last)
{
	json_t *json = json_pack("{s:o}", "release", release_shown_json(release));

	return last ? call_reply(call, json) : call_reply_continues(call, json);
}

static bool is_over(const struct release *release)
{
	return release_phase(release) != RELEASE_RUNNING;
}

/* Ends the call where it cannot be answered. */
static void update(struct follower *f)
{
	bool over = is_over(f->release);
	int r = 0;

	if (over)
		r = reply(f->call, f->release, true);
	else if (call_more(f->call) && call_writable(f->call))
		r = reply(f->call, f->release, false);
	if (r < 0 && r != -EPIPE && call_error_errno(f->call, r) < 0)
		log_debug("cannot answer %s", call_method(f->call));
	if (over || (r < 0 && r != -EPIPE))
		follower_free(f);
}

static void on_change(struct release *release, void *userdata)
{
	update(userdata);
}

static void on_drained(struct call *call, void *userdata)
{
	update(userdata);
}

static void on_gone(struct call *call, void *userdata)
{
	follower_free(userdata);
}

static const struct call_watch watch = { .drained = on_drained, .gone = on_gone };

int manager_follow_release(struct manager *m, struct call *call, struct release *release,
			   bool async)
{
	bool more = call_more(call);
	struct follower *f;
	int r;

	/* An empty token: a dry run, of which nothing follows. */
	if (is_over(release) || !release_token(release)[0] || (async && !more))
		return reply(call, release, true);
	f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	if (more) {
		r = reply(call, release, false);
		if (r < 0) {
			free(f);
			return r == -EPIPE ? 0 : r;
		}
	}
	f->m = m;
	f->call = call_ref(call);
	f->release = release_ref(release);
	f->watch = (struct release_watch){ .changed = on_change, .userdata = f };
	DL_APPEND(m->followers, f);
	call_set_watch(call, &watch, f);
	release_watch_add(release, &f->watch);
	return 0;
}

int reply_release_error(struct call *call, int error)
{
	const char *limit;
	int max;

	switch (error) {
	case -EUSERS:
		limit = "release requests of one user";
		max = RELEASES_UID_MAX;
		break;
	case -EBUSY:
		limit = "release requests";
		max = call_is_admin(call) ? RELEASES_MAX : RELEASES_MAX / 2;
		break;
	case -E2BIG:
		limit = "pins in release requests";
		max = call_is_admin(call) ? RELEASES_PINS_MAX : RELEASES_PINS_MAX / 2;
		break;
	case -ERANGE:
		return call_error_invalid(call, "timeout_usec");
	default:
		return call_error_errno(call, error);
	}
	return call_error(call, MANAGER_INTERFACE ".LimitExceeded",
			  json_pack("{s:s, s:i}", "limit", limit, "max", max));
}

int parse_release_timeout(struct call *call, json_t *params, uint64_t *ret_usec)
{
	int64_t usec = json_get_int(params, "timeout_usec", -1);

	if (!json_is_integer(json_object_get(params, "timeout_usec"))) {
		*ret_usec = RELEASE_TIMEOUT_LADDER;
		return 0;
	}
	if (usec < 0 || (uint64_t)usec > RELEASE_TIMEOUT_MAX_USEC)
		return call_error_invalid(call, "timeout_usec") ?: 1;
	*ret_usec = usec;
	return 0;
}
