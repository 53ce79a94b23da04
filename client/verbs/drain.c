/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "client/base/call.h"
#include "client/base/exit.h"
#include "client/base/options.h"
#include "client/base/output.h"
#include "client/base/pinctl.h"
#include "client/parts/remove.h"
#include "client/parts/request.h"
#include "client/parts/selector.h"
#include "client/parts/user.h"
#include "client/verbs/verb.h"
#include "lib/json.h"
#include "lib/log.h"

static const char drain_help[] =
	"Usage: pinctl drain TARGET [OPTIONS]\n"
	"\n"
	"Ask the owners of all pins that hold memory of TARGET to let go of them, and\n"
	"wait for it. Ctrl-C ends the waiting, not the request. TARGET is\n"
	"  memory32              a memory block\n"
	"  dax0.0 namespace0.0 region0\n"
	"                        a DAX device, a namespace, a region\n"
	"  0x1f000 0x1f000-0x2ffff pfn:0x1f\n"
	"                        physical addresses, or the number of a page frame\n"
	"\n"
	"      --offline         then take the memory block offline, as the caller; of a\n"
	"                        DAX device that is system RAM all blocks, one by one\n"
	"      --disable         then disable the DAX device, namespace or region, as the\n"
	"                        caller\n"
	"      --force           also where processes use it without a pin, or may\n"
	REQUEST_OPTIONS_HELP
	REQUEST_OUTPUT_HELP
	"      --socket PATH     of the service\n"
	"  -h, --help\n";

enum {
	OPTION_OFFLINE = 0x2000,
	OPTION_DISABLE,
	OPTION_FORCE,
};

struct drain_arguments {
	struct request request;
	bool offline, disable, force;
	json_t *before; /* what Who said at the start; NULL where it was not asked */
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
	case OPTION_FORCE:
		arguments->force = true;
		return -1;
	default:
		return request_option(option, argument, &arguments->request);
	}
}

/* -1 or an exit status. */
static int check_arguments(struct pinctl *ctl, const struct drain_arguments *arguments,
			   const struct removal *removal)
{
	int r = request_check(ctl, &arguments->request);

	if (r < 0)
		r = check_target(removal->target);
	if (r >= 0)
		return r;
	if (arguments->offline && arguments->disable)
		return usage_error("--offline is for memory blocks and DAX devices that are system "
				   "RAM, --disable for DAX devices, namespaces and regions: give "
				   "one of them");
	if (arguments->force && removal->action == REMOVAL_NONE)
		return usage_error("--force is for --offline and --disable");
	if (arguments->request.async && removal->action != REMOVAL_NONE)
		return usage_error("--async does not wait, so that %s cannot follow; drain without "
				   "--async",
				   arguments->offline ? "--offline" : "--disable");
	return removal_check_name(removal);
}

static int ask_who(struct pinctl *ctl, const struct removal *removal, json_t **ret)
{
	return manager_call(ctl, "Who",
			    json_pack("{so}", "target", argument_string(removal->target)), ret);
}

static const char *done_text(const struct removal *removal)
{
	return removal->action == REMOVAL_OFFLINE ? "taken offline" : "disabled";
}

static int remove_target(struct pinctl *ctl, const struct drain_arguments *arguments,
			 const struct removal *removal)
{
	_cleanup_json_ json_t *reply = NULL;
	int r;

	/* without an answer a block can go offline as well, but not be said what for it waits */
	if (ask_who(ctl, removal, &reply) == STATUS_INTERRUPTED)
		return STATUS_FAILED;
	r = removal->action == REMOVAL_OFFLINE ? -1 :
		check_users(removal->target, done_text(removal), reply, arguments->before,
			    arguments->force);
	return r < 0 ? removal_run(ctl, removal, json_object_get(reply, "ranges")) : r;
}

/* Before somebody is asked for nothing; -1 to go on or an exit status. */
static int prepare(struct pinctl *ctl, struct drain_arguments *arguments,
		   const struct removal *removal)
{
	int r = watch_interrupt(ctl);

	if (r < 0)
		r = removal_prepare(ctl, removal);
	/* nobody can have a memory block open */
	if (r >= 0 || arguments->request.dry_run || removal->action == REMOVAL_OFFLINE)
		return r;
	r = ask_who(ctl, removal, &arguments->before);
	if (r == STATUS_INTERRUPTED)
		return STATUS_FAILED;
	if (r != STATUS_DONE)
		return arguments->force ? -1 : r;
	return check_users(removal->target, done_text(removal), arguments->before,
			   arguments->before, arguments->force);
}

/* Of a dry run: who uses it, pinning it or not. */
static int show_users(struct pinctl *ctl, const struct removal *removal)
{
	_cleanup_json_ json_t *reply = NULL, *users = NULL;
	int r = ask_who(ctl, removal, &reply);

	if (r != STATUS_DONE || ctl->no_legend)
		return r;
	if (!ctl->json) {
		r = print_users(ctl, reply);
		return r < 0 ? STATUS_DONE : r;
	}
	fill_users(reply);
	if (json_array_size(json_object_get(reply, "users")) == 0 &&
	    json_is_null(json_object_get(reply, "users_unknown")))
		return STATUS_DONE;
	users = json_pack("{sO sO}", "users", json_object_get(reply, "users"), "users_unknown",
			  json_object_get(reply, "users_unknown"));
	return users ? print_json(users) : out_of_memory();
}

static int drain(struct pinctl *ctl, struct drain_arguments *arguments,
		 const struct removal *removal)
{
	struct request *request = &arguments->request;
	const char *done = done_text(removal);
	int r = request_run(ctl, request);

	if (r == STATUS_DONE && request->dry_run)
		r = show_users(ctl, removal);

	if (removal->action == REMOVAL_NONE)
		return r;
	if (r != STATUS_DONE) {
		log_notice("%s was not %s", removal->target, done);
		return r;
	}
	if (!request->dry_run && removal_is_dax(removal))
		return removal_run_dax(ctl, removal, request);
	if (!request->dry_run)
		return remove_target(ctl, arguments, removal);
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
		{ "force", no_argument, NULL, OPTION_FORCE },
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
		r = prepare(ctl, &arguments, &removal);
		if (r >= 0) {
			json_decref(arguments.before);
			return r;
		}
	}
	r = drain(ctl, &arguments, &removal);
	json_decref(arguments.before);
	return r;
}

const struct verb verb_drain = { "drain", drain_help, run_drain };
