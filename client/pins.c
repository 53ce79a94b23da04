/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "client/pinctl.h"
#include "lib/parse.h"

static const char pins_help[] =
	"Usage: pinctl pins [OPTIONS]\n"
	"\n"
	"List pins, the largest first. A pin must match all that is given.\n"
	"\n"
	"      --cgroup CGROUP   of the owner, or below: a path or a unit\n"
	"      --pid PID         of the owner\n"
	"      --kind KIND       rdma vfio iommufd io_uring xdp vdpa unknown\n"
	"      --device NAME     such as rxe0\n"
	"      --pin ID          such as 0x1f\n"
	"  -j, --json            print one JSON object\n"
	"  -b, --bytes           print sizes in bytes\n"
	"  -o, --output COLUMNS  ID KIND DEVICE PID COMM CGROUP SIZE AGE; ADDRESS CHARGED UID\n"
	"                        SINCE GONE RELEASING\n"
	"      --no-legend       print rows only\n"
	"      --socket PATH     of the service\n"
	"  -h, --help\n";

static const struct column pins_columns[] = {
	{ "ID", "id", COLUMN_TEXT },
	{ "KIND", "kind", COLUMN_TEXT },
	{ "DEVICE", "device", COLUMN_TEXT },
	{ "PID", "pid", COLUMN_NUMBER },
	{ "COMM", "comm", COLUMN_TEXT, .shrinks = true },
	{ "CGROUP", "cgroup", COLUMN_TEXT, .keeps_tail = true },
	{ "SIZE", "bytes", COLUMN_SIZE },
	{ "AGE", "since_usec", COLUMN_AGE },
	{ "ADDRESS", "address", COLUMN_TEXT, .optional = true },
	{ "CHARGED", "charged_cgroup", COLUMN_TEXT, .optional = true },
	{ "UID", "uid", COLUMN_NUMBER, .optional = true },
	{ "SINCE", "since_usec", COLUMN_TIME, .optional = true },
	{ "GONE", "owner_gone", COLUMN_BOOL, .optional = true },
	{ "RELEASING", "releasing", COLUMN_BOOL, .optional = true },
	{},
};

enum {
	OPTION_CGROUP = 0x2000,
	OPTION_PID,
	OPTION_KIND,
	OPTION_DEVICE,
	OPTION_PIN,
};

static const struct option pins_options[] = {
	{ "cgroup", required_argument, NULL, OPTION_CGROUP },
	{ "pid", required_argument, NULL, OPTION_PID },
	{ "kind", required_argument, NULL, OPTION_KIND },
	{ "device", required_argument, NULL, OPTION_DEVICE },
	{ "pin", required_argument, NULL, OPTION_PIN },
	{},
};

static int add_kind(json_t *filter, const char *kind)
{
	static const char *const kinds[] = { "rdma",	 "vfio", "iommufd", "io_uring",
					     "xdp",	 "vdpa", "unknown", NULL };
	const char *found;

	for (size_t i = 0; kinds[i]; i++)
		if (!strcmp(kinds[i], kind))
			return json_object_set_new(filter, "kind", json_string(kind));
	found = nearest(kind, kinds);
	if (found)
		return usage_error("no kind of pin: \"%s\"; did you mean %s?", kind, found);
	return usage_error("no kind of pin: \"%s\"; there are rdma, vfio, iommufd, io_uring, xdp, "
			   "vdpa and unknown",
			   kind);
}

/* -1 to go on, as parse_options() wants it. */
static int add_filter(int option, const char *argument, void *userdata)
{
	json_t *filter = userdata;
	const char *reason;
	uint64_t id;
	pid_t pid;
	int r;

	switch (option) {
	case OPTION_CGROUP:
		r = check_cgroup(argument);
		if (r >= 0)
			return r;
		r = json_object_set_new(filter, "cgroup", argument_string(argument));
		break;
	case OPTION_PID:
		if (parse_pid(argument, &pid, &reason) < 0)
			return usage_error("not a process: \"%s\": %s", argument, reason);
		r = json_object_set_new(filter, "pid", json_integer(pid));
		break;
	case OPTION_KIND:
		r = add_kind(filter, argument);
		if (r > 0)
			return r;
		break;
	case OPTION_DEVICE:
		r = json_object_set_new(filter, "device", argument_string(argument));
		break;
	default:
		if (parse_id(argument, &id, &reason) < 0)
			return usage_error("not a pin: \"%s\": %s", argument, reason);
		r = json_object_set_new(filter, "id", json_hex(id));
		break;
	}
	return r < 0 ? out_of_memory() : -1;
}

static void fill_pin(json_t *pin)
{
	static const char *const nullable[] = { "device",	  "cgroup", "charged_cgroup",
						"address", "since_usec", NULL };

	fill_null(pin, nullable);
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

static int compare_pins(const void *a, const void *b)
{
	const json_t *const *p = a, *const *q = b;

	return compare_sizes(*p, *q, "bytes");
}

static int print_table(struct table *table, const json_t *pins)
{
	size_t n = json_array_size(pins), i;
	_cleanup_(freep) const json_t **sorted = calloc(n + 1, sizeof(*sorted));

	if (!sorted)
		return out_of_memory();
	for (i = 0; i < n; i++)
		sorted[i] = json_array_get(pins, i);
	qsort(sorted, n, sizeof(*sorted), compare_pins);
	for (i = 0; i < n; i++)
		if (!table_add(table, sorted[i], NULL, NULL))
			return out_of_memory();
	return table_print(table, "pins");
}

static int run_pins(struct pinctl *ctl, int argc, char **argv)
{
	_cleanup_json_ json_t *filter = json_object(), *pins = json_array();
	_cleanup_(table_done) struct table table = {};
	struct listing listing = { ctl, "{\"pins\":[" };
	int r;

	if (!filter || !pins)
		return out_of_memory();
	r = parse_options(ctl, argc, argv, pins_options, add_filter, filter);
	if (r >= 0)
		return r;
	if (optind < argc)
		return usage_error("pins takes options only, not \"%s\"; see pinctl pins --help",
				   argv[optind]);
	r = table_init(&table, ctl, pins_columns);
	if (r >= 0)
		return r;
	if (ctl->json) {
		r = manager_stream(ctl, MANAGER "ListPins", json_incref(filter), false, print_some,
				   &listing);
		if (r == STATUS_DONE)
			puts("]}");
		return r;
	}
	r = manager_stream(ctl, MANAGER "ListPins", json_incref(filter), false, collect_some, pins);
	return r == STATUS_DONE ? print_table(&table, pins) : r;
}

const struct verb verb_pins = { "pins", pins_help, run_pins };
