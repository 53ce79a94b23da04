/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The child that looks at /proc, and those that wait for what it says. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <utlist.h>

#include "daemon/kernel/openers.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "lib/log.h"

#define CHUNK_BYTES (64U << 10)

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

	/* The child; pid 0 for none. */
	pid_t pid;
	int pidfd, text_fd;
	sd_event_source *exit, *readable;
	char *text;
	size_t n, size;
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
static _Noreturn void run_child(const char *proc, const struct openers_query *q, int fd)
{
	const uint64_t now_usec = clock_usec(CLOCK_MONOTONIC);
	const uint64_t left_usec = q->end_usec - MIN(q->end_usec, now_usec);
	struct written w = {
		.room = OPENERS_TEXT_BYTES - CHUNK_BYTES,
		.scan = {
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
	int r;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Its copies of clients' connections would keep them open. */
	if (dup2(fd, STDIN_FILENO) < 0 || close_range(STDERR_FILENO + 1, ~0U, 0) < 0)
		_exit(EXIT_FAILURE);
	w.f = fdopen(STDIN_FILENO, "w");
	scan->proc_fd = open(proc, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!w.f || scan->proc_fd < 0)
		_exit(EXIT_FAILURE);
	r = openers_scan(scan);
	if (r >= 0)
		fprintf(w.f, "{\"omitted\":%zu,\"unseen\":%zu,\"hidden\":%s,\"late\":%s}\n",
			scan->omitted, scan->unseen, scan->hidden ? "true" : "false",
			scan->late ? "true" : "false");
	_exit(fflush(w.f) == 0 && r >= 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* --- what it said --- */

/* How it ended, NULL where it came to no end; users are the lines before. */
static json_t *parse(struct openers *o, json_t *users)
{
	size_t at = 0;

	while (at < o->n) {
		const char *line = o->text + at, *end = memchr(line, '\n', o->n - at);
		json_t *object;

		if (!end)
			break;
		object = json_loadb(line, end - line, 0, NULL);
		at = end + 1 - o->text;
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
static void answer_asked(struct openers *o)
{
	_cleanup_json_ json_t *users = json_array();
	_cleanup_json_ json_t *summary = users && o->asked ? parse(o, users) : NULL;
	char text[128];

	if (o->asked)
		answer(o->asked, users, explain(summary, text, sizeof(text)));
}

/* 0 at its end, 1 where more may come. */
static int read_text(struct openers *o)
{
	ssize_t n;

	do {
		if (o->size - o->n < CHUNK_BYTES) {
			char *text = realloc(o->text, o->size + 4 * CHUNK_BYTES);

			if (!text || o->size > OPENERS_TEXT_BYTES) {
				if (text)
					o->text = text;
				return 0;
			}
			o->text = text;
			o->size += 4 * CHUNK_BYTES;
		}
		n = read(o->text_fd, o->text + o->n, CHUNK_BYTES);
		o->n += MAX(n, 0);
	} while (n > 0);
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct openers *o = userdata;

	if (read_text(o) == 0) {
		o->readable = sd_event_source_disable_unref(o->readable);
		/* Nobody reads more of it: it would wait to say it. */
		if (o->size > OPENERS_TEXT_BYTES)
			(void)kill(o->pid, SIGKILL);
	}
	return 0;
}

static void drop_child(struct openers *o)
{
	o->exit = sd_event_source_disable_unref(o->exit);
	o->readable = sd_event_source_disable_unref(o->readable);
	closep(&o->pidfd);
	closep(&o->text_fd);
	o->pidfd = o->text_fd = -1;
	o->pid = 0;
	free(o->text);
	o->text = NULL;
	o->n = o->size = 0;
}

static void schedule(struct openers *o)
{
	if (o->pid == 0 && o->queries)
		(void)sd_event_source_set_enabled(o->start, SD_EVENT_ONESHOT);
}

static int on_exit_(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct openers *o = userdata;

	(void)waitpid(o->pid, NULL, WNOHANG);
	(void)read_text(o);
	answer_asked(o);
	drop_child(o);
	schedule(o);
	return 0;
}

static int watch_child(struct openers *o)
{
	int r;

	o->pidfd = syscall(SYS_pidfd_open, o->pid, 0);
	if (o->pidfd < 0)
		return -errno;
	r = sd_event_add_io(o->event, &o->exit, o->pidfd, EPOLLIN, on_exit_, o);
	if (r >= 0)
		r = sd_event_add_io(o->event, &o->readable, o->text_fd, EPOLLIN, on_readable, o);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(o->exit, "openers-exit");
	(void)sd_event_source_set_description(o->readable, "openers-text");
	return 0;
}

/* Nobody waits for it; one that takes its time to end is reaped after the service. */
static void kill_child(struct openers *o)
{
	(void)kill(o->pid, SIGKILL);
	(void)waitpid(o->pid, NULL, WNOHANG);
	drop_child(o);
}

static int start_child(struct openers *o, struct openers_query *q)
{
	_cleanup_(closep) int write_fd = -1;
	int fds[2], r;
	pid_t pid;

	/* The unit's filter of system calls has no pipes. */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	o->text_fd = fds[0];
	write_fd = fds[1];
	/* The child writes at its leisure, the loop reads what is there. */
	if (fcntl(o->text_fd, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		run_child(o->proc, q, write_fd);
	o->pid = pid;
	o->asked = q;
	r = watch_child(o);
	if (r < 0)
		kill_child(o);
	return r;
}

static int on_start(sd_event_source *source, void *userdata)
{
	struct openers *o = userdata;
	struct openers_query *q = o->queries;
	_cleanup_json_ json_t *none = NULL;
	int r = 0;

	if (!q || o->pid)
		return 0;
	if (q->numbers.n > 0)
		r = start_child(o, q);
	if (q->numbers.n > 0 && r >= 0)
		return 0;
	if (r < 0) {
		log_warning_errno(r, "cannot look who has devices open: %m");
		drop_child(o);
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
	char text[128];

	if (o->asked == q) {
		(void)kill(o->pid, SIGKILL);
		(void)read_text(o);
		answer_asked(o);
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
	o->pidfd = o->text_fd = -1;
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
	if (o->pid)
		kill_child(o);
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
			(void)kill(o->pid, SIGKILL);
		}
	}
	sd_event_source_disable_unref(q->timeout);
	free(q);
	return NULL;
}
