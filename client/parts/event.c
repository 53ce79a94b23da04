/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/base/output.h"
#include "client/base/pinctl.h"
#include "client/parts/event.h"
#include "client/parts/failure.h"
#include "client/parts/place.h"
#include "lib/json.h"

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

	printf(": refused by %s", !strcmp(reason, "rlimit") ? "RLIMIT_MEMLOCK" : reason);
	if (cgroup)
		printf(" of %s", cgroup);
	if (usage >= 0)
		printf(", %s", show_size(ctl, a, (uint64_t)usage));
	if (max >= 0)
		printf("%s%s", usage >= 0 ? " of " : ", ", show_size(ctl, b, (uint64_t)max));
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

static void print_high(const struct pinctl *ctl, const json_t *event)
{
	int64_t usage_bytes = json_get_int(event, "usage_bytes", 0);
	int64_t high_bytes = json_get_int(event, "high_bytes", 0);
	char usage[FORMAT_SIZE_LEN], high[FORMAT_SIZE_LEN];

	printf(" %s %s, %s the high mark of %s", json_get_string(event, "quota_cgroup", "-"),
	       show_size(ctl, usage, (uint64_t)usage_bytes),
	       usage_bytes > high_bytes ? "over" : "memory is short and it is near",
	       show_size(ctl, high, (uint64_t)high_bytes));
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

static void print_revoke(const json_t *event)
{
	const json_t *revoke = json_object_get(event, "revoke");
	const char *device = json_get_string(revoke, "device", NULL);
	const char *outcome = json_get_string(revoke, "outcome", NULL);
	int64_t timeout_usec = json_get_int(revoke, "timeout_usec", 0);
	char span[FORMAT_SIZE_LEN], pins[COUNT_LEN];

	printf(" %s %s%s%s %s-%s by %s[%" PRId64 "]: ", json_get_string(revoke, "id", "?"),
	       json_get_string(revoke, "reason", "?"), device ? " " : "", device ?: "",
	       json_get_string(revoke, "first", "?"), json_get_string(revoke, "last", "?"),
	       json_get_string(revoke, "comm", "?"), json_get_int(revoke, "pid", 0));
	if (outcome) {
		fputs(outcome, stdout);
		return;
	}
	fputs(show_count(pins, json_get_int(revoke, "pins", 0), "pin"), stdout);
	if (timeout_usec > 0)
		printf(", waits for %s", format_span(span, (uint64_t)timeout_usec));
}

/* "a1b2... drain of memory33" */
static void print_request(const json_t *release)
{
	const char *target = json_get_string(release, "target", NULL);

	printf(" %s %s%s%s", json_get_string(release, "token", "?"),
	       json_get_string(release, "reason", "?"), target ? " of " : "", target ?: "");
}

static void print_left(const struct pinctl *ctl, const json_t *object, const char *of)
{
	char left[FORMAT_SIZE_LEN], all[FORMAT_SIZE_LEN];

	printf("%s of %s%s", show_size(ctl, left, (uint64_t)json_get_int(object, "bytes_left", 0)),
	       show_size(ctl, all, (uint64_t)json_get_int(object, "bytes", 0)), of);
}

static void print_step(const struct pinctl *ctl, const json_t *owner)
{
	const char *reason = json_get_string(owner, "reason", NULL);
	const char *next = json_get_string(owner, "next", NULL);
	int64_t next_usec = json_get_int(owner, "next_usec", 0);
	char when[FORMAT_TIME_LEN];

	printf(": %s[%" PRId64 "] in %s %s", json_get_string(owner, "comm", "?"),
	       json_get_int(owner, "pid", 0), json_get_string(owner, "cgroup", "-"),
	       json_get_string(owner, "state", "?"));
	if (reason)
		printf(" (%s)", reason);
	fputs(", ", stdout);
	print_left(ctl, owner, " left");
	if (next) {
		printf(", %s", next);
		/* of the day: the date is at the line's begin */
		if (next_usec > 0)
			printf(" at %s", strchr(format_time(when, (uint64_t)next_usec), ' ') + 1);
	}
}

static void print_release(const struct pinctl *ctl, const json_t *event)
{
	const json_t *release = json_object_get(event, "release");
	const json_t *owner = json_object_get(event, "owner");
	const char *type = json_get_string(event, "type", "");
	int64_t uid = json_get_int(release, "uid", -1);
	char size[FORMAT_SIZE_LEN], pins[COUNT_LEN];

	print_request(release);
	if (json_is_object(owner)) {
		print_step(ctl, owner);
		return;
	}
	if (!strcmp(type, "release_done")) {
		printf(": %s, ", json_get_string(release, "phase", "?"));
		print_left(ctl, release, " left");
		return;
	}
	printf(": %s in %s", show_size(ctl, size, (uint64_t)json_get_int(release, "bytes", 0)),
	       show_count(pins, json_get_int(release, "pins", 0), "pin"));
	if (uid >= 0)
		printf(", by uid %" PRId64, uid);
}

static void print_failure(const json_t *event)
{
	const json_t *failure = json_object_get(event, "failure");
	const json_t *place = json_object_get(failure, "place");
	const char *device = place_device(place);
	int64_t count = json_get_int(failure, "count", 1);
	int64_t took_usec =
		json_get_int(failure, "ended_usec", 0) - json_get_int(failure, "time_usec", 0);
	_cleanup_(freep) char *owners = NULL;
	char span[FORMAT_SIZE_LEN];

	printf(" %" PRId64 " %s %s %s%s%s: ", json_get_int(failure, "id", 0),
	       json_get_string(failure, "kind", "?"), json_get_string(place, "address", "?"),
	       json_get_string(place, "class", "?"), device ? " in " : "", device ?: "");
	if (!strcmp(json_get_string(event, "type", ""), "failure_done")) {
		fputs(json_get_string(failure, "state", "?"), stdout);
		if (took_usec >= 0)
			printf(" after %s", format_span(span, (uint64_t)took_usec));
		return;
	}
	printf("%s, %s", json_get_string(failure, "action", "?"),
	       json_get_string(failure, "result", "?"));
	owners = failure_owners(failure);
	if (owners)
		printf("; pinned by %s", owners);
	if (count > 1)
		printf("; told %" PRId64 " times", count);
}

/* "pin, pin_change and unpin before this are missing" */
static void print_gap(const json_t *event)
{
	const json_t *missing = json_object_get(event, "missing"), *type;
	size_t n = json_array_size(missing), i;

	putchar(' ');
	if (n == 0)
		fputs("all events", stdout);
	json_array_foreach(missing, i, type)
		printf("%s%s", i == 0 ? "" : i + 1 < n ? ", " : " and ",
		       json_string_value(type) ?: "?");
	fputs(" before this may be missing", stdout);
}

void print_event(const struct pinctl *ctl, const json_t *event)
{
	const char *type = json_get_string(event, "type", "?");
	char when[FORMAT_TIME_LEN];
	bool deny = !strcmp(type, "deny");
	bool alarming = deny || !strcmp(type, "failure");

	printf("%s  ", format_time(when, (uint64_t)json_get_int(event, "time_usec", 0)));
	printf(alarming && ctl->colour ? "\033[31m%-12s\033[0m" : "%-12s", type);
	if (!strncmp(type, "quota_", strlen("quota_")))
		print_quota(ctl, event);
	else if (!strcmp(type, "high"))
		print_high(ctl, event);
	else if (!strncmp(type, "policy_", strlen("policy_")))
		print_policy(event);
	else if (!strncmp(type, "revoke", strlen("revoke")))
		print_revoke(event);
	else if (!strncmp(type, "release", strlen("release")))
		print_release(ctl, event);
	else if (!strncmp(type, "failure", strlen("failure")))
		print_failure(event);
	else if (!strcmp(type, "resync"))
		fputs(" events may be missing before this one", stdout);
	else if (!strcmp(type, "gap"))
		print_gap(event);
	else
		print_pin(ctl, json_object_get(event, "pin"));
	if (deny)
		print_deny(ctl, event);
	putchar('\n');
}
