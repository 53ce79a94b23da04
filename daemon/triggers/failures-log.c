/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/base.h"
#include "daemon/triggers/failures-log.h"
#include "lib/json.h"
#include "lib/log.h"

#define FIELDS_MAX   48
#define OWNERS_MAX   8 /* that are in the journal's fields */
#define DIMMS_MAX    8
#define DEVICES_TEXT 160

bool failure_pace_pass(struct failure_pace *pace, uint64_t now_usec)
{
	if (now_usec >= pace->since_usec + FAILURE_LOG_USEC && !pace->more) {
		pace->since_usec = now_usec;
		pace->n = 0;
	}
	if (pace->n < FAILURE_LOG_MAX) {
		pace->n++;
		return true;
	}
	pace->more++;
	return false;
}

unsigned int failure_pace_rest(struct failure_pace *pace, uint64_t now_usec)
{
	unsigned int more = pace->more;

	pace->since_usec = now_usec;
	pace->n = 0;
	pace->more = 0;
	return more;
}

/* What is in the JSON has been escaped. */
struct fields {
	char *list[FIELDS_MAX + 1];
	size_t n;
};

static void fields_done(struct fields *f)
{
	while (f->n > 0)
		free(f->list[--f->n]);
}

static void _printf_(2, 3) add(struct fields *f, const char *format, ...)
{
	va_list args;
	int r;

	if (f->n == FIELDS_MAX)
		return;
	va_start(args, format);
	r = vasprintf(&f->list[f->n], format, args);
	va_end(args);
	f->n += r >= 0;
	f->list[f->n] = NULL;
}

static void add_string(struct fields *f, const char *name, const json_t *object, const char *key)
{
	const char *value = json_get_string(object, key, NULL);

	if (value)
		add(f, "%s=%s", name, value);
}

static void add_place(struct fields *f, const json_t *place)
{
	const json_t *dimms = json_object_get(place, "dimms");

	add_string(f, "PINGUARD_PHYS", place, "address");
	add_string(f, "PINGUARD_CLASS", place, "class");
	add_string(f, "PINGUARD_MEMORY_BLOCK", place, "memory_block");
	add_string(f, "PINGUARD_REGION", place, "region");
	add_string(f, "PINGUARD_NAMESPACE", place, "namespace");
	add_string(f, "PINGUARD_DAX", place, "dax");
	add_string(f, "PINGUARD_BLOCK_DEVICE", place, "block_device");
	for (size_t i = 0; i < MIN(json_array_size(dimms), (size_t)DIMMS_MAX); i++)
		add_string(f, "PINGUARD_DIMM", json_array_get(dimms, i), "name");
}

static void add_owners(struct fields *f, const json_t *owners)
{
	for (size_t i = 0; i < MIN(json_array_size(owners), (size_t)OWNERS_MAX); i++) {
		const json_t *owner = json_array_get(owners, i);

		add(f, "PINGUARD_PID=%" PRIi64, json_get_int(owner, "pid", 0));
		add_string(f, "PINGUARD_CGROUP", owner, "cgroup");
		add_string(f, "PINGUARD_PIN", owner, "pin");
	}
}

static void add_all(struct fields *f, const json_t *json)
{
	add(f, "PINGUARD_FAILURE=%" PRIi64, json_get_int(json, "id", 0));
	add_string(f, "PINGUARD_KIND", json, "kind");
	add_string(f, "PINGUARD_ACTION", json, "action");
	add_string(f, "PINGUARD_RESULT", json, "result");
	add_string(f, "PINGUARD_STATE", json, "state");
	add_string(f, "PINGUARD_RELEASE", json, "token");
	add_place(f, json_object_get(json, "place"));
	add_owners(f, json_object_get(json, "owners"));
}

/* The class, and the innermost device. */
static void describe(const json_t *place, char *buf, size_t size)
{
	static const char *const devices[] = { "dax", "block_device", "namespace", "region",
					       "memory_block" };
	const char *class = json_get_string(place, "class", "?"), *device = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(devices) && !device; i++)
		device = json_get_string(place, devices[i], NULL);
	snprintf(buf, size, "%s (%s%s%s)", json_get_string(place, "address", "?"), class,
		 device ? " of " : "", device ?: "");
}

static bool is_maybe(const json_t *owner)
{
	return strcmp(json_get_string(owner, "test", ""), "maybe") == 0;
}

/* Of those that only may hold it the others that are left out are more. */
static bool count_maybes(const json_t *json, char *buf, size_t size)
{
	const json_t *owners = json_object_get(json, "owners"), *owner;
	const size_t all = json_array_size(owners);
	size_t i, n = 0;

	json_array_foreach(owners, i, owner)
		n += is_maybe(owner);
	if (n == 0)
		return false;
	if (n == all)
		snprintf(buf, size, "no pin is known to hold it, %" PRIi64 " may",
			 (int64_t)n + json_get_int(json, "owners_omitted", 0));
	else
		snprintf(buf, size, "%zu pin%s hold%s it, of process %" PRIi64 " (%s)%s, %" PRIi64
			 " more may", all - n, all - n == 1 ? "" : "s", all - n == 1 ? "s" : "",
			 json_get_int(json_array_get(owners, 0), "pid", 0),
			 json_get_string(json_array_get(owners, 0), "comm", "?"),
			 all - n == 1 ? "" : " and maybe others",
			 (int64_t)n + json_get_int(json, "owners_omitted", 0));
	return true;
}

static void count(const json_t *json, char *buf, size_t size)
{
	const json_t *owners = json_object_get(json, "owners"), *first = json_array_get(owners, 0);
	const int64_t n = (int64_t)json_array_size(owners) +
			  json_get_int(json, "owners_omitted", 0);

	if (count_maybes(json, buf, size))
		return;
	if (n == 0)
		snprintf(buf, size, "no pin holds it");
	else if (!first)
		snprintf(buf, size, "%" PRIi64 " pins hold it", n);
	else
		snprintf(buf, size, "%" PRIi64 " pin%s hold%s it, of process %" PRIi64 " (%s)%s", n,
			 n == 1 ? "" : "s", n == 1 ? "s" : "", json_get_int(first, "pid", 0),
			 json_get_string(first, "comm", "?"), n == 1 ? "" : " and maybe others");
}

void failure_log(const json_t *json)
{
	const bool lost = strcmp(json_get_string(json, "kind", ""), "soft_offline") != 0;
	_cleanup_(fields_done) struct fields f = {};
	char place[DEVICES_TEXT], owners[DEVICES_TEXT];

	add_all(&f, json);
	describe(json_object_get(json, "place"), place, sizeof(place));
	count(json, owners, sizeof(owners));
	log_event(LOG_WARNING, MESSAGE_FAILURE, (const char *const *)f.list,
		  "memory failure %" PRIi64 " at %s: %s, %s: %s; %s",
		  json_get_int(json, "id", 0), place,
		  lost ? "its content is lost" : "it could not be taken out of use",
		  json_get_string(json, "action", "?"), json_get_string(json, "result", "?"),
		  owners);
}

void failure_log_done(const json_t *json)
{
	_cleanup_(fields_done) struct fields f = {};
	char place[DEVICES_TEXT];

	add_all(&f, json);
	describe(json_object_get(json, "place"), place, sizeof(place));
	log_event(LOG_NOTICE, MESSAGE_FAILURE_DONE, (const char *const *)f.list,
		  "memory failure %" PRIi64 " at %s is over: %s", json_get_int(json, "id", 0),
		  place, json_get_string(json, "state", "?"));
}

void failure_log_more(unsigned int n)
{
	char number[48];
	const char *fields[] = { number, NULL };

	snprintf(number, sizeof(number), "PINGUARD_COUNT=%u", n);
	log_event(LOG_WARNING, MESSAGE_FAILURES_MORE, fields,
		  "%u more messages about failures of memory; \"pinctl failures\" lists all", n);
}
