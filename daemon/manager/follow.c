/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls that wait for a request to be over, or hear of each change. */
#include <errno.h>

#include "daemon/manager/answers.h"
#include "lib/json.h"
#include "lib/log.h"

struct follower {
	struct call *call;
	struct release *release;
	struct release_watch watch;
};

static struct follower *follower_free(struct follower *f)
{
	if (!f)
		return NULL;
	release_watch_remove(f->release, &f->watch);
	release_unref(f->release);
	call_set_watch(f->call, NULL, NULL);
	call_unref(f->call);
	free(f);
	return NULL;
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

/* A dry run whose answer waits for who holds pins of processes that have ended. */
struct foresight {
	struct call *call;
	struct release *release;
};

static void foresight_free(struct foresight *f)
{
	call_set_watch(f->call, NULL, NULL);
	release_unref(f->release);
	call_unref(f->call);
	free(f);
}

static void on_foreseen(void *userdata)
{
	struct foresight *f = userdata;
	int r = reply(f->call, f->release, true);

	if (r < 0 && r != -EPIPE)
		answer_errno(f->call, r);
	foresight_free(f);
}

static void on_asker_gone(struct call *call, void *userdata)
{
	foresight_free(userdata);
}

static const struct call_watch foresight_watch = { .gone = on_asker_gone };

/* Nothing follows of it. */
static int answer_dry_run(struct call *call, struct release *release)
{
	struct foresight *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	if (!release_foresee_holders(release, on_foreseen, f)) {
		free(f);
		return reply(call, release, true);
	}
	f->call = call_ref(call);
	f->release = release_ref(release);
	call_set_watch(call, &foresight_watch, f);
	return 0;
}

int follow_release(struct call *call, struct release *release, bool async)
{
	bool more = call_more(call);
	struct follower *f;
	int r;

	/* An empty token: a dry run. */
	if (!release_token(release)[0])
		return answer_dry_run(call, release);
	if (is_over(release) || (async && !more))
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
	f->call = call_ref(call);
	f->release = release_ref(release);
	f->watch = (struct release_watch){ .changed = on_change, .userdata = f };
	call_set_watch(call, &watch, f);
	release_watch_add(release, &f->watch);
	return 0;
}
