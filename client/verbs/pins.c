/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>

#include "client/base/call.h"
#include "client/base/exit.h"
#include "client/base/options.h"
#include "client/base/pinctl.h"
#include "client/base/table.h"
#include "client/parts/pin.h"
#include "client/parts/selector.h"
#include "client/verbs/verb.h"
#include "lib/json.h"

static const char pins_help[] =
	"Usage: pinctl pins [OPTIONS]\n"
	"\n"
	"List pins, the largest first. A pin must match all that is given.\n"
	"\n"
	SELECTOR_OPTIONS_HELP
	"  -j, --json            print one JSON object\n"
	"  -b, --bytes           print sizes in bytes\n"
	"  -o, --output COLUMNS  ID KIND DEVICE PID COMM CGROUP SIZE AGE; ADDRESS CHARGED UID\n"
	"                        SINCE GONE RELEASING\n"
	"      --no-legend       print rows only\n"
	"      --socket PATH     of the service\n"
	"  -h, --help\n";

static const struct column pins_columns[] = {
	{ "ID", "id", COLUMN_TEXT },
	PIN_COLUMNS,
	{},
};

static const struct option pins_options[] = { SELECTOR_OPTIONS, {} };

static int add_filter(int option, const char *argument, void *userdata)
{
	return choose_pins(option, argument, userdata);
}

struct listing {
	struct pinctl *ctl;
	const char *separator;
};

/* Pins go out as they come in: there may be millions. */
static int print_some(const json_t *reply, void *userdata)
{
	struct listing *listing = userdata;
	json_t *pin;
	size_t i;

	/* not before the service has answered: it may be an error */
	if (*listing->separator == '{') {
		fputs(listing->separator, stdout);
		listing->separator = "";
	}
	json_array_foreach (json_object_get(reply, "pins"), i, pin) {
		fill_pin(pin);
		fputs(listing->separator, stdout);
		listing->separator = ",";
		if (json_dumpf(pin, stdout, JSON_COMPACT) < 0 || ferror(stdout)) {
			listing->ctl->output_error = errno;
			return STATUS_FAILED;
		}
	}
	return STATUS_DONE;
}

static int collect_some(const json_t *reply, void *userdata)
{
	return json_array_extend(userdata, json_object_get(reply, "pins")) < 0 ? out_of_memory() :
										 STATUS_DONE;
}

static int run_pins(struct pinctl *ctl, int argc, char **argv)
{
	_cleanup_json_ json_t *filter = json_object(), *pins = json_array();
	_cleanup_(table_done) struct table table = {};
	struct listing listing = { ctl, "{\"pins\":[" };
	struct stream stream = { .method = "ListPins" };
	int r;

	if (!filter || !pins)
		return out_of_memory();
	r = parse_options_only(ctl, argc, argv, pins_options, add_filter, filter);
	if (r >= 0)
		return r;
	r = table_init(&table, ctl, pins_columns);
	if (r >= 0)
		return r;
	stream.params = json_incref(filter);
	if (ctl->json) {
		stream.on_reply = print_some;
		stream.userdata = &listing;
		r = manager_stream(ctl, &stream);
		if (r == STATUS_DONE)
			puts("]}");
		return r;
	}
	stream.on_reply = collect_some;
	stream.userdata = pins;
	r = manager_stream(ctl, &stream);
	if (r != STATUS_DONE)
		return r;
	mark_gone_makers(pins);
	r = table_add_all(&table, pins, "bytes", NULL);
	return r < 0 ? table_print(&table, "pins") : r;
}

const struct verb verb_pins = { "pins", pins_help, run_pins };
