/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>

#include "client/base/call.h"
#include "client/base/exit.h"
#include "client/base/pinctl.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/varlink.h"

/* Starting the service through its socket is within it. */
#define TIMEOUT_USEC (30 * UINT64_C(1000000))

/* While the service reads the pins from the kernel it says NotReady, after some seconds. */
#define NOT_READY_PAUSE_USEC 100000

#define BACKOFF_MIN_USEC (100 * UINT64_C(1000))
#define BACKOFF_MAX_USEC (5 * UINT64_C(1000000))
#define LASTING_USEC	 (10 * UINT64_C(1000000)) /* and the backoff starts anew */

#define TICK_USEC UINT64_C(1000000)

#define MANAGER	   "org.pinguard.Manager."
#define METHOD_LEN 64

static const char *full_name(char buf[static METHOD_LEN], const char *method)
{
	snprintf(buf, METHOD_LEN, MANAGER "%s", method);
	return buf;
}

/* Whether an error is the manager's own of this name. */
static bool is_error(const char *error, const char *name)
{
	return error && !strncmp(error, MANAGER, strlen(MANAGER)) &&
	       !strcmp(error + strlen(MANAGER), name);
}

static int connection_failed(const struct pinctl *ctl, int error)
{
	switch (-error) {
	case EACCES:
	case EPERM:
		log_error("%s: permission denied; the socket of a running service is open to "
			  "everyone, see systemctl status pinguard.socket",
			  ctl->socket);
		return STATUS_DENIED;
	case ETIMEDOUT:
		log_error("the service does not answer at %s; see systemctl status pinguard",
			  ctl->socket);
		return STATUS_TIMED_OUT;
	case ENOMEM:
		return out_of_memory();
	case EINVAL:
		return usage_error("the path of the socket is empty");
	case ENAMETOOLONG:
		return usage_error("the path of the socket is too long, 107 bytes are possible: %s",
				   ctl->socket);
	case ENOENT:
	case ECONNREFUSED:
		log_error("the service is not running (nothing at %s); start it with: "
			  "systemctl start pinguard",
			  ctl->socket);
		return STATUS_UNREACHABLE;
	case ECONNRESET:
		log_error("the service closed the connection; see systemctl status pinguard");
		return STATUS_UNREACHABLE;
	case EBADMSG:
	case EMSGSIZE:
	case ELOOP:
		log_error("what answers at %s does not speak pinguard's protocol", ctl->socket);
		return STATUS_FAILED;
	default:
		(void)log_error_errno(error, "%s: %m", ctl->socket);
		return STATUS_UNREACHABLE;
	}
}

int watch_interrupt(struct pinctl *ctl)
{
	sigset_t interrupt;

	if (ctl->interrupt_fd >= 0)
		return -1;
	sigemptyset(&interrupt);
	sigaddset(&interrupt, SIGINT);
	ctl->interrupt_fd = signalfd(-1, &interrupt, SFD_CLOEXEC | SFD_NONBLOCK);
	if (ctl->interrupt_fd < 0 || sigprocmask(SIG_BLOCK, &interrupt, NULL) < 0) {
		(void)log_error_errno(errno, "cannot wait for signals: %m");
		return STATUS_FAILED;
	}
	return -1;
}

static int try_connect(struct pinctl *ctl)
{
	int r = varlink_client_connect(ctl->socket, ctl->timeout_usec ?: TIMEOUT_USEC,
				       &ctl->client);

	if (r < 0)
		return r;
	varlink_client_set_interrupt(ctl->client, ctl->interrupt_fd);
	ctl->connected_usec = clock_usec(CLOCK_MONOTONIC);
	return 0;
}

static int ensure_connected(struct pinctl *ctl)
{
	int r = ctl->client ? 0 : try_connect(ctl);

	return r < 0 ? connection_failed(ctl, r) : STATUS_DONE;
}

int manager_reconnect(struct pinctl *ctl, uint64_t timeout_usec)
{
	struct pollfd interrupt = { .fd = ctl->interrupt_fd, .events = POLLIN };
	uint64_t start_usec = clock_usec(CLOCK_MONOTONIC);
	int r;

	log_notice("the service closed the connection; trying to reach it again");
	ctl->client = varlink_client_free(ctl->client);
	if (start_usec - ctl->connected_usec > LASTING_USEC)
		ctl->backoff_usec = 0;
	do {
		ctl->backoff_usec = MIN(MAX(2 * ctl->backoff_usec, BACKOFF_MIN_USEC),
					BACKOFF_MAX_USEC);
		if (poll(&interrupt, 1, (int)(ctl->backoff_usec / 1000)) > 0)
			return STATUS_INTERRUPTED;
		r = try_connect(ctl);
	} while ((r == -ENOENT || r == -ECONNREFUSED || r == -ETIMEDOUT || r == -ECONNRESET) &&
		 clock_usec(CLOCK_MONOTONIC) - start_usec < timeout_usec);
	if (r < 0)
		return connection_failed(ctl, r);
	log_notice("connected again");
	return STATUS_DONE;
}

/* Errors of the manager, by the parameters that tell what happened. */
static int told_error(const char *name, const json_t *params)
{
	static const struct {
		const char *name;
		const char *text;
		const char *subject; /* a parameter that is a string, before the reason */
		int status;
	} errors[] = {
		{ "NoSuchCgroup", "no such cgroup", "cgroup", STATUS_NOT_FOUND },
		{ "InvalidCgroup", "not a cgroup", "cgroup", STATUS_USAGE },
		{ "RootCgroup", "no quota can be set: the root of cgroup2 has no limits", NULL, STATUS_FAILED },
		{ "QuotaNotPossible", "no quota can be set on", "cgroup", STATUS_FAILED },
		{ "NoSuchQuota", "no quota is set on", "cgroup", STATUS_NOT_FOUND },
		{ "NoSuchPolicy", "no policy is set on", "cgroup", STATUS_NOT_FOUND },
		{ "PolicyNotPossible", "the policy cannot be set on", "cgroup", STATUS_FAILED },
		{ "NoSuchProcess", "no such process, and nothing known that was refused to one", NULL,
		  STATUS_NOT_FOUND },
		{ "NoSuchTarget", "no such memory block, DAX device, namespace, region, device or address",
		  "target", STATUS_NOT_FOUND },
		{ "InvalidTarget", "cannot look at the memory of", "target", STATUS_FAILED },
		{ "NoSuchToken", "no such request, or it is forgotten by now", "token",
		  STATUS_NOT_FOUND },
		{ "NoSelector", "say whose pins are to be released", NULL, STATUS_USAGE },
		{ "NotSupported", "not supported by this kernel", NULL, STATUS_FAILED },
		{ "NotReady", "the service is not ready", NULL, STATUS_TIMED_OUT },
		{ "InvalidMessage", "the service did not understand the call", NULL, STATUS_FAILED },
	};
	const char *reason = json_get_string(params, "reason", NULL), *subject;

	if (!strcmp(name, VARLINK_ERROR_PERMISSION_DENIED)) {
		log_error("permission denied; this is for root and the group pinguard, and what "
			  "only shows something for the group pinguard-view");
		return STATUS_DENIED;
	}
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		if (!is_error(name, errors[i].name))
			continue;
		subject = errors[i].subject ? json_get_string(params, errors[i].subject, "?") : NULL;
		log_error("%s%s%s%s%s", errors[i].text, subject ? " " : "", subject ?: "",
			  reason ? ": " : "", reason ?: "");
		return errors[i].status;
	}
	return -1;
}

static int service_error(const char *name, const json_t *params)
{
	_cleanup_(freep) char *dump = NULL;
	int status = told_error(name, params);

	if (status >= 0)
		return status;
	if (is_error(name, "LimitExceeded"))
		log_error("the service allows no more than %lld %s",
			  (long long)json_get_int(params, "max", 0),
			  json_get_string(params, "limit", "?"));
	else if (is_error(name, "TooManyCgroups"))
		log_error("%s was not found, but not all cgroups were looked at: there are more "
			  "than %lld, or too many of a user; give its path, such as /system.slice/%s",
			  json_get_string(params, "cgroup", "?"),
			  (long long)json_get_int(params, "max", 0),
			  json_get_string(params, "cgroup", "?"));
	else if (is_error(name, "TooManyPins"))
		log_error("too many pins for one reply: %lld",
			  (long long)json_get_int(params, "pins", 0));
	else if (is_error(name, "SystemError"))
		log_error("the service failed: %s", json_get_string(params, "message", "?"));
	else if (!strcmp(name, VARLINK_ERROR_METHOD_NOT_FOUND))
		log_error("the service does not know %s; it is older than pinctl: systemctl restart "
			  "pinguard, or update it",
			  json_get_string(params, "method", "this"));
	else if (!strcmp(name, VARLINK_ERROR_INVALID_PARAMETER))
		log_error("the service does not accept this value: %s",
			  json_get_string(params, "parameter", "?"));
	else {
		dump = json_dumps(params, JSON_COMPACT);
		log_error("the service answered %s %s", name, dump ?: "");
	}
	return STATUS_FAILED;
}

/*
 * Whether to call again, which is for TIMEOUT_USEC since the first answer of this
 * kind; waits a little before that. *since is 0 at first.
 */
static bool not_ready(const char *error, uint64_t *since)
{
	struct timespec pause = { .tv_nsec = NOT_READY_PAUSE_USEC * 1000L };
	uint64_t now_usec;

	if (!is_error(error, "NotReady"))
		return false;
	now_usec = clock_usec(CLOCK_MONOTONIC);
	if (*since == 0)
		*since = now_usec;
	if (now_usec - *since >= TIMEOUT_USEC)
		return false;
	nanosleep(&pause, NULL);
	return true;
}

int manager_call_expecting(struct pinctl *ctl, const char *method, json_t *params,
			   const char *expected, json_t **ret_reply)
{
	_unused_ _cleanup_json_ json_t *owned_params = params;
	char name[METHOD_LEN];
	uint64_t since = 0;
	int r;

	r = ensure_connected(ctl);
	if (r != STATUS_DONE)
		return r;
	if (!params)
		return out_of_memory();
	full_name(name, method);
	for (;;) {
		_cleanup_(freep) char *error = NULL;
		_cleanup_json_ json_t *reply = NULL;

		r = varlink_client_call(ctl->client, name, json_incref(params), &reply, &error);
		if (r == -EINTR)
			return STATUS_INTERRUPTED;
		if (r < 0)
			return connection_failed(ctl, r);
		if (not_ready(error, &since))
			continue;
		if (expected && is_error(error, expected))
			*ret_reply = NULL;
		else if (error)
			return service_error(error, reply);
		else
			*ret_reply = TAKE_PTR(reply);
		return STATUS_DONE;
	}
}

int manager_try(struct pinctl *ctl, const char *method, json_t *params, char **ret_error,
		json_t **ret_reply)
{
	_unused_ _cleanup_json_ json_t *owned_params = params;
	_cleanup_(freep) char *error = NULL;
	_cleanup_json_ json_t *reply = NULL;
	char name[METHOD_LEN];
	const char *last;
	int r = ctl->client ? 0 : try_connect(ctl);

	if (r == 0)
		r = params ? varlink_client_call(ctl->client, full_name(name, method),
						 json_incref(params), &reply, &error) : -ENOMEM;
	if (r < 0)
		return r;
	last = error ? strrchr(error, '.') : NULL;
	*ret_error = last ? strdup(last + 1) : NULL;
	if (last && !*ret_error)
		return -ENOMEM;
	*ret_reply = TAKE_PTR(reply);
	return 0;
}

int manager_call(struct pinctl *ctl, const char *method, json_t *params, json_t **ret_reply)
{
	return manager_call_expecting(ctl, method, params, NULL, ret_reply);
}

static int send_stream(struct pinctl *ctl, const struct stream *stream)
{
	char name[METHOD_LEN];

	return varlink_client_call_more(ctl->client, full_name(name, stream->method),
					json_incref(stream->params));
}

/* What comes next: text where that is asked for, and can be had. */
struct reply {
	json_t *json;
	char *error;
	char *text;
	size_t size;
	bool continues;
};

static void reply_done(struct reply *reply)
{
	json_decref(reply->json);
	free(reply->error);
}

static int read_reply(struct pinctl *ctl, const struct stream *stream, uint64_t timeout_usec,
		      struct reply *reply)
{
	int r = 0;

	if (stream->on_text)
		r = varlink_client_next_text(ctl->client, timeout_usec, &reply->text, &reply->size,
					     &reply->continues);
	if (r != 0)
		return MIN(r, 0);
	return varlink_client_next(ctl->client, timeout_usec, &reply->json, &reply->error,
				   &reply->continues);
}

static int next_reply(struct pinctl *ctl, const struct stream *stream, struct reply *reply)
{
	uint64_t start_usec = clock_usec(CLOCK_MONOTONIC), waited_usec = 0, left_usec, part_usec;
	int r;

	do {
		left_usec = stream->timeout_usec == UINT64_MAX ? UINT64_MAX :
			    stream->timeout_usec > waited_usec ? stream->timeout_usec - waited_usec :
								 0;
		part_usec = stream->on_tick ? MIN(left_usec, TICK_USEC) : left_usec;
		r = read_reply(ctl, stream, part_usec, reply);
		if (r != -ETIMEDOUT || part_usec == left_usec)
			return r;
		stream->on_tick(stream->userdata);
		waited_usec = clock_usec(CLOCK_MONOTONIC) - start_usec;
	} while (true);
}

static int hand_over(struct pinctl *ctl, const struct stream *stream, const struct reply *reply)
{
	_cleanup_(freep) char *dumped = NULL;
	int r;

	if (!stream->on_text)
		return stream->on_reply(reply->json, stream->userdata);
	if (reply->text) {
		r = stream->on_text(reply->text, reply->size, stream->userdata);
	} else {
		/* of a service that writes it otherwise */
		dumped = json_dumps(reply->json, JSON_COMPACT);
		r = dumped ? stream->on_text(dumped, strlen(dumped), stream->userdata) : -ENOMEM;
	}
	return r < 0 ? connection_failed(ctl, r) : r;
}

/* 1 to go on, else 0 and an exit status. */
static int stream_step(struct pinctl *ctl, struct stream *stream, uint64_t *since, int *ret_status)
{
	_cleanup_(reply_done) struct reply reply = {};
	int r;

	r = next_reply(ctl, stream, &reply);
	if (r == 0 && not_ready(reply.error, since)) {
		r = send_stream(ctl, stream);
		if (r == 0)
			return 1;
	}
	if (r == -EINTR)
		*ret_status = STATUS_INTERRUPTED;
	else if (r == -ECONNRESET && stream->may_be_lost)
		*ret_status = STATUS_LOST;
	else if (r < 0)
		*ret_status = connection_failed(ctl, r);
	else if (reply.error)
		*ret_status = service_error(reply.error, reply.json);
	else
		*ret_status = hand_over(ctl, stream, &reply);
	return r == 0 && !reply.error && reply.continues && *ret_status == STATUS_DONE;
}

int manager_stream(struct pinctl *ctl, struct stream *stream)
{
	_unused_ _cleanup_json_ json_t *owned_params = stream->params;
	uint64_t since = 0;
	int r, status;

	if (stream->timeout_usec == 0)
		stream->timeout_usec = TIMEOUT_USEC;
	r = ensure_connected(ctl);
	if (r != STATUS_DONE)
		return r;
	if (!stream->params)
		return out_of_memory();
	r = send_stream(ctl, stream);
	if (r == -EINTR)
		return STATUS_INTERRUPTED;
	if (r < 0)
		return r == -ECONNRESET && stream->may_be_lost ? STATUS_LOST :
								 connection_failed(ctl, r);
	while (stream_step(ctl, stream, &since, &status) > 0)
		;
	return status;
}
