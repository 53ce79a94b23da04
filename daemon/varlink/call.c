/* SPDX-License-Identifier: GPL-2.0-or-later */
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
	connection->call->blocked = true;
	return false;
}

void call_set_watch(struct call *call, const struct call_watch *watch, void *userdata)
{
	call->watch = watch;
	call->watch_userdata = userdata;
}

void call_drained(struct call *call)
{
	call->blocked = false;
	if (call->watch && call->watch->drained)
		call->watch->drained(call, call->watch_userdata);
}

/* The client can take up its next call, and its uid another subscription. */
static void finish(struct call *call)
{
	struct connection *connection = call->connection;

	call->answered = true;
	call->blocked = false;
	call->watch = NULL;
	if (connection->call == call)
		connection->call = NULL;
	if (call->subscribed)
		connection->user->subscriptions--;
	call->subscribed = false;
	connection_schedule(connection);
}

void call_gone(struct call *call)
{
	const struct call_watch *watch = call->watch;

	call_ref(call);
	finish(call);
	if (watch && watch->gone)
		watch->gone(call, call->watch_userdata);
	call_unref(call);
}

static int queue(struct call *call, json_t *message, size_t queue_max_bytes)
{
	struct connection *connection = call->connection;
	int r;

	if (!message)
		return -ENOMEM;
	if (!connection->server || connection->dropped || call->oneway)
		return 0;
	r = varlink_writer_add(&connection->writer, message, VARLINK_REPLY_MAX_BYTES,
			       queue_max_bytes);
	if (r == 0)
		connection_schedule(connection);
	return r;
}

int call_reply(struct call *call, json_t *params)
{
	_cleanup_json_ json_t *message = params ? json_pack("{so}", "parameters", params) : NULL;
	int r;

	if (call->answered)
		return call->connection->server ? -EALREADY : 0;
	r = queue(call, message, SIZE_MAX);
	if (r == 0)
		finish(call);
	return r;
}

int call_reply_continues(struct call *call, json_t *params)
{
	_cleanup_json_ json_t *message =
		params ? json_pack("{sosb}", "parameters", params, "continues", 1) : NULL;
	struct connection *connection = call->connection;
	int r;

	if (!connection->server || connection->dropped)
		return -EPIPE;
	if (call->answered)
		return -EALREADY;
	if (!call->more)
		return -EINVAL;
	r = queue(call, message, SERVER_QUEUE_MAX_BYTES);
	if (r == -ENOBUFS) {
		connection_drop(connection, "it does not read what it subscribed to");
		return -EPIPE;
	}
	return r;
}

int call_error(struct call *call, const char *name, json_t *params)
{
	_cleanup_json_ json_t *message =
		params ? json_pack("{ssso}", "error", name, "parameters", params) : NULL;
	int r;

	if (call->answered)
		return call->connection->server ? -EALREADY : 0;
	r = queue(call, message, SIZE_MAX);
	if (r == 0)
		finish(call);
	return r;
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

/* An error of the interface that is called. */
static int own_error(struct call *call, const char *error, json_t *params)
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
	return own_error(call, "SystemError",
			 json_pack("{siss}", "errno", error, "message", strerror(error)));
}

static bool param_has_type(const json_t *value, enum param_type type)
{
	switch (type) {
	case PARAM_STRING:
		return json_is_string(value);
	case PARAM_INT:
		return json_is_integer(value);
	case PARAM_BOOL:
		return json_is_boolean(value);
	}
	return false;
}

/* The name of the first parameter that is unknown, missing or of the wrong type. */
static const char *wrong_param(const struct method_param *table, json_t *params)
{
	static const struct method_param none[] = { { .name = NULL } };
	const struct method_param *param;
	const char *name;
	json_t *value;

	table = table ?: none;
	json_object_foreach (params, name, value) {
		for (param = table; param->name && strcmp(param->name, name) != 0; param++)
			;
		if (!param->name || (!json_is_null(value) && !param_has_type(value, param->type)))
			return name;
	}
	for (param = table; param->name; param++) {
		value = json_object_get(params, param->name);
		if (param->required && (!value || json_is_null(value)))
			return param->name;
	}
	return NULL;
}

static const struct method *find_in(const struct method *table, const char *name)
{
	for (; table->name; table++)
		if (!strcmp(table->name, name))
			return table;
	return NULL;
}

static int unknown_method(struct call *call, const struct server *server)
{
	const char *dot = strrchr(call->method_name, '.');
	const struct server_interface *interface = server->config.interfaces;
	size_t length;

	if (!dot || dot == call->method_name || !dot[1])
		return call_error_invalid(call, "method");
	length = dot - call->method_name;
	for (; interface->name; interface++)
		if (strlen(interface->name) == length &&
		    !strncmp(interface->name, call->method_name, length))
			break;
	if (!interface->name && (strlen(service_interface.name) != length ||
				 strncmp(service_interface.name, call->method_name, length) != 0))
		return call_error(call, VARLINK_ERROR_INTERFACE_NOT_FOUND,
				  json_pack("{ss%}", "interface", call->method_name, length));
	return call_error(call, VARLINK_ERROR_METHOD_NOT_FOUND,
			  json_pack("{ss}", "method", dot + 1));
}

static int subscribe(struct call *call)
{
	struct user *user = call->connection->user;

	if (user->uid != 0 && user->subscriptions >= SERVER_SUBSCRIPTIONS_UID_MAX)
		return own_error(call, "LimitExceeded",
				 json_pack("{sssi}", "limit", "subscriptions of one user", "max",
					   SERVER_SUBSCRIPTIONS_UID_MAX));
	user->subscriptions++;
	call->subscribed = true;
	return 0;
}

static int invoke(struct call *call, struct server *server, json_t *params)
{
	const struct method *method = find_in(service_methods, call->method_name);
	void *userdata = server;
	const char *wrong;
	int r;

	if (!method) {
		method = find_in(server->config.methods, call->method_name);
		userdata = server->config.userdata;
	}
	if (!method)
		return unknown_method(call, server);
	if (!method->handler)
		return call_error(call, VARLINK_ERROR_METHOD_NOT_IMPLEMENTED,
				  json_pack("{ss}", "method", strrchr(method->name, '.') + 1));
	if ((method->flags & METHOD_MORE) && !call->more)
		return call_error(call, VARLINK_ERROR_EXPECTED_MORE, json_object());
	if ((method->flags & METHOD_ADMIN) && !call_is_admin(call))
		return call_error_denied(call);
	wrong = wrong_param(method->params, params);
	if (wrong)
		return call_error_invalid(call, wrong);
	if (method->flags & METHOD_SUBSCRIPTION) {
		r = subscribe(call);
		if (r < 0 || call->answered)
			return r;
	}
	return method->handler(call, params, userdata);
}

static bool is_flag(const json_t *value)
{
	return !value || json_is_boolean(value) || json_is_null(value);
}

/* Whether it is one of varlink's calls; -EINVAL where it is not, other errors are fatal. */
int call_dispatch(struct connection *connection, json_t *message)
{
	_cleanup_(call_unrefp) struct call *call = NULL;
	json_t *params = json_object_get(message, "parameters");
	const char *method = json_get_string(message, "method", NULL);
	int r;

	if (!method || !is_flag(json_object_get(message, "more")) ||
	    !is_flag(json_object_get(message, "oneway")) ||
	    !is_flag(json_object_get(message, "upgrade")))
		return -EINVAL;
	if (!params || json_is_null(params)) {
		params = json_object();
		if (!params || json_object_set_new(message, "parameters", params) < 0)
			return -ENOMEM;
	}
	if (!json_is_object(params))
		return -EINVAL;

	call = calloc(1, sizeof(*call));
	if (!call)
		return -ENOMEM;
	call->n_ref = 1;
	call->connection = connection_ref(connection);
	call->message = json_incref(message);
	call->method_name = method;
	call->more = json_get_bool(message, "more", false);
	call->oneway = json_get_bool(message, "oneway", false);
	connection->call = call;

	if (call->more && call->oneway)
		r = call_error_invalid(call, "oneway");
	else if (json_get_bool(message, "upgrade", false))
		r = call_error_invalid(call, "upgrade");
	else
		r = invoke(call, connection->server, params);
	if (r < 0 && !call->answered)
		(void)call_error_errno(call, r);
	return 0;
}
