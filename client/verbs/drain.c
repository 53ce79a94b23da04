/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "client/base/call.h"
#include "client/base/exit.h"
#include "client/base/options.h"
#include "client/base/pinctl.h"
#include "client/parts/remove.h"
#include "client/parts/request.h"
#include "client/parts/selector.h"
#include "client/verbs/verb.h"
#include "lib/json.h"
#include "lib/log.h"

static const char drain_help[] =
	"Usage: pinctl drain TARGET [OPTIONS]\n"
	"\n"
	"Ask the owners of all pins that hold memory of TARGET to let go of them, and wait for\n"
	"it. Ctrl-C ends the waiting, not the request. TARGET is\n"
	"  memory32              a memory block\n"
	"  dax0.0 namespace0.0 region0\n"
	"                        a DAX device, a namespace, a region\n"
	"  0x1f000 0x1f000-0x2ffff\n"
	"                        physical addresses\n"
	"\n"
	"      --offline         then take the memory block offline, as the caller; of a DAX\n"
	"                        device that is system RAM, all its blocks, one by one\n"
	"      --disable         then disable the DAX device, namespace or region, as the\n"
	"                        caller\n"
	REQUEST_OPTIONS_HELP
	REQUEST_OUTPUT_HELP
	"      --socket PATH     of the service\n"
	"  -h, --help\n";

enum {
	OPTION_OFFLINE = 0x2000,
	OPTION_DISABLE,
};

struct drain_arguments {
	struct request request;
	bool offline, disable;
};

static int handle_option(int option, const char *argument, void *userdata)
{
	struct drain_arguments *arguments = userdata;

	switch (option) {
	case OPTION_OFFLINE:
		arguments->offline = true;
		return -1;
	case OPTION_DISABLE:
		arguments->disable = true;
		return -1;
	default:
		return request_option(option, argument, &arguments->request);
	}
}

/* -1 or an exit status. */
static int check_arguments(struct pinctl *ctl, const struct drain_arguments *arguments,
			   const struct removal *removal)
{
	int r = check_target(removal->target);

	if (r >= 0)
		return r;
	if (arguments->offline && arguments->disable)
		return usage_error("--offline is for memory blocks and DAX devices that are system "
				   "RAM, --disable for DAX devices, namespaces and regions: give "
				   "one of them");
	if (arguments->request.async && removal->action != REMOVAL_NONE)
		return usage_error("--async does not wait, so that %s cannot follow; drain without "
				   "--async",
				   arguments->offline ? "--offline" : "--disable");
	r = removal_check_name(removal);
	return r < 0 ? request_check(ctl, &arguments->request) : r;
}

static int remove_target(struct pinctl *ctl, const struct removal *removal)
{
	_cleanup_json_ json_t *reply = NULL;

	/* without an answer it can be removed as well, but not said what for it waits */
	if (manager_call(ctl, "Who",
			 json_pack("{so}", "target", argument_string(removal->target)),
			 &reply) == STATUS_INTERRUPTED)
		return STATUS_FAILED;
	return removal_run(ctl, removal, json_object_get(reply, "ranges"));
}

static int drain(struct pinctl *ctl, struct request *request, const struct removal *removal)
{
	const char *done = removal->action == REMOVAL_OFFLINE ? "taken offline" : "disabled";
	int r = request_run(ctl, request);

	if (removal->action == REMOVAL_NONE)
		return r;
	if (r != STATUS_DONE) {
		log_notice("%s was not %s", removal->target, done);
		return r;
	}
	if (!request->dry_run && removal_is_dax(removal))
		return removal_run_dax(ctl, removal, request);
	if (!request->dry_run)
		return remove_target(ctl, removal);
	if (!ctl->json && !ctl->no_legend)
		printf("Then %s would be %s%s.\n", removal->target, done,
		       removal_is_dax(removal) ? ", one memory block after the other" : "");
	return STATUS_DONE;
}

static int run_drain(struct pinctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		REQUEST_OPTIONS,
		{ "offline", no_argument, NULL, OPTION_OFFLINE },
		{ "disable", no_argument, NULL, OPTION_DISABLE },
		{},
	};
	_cleanup_json_ json_t *params = json_object();
	struct drain_arguments arguments = { { "Drain", params } };
	struct removal removal = { .sysfs = "/sys" };
	int r;

	if (!params)
		return out_of_memory();
	r = parse_one_argument(ctl, argc, argv, options, handle_option, &arguments, "TARGET",
			       &removal.target);
	if (r >= 0)
		return r;
	removal.action = arguments.offline ? REMOVAL_OFFLINE :
			 arguments.disable ? REMOVAL_DISABLE :
					     REMOVAL_NONE;
	r = check_arguments(ctl, &arguments, &removal);
	if (r >= 0)
		return r;
	if (json_object_set_new(params, "target", argument_string(removal.target)) < 0)
		return out_of_memory();
	if (removal.action != REMOVAL_NONE) {
		/* before somebody is asked for nothing */
		r = watch_interrupt(ctl);
		if (r < 0)
			r = removal_prepare(ctl, &removal);
		if (r >= 0)
			return r;
	}
	return drain(ctl, &arguments.request, &removal);
}

const struct verb verb_drain = { "drain", drain_help, run_drain };
