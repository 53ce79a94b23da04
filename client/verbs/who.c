/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "client/base/call.h"
#include "client/base/exit.h"
#include "client/base/options.h"
#include "client/base/output.h"
#include "client/base/pinctl.h"
#include "client/base/table.h"
#include "client/parts/busy.h"
#include "client/parts/pin.h"
#include "client/parts/place.h"
#include "client/parts/selector.h"
#include "client/parts/sums.h"
#include "client/parts/user.h"
#include "client/verbs/verb.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/parse.h"

static const char who_help[] =
	"Usage: pinctl who TARGET [OPTIONS]\n"
	"\n"
	"Say what the memory of TARGET is and what else is in the way of taking it out of\n"
	"use, and list the pins that hold some of it, the largest first; then the\n"
	"processes that have the device open, mapped or mounted, which need not pin\n"
	"anything. Where there are too many pins for a list, their sums by process are\n"
	"printed instead. TARGET is\n"
	"  memory32              a memory block\n"
	"  dax0.0 namespace0.0 region0\n"
	"                        a DAX device, a namespace, a region\n"
	"  0x1f000 0x1f000-0x2ffff pfn:0x1f\n"
	"                        physical addresses, or the number of a page frame\n"
	"  rxe0 mlx5_0 0000:00:04.0\n"
	"                        a device, as pinctl pins shows it: all pins for it\n"
	"\n"
	"  -j, --json            print one JSON object\n"
	"  -b, --bytes           print sizes in bytes\n"
	"  -o, --output COLUMNS  ID HOLDS KIND DEVICE PID COMM CGROUP SIZE AGE; ADDRESS\n"
	"                        CHARGED CHARGED_SIZE UID SINCE GONE RELEASING; HOLDS is\n"
	"                        maybe where the pin is busy and could not be looked at,\n"
	"                        process where its maker has the memory, and nobody knows\n"
	"                        whether the pin does\n"
	"      --list-columns    print the names of all columns\n"
	"      --no-legend       print rows of pins only\n"
	"      --socket PATH     of the service\n"
	"  -h, --help\n";

static const struct column who_columns[] = {
	{ "ID", "id", COLUMN_TEXT },
	{ "HOLDS", "holds", COLUMN_TEXT },
	PIN_COLUMNS,
	{},
};

static void print_ranges(const struct pinctl *ctl, const json_t *reply)
{
	const json_t *ranges = json_object_get(reply, "ranges"), *range;
	const json_t *places = json_object_get(reply, "places");
	const char *target = json_get_string(reply, "target", "?");
	char size[FORMAT_SIZE_LEN];
	_cleanup_(freep) char *busy = format_busy(ctl, json_object_get(reply, "busy"));
	size_t i;

	json_array_foreach (ranges, i, range) {
		const char *first = json_get_string(range, "first", "?");
		const char *last = json_get_string(range, "last", "?");
		uint64_t from, to;

		printf("%s: %s-%s", target, first, last);
		if (parse_id(first, &from, NULL) == 0 && parse_id(last, &to, NULL) == 0 &&
		    from <= to)
			printf(" (%s)", show_size(ctl, size, to - from + 1));
		putchar('\n');
		print_place_summary(ctl, json_array_get(places, i));
	}
	if (busy)
		print_below(ctl, busy);
	if (json_array_size(ranges) > 0 && !strcmp(json_get_string(reply, "test", ""), "page"))
		print_below(ctl, "pins as far as the page tables of their makers tell");
	if (json_array_size(ranges) > 0 && json_array_size(json_object_get(reply, "pins")) > 0)
		putchar('\n');
}

static int print_who(json_t *reply)
{
	json_t *places = json_object_get(reply, "places"), *object;
	size_t i;

	/* of a service that does not know them */
	if (!json_object_get(reply, "busy"))
		(void)json_object_set_new(reply, "busy", json_null());
	if (!places)
		(void)json_object_set_new(reply, "places", json_array());
	if (!json_object_get(reply, "by_process"))
		(void)json_object_set_new(reply, "by_process", json_array());
	if (!json_object_get(reply, "test"))
		(void)json_object_set_new(reply, "test", json_null());
	if (!json_object_get(reply, "sums"))
		(void)json_object_set_new(reply, "sums", json_array());
	fill_sums(json_object_get(reply, "sums"));
	json_array_foreach (places, i, object)
		fill_place(object);
	json_array_foreach (json_object_get(reply, "pins"), i, object)
		fill_pin(object);
	fill_users(reply);
	return print_json(reply);
}

/* Which pins are not known to hold something there. */
static int mark_pins(json_t *reply)
{
	_cleanup_json_ json_t *inexact = json_object();
	_cleanup_json_ json_t *by_process = json_object();
	json_t *pins = json_object_get(reply, "pins"), *pin, *id;
	const char *name, *holds;
	size_t i;

	if (!inexact || !by_process)
		return out_of_memory();
	json_array_foreach (json_object_get(reply, "by_process"), i, id)
		if (json_is_string(id))
			(void)json_object_set(by_process, json_string_value(id), id);
	json_array_foreach (json_object_get(reply, "inexact"), i, id)
		if (json_is_string(id))
			(void)json_object_set(inexact, json_string_value(id), id);
	json_array_foreach (pins, i, pin) {
		name = json_get_string(pin, "id", "");
		holds = json_object_get(inexact, name) ? "maybe" :
			json_object_get(by_process, name) ? "process" : "yes";
		(void)json_object_set_new(pin, "holds", json_string(holds));
		(void)json_object_del(inexact, name);
	}
	/* known by their ids alone */
	json_object_foreach (inexact, name, id)
		(void)json_array_append_new(pins, json_pack("{sO ss}", "id", id, "holds", "maybe"));
	return -1;
}

/* Too many pins to be listed. */
static int print_summary(struct pinctl *ctl, const json_t *reply)
{
	const char *columns = ctl->columns;
	int r;

	/* those that were chosen are pins' */
	ctl->columns = NULL;
	r = print_sums(ctl, json_object_get(reply, "sums"), json_get_int(reply, "sums_omitted", 0));
	ctl->columns = columns;
	if (r == STATUS_DONE && !ctl->no_legend && flush_output(ctl) == STATUS_DONE)
		log_notice("there are too many pins to list them: these are their sums, by process");
	return r;
}

static int run_who(struct pinctl *ctl, int argc, char **argv)
{
	_cleanup_(table_done) struct table table = {};
	_cleanup_json_ json_t *reply = NULL;
	const char *target;
	int r;

	r = parse_one_argument(ctl, argc, argv, NULL, NULL, NULL, "TARGET", &target);
	if (r >= 0)
		return r;
	r = table_init(&table, ctl, who_columns);
	if (r >= 0)
		return r;
	r = check_target(target);
	if (r >= 0)
		return r;
	r = manager_call(ctl, "Who",
			 json_pack("{so sb}", "target", argument_string(target), "busy", true),
			 &reply);
	if (r != STATUS_DONE)
		return r;
	if (ctl->json)
		return print_who(reply);
	r = mark_pins(reply);
	if (r >= 0)
		return r;
	if (!ctl->no_legend)
		print_ranges(ctl, reply);
	if (json_array_size(json_object_get(reply, "sums")) > 0)
		return print_summary(ctl, reply);
	r = table_add_all(&table, json_object_get(reply, "pins"), "bytes", NULL);
	if (r < 0)
		r = table_print(&table, "pins");
	if (r != STATUS_DONE || ctl->no_legend)
		return r;
	r = print_users(ctl, reply);
	return r < 0 ? STATUS_DONE : r;
}

const struct verb verb_who = { "who", who_help, run_who };
