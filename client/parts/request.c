/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "client/base/call.h"
#include "client/base/exit.h"
#include "client/base/output.h"
#include "client/base/pinctl.h"
#include "client/parts/progress.h"
#include "client/parts/request-show.h"
#include "client/parts/request.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/parse.h"

/* How much later than a request's end its last reply may come. */
#define LATE_USEC (30 * UINT64_C(1000000))

struct following {
	struct pinctl *ctl;
	struct progress progress;
	struct stream stream;
	json_t *release; /* as it stands */
};

int request_option(int option, const char *argument, struct request *request)
{
	const char *reason;
	uint64_t usec;

	switch (option) {
	case OPTION_ASYNC:
		request->async = true;
		return -1;
	case OPTION_DRY_RUN:
		request->dry_run = true;
		return -1;
	default:
		if (parse_span(argument, &usec, &reason) < 0)
			return usage_error("not a span of time: \"%s\": %s", argument, reason);
		if (json_object_set_new(request->params, "timeout_usec",
					json_integer((json_int_t)usec)) < 0)
			return out_of_memory();
		return -1;
	}
}

int request_check(struct pinctl *ctl, const struct request *request)
{
	if (request->async && request->dry_run)
		return usage_error("--async and --dry-run do not go together");
	return request_check_columns(ctl, request->dry_run);
}

static int no_release(void)
{
	log_error("the service's answer has no request in it");
	return STATUS_FAILED;
}

static int on_change(const json_t *reply, void *userdata)
{
	struct following *following = userdata;
	json_t *release = json_object_get(reply, "release");
	uint64_t deadline_usec = (uint64_t)json_get_int(release, "deadline_usec", 0);
	uint64_t now_usec = clock_usec(CLOCK_REALTIME);

	if (!json_is_object(release))
		return no_release();
	json_decref(following->release);
	following->release = json_incref(release);
	following->stream.timeout_usec =
		LATE_USEC + (deadline_usec > now_usec ? deadline_usec - now_usec : 0);
	if (following->ctl->json) {
		if (print_json(release) != STATUS_DONE)
			return STATUS_FAILED;
		/* whoever reads along wants it now */
		return flush_output(following->ctl);
	}
	progress_draw(&following->progress, release);
	return STATUS_DONE;
}

static void on_tick(void *userdata)
{
	struct following *following = userdata;

	if (following->release)
		progress_draw(&following->progress, following->release);
}

/* A service that was restarted knows nothing of the request; one that hung up on us does. */
static int follow_again(struct following *following)
{
	const char *token = json_get_string(following->release, "token", NULL);
	int r;

	progress_clear(&following->progress);
	if (!token) {
		log_error("the service closed the connection before it answered; see systemctl "
			  "status pinguard");
		return STATUS_UNREACHABLE;
	}
	r = manager_reconnect(following->ctl, LATE_USEC);
	if (r != STATUS_DONE)
		return r;
	following->stream.method = "FollowRelease";
	following->stream.params = json_pack("{ss}", "token", token);
	r = manager_stream(following->ctl, &following->stream);
	if (r == STATUS_NOT_FOUND) {
		log_error("the service was restarted, and has given the request up; pinctl pins "
			  "shows what is pinned");
		return STATUS_FAILED;
	}
	return r;
}

static int interrupted(const json_t *release)
{
	const char *token = json_get_string(release, "token", NULL);

	if (!token)
		log_notice("the service had not answered yet; pinctl owners shows whether "
			   "somebody is asked");
	if (token) {
		log_notice("the request goes on; to follow it: pinctl release --follow=%s", token);
		log_notice("to end it: pinctl release --cancel=%s", token);
	}
	return STATUS_FAILED;
}

static int status_of(const json_t *release)
{
	const char *phase = json_get_string(release, "phase", "");

	if (!strcmp(phase, "done"))
		return STATUS_DONE;
	return strcmp(phase, "timed_out") == 0 ? STATUS_TIMED_OUT : STATUS_FAILED;
}

static int follow(struct pinctl *ctl, struct request *request)
{
	struct following following = {
		.ctl = ctl,
		.stream = {
			.method = request->method,
			.params = json_incref(request->params),
			.may_be_lost = true,
			.on_reply = on_change,
			.userdata = &following,
		},
	};
	_cleanup_json_ json_t *release = NULL;
	int r;

	r = watch_interrupt(ctl);
	if (r >= 0) {
		json_decref(following.stream.params);
		return r;
	}
	progress_init(&following.progress, ctl);
	if (following.progress.on)
		following.stream.on_tick = on_tick;
	r = manager_stream(ctl, &following.stream);
	while (r == STATUS_LOST)
		r = follow_again(&following);
	release = following.release;
	progress_clear(&following.progress);
	if (r == STATUS_INTERRUPTED)
		return interrupted(release);
	if (r != STATUS_DONE)
		return r;
	if (!release)
		return no_release();
	if (!ctl->json) {
		r = request_show(ctl, release, false);
		if (r != STATUS_DONE)
			return r;
	}
	return status_of(release);
}

/* One answer and no waiting. */
static int ask_once(struct pinctl *ctl, struct request *request)
{
	_cleanup_json_ json_t *reply = NULL;
	json_t *release;
	const char *token;
	int r;

	r = manager_call(ctl, request->method, json_incref(request->params), &reply);
	if (r == STATUS_INTERRUPTED)
		return interrupted(NULL);
	if (r != STATUS_DONE)
		return r;
	release = json_object_get(reply, "release");
	token = json_get_string(release, "token", NULL);
	if (!json_is_object(release) || (!token && !request->dry_run))
		return no_release();
	if (ctl->json)
		return print_json(release);
	if (request->dry_run)
		return request_show(ctl, release, true);
	return puts(token) < 0 ? STATUS_FAILED : STATUS_DONE;
}

int request_run(struct pinctl *ctl, struct request *request)
{
	if (request->async)
		(void)json_object_set_new(request->params, "async", json_true());
	if (request->dry_run)
		(void)json_object_set_new(request->params, "dry_run", json_true());
	return request->async || request->dry_run ? ask_once(ctl, request) : follow(ctl, request);
}
