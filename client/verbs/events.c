/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/base/call.h"
#include "client/base/exit.h"
#include "client/base/options.h"
#include "client/base/output.h"
#include "client/base/pinctl.h"
#include "client/parts/event.h"
#include "client/parts/selector.h"
#include "client/verbs/verb.h"
#include "lib/clock.h"
#include "lib/json.h"

static const char events_help[] =
	"Usage: pinctl events [OPTIONS]\n"
	"\n"
	"Print what happened to pins, quotas, policies, release requests and memory since\n"
	"the service started, oldest first. An event must match all that is given.\n"
	"\n"
	"      --type TYPE,...   pin pin_change unpin deny quota_set quota_clear\n"
	"                        policy_set policy_clear high revoke revoke_done\n"
	"                        release release_step release_done failure failure_done\n"
	"                        resync; gap, where some are missing, comes with any\n"
	"      --cgroup CGROUP   what concerns it, or one below: a path or a unit\n"
	"      --pid PID         what concerns a process\n"
	"  -n, --lines N         the last N of them\n"
	"      --since TIME      -10min, 14:00, today, \"2025-01-31 14:00\", @SECONDS, now\n"
	"  -f, --follow          go on with what happens, until Ctrl-C\n"
	"  -j, --json            print each event as a JSON object on a line\n"
	"  -b, --bytes           print sizes in bytes\n"
	"      --socket PATH     of the service\n"
	"  -h, --help\n";

struct events_arguments {
	bool follow;
	uint64_t since_usec;
	int64_t last; /* 0 for all */
	json_t *filter; /* parameters of Monitor */
};

enum {
	OPTION_FOLLOW = 'f',
	OPTION_LINES = 'n',
	OPTION_SINCE = 0x2000,
	OPTION_TYPE,
};

static int parse_lines(const char *argument, int64_t *ret)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(argument, &end, 10);
	if (end == argument || *end || errno || n < 1)
		return usage_error("not a number of events: \"%s\"; it is 1 or more", argument);
	*ret = n;
	return -1;
}

/* "deny,failure"; -1 or an exit status */
static int add_types(const char *argument, json_t *filter)
{
	static const char *const types[] = {
		"pin",	       "pin_change",   "unpin",	       "deny",
		"quota_set",   "quota_clear",  "policy_set",   "policy_clear", "high",
		"revoke",      "revoke_done",  "release",      "release_step",
		"release_done", "failure",     "failure_done", "resync",
		NULL
	};
	_cleanup_(freep) char *copy = strdup(argument);
	json_t *array = json_object_get(filter, "types");
	char *rest = copy, *type;
	int r;

	if (!array && json_object_set_new(filter, "types", json_array()) == 0)
		array = json_object_get(filter, "types");
	if (!copy || !array)
		return out_of_memory();
	while ((type = strsep(&rest, ","))) {
		r = check_word("type of event", type, types);
		if (r >= 0)
			return r;
		if (json_array_append_new(array, json_string(type)) < 0)
			return out_of_memory();
	}
	return -1;
}

static int handle_option(int option, const char *argument, void *userdata)
{
	struct events_arguments *arguments = userdata;

	switch (option) {
	case OPTION_SINCE:
		return parse_since(argument, &arguments->since_usec);
	case OPTION_LINES:
		return parse_lines(argument, &arguments->last);
	case OPTION_TYPE:
		return add_types(argument, arguments->filter);
	case OPTION_CGROUP:
	case OPTION_PID:
		return choose_pins(option, argument, arguments->filter);
	default:
		arguments->follow = true;
		return -1;
	}
}

/* Where in the stream of events this is, to go on from there. */
struct reader {
	struct pinctl *ctl;
	int64_t last_usec; /* of the last event; where to begin, before the first */
	unsigned int n_last; /* how many there were of that time */
	unsigned int n_known; /* of these, how many come once more */
	bool again; /* the service has been lost before */
};

/* After a new connection the events of the last one's time come again, in the same order. */
static bool is_known(struct reader *reader, const json_t *event)
{
	const char *type = json_get_string(event, "type", "");
	int64_t usec = json_get_int(event, "time_usec", 0);

	/* may be made for this reader, and does no harm twice */
	if (!strcmp(type, "resync") || !strcmp(type, "gap"))
		return false;
	if (reader->n_known > 0 && usec == reader->last_usec) {
		reader->n_known--;
		return true;
	}
	reader->n_known = 0;
	reader->n_last = usec == reader->last_usec ? reader->n_last + 1 : 1;
	reader->last_usec = usec;
	return false;
}

static int on_event(const json_t *reply, void *userdata)
{
	struct reader *reader = userdata;
	struct pinctl *ctl = reader->ctl;
	const json_t *event = json_object_get(reply, "event");

	/* the reply that ends the history may come without one */
	if (json_is_object(event) && !is_known(reader, event)) {
		if (ctl->json)
			(void)print_json(event);
		else
			print_event(ctl, event);
	}
	/* whoever reads along wants it now */
	return flush_output(ctl);
}

static json_t *parameters(const struct reader *reader, const struct events_arguments *arguments)
{
	/* once some have been seen, all that come after them are wanted */
	const bool last = arguments->last > 0 && !reader->again;
	json_t *params = json_copy(arguments->filter);

	if (!params || json_object_set_new(params, "since_usec", json_integer(reader->last_usec)) ||
	    json_object_set_new(params, "follow", json_boolean(arguments->follow)) ||
	    (last && json_object_set_new(params, "last", json_integer(arguments->last)))) {
		json_decref(params);
		return NULL;
	}
	return params;
}

static int read_events(struct pinctl *ctl, const struct events_arguments *arguments)
{
	struct reader reader = { .ctl = ctl, .last_usec = (int64_t)arguments->since_usec };
	const int64_t start_usec = (int64_t)clock_usec(CLOCK_REALTIME);
	int r;

	for (;;) {
		struct stream stream = {
			.method = "Monitor",
			.params = parameters(&reader, arguments),
			.timeout_usec = arguments->follow ? UINT64_MAX : 0,
			.may_be_lost = arguments->follow,
			.on_reply = on_event,
			.userdata = &reader,
		};

		r = manager_stream(ctl, &stream);
		if (r != STATUS_LOST)
			break;
		r = manager_reconnect(ctl, UINT64_MAX);
		if (r != STATUS_DONE)
			break;
		/* of the last ones there were none: what has come since is new */
		if (arguments->last > 0 && reader.n_last == 0)
			reader.last_usec = MAX(reader.last_usec, start_usec);
		reader.n_known = reader.n_last;
		reader.again = true;
	}
	if (r == STATUS_INTERRUPTED)
		return STATUS_DONE;
	if (r == STATUS_DONE && !arguments->follow && reader.n_last == 0)
		say_none(ctl, "events");
	return r;
}

static int run_events(struct pinctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "follow", no_argument, NULL, OPTION_FOLLOW },
		{ "since", required_argument, NULL, OPTION_SINCE },
		{ "type", required_argument, NULL, OPTION_TYPE },
		{ "cgroup", required_argument, NULL, OPTION_CGROUP },
		{ "pid", required_argument, NULL, OPTION_PID },
		{ "lines", required_argument, NULL, OPTION_LINES },
		{},
	};
	_cleanup_json_ json_t *filter = json_object();
	struct events_arguments arguments = { .filter = filter };
	int r;

	if (!filter)
		return out_of_memory();
	r = parse_options_only(ctl, argc, argv, options, handle_option, &arguments);
	if (r >= 0)
		return r;
	if (ctl->columns || ctl->list_columns)
		return usage_error("events has no columns");

	/* Ctrl-C is how following ends: no failure, and no half line */
	r = watch_interrupt(ctl);
	if (r >= 0)
		return r;
	return read_events(ctl, &arguments);
}

const struct verb verb_events = { "events", events_help, run_events };
