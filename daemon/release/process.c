/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of a request's owner, and whether the process behind it made the pins. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>

#include "daemon/kernel/kernel.h"
#include "daemon/release/internal.h"
#include "lib/cgroup-path.h"
#include "lib/clock.h"

/* Pins of an owner that are looked at before a step, if the first ones tell nothing. */
#define LOOKS_MAX 256
/* Of a request, at its start: where a clock was set, many seem to be older than they are. */
#define LOOKS_REQUEST_MAX 8192

bool release_path_protected(const struct releases *releases, const char *path)
{
	const char *own = releases->own_cgroup;

	return cgroup_path_is_in(path, "/init.scope") ||
	       (own && strcmp(own, "/") != 0 && cgroup_path_is_in(path, own));
}

static bool is_protected(const struct release_owner *o)
{
	const char *path = o->cgroup ? o->cgroup->path : NULL;

	if (o->pid == 1 || o->pid == getpid())
		return true;
	return path && release_path_protected(o->release->releases, path);
}

bool pidfd_has_exited(int pidfd)
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
	if (!pidfd_has_exited(o->pidfd))
		o->born_usec = clock_usec(CLOCK_REALTIME) - clock_usec(CLOCK_BOOTTIME) +
			       since_boot_usec;
}

/* By the clock, which may have been set since. */
static bool is_older(const struct release_owner *o, const struct pin *pin)
{
	return !o->born_usec || pin->since_usec + PROCFS_BORN_TOLERANCE_USEC < o->born_usec;
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
	return is_of(o, pin->origin->tgid, pin->flags) && o->born_usec && !is_older(o, pin);
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
	if (o->gone || !o->born_usec || o->oldest_usec + PROCFS_BORN_TOLERANCE_USEC >= o->born_usec)
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

	if (o->gone || o->protected || o->pidfd < 0 || pidfd_has_exited(o->pidfd))
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

/*
 * A pin stays in the cgroup that it was made in, and in a subtree of his own a
 * user can leave that and remove it: its path would tell nothing any more.
 */
char *release_owner_cgroup(const struct release_owner *o)
{
	_cleanup_(freep) char *path = NULL;

	/* Still there after it was read: the path is of this process. */
	if (!o->gone && o->pidfd >= 0 &&
	    procfs_read_cgroup(o->release->releases->proc_fd, o->pid, &path) >= 0 &&
	    !pidfd_has_exited(o->pidfd))
		return TAKE_PTR(path);
	return o->cgroup && o->cgroup->path ? strdup(o->cgroup->path) : NULL;
}

/* As somebody asked for it: not for a quota, of which some of the pins are chosen. */
const char *release_owner_kills(const struct release_owner *o)
{
	const struct release *release = o->release;

	if (!release->selected || release->reason != RELEASE_ADMINISTRATOR)
		return NULL;
	/* What else is in it must be what the ladder is for. */
	return release->ladders && ladders_match(release->ladders, release->selected) == o->ladder ?
		       release->selected : NULL;
}

/* Where the process is that a step is taken on. */
static char *acted_on(const struct release_owner *o)
{
	_cleanup_(freep) char *path = NULL;

	if (!o->heir)
		return release_owner_cgroup(o);
	if (procfs_read_cgroup(o->release->releases->proc_fd, o->heir, &path) < 0 ||
	    pidfd_has_exited(o->heir_fd))
		return NULL;
	return TAKE_PTR(path);
}

int release_owner_aim(const struct release_owner *o, int step, unsigned int *looks,
		      struct aim *aim)
{
	_cleanup_(freep) char *cgroup = acted_on(o);
	const char *selected = step == STEP_KILL ? release_owner_kills(o) : o->release->selected;

	aim_done(aim);
	return action_aim(o->release->releases->actions, o->ladder, step, o->heir ?: o->pid, cgroup,
			  selected, looks, aim);
}

static bool ready(const struct releases *releases)
{
	return !releases->config.ready || releases->config.ready(releases->config.userdata);
}

struct ladder_facts release_owner_facts(const struct release_owner *o)
{
	const struct release *release = o->release;

	return (struct ladder_facts){
		.deadline_usec = release->deadline_usec,
		.grace_usec = o->lapsed ? o->lapsed_usec + RELEASE_SETTLE_USEC :
					  release->releases->started_usec + RELEASE_GRACE_USEC,
		.registered = o->owner != NULL,
		.lapsed = o->lapsed,
		.untouchable = o->protected || o->unsure ||
			       (o->gone ? !o->inherited : o->pidfd < 0),
		.uncertain = !ready(release->releases),
		.answer = o->answer,
		.step = o->step,
		.step_usec = o->step_usec,
		.step_failed = o->step_failed,
	};
}

void release_owner_set_reason(struct release_owner *o, const char *reason)
{
	free(o->reason);
	o->reason = reason ? strndup(reason, RELEASE_REASON_MAX) : NULL;
}

void release_owner_done(struct release_owner *o)
{
	o->exit = sd_event_source_disable_unref(o->exit);
	o->timer = sd_event_source_disable_unref(o->timer);
	closep(&o->pidfd);
	o->pidfd = -1;
	/* Of a dry run; others have been dropped. */
	o->look = openers_query_free(o->look);
	closep(&o->heir_fd);
	o->heir_fd = -1;
	json_decref(o->holders);
	o->holders = NULL;
	cgroup_node_unref(o->cgroup);
	o->cgroup = NULL;
	free(o->reason);
	o->reason = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(o->aims); i++)
		aim_done(&o->aims[i]);
}
