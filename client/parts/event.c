/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events of requests to release pins, and of the kernel's revokes. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/base/output.h"
#include "client/parts/event.h"
#include "lib/json.h"

void print_revoke_event(const json_t *event)
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

void print_release_event(const struct pinctl *ctl, const json_t *event)
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
