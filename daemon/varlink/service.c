/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each varlink service answers: org.varlink.service. */
#include <errno.h>
#include <string.h>

#include "daemon/varlink/internal.h"
#include "lib/json.h"

const struct server_interface service_interface = { "org.varlink.service",
						    idl_org_varlink_service };

static int get_info(struct call *call, json_t *params, void *userdata)
{
	const struct server *server = userdata;
	const struct server_config *config = &server->config;
	const struct server_interface *interface;
	_cleanup_json_ json_t *interfaces = json_array();

	for (interface = server->interfaces; interface->name; interface++)
		if (json_array_append_new(interfaces, json_string(interface->name)) < 0)
			return -ENOMEM;
	return call_reply(call, json_pack("{ss ss ss ss sO}", "vendor", config->vendor, "product",
					  config->product, "version", config->version, "url",
					  config->url, "interfaces", interfaces));
}

static int get_interface_description(struct call *call, json_t *params, void *userdata)
{
	const struct server *server = userdata;
	const char *name = json_get_string(params, "interface", "");
	const struct server_interface *interface = server->interfaces;

	while (interface->name && strcmp(interface->name, name) != 0)
		interface++;
	if (!interface->name)
		return call_error(call, VARLINK_ERROR_INTERFACE_NOT_FOUND,
				  json_pack("{ss}", "interface", name));
	return call_reply(call, json_pack("{ss}", "description", interface->description));
}

const struct method service_methods[] = {
	{ .name = "org.varlink.service.GetInfo", .handler = get_info },
	{ .name = "org.varlink.service.GetInterfaceDescription",
	  .params = (const struct method_param[]){ { "interface", PARAM_STRING, true }, {} },
	  .handler = get_interface_description },
	{},
};
