/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process behind a request's owner: whether it is the one that made the pins. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <utlist.h>

#include "daemon/base/clock.h"
#include "daemon/kernel/procfs.h"
#include "daemon/release/internal.h"

/* The kernel tells a process's start in hundredths of a second, the pin's by a coarse clock. */
#define BORN_TOLERANCE_USEC 50000
/* Pins of an owner that are looked at before a step, if the first ones tell nothing. */
#define LOOKS_MAX 256
/* Of a request, at its start: where a clock was set, many seem to be older than they are. */
#define LOOKS_REQUEST_MAX 8192

static bool below(const char *path, const char *top)
{
	size_t len = strlen(top);

	return strncmp(path, top, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

static bool is_protected(const struct release_owner *o)
{
	const char *own = o->release->releases->own_cgroup;
	const char *path = o->cgroup ? o->cgroup->path : NULL;

	if (o->pid == 1 || o->pid == getpid())
		return true;
	if (!path)
		return false;
	return below(path, "/init.scope") || (own && strcmp(own, "/") != 0 && below(path, own));
}

static bool has_exited(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

static void open_process(struct release_owner *o)
{
	uint64_t since_boot_usec;

	o->pidfd = syscall(SYS_pidfd_open, o->pid, 0);
	if (o->pidfd < 0) {
		o->gone = errno == ESRCH;
		return;
	}
	(void)fcntl(o->pidfd, F_SETFL, O_NONBLOCK);
	if (procfs_read_start(o->release->releases->proc_fd, o->pid, &since_boot_usec) < 0)
		return;
	/* Still there: what was read is of this process. */
	if (!has_exited(o->pidfd))
		o->born_usec = clock_usec(CLOCK_REALTIME) - clock_usec(CLOCK_BOOTTIME) +
			       since_boot_usec;
}

/* By the clock, which may have been set since. */
static bool is_older(const struct release_owner *o, const struct pin *pin)
{
	return !o->born_usec || pin->since_usec + BORN_TOLERANCE_USEC < o->born_usec;
}

static bool is_of(const struct release_owner *o, uint32_t tgid, uint32_t flags)
{
	return tgid == (uint32_t)o->pid && !(flags & PINGUARD_FLAG_OWNER_GONE);
}

/*
 * Whether the process that o->pidfd stands for made a pin. The kernel knows
 * for sure: if the maker lives after the number was looked up, this is it.
 * Without such a kernel the process must not be younger than the pin. -ENOENT:
 * the pin is gone; any other error: nobody knows.
 */
static int made(const struct release_owner *o, const struct pin *pin)
{
	const struct releases_config *config = &o->release->releases->config;
	struct pin_info info;
	int r = config->look ? config->look(pin->id, &info, config->userdata) : -EOPNOTSUPP;

	if (r < 0 && r != -EOPNOTSUPP)
		return r;
	if (r >= 0)
		return is_of(o, info.tgid, info.flags);
	return is_of(o, pin->tgid, pin->flags) && o->born_usec && !is_older(o, pin);
}

static const struct pin *pin_at(const struct release_owner *o, uint32_t i)
{
	const struct release *release = o->release;
	const struct asked_pin *asked = &release->asked[release->order[i]];

	return asked->left ? registry_find(release->releases->config.registry, asked->id) : NULL;
}

/*
 * The number may be in use anew by the time that it is looked up. Pins that seem
 * to be older than the process are looked at; if all are others', the owner is gone.
 */
void release_owner_identify(struct release_owner *o)
{
	struct release *release = o->release;
	uint32_t foreign = 0;

	o->protected = is_protected(o);
	if (!o->gone)
		open_process(o);
	if (o->gone || !o->born_usec || o->oldest_usec + BORN_TOLERANCE_USEC >= o->born_usec)
		return;
	for (uint32_t i = o->first; i < o->first + o->n; i++) {
		const struct pin *pin = pin_at(o, i);

		if (!pin || !is_older(o, pin) || release->looks == LOOKS_REQUEST_MAX)
			continue;
		release->looks++;
		if (made(o, pin) != 0)
			continue;
		release->asked[release->order[i]].foreign = true;
		foreign++;
	}
	o->gone = foreign == o->n;
}

int release_owner_may_act(struct release_owner *o)
{
	unsigned int tries = LOOKS_MAX;
	int answer = 0;

	if (o->gone || o->protected || o->pidfd < 0 || has_exited(o->pidfd))
		return 0;
	for (uint32_t i = o->position; i < o->first + o->n; i++) {
		struct asked_pin *asked = &o->release->asked[o->release->order[i]];
		const struct pin *pin = pin_at(o, i);
		int r;

		if (!pin || asked->foreign)
			continue;
		if (tries-- == 0)
			return -EAGAIN;
		r = made(o, pin);
		if (r > 0)
			return 1;
		/* The next look goes on behind those that are others' for sure. */
		if (r == 0)
			asked->foreign = true;
		else
			answer = -EAGAIN;
		if (r < 0 && r != -ENOENT)
			break;
	}
	return answer;
}

static int on_exit_(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct release_owner *o = userdata;

	o->exit = sd_event_source_disable_unref(o->exit);
	release_owner_gone(o);
	return 0;
}

int release_owner_watch_exit(struct release_owner *o)
{
	int r;

	if (o->pidfd < 0)
		return 0;
	r = sd_event_add_io(o->release->releases->event, &o->exit, o->pidfd, EPOLLIN, on_exit_, o);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(o->exit, "release-owner-exit");
	return 0;
}

void release_owner_done(struct release_owner *o)
{
	o->exit = sd_event_source_disable_unref(o->exit);
	o->timer = sd_event_source_disable_unref(o->timer);
	closep(&o->pidfd);
	o->pidfd = -1;
	cgroup_node_unref(o->cgroup);
	o->cgroup = NULL;
	free(o->reason);
	o->reason = NULL;
}

struct release_owner *release_owner_by_pid(struct release *release, pid_t pid)
{
	size_t low = 0, high = release->n_owners;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if ((uint32_t)release->owners[middle].pid < (uint32_t)pid)
			low = middle + 1;
		else
			high = middle;
	}
	/* The living one comes first. */
	if (low < release->n_owners && release->owners[low].pid == pid)
		return &release->owners[low];
	return NULL;
}
