/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "client/base/call.h"
#include "client/base/exit.h"
#include "client/base/options.h"
#include "client/base/output.h"
#include "client/base/pinctl.h"
#include "client/base/scan.h"
#include "client/base/table.h"
#include "client/parts/pin.h"
#include "client/parts/selector.h"
#include "client/parts/sums.h"
#include "client/verbs/verb.h"
#include "lib/json.h"
#include "lib/log.h"

static const char pins_help[] =
	"Usage: pinctl pins [OPTIONS]\n"
	"\n"
	"List pins, the largest first. A pin must match all that is given.\n"
	"\n"
	SELECTOR_OPTIONS_HELP
	"      --by WHAT         sums instead of pins: by process, cgroup, device or kind\n"
	"      --sort COLUMN     in place of -SIZE; -COLUMN: the largest or last first\n"
	"      --limit N         print the first N rows\n"
	"  -j, --json            print one JSON object\n"
	"  -b, --bytes           print sizes in bytes\n"
	"  -o, --output COLUMNS  ID KIND DEVICE PID COMM CGROUP SIZE AGE; ADDRESS CHARGED\n"
	"                        CHARGED_SIZE UID SINCE GONE RELEASING; +COLUMNS are\n"
	"                        added to the usual ones; those of sums:\n"
	"                        --by=WHAT --list-columns\n"
	"      --list-columns    print the names of all columns\n"
	"      --no-legend       print rows only\n"
	"      --socket PATH     of the service\n"
	"  -h, --help\n";

static const struct column pins_columns[] = {
	{ "ID", "id", COLUMN_TEXT },
	PIN_COLUMNS,
	{},
};

struct pins_arguments {
	json_t *filter;
	const char *by, *sort;
	uint64_t limit; /* UINT64_MAX for none */
};

enum {
	OPTION_BY = 0x2000,
	OPTION_SORT,
	OPTION_LIMIT,
};

static const struct option pins_options[] = {
	SELECTOR_OPTIONS,
	{ "by", required_argument, NULL, OPTION_BY },
	{ "sort", required_argument, NULL, OPTION_SORT },
	{ "limit", required_argument, NULL, OPTION_LIMIT },
	{},
};

static int handle_option(int option, const char *argument, void *userdata)
{
	struct pins_arguments *arguments = userdata;

	switch (option) {
	case OPTION_BY:
		arguments->by = argument;
		return check_by(argument);
	case OPTION_SORT:
		arguments->sort = argument;
		return -1;
	case OPTION_LIMIT:
		return parse_limit(argument, &arguments->limit);
	default:
		return choose_pins(option, argument, arguments->filter);
	}
}

struct listing {
	struct table *table;
	const char *separator; /* as JSON: what comes before the next pin */
	char *missing; /* members that an older service does not send, "" for none */
};

/* Does something with each pin of a reply. */
static int each_pin(char *reply, size_t size, struct listing *listing,
		    int (*handle)(struct scan *scan, struct listing *listing))
{
	struct scan scan = { reply, reply + size };
	struct scan_value name;
	bool first = true, first_pin = true;
	int r = scan_enter(&scan, '{'), more;

	while (r == 0 && (more = scan_member(&scan, first, &name)) != 0) {
		first = false;
		if (more < 0)
			return more;
		if (name.size != strlen("pins") || memcmp(name.text, "pins", name.size) != 0) {
			r = scan_skip(&scan);
			continue;
		}
		r = scan_enter(&scan, '[');
		for (first_pin = true; r == 0 && (more = scan_element(&scan, first_pin)) != 0;
		     first_pin = false)
			r = more < 0 ? more : handle(&scan, listing);
	}
	return r != 0 ? r : scan_end(&scan);
}

static int find_missing(struct listing *listing, const char *text, size_t size)
{
	_cleanup_json_ json_t *pin = json_loadb(text, size, 0, NULL);

	if (!pin)
		return -EBADMSG;
	listing->missing = missing_members(pin);
	return listing->missing ? 0 : -ENOMEM;
}

/* Pins go out as they come in: there may be millions. */
static int print_pin(struct scan *scan, struct listing *listing)
{
	const char *start = scan->at;
	int r = scan_skip(scan);

	if (r == 0 && !listing->missing)
		r = find_missing(listing, start, (size_t)(scan->at - start));
	if (r < 0)
		return r;
	fputs(listing->separator, stdout);
	listing->separator = ",";
	fwrite(start, 1, (size_t)(scan->at - start) - 1, stdout);
	fputs(listing->missing, stdout);
	putchar('}');
	if (!ferror(stdout))
		return STATUS_DONE;
	listing->table->ctl->output_error = errno;
	return STATUS_FAILED;
}

static int print_some(char *reply, size_t size, void *userdata)
{
	struct listing *listing = userdata;

	/* not before the service has answered: it may be an error */
	if (*listing->separator == '{') {
		fputs(listing->separator, stdout);
		listing->separator = "";
	}
	return each_pin(reply, size, listing, print_pin);
}

static int add_pin(struct scan *scan, struct listing *listing)
{
	const char *start = scan->at;
	struct scan ahead = *scan;
	int r = 0;

	if (listing->table->keeps_source && !listing->missing) {
		r = scan_skip(&ahead);
		if (r == 0)
			r = find_missing(listing, start, (size_t)(ahead.at - start));
	}
	return r < 0 ? r : table_add_scanned(listing->table, scan);
}

static int add_some(char *reply, size_t size, void *userdata)
{
	return each_pin(reply, size, userdata, add_pin);
}

/* A list that nobody reads to its end: there is a shorter one. */
static void say_many(struct pinctl *ctl, size_t n, size_t cut)
{
	if (cut > 0 && ctl->terminal && flush_output(ctl) == STATUS_DONE)
		log_notice("%zu more pins are not shown", cut);
	else if (n > screen_height(ctl) && ctl->terminal && flush_output(ctl) == STATUS_DONE)
		log_notice("%zu pins; pinctl pins --by=process has their sums", n);
}

static int print_rows(struct pinctl *ctl, struct table *table, struct listing *listing,
		      uint64_t limit)
{
	size_t all = table->n_rows;
	int r;

	table_cut(table, limit);
	if (ctl->json) {
		fputs("{\"pins\":[", stdout);
		table_print_sources(table, listing->missing);
		puts("]}");
		return STATUS_DONE;
	}
	r = table_print(table, "pins");
	if (r == STATUS_DONE && !ctl->no_legend)
		say_many(ctl, table->n_rows, all - table->n_rows);
	return r;
}

static int list_pins(struct pinctl *ctl, const struct pins_arguments *arguments)
{
	const bool streams = ctl->json && !arguments->sort && arguments->limit == UINT64_MAX;
	_cleanup_(table_done) struct table table = {};
	struct listing listing = { &table, "{\"pins\":[", NULL };
	struct stream stream = {
		.method = "ListPins",
		.params = json_incref(arguments->filter),
		.on_text = streams ? print_some : add_some,
		.userdata = &listing,
	};
	int r;

	r = table_init(&table, ctl, pins_columns);
	if (r < 0)
		r = table_sort_by(&table, arguments->sort ?: "-SIZE");
	if (r >= 0) {
		json_decref(stream.params);
		return r;
	}
	table.keeps_source = ctl->json;
	r = manager_stream(ctl, &stream);
	if (r == STATUS_DONE && streams)
		puts("]}");
	else if (r == STATUS_DONE)
		r = print_rows(ctl, &table, &listing, arguments->limit);
	free(listing.missing);
	return r;
}

static int run_pins(struct pinctl *ctl, int argc, char **argv)
{
	_cleanup_json_ json_t *filter = json_object();
	struct pins_arguments arguments = { .filter = filter, .limit = UINT64_MAX };
	int r;

	if (!filter)
		return out_of_memory();
	r = parse_options_only(ctl, argc, argv, pins_options, handle_option, &arguments);
	if (r >= 0)
		return r;
	if (arguments.by)
		return show_sums(ctl, filter, arguments.by, arguments.sort, arguments.limit);
	return list_pins(ctl, &arguments);
}

const struct verb verb_pins = { "pins", pins_help, run_pins };
