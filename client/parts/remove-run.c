/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel holds a removal for as long as something refers to the memory, and
 * nothing ends that. So a child waits for it, out of the terminal's reach.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "client/base/call.h"
#include "client/base/exit.h"
#include "client/base/output.h"
#include "client/base/pinctl.h"
#include "client/parts/busy.h"
#include "client/parts/progress.h"
#include "client/parts/remove.h"
#include "lib/json.h"
#include "lib/log.h"

#define TICK_MSEC      1000
#define ASK_EVERY      2 /* ticks */
#define TELL_AFTER     3 /* ticks, where there is no terminal */
#define RANGES_ASKED   8
#define HOLDERS_SHOWN  10
#define KILL_WAIT_MSEC 5000

/* What the child says, written at once. */
struct verdict {
	int result;
	char text[REMOVAL_TEXT_MAX];
};

struct waiting {
	struct pinctl *ctl;
	const struct removal *removal;
	const json_t *ranges;
	struct progress progress;
	unsigned int ticks;
	bool mute; /* the service did not say who pins the memory */
};

typedef int (*removal_work)(const struct removal *removal, char text[static REMOVAL_TEXT_MAX]);

static const char *action_text(const struct removal *removal)
{
	return removal->action == REMOVAL_OFFLINE ? "taken offline" : "disabled";
}

/* --- who is in the way --- */

/* A process that holds pins: {"pid":N,"comm":S,"cgroup":S,"bytes":N,"pins":N} */
static int add_holder(json_t *holders, const json_t *pin)
{
	int64_t pid = json_get_int(pin, "pid", 0);
	json_t *holder = NULL, *known;
	size_t i;

	json_array_foreach (holders, i, known)
		if (json_get_int(known, "pid", 0) == pid)
			holder = known;
	if (!holder) {
		holder = json_pack("{sI ss ss sI sI}", "pid", (json_int_t)pid, "comm",
				   json_get_string(pin, "comm", "?"), "cgroup",
				   json_get_string(pin, "cgroup", "-"), "bytes", (json_int_t)0,
				   "pins", (json_int_t)0);
		if (json_array_append_new(holders, holder) < 0)
			return -ENOMEM;
	}
	(void)json_object_set_new(
		holder, "bytes",
		json_integer(json_get_int(holder, "bytes", 0) + json_get_int(pin, "bytes", 0)));
	(void)json_object_set_new(holder, "pins",
				  json_integer(json_get_int(holder, "pins", 0) + 1));
	return 0;
}

/* By address: while a device is removed its name may mean nothing. */
static json_t *range_target(const json_t *range)
{
	return json_sprintf("%s-%s", json_get_string(range, "first", ""),
			    json_get_string(range, "last", ""));
}

/* NULL for no answer */
static json_t *find_holders(struct waiting *waiting)
{
	_cleanup_json_ json_t *seen = json_object(), *holders = json_array();
	const json_t *range;
	size_t i, j;

	json_array_foreach (waiting->ranges, i, range) {
		_cleanup_json_ json_t *reply = NULL, *target = NULL;
		const json_t *pin;

		if (i == RANGES_ASKED || waiting->mute)
			break;
		target = range_target(range);
		waiting->mute =
			manager_call(waiting->ctl, "Who", json_pack("{sO}", "target", target),
				     &reply) != STATUS_DONE;
		json_array_foreach (json_object_get(reply, "pins"), j, pin) {
			const char *id = json_get_string(pin, "id", "");

			if (!json_object_get(seen, id) && add_holder(holders, pin) < 0)
				return NULL;
			(void)json_object_set_new(seen, id, json_true());
		}
	}
	return waiting->mute || json_array_size(waiting->ranges) == 0 ? NULL : TAKE_PTR(holders);
}

/* "8M in 1 pin of mr[321] in /demo.slice" */
static void format_holder(const struct pinctl *ctl, const json_t *holder, char *text, size_t size)
{
	char bytes[FORMAT_SIZE_LEN], pins[COUNT_LEN];

	snprintf(text, size, "%s in %s of %s[%" PRId64 "] in %s",
		 show_size(ctl, bytes, (uint64_t)json_get_int(holder, "bytes", 0)),
		 show_count(pins, json_get_int(holder, "pins", 0), "pin"),
		 json_get_string(holder, "comm", "?"), json_get_int(holder, "pid", 0),
		 json_get_string(holder, "cgroup", "-"));
}

/* What no pin need hold, of a memory block; NULL where nobody knows. */
static json_t *find_busy(struct waiting *waiting)
{
	const json_t *range = json_array_get(waiting->ranges, 0);
	_cleanup_json_ json_t *reply = NULL;

	/* a block has one */
	if (waiting->removal->action != REMOVAL_OFFLINE || !range)
		return NULL;
	waiting->mute = manager_call(waiting->ctl, "Who",
				     json_pack("{so sb}", "target", range_target(range), "busy",
					       true),
				     &reply) != STATUS_DONE;
	return json_incref(json_object_get(reply, "busy"));
}

static void tell_holders(struct waiting *waiting)
{
	_cleanup_json_ json_t *holders = find_holders(waiting);
	const json_t *holder;
	char text[512];
	size_t i;

	json_array_foreach (holders, i, holder) {
		if (i == HOLDERS_SHOWN) {
			log_notice("and %zu more; see pinctl who", json_array_size(holders) - i);
			break;
		}
		format_holder(waiting->ctl, holder, text, sizeof(text));
		log_notice("still pinned: %s", text);
	}
	if (holders && json_array_size(holders) == 0)
		log_notice(
			"no long-term pin is in the way; the kernel log may say more, see dmesg");
}

/* --- the child --- */

/* A device's removal ends when the kernel lets it; what is begun is not left undone. */
static bool can_be_given_up(const struct removal *removal, removal_work work)
{
	return work != removal_perform || removal->action == REMOVAL_OFFLINE;
}

static _Noreturn void run_child(const struct removal *removal, removal_work work, int fd)
{
	struct verdict verdict = {};
	int null;

	/* Ctrl-C is for pinctl, and whoever reads its output must see the end of it */
	(void)setsid();
	if (can_be_given_up(removal, work))
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGPIPE, SIG_IGN);
	null = open("/dev/null", O_RDWR);
	for (int i = 0; i < 3; i++)
		if (dup2(null, i) < 0)
			_exit(EXIT_FAILURE);
	if (dup2(fd, 3) < 0)
		_exit(EXIT_FAILURE);
	(void)close_range(4, ~0U, 0);
	verdict.result = work(removal, verdict.text);
	_exit(write(3, &verdict, sizeof(verdict)) < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* Its number, or a negative errno. */
static pid_t start_child(const struct removal *removal, removal_work work, int *ret_fd)
{
	int fds[2], error;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	error = errno;
	if (pid == 0)
		run_child(removal, work, fds[1]);
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return -error;
	}
	*ret_fd = fds[0];
	return pid;
}

static void on_tick(struct waiting *waiting)
{
	_cleanup_json_ json_t *holders = NULL;
	const char *target = waiting->removal->target;
	unsigned int seconds = ++waiting->ticks * TICK_MSEC / 1000;
	size_t n;
	char text[512];

	if (!waiting->progress.on) {
		if (waiting->ticks == TELL_AFTER) {
			log_notice("waiting for the kernel, which gives up %s once nothing uses it",
				   target);
			tell_holders(waiting);
		}
		return;
	}
	if (waiting->ticks % ASK_EVERY != 0)
		return;
	holders = find_holders(waiting);
	n = json_array_size(holders);
	if (n == 0) {
		progress_line(&waiting->progress, "%s: waiting for the kernel, %us", target,
			      seconds);
		return;
	}
	format_holder(waiting->ctl, json_array_get(holders, 0), text, sizeof(text));
	if (n > 1)
		progress_line(&waiting->progress,
			      "%s: waiting for the kernel, %us: %zu processes, %s", target, seconds,
			      n, text);
	else
		progress_line(&waiting->progress, "%s: waiting for the kernel, %us: %s", target,
			      seconds, text);
}

/* The child's verdict; STATUS_DONE, STATUS_INTERRUPTED. */
static int wait_for_child(struct waiting *waiting, pid_t pid, int fd, struct verdict *verdict)
{
	struct pollfd fds[] = { { .fd = fd, .events = POLLIN },
				{ .fd = waiting->ctl->interrupt_fd, .events = POLLIN } };
	ssize_t n;
	int r;

	do {
		r = poll(fds, ARRAY_SIZE(fds), TICK_MSEC);
		if (r == 0)
			on_tick(waiting);
		if (r > 0 && !fds[0].revents)
			return STATUS_INTERRUPTED;
	} while (r == 0 || (r < 0 && errno == EINTR));
	n = read(fd, verdict, sizeof(*verdict));
	if (n != sizeof(*verdict)) {
		*verdict = (struct verdict){ .result = -ECHILD };
		snprintf(verdict->text, sizeof(verdict->text),
			 "the process that does it was killed");
	}
	verdict->text[sizeof(verdict->text) - 1] = '\0';
	(void)waitpid(pid, NULL, 0);
	return STATUS_DONE;
}

/* Where it can be ended it is: Linux would try for ever to empty a block that is pinned. */
static int interrupted(const struct waiting *waiting, pid_t pid, int fd, bool give_up)
{
	struct pollfd ended = { .fd = fd, .events = POLLIN };
	const char *target = waiting->removal->target;

	if (give_up) {
		(void)kill(pid, SIGKILL);
		if (poll(&ended, 1, KILL_WAIT_MSEC) > 0) {
			log_notice("given up: %s was not %s", target,
				   action_text(waiting->removal));
			return STATUS_FAILED;
		}
	}
	log_notice(
		"the removal of %s goes on in process %d, and ends once nothing uses the memory; "
		"pinctl who shows who does",
		target, (int)pid);
	return STATUS_FAILED;
}

static int run_work(struct waiting *waiting, removal_work work, struct verdict *verdict)
{
	_cleanup_(closep) int fd = -1;
	pid_t pid;
	int r;

	progress_init(&waiting->progress, waiting->ctl);
	if (waiting->removal->part)
		progress_line(&waiting->progress, "%s: %s", waiting->removal->target,
			      waiting->removal->part);
	fflush(NULL);
	pid = start_child(waiting->removal, work, &fd);
	if (pid < 0) {
		(void)log_error_errno(pid, "cannot start a process: %m");
		return STATUS_FAILED;
	}
	r = wait_for_child(waiting, pid, fd, verdict);
	progress_clear(&waiting->progress);
	return r == STATUS_INTERRUPTED
		       ? interrupted(waiting, pid, fd, can_be_given_up(waiting->removal, work))
		       : r;
}

static int failed(const struct removal *removal, const struct verdict *verdict)
{
	int error = -verdict->result;

	log_error("%s cannot be %s: %s%s%s", removal->target, action_text(removal), strerror(error),
		  *verdict->text ? "; " : "", verdict->text);
	if (error == EACCES || error == EPERM) {
		log_notice("that is done with the rights of the caller: run pinctl as root");
		return STATUS_DENIED;
	}
	return error == ENOENT || error == ENODEV ? STATUS_NOT_FOUND : STATUS_FAILED;
}

/* How it ended, for people or for programs. */
static int print_result(struct pinctl *ctl, const struct removal *removal, int result,
			json_t *busy)
{
	_cleanup_json_ json_t *object = NULL;

	if (!ctl->json) {
		if (result >= 0 && !ctl->no_legend && !removal->part)
			printf("%s is %s%s.\n", removal->target,
			       removal->action == REMOVAL_OFFLINE ? "offline" : "disabled",
			       result > 0 ? " already" : "");
		return STATUS_DONE;
	}
	object = json_pack("{s{ss ss sb so sO?}}", "removal", "target", removal->target, "action",
			   removal->action == REMOVAL_OFFLINE ? "offline" : "disable", "done",
			   result >= 0, "errno", result < 0 ? json_integer(-result) : json_null(),
			   "busy", busy);
	return object ? print_json(object) : out_of_memory();
}

int removal_prepare(struct pinctl *ctl, const struct removal *removal)
{
	struct waiting waiting = { .ctl = ctl, .removal = removal };
	struct verdict verdict;
	int r;

	r = run_work(&waiting, removal_check, &verdict);
	if (r != STATUS_DONE)
		return r;
	if (verdict.result < 0)
		return failed(removal, &verdict);
	return verdict.result == 0 ? -1 : print_result(ctl, removal, verdict.result, NULL);
}

int removal_run(struct pinctl *ctl, const struct removal *removal, const json_t *ranges)
{
	struct waiting waiting = { .ctl = ctl, .removal = removal, .ranges = ranges };
	_cleanup_(freep) char *text = NULL;
	_cleanup_json_ json_t *busy = NULL;
	struct verdict verdict;
	int r;

	r = run_work(&waiting, removal_perform, &verdict);
	if (r != STATUS_DONE)
		return r;
	if (verdict.result < 0)
		busy = find_busy(&waiting);
	r = print_result(ctl, removal, verdict.result, busy);
	if (verdict.result >= 0)
		return r;
	r = failed(removal, &verdict);
	if (r != STATUS_FAILED)
		return r;
	tell_holders(&waiting);
	text = format_busy(ctl, busy);
	if (text)
		log_notice("in %s is more that is in the way: %s", removal->target, text);
	return r;
}
