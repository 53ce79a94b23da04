/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a message to the method that answers it. */
#include <errno.h>
#include <string.h>

#include "daemon/varlink/internal.h"
#include "lib/json.h"

static bool is_strings(const json_t *value)
{
	const json_t *string;
	size_t i;

	json_array_foreach(value, i, string)
		if (!json_is_string(string))
			return false;
	return json_is_array(value);
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
	case PARAM_STRINGS:
		return is_strings(value);
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

static const struct method *find_method(const struct server *server, const char *name,
					void **ret_userdata)
{
	const struct method *method;

	for (size_t i = 0; i < ARRAY_SIZE(server->methods); i++) {
		for (method = server->methods[i].all; method->name; method++) {
			if (!strcmp(method->name, name)) {
				*ret_userdata = server->methods[i].userdata;
				return method;
			}
		}
	}
	return NULL;
}

static int unknown_method(struct call *call, const struct server *server)
{
	const struct server_interface *interface = server->interfaces;
	const char *dot = strrchr(call->method_name, '.');
	size_t length;

	if (!dot || dot == call->method_name || !dot[1])
		return call_error_invalid(call, "method");
	length = dot - call->method_name;
	for (; interface->name; interface++)
		if (strlen(interface->name) == length &&
		    !strncmp(interface->name, call->method_name, length))
			return call_error(call, VARLINK_ERROR_METHOD_NOT_FOUND,
					  json_pack("{ss}", "method", dot + 1));
	return call_error(call, VARLINK_ERROR_INTERFACE_NOT_FOUND,
			  json_pack("{ss%}", "interface", call->method_name, length));
}

static int invoke(struct call *call, struct server *server, json_t *params)
{
	const struct method *method;
	const char *wrong;
	void *userdata;

	method = find_method(server, call->method_name, &userdata);
	if (!method)
		return unknown_method(call, server);
	if (!method->handler)
		return call_error(call, VARLINK_ERROR_METHOD_NOT_IMPLEMENTED,
				  json_pack("{ss}", "method", strrchr(method->name, '.') + 1));
	if ((method->flags & METHOD_MORE) && !call->more)
		return call_error(call, VARLINK_ERROR_EXPECTED_MORE, json_object());
	if (((method->flags & METHOD_ADMIN) && !call_is_admin(call)) ||
	    ((method->flags & METHOD_SEE_ALL) && !call_sees_all(call)))
		return call_error_denied(call);
	wrong = wrong_param(method->params, params);
	if (wrong)
		return call_error_invalid(call, wrong);
	if (method->flags & METHOD_SUBSCRIPTION) {
		call->subscribed = user_subscribe(call->connection->user);
		if (!call->subscribed)
			return call_error_own(call, "LimitExceeded",
					      json_pack("{sssi}", "limit",
							"subscriptions of one user", "max",
							SERVER_SUBSCRIPTIONS_UID_MAX));
	}
	return method->handler(call, params, userdata);
}

static bool is_flag(const json_t *value)
{
	return !value || json_is_boolean(value) || json_is_null(value);
}

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
