/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdio.h>
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

static void print_pin(const struct pinctl *ctl, const json_t *pin)
{
	const char *id = json_get_string(pin, "id", NULL);
	char size[FORMAT_SIZE_LEN];

	if (!pin || json_is_null(pin))
		return;
	if (id)
		printf(" %s", id);
	printf(" %s %s %s by %s[%" PRId64 "] in %s", json_get_string(pin, "kind", "?"),
	       json_get_string(pin, "device", "-"),
	       show_size(ctl, size, (uint64_t)json_get_int(pin, "bytes", 0)),
	       json_get_string(pin, "comm", "?"), json_get_int(pin, "pid", 0),
	       json_get_string(pin, "cgroup", "-"));
}

static void print_deny(const struct pinctl *ctl, const json_t *event)
{
	int64_t max = json_get_int(event, "max_bytes", -1);
	int64_t usage = json_get_int(event, "usage_bytes", -1);
	int64_t suppressed = json_get_int(event, "suppressed", 0);
	const char *cgroup = json_get_string(event, "limit_cgroup", NULL);
	const char *reason = json_get_string(event, "reason", "?");
	char a[FORMAT_SIZE_LEN], b[FORMAT_SIZE_LEN];

	printf(": refused by %s", reason);
	if (cgroup)
		printf(" of %s", cgroup);
	if (usage >= 0)
		printf(", %s", show_size(ctl, a, (uint64_t)usage));
	if (usage >= 0 && max >= 0)
		printf(" of %s", show_size(ctl, b, (uint64_t)max));
	if (usage >= 0)
		fputs(" in use", stdout);
	if (suppressed > 0)
		printf("; %" PRId64 " more like it were not reported", suppressed);
}

static void print_quota(const struct pinctl *ctl, const json_t *event)
{
	int64_t max = json_get_int(event, "max_bytes", -1), uid = json_get_int(event, "uid", -1);
	char size[FORMAT_SIZE_LEN];

	printf(" %s", json_get_string(event, "quota_cgroup", "-"));
	if (max >= 0)
		printf(" %s", show_size(ctl, size, (uint64_t)max));
	if (uid >= 0)
		printf(" by uid %" PRId64, uid);
}

static void print_policy(const json_t *event)
{
	const char *policy = json_get_string(event, "policy", NULL);
	int64_t uid = json_get_int(event, "uid", -1);

	printf(" %s", json_get_string(event, "quota_cgroup", "-"));
	if (policy)
		printf(" %s", policy);
	if (uid >= 0)
		printf(" by uid %" PRId64, uid);
}

static void print_event(const struct pinctl *ctl, const json_t *event)
{
	const char *type = json_get_string(event, "type", "?");
	char when[FORMAT_TIME_LEN];
	bool deny = !strcmp(type, "deny");
	bool alarming = deny || !strcmp(type, "failure");

	printf("%s  ", format_time(when, (uint64_t)json_get_int(event, "time_usec", 0)));
	printf(alarming && ctl->colour ? "\033[31m%-12s\033[0m" : "%-12s", type);
	if (!strncmp(type, "quota_", strlen("quota_")))
		print_quota(ctl, event);
	else if (!strncmp(type, "policy_", strlen("policy_")))
		print_policy(event);
	else if (!strncmp(type, "revoke", strlen("revoke")))
		print_revoke_event(event);
	else if (!strncmp(type, "release", strlen("release")))
		print_release_event(ctl, event);
	else if (!strncmp(type, "failure", strlen("failure")))
		print_failure_event(event);
	else if (!strcmp(type, "resync"))
		fputs(" events may be missing before this one", stdout);
	else
		print_pin(ctl, json_object_get(event, "pin"));
	if (deny)
		print_deny(ctl, event);
	putchar('\n');
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
	if (ctl->columns)
		return usage_error("events has no columns");

	/* Ctrl-C is how following ends: no failure, and no half line */
	r = watch_interrupt(ctl);
	if (r >= 0)
		return r;
	return read_events(ctl, &arguments);
}

const struct verb verb_events = { "events", events_help, run_events };
