/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "client/base/call.h"
#include "client/base/exit.h"
#include "client/base/options.h"
#include "client/base/output.h"
#include "client/base/pinctl.h"
#include "client/parts/event.h"
#include "client/verbs/verb.h"
#include "lib/json.h"

static const char events_help[] =
	"Usage: pinctl events [OPTIONS]\n"
	"\n"
	"Print what happened to pins, quotas, policies, release requests and memory since\n"
	"the service started, oldest first.\n"
	"\n"
	"      --since TIME      -10min, 14:00, today, \"2025-01-31 14:00\", @SECONDS, now\n"
	"  -f, --follow          go on with what happens, until Ctrl-C\n"
	"  -j, --json            print each event as a JSON object on a line\n"
	"  -b, --bytes           print sizes in bytes\n"
	"      --socket PATH     of the service\n"
	"  -h, --help\n";

struct events_arguments {
	bool follow;
	uint64_t since_usec;
};

enum {
	OPTION_FOLLOW = 'f',
	OPTION_SINCE = 0x2000,
};

static int handle_option(int option, const char *argument, void *userdata)
{
	struct events_arguments *arguments = userdata;

	if (option == OPTION_SINCE)
		return parse_since(argument, &arguments->since_usec);
	arguments->follow = true;
	return -1;
}

/* Where in the stream of events this is, to go on from there. */
struct reader {
	struct pinctl *ctl;
	int64_t last_usec; /* of the last event; where to begin, before the first */
	unsigned int n_last; /* how many there were of that time */
	unsigned int n_known; /* of these, how many come once more */
};

/* After a new connection the events of the last one's time come again, in the same order. */
static bool is_known(struct reader *reader, const json_t *event)
{
	int64_t usec = json_get_int(event, "time_usec", 0);

	/* may be made for this reader, and does no harm twice */
	if (!strcmp(json_get_string(event, "type", ""), "resync"))
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

static int read_events(struct pinctl *ctl, const struct events_arguments *arguments)
{
	struct reader reader = { .ctl = ctl, .last_usec = (int64_t)arguments->since_usec };
	int r;

	for (;;) {
		struct stream stream = {
			.method = "Monitor",
			.params = json_pack("{sI sb}", "since_usec", (json_int_t)reader.last_usec,
					    "follow", arguments->follow),
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
		reader.n_known = reader.n_last;
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
		{},
	};
	struct events_arguments arguments = {};
	int r;

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
