/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "client/base/call.h"
#include "client/base/exit.h"
#include "client/base/options.h"
#include "client/base/output.h"
#include "client/base/pinctl.h"
#include "client/parts/request.h"
#include "client/parts/selector.h"
#include "client/verbs/verb.h"
#include "lib/json.h"

static const char release_help[] =
	"Usage: pinctl release (--cgroup=|--pid=|--kind=|--device=|--pin=)... [OPTIONS]\n"
	"       pinctl release --follow=TOKEN\n"
	"       pinctl release --cancel=TOKEN\n"
	"\n"
	"Ask the owners of pins to let go of them, and wait for it. A pin must match all\n"
	"that is given. Ctrl-C ends the waiting, not the request.\n"
	"\n"
	SELECTOR_OPTIONS_HELP
	REQUEST_OPTIONS_HELP
	"      --follow TOKEN    wait for a request that was made before\n"
	"      --cancel TOKEN    end a request: no further step is taken\n"
	REQUEST_OUTPUT_HELP
	"      --socket PATH     of the service\n"
	"  -h, --help\n";

enum {
	OPTION_FOLLOW = 0x2000,
	OPTION_CANCEL,
};

struct release_arguments {
	struct request request;
	const char *follow, *cancel;
};

static int check_token(const char *token)
{
	if (strlen(token) != 32 || token[strspn(token, "0123456789abcdef")])
		return usage_error("not a token: \"%s\": it has 32 hex digits, as pinctl release "
				   "--async prints it",
				   token);
	return -1;
}

static int handle_option(int option, const char *argument, void *userdata)
{
	struct release_arguments *arguments = userdata;

	switch (option) {
	case OPTION_TIMEOUT:
	case OPTION_ASYNC:
	case OPTION_DRY_RUN:
		return request_option(option, argument, &arguments->request);
	case OPTION_FOLLOW:
		arguments->follow = argument;
		return check_token(argument);
	case OPTION_CANCEL:
		arguments->cancel = argument;
		return check_token(argument);
	default:
		return choose_pins(option, argument, arguments->request.params);
	}
}

static bool has_selector(const json_t *params)
{
	return json_object_size(params) > !!json_object_get(params, "timeout_usec");
}

/* -1 or an exit status. */
static int check_arguments(struct pinctl *ctl, const struct release_arguments *arguments)
{
	const struct request *request = &arguments->request;
	const char *token = arguments->follow ? "--follow" : arguments->cancel ? "--cancel" : NULL;

	if (arguments->follow && arguments->cancel)
		return usage_error("--follow and --cancel do not go together");
	if (token && (request->async || request->dry_run || json_object_size(request->params) > 0))
		return usage_error("%s takes a token, and goes with no option that makes a request",
				   token);
	if (!token && !has_selector(request->params) && !ctl->list_columns)
		return usage_error("say whose pins are to be released: --cgroup, --pid, --kind, "
				   "--device or --pin");
	return request_check(ctl, request);
}

static int cancel(struct pinctl *ctl, const char *token)
{
	_cleanup_json_ json_t *reply = NULL;
	int r = manager_call(ctl, "CancelRelease", json_pack("{ss}", "token", token), &reply);

	return r == STATUS_DONE && ctl->json ? print_json(reply) : r;
}

static int run_release(struct pinctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		SELECTOR_OPTIONS,
		REQUEST_OPTIONS,
		{ "follow", required_argument, NULL, OPTION_FOLLOW },
		{ "cancel", required_argument, NULL, OPTION_CANCEL },
		{},
	};
	_cleanup_json_ json_t *params = json_object();
	struct release_arguments arguments = { { "Release", params } };
	int r;

	if (!params)
		return out_of_memory();
	r = parse_options_only(ctl, argc, argv, options, handle_option, &arguments);
	if (r >= 0)
		return r;
	r = check_arguments(ctl, &arguments);
	if (r >= 0)
		return r;
	if (arguments.cancel)
		return cancel(ctl, arguments.cancel);
	if (arguments.follow) {
		(void)json_object_set_new(params, "token", json_string(arguments.follow));
		arguments.request.method = "FollowRelease";
	}
	return request_run(ctl, &arguments.request);
}

const struct verb verb_release = { "release", release_help, run_release };
