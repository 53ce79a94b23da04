/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The child that looks at /proc, and those that wait for what it says. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <utlist.h>

#include "daemon/kernel/child.h"
#include "daemon/kernel/openers.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "lib/log.h"

#define SUMMARY_BYTES (64U << 10) /* room for it behind what is told of users */

struct openers_query {
	struct openers_query *prev, *next;
	struct openers *openers;
	struct device_numbers numbers;
	openers_done done;
	void *userdata;
	bool first;
	uint64_t end_usec; /* of CLOCK_MONOTONIC, when it is answered at the latest */
	sd_event_source *timeout;
};

struct openers {
	sd_event *event;
	const char *proc;
	struct openers_query *queries; /* in the order in which they came */
	struct openers_query *asked; /* for whom the child looks; NULL: nobody waits any more */
	sd_event_source *start; /* of the next one */
	struct child *child;
};

/* --- in the child --- */

struct written {
	FILE *f;
	size_t room; /* for users, in bytes */
	struct openers_scan scan;
};

/* Long names are cut from the list, not from the text. */
static void write_user(json_t *user, void *userdata)
{
	struct written *w = userdata;
	_cleanup_(freep) char *text = json_dumps(user, JSON_COMPACT);

	json_decref(user);
	if (!text || strlen(text) >= w->room) {
		w->scan.omitted++;
		return;
	}
	w->room -= strlen(text) + 1;
	fprintf(w->f, "%s\n", text);
	/* What is known counts where the rest cannot be had. */
	fflush(w->f);
}

/* It ends by itself before the one who asked has waited enough, if it can. */
static void run(FILE *out, void *userdata)
{
	const struct openers *o = userdata;
	const struct openers_query *q = o->asked;
	const uint64_t now_usec = clock_usec(CLOCK_MONOTONIC);
	const uint64_t left_usec = q->end_usec - MIN(q->end_usec, now_usec);
	struct written w = {
		.f = out,
		.room = OPENERS_TEXT_BYTES - SUMMARY_BYTES,
		.scan = {
			.proc_fd = open(o->proc, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
			.numbers = &q->numbers,
			.max = OPENERS_MAX,
			.max_files = OPENERS_FILES_MAX,
			.end_usec = now_usec + left_usec / 8 * 7,
			.share_usec = left_usec / 4,
			.found = write_user,
			.userdata = &w,
		},
	};
	struct openers_scan *scan = &w.scan;

	if (scan->proc_fd >= 0 && openers_scan(scan) >= 0)
		fprintf(out, "{\"omitted\":%zu,\"unseen\":%zu,\"hidden\":%s,\"late\":%s}\n",
			scan->omitted, scan->unseen, scan->hidden ? "true" : "false",
			scan->late ? "true" : "false");
}

/* --- what it said --- */

/* How it ended, NULL where it came to no end; users are the lines before. */
static json_t *parse(const char *text, size_t n, json_t *users)
{
	size_t at = 0;

	while (at < n) {
		const char *line = text + at, *end = memchr(line, '\n', n - at);
		json_t *object;

		if (!end)
			break;
		object = json_loadb(line, end - line, 0, NULL);
		at = end + 1 - text;
		if (json_object_get(object, "unseen"))
			return object;
		if (!object || json_array_append_new(users, object) < 0)
			break;
	}
	return NULL;
}

/* NULL, or why there may be more. */
static const char *explain(const json_t *summary, char *text, size_t size)
{
	const long long unseen = json_get_int(summary, "unseen", 0);
	const long long omitted = json_get_int(summary, "omitted", 0);

	if (!summary || json_get_bool(summary, "late", false))
		snprintf(text, size, "not all processes could be looked at in %llu seconds",
			 OPENERS_TIMEOUT_USEC / 1000000);
	else if (json_get_bool(summary, "hidden", false))
		snprintf(text, size, "/proc does not show all processes to pinguard");
	else if (omitted > 0)
		snprintf(text, size, "%lld more were found", omitted);
	else if (unseen > 0)
		snprintf(text, size, "%lld %s could not be looked at in full", unseen,
			 unseen == 1 ? "process" : "processes");
	else
		return NULL;
	return text;
}

/* --- in the service --- */

static void answer(struct openers_query *q, const json_t *users, const char *unknown)
{
	struct openers *o = q->openers;

	DL_DELETE(o->queries, q);
	q->openers = NULL;
	if (o->asked == q)
		o->asked = NULL;
	q->timeout = sd_event_source_disable_unref(q->timeout);
	/* may free it */
	q->done(users, unknown, q->userdata);
}

/* To the one that it was for, with what is there by now. */
static void answer_asked(struct openers *o, const void *said, size_t n)
{
	_cleanup_json_ json_t *users = json_array();
	_cleanup_json_ json_t *summary = users && o->asked ? parse(said, n, users) : NULL;
	char text[128];

	if (o->asked)
		answer(o->asked, users, explain(summary, text, sizeof(text)));
}

static void schedule(struct openers *o)
{
	if (!o->child && o->queries)
		(void)sd_event_source_set_enabled(o->start, SD_EVENT_ONESHOT);
}

static void on_ended(const void *text, size_t n, void *userdata)
{
	struct openers *o = userdata;

	answer_asked(o, text, n);
	o->child = child_free(o->child);
	schedule(o);
}

static int start_child(struct openers *o, struct openers_query *q)
{
	const struct child_config config = {
		.description = "openers",
		.max_bytes = OPENERS_TEXT_BYTES,
		.run = run,
		.ended = on_ended,
		.userdata = o,
	};

	o->asked = q;
	return child_start(o->event, &config, &o->child);
}

static int on_start(sd_event_source *source, void *userdata)
{
	struct openers *o = userdata;
	struct openers_query *q = o->queries;
	_cleanup_json_ json_t *none = NULL;
	int r = 0;

	if (!q || o->child)
		return 0;
	if (q->numbers.n > 0)
		r = start_child(o, q);
	if (q->numbers.n > 0 && r >= 0)
		return 0;
	if (r < 0) {
		log_warning_errno(r, "cannot look who has devices open: %m");
		o->asked = NULL;
	}
	none = json_array();
	answer(q, none, r < 0 ? "pinguard could not look" : NULL);
	schedule(o);
	return 0;
}

/* A child that stands is killed; it may take its time to end, and the next one waits for that. */
static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata)
{
	_cleanup_json_ json_t *none = NULL;
	struct openers_query *q = userdata;
	struct openers *o = q->openers;
	const void *said;
	char text[128];
	size_t n;

	if (o->asked == q) {
		child_kill(o->child);
		said = child_said(o->child, &n);
		answer_asked(o, said, n);
		return 0;
	}
	none = json_array();
	answer(q, none, explain(NULL, text, sizeof(text)));
	return 0;
}

int openers_new(sd_event *event, const char *proc, struct openers **ret)
{
	struct openers *o = calloc(1, sizeof(*o));
	int r;

	if (!o)
		return -ENOMEM;
	o->proc = proc;
	o->event = sd_event_ref(event);
	r = sd_event_add_defer(event, &o->start, on_start, o);
	if (r >= 0)
		r = sd_event_source_set_enabled(o->start, SD_EVENT_OFF);
	if (r < 0) {
		openers_free(o);
		return r;
	}
	(void)sd_event_source_set_description(o->start, "openers-start");
	*ret = o;
	return 0;
}

struct openers *openers_free(struct openers *o)
{
	if (!o)
		return NULL;
	child_free(o->child);
	sd_event_source_disable_unref(o->start);
	sd_event_unref(o->event);
	free(o);
	return NULL;
}

/* Behind the one that the child looks for, and behind those of its kind. */
static void queue(struct openers *o, struct openers_query *q)
{
	struct openers_query *next = NULL;

	if (q->first)
		DL_FOREACH (o->queries, next)
			if (!next->first && next != o->asked)
				break;
	if (next)
		DL_PREPEND_ELEM(o->queries, next, q);
	else
		DL_APPEND(o->queries, q);
}

int openers_find(struct openers *o, const struct device_numbers *numbers, bool first,
		 openers_done done, void *userdata, struct openers_query **ret)
{
	struct openers_query *q = calloc(1, sizeof(*q));
	int r;

	if (!q)
		return -ENOMEM;
	q->numbers = *numbers;
	q->first = first;
	q->end_usec = clock_usec(CLOCK_MONOTONIC) + OPENERS_TIMEOUT_USEC;
	q->done = done;
	q->userdata = userdata;
	r = sd_event_add_time_relative(o->event, &q->timeout, CLOCK_MONOTONIC,
				       OPENERS_TIMEOUT_USEC, 0, on_timeout, q);
	if (r < 0) {
		free(q);
		return r;
	}
	(void)sd_event_source_set_description(q->timeout, "openers-timeout");
	q->openers = o;
	queue(o, q);
	schedule(o);
	*ret = q;
	return 0;
}

struct openers_query *openers_query_free(struct openers_query *q)
{
	struct openers *o = q ? q->openers : NULL;

	if (!q)
		return NULL;
	if (o) {
		DL_DELETE(o->queries, q);
		if (o->asked == q) {
			o->asked = NULL;
			child_kill(o->child);
		}
	}
	sd_event_source_disable_unref(q->timeout);
	free(q);
	return NULL;
}
