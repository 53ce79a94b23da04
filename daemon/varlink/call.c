/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What handlers do with a call: who calls, replies, errors. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/varlink/internal.h"
#include "lib/json.h"
#include "lib/log.h"

struct call *call_ref(struct call *call)
{
	call->n_ref++;
	return call;
}

struct call *call_unref(struct call *call)
{
	if (!call)
		return NULL;
	if (call->n_ref == 1 && !call->answered)
		(void)call_error_errno(call, ECANCELED);
	if (--call->n_ref > 0)
		return NULL;
	/* the answer itself did not fit: better no connection than no answer */
	if (!call->answered && call->connection->call == call) {
		call->connection->call = NULL;
		connection_drop(call->connection, "an answer could not be queued");
	}
	connection_unref(call->connection);
	json_decref(call->message);
	free(call);
	return NULL;
}

const struct peer *call_peer(const struct call *call)
{
	return &call->connection->peer;
}

bool call_is_admin(const struct call *call)
{
	return call->connection->server &&
	       peer_is_admin(call_peer(call), call->connection->server->config.admin_gid);
}

bool call_sees_all(const struct call *call)
{
	const struct server *server = call->connection->server;

	return server && peer_sees_all(call_peer(call), server->config.admin_gid,
				       server->config.view_gid);
}

const char *call_method(const struct call *call)
{
	return call->method_name;
}

bool call_more(const struct call *call)
{
	return call->more;
}

bool call_writable(const struct call *call)
{
	struct connection *connection = call->connection;

	if (!connection->server || connection->dropped || call->answered)
		return false;
	if (varlink_writer_queued(&connection->writer) < SERVER_QUEUE_HIGH_BYTES)
		return true;
	connection->blocked = true;
	return false;
}

void call_set_watch(struct call *call, const struct call_watch *watch, void *userdata)
{
	call->watch = watch;
	call->watch_userdata = userdata;
}

void call_drained(struct connection *connection)
{
	struct call *call = connection->call;

	if (call->watch && call->watch->drained)
		call->watch->drained(call, call->watch_userdata);
}

/* The client can take up its next call, and its uid another subscription. */
static void finish(struct call *call)
{
	struct connection *connection = call->connection;

	call->answered = true;
	call->watch = NULL;
	if (connection->call == call) {
		connection->call = NULL;
		connection->blocked = false;
	}
	if (call->subscribed)
		connection->user->subscriptions--;
	call->subscribed = false;
	connection_schedule(connection);
}

void call_gone(struct connection *connection)
{
	struct call *call = call_ref(connection->call);
	const struct call_watch *watch = call->watch;

	finish(call);
	if (watch && watch->gone)
		watch->gone(call, call->watch_userdata);
	call_unref(call);
}

/* Nobody is there to hear of it. */
static bool is_moot(const struct call *call)
{
	const struct connection *connection = call->connection;

	return !connection->server || connection->dropped || call->oneway;
}

static int queue(struct call *call, json_t *message, size_t queue_max_bytes)
{
	struct connection *connection = call->connection;
	int r;

	if (!message)
		return -ENOMEM;
	if (is_moot(call))
		return 0;
	r = varlink_writer_add(&connection->writer, message, VARLINK_REPLY_MAX_BYTES,
			       queue_max_bytes);
	if (r == 0)
		connection_schedule(connection);
	return r;
}

static int queue_text(struct call *call, const char *params, size_t size, bool continues,
		      size_t queue_max_bytes)
{
	struct connection *connection = call->connection;
	int r;

	if (is_moot(call))
		return 0;
	r = varlink_writer_add_reply(&connection->writer, params, size, continues,
				     queue_max_bytes);
	if (r == 0)
		connection_schedule(connection);
	return r;
}

/* The last reply: what can be said of it before it is queued, and when it is. */
static int may_end(const struct call *call)
{
	if (call->answered)
		return call->connection->server ? -EALREADY : 0;
	return 1;
}

static int ended(struct call *call, int r)
{
	if (r == 0)
		finish(call);
	return r;
}

int call_reply(struct call *call, json_t *params)
{
	_cleanup_json_ json_t *message = params ? json_pack("{so}", "parameters", params) : NULL;
	int r = may_end(call);

	return r <= 0 ? r : ended(call, queue(call, message, SIZE_MAX));
}

int call_reply_text(struct call *call, const char *params, size_t size)
{
	int r = may_end(call);

	return r <= 0 ? r : ended(call, queue_text(call, params, size, false, SIZE_MAX));
}

/* The same of one of several. */
static int may_continue(const struct call *call)
{
	const struct connection *connection = call->connection;

	if (!connection->server || connection->dropped)
		return -EPIPE;
	if (call->answered)
		return -EALREADY;
	return call->more ? 0 : -EINVAL;
}

static int continued(struct call *call, int r)
{
	if (r == -ENOBUFS) {
		connection_drop(call->connection, "it does not read what it subscribed to");
		return -EPIPE;
	}
	return r;
}

int call_reply_continues(struct call *call, json_t *params)
{
	_cleanup_json_ json_t *message =
		params ? json_pack("{sosb}", "parameters", params, "continues", 1) : NULL;
	int r = may_continue(call);

	return r < 0 ? r : continued(call, queue(call, message, SERVER_QUEUE_MAX_BYTES));
}

int call_reply_continues_text(struct call *call, const char *params, size_t size)
{
	int r = may_continue(call);

	return r < 0 ? r : continued(call, queue_text(call, params, size, true,
						      SERVER_QUEUE_MAX_BYTES));
}

int call_error(struct call *call, const char *name, json_t *params)
{
	_cleanup_json_ json_t *message =
		params ? json_pack("{ssso}", "error", name, "parameters", params) : NULL;
	int r = may_end(call);

	return r <= 0 ? r : ended(call, queue(call, message, SIZE_MAX));
}

int call_error_invalid(struct call *call, const char *name)
{
	return call_error(call, VARLINK_ERROR_INVALID_PARAMETER,
			  json_pack("{ss}", "parameter", name));
}

int call_error_denied(struct call *call)
{
	return call_error(call, VARLINK_ERROR_PERMISSION_DENIED, json_object());
}

int call_error_own(struct call *call, const char *error, json_t *params)
{
	const struct server *server = call->connection->server;
	const struct server_interface *interface;
	char name[256] = "";
	size_t length;

	if (server) {
		snprintf(name, sizeof(name), "%s.%s", server->config.error_interface, error);
		for (interface = server->config.interfaces; interface->name; interface++) {
			length = strlen(interface->name);
			if (strncmp(call->method_name, interface->name, length) == 0 &&
			    call->method_name[length] == '.')
				snprintf(name, sizeof(name), "%s.%s", interface->name, error);
		}
	}
	return call_error(call, name, params);
}

int call_error_errno(struct call *call, int error)
{
	error = error < 0 ? -error : error;
	if (error == EPERM || error == EACCES)
		return call_error_denied(call);
	return call_error_own(call, "SystemError",
			      json_pack("{siss}", "errno", error, "message", strerror(error)));
}
