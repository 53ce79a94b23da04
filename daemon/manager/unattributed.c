/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#include "daemon/base/base.h"
#include "daemon/manager/unattributed.h"
#include "lib/clock.h"
#include "lib/parse.h"

#define FRESH_USEC     (1 * 1000000ULL)
#define FRESH_RATIO    10 /* times what looking took is it good for, within FRESH_USEC */
#define STEP_PROCESSES 128

/* A process that has pinned memory: what its pins do not explain. */
struct pinner {
	UT_hash_handle hh;
	uint32_t tgid;
	uint64_t bytes;
};

struct unattributed {
	struct manager *m;
	int proc_fd;
	sd_event_source *turn;
	DIR *dir; /* while processes are read, then NULL */
	bool looking;
	struct pinner *pinners;
	bool known;
	uint64_t bytes, started_usec, done_usec;
};

/* VFIO and XDP count what they pin as locked, not as pinned memory; udmabuf does not count. */
static bool is_in_vmpin(const struct pin_origin *origin)
{
	return origin->kind != PINGUARD_KIND_VFIO && origin->kind != PINGUARD_KIND_XDP &&
	       origin->kind != PINGUARD_KIND_UDMABUF;
}

static void stop(struct unattributed *u)
{
	struct pinner *p, *tmp;

	if (u->dir)
		closedir(u->dir);
	u->dir = NULL;
	HASH_ITER(hh, u->pinners, p, tmp) {
		HASH_DEL(u->pinners, p);
		free(p);
	}
	u->looking = false;
}

static int add_process(struct unattributed *u, pid_t pid)
{
	struct proc_status st;
	struct pinner *p;

	/* It may end at any moment: then it pins nothing. */
	if (procfs_read_status(u->proc_fd, pid, &st) < 0 || !st.pinned_bytes ||
	    HASH_COUNT(u->pinners) >= UNATTRIBUTED_PROCESSES_MAX)
		return 0;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->tgid = (uint32_t)pid;
	p->bytes = st.pinned_bytes;
	HASH_ADD(hh, u->pinners, tgid, sizeof(p->tgid), p);
	if (!p->hh.tbl) {
		free(p);
		return -ENOMEM;
	}
	return 0;
}

static int step_processes(struct unattributed *u)
{
	const uint64_t start_usec = clock_usec(CLOCK_MONOTONIC);
	struct dirent *de;
	pid_t pid;
	int r = 0;

	for (unsigned int i = 0; i < STEP_PROCESSES && r == 0; i++) {
		if (i > 0 && turn_is_long(start_usec))
			return 0;
		de = readdir(u->dir);
		if (!de) {
			closedir(TAKE_PTR(u->dir));
			return 0;
		}
		if (de->d_name[0] >= '1' && de->d_name[0] <= '9' &&
		    parse_pid(de->d_name, &pid, NULL) >= 0)
			r = add_process(u, pid);
	}
	return r;
}

/* A pin that is made meanwhile explains too much for a moment, which is nothing then. */
static void subtract_pins(struct unattributed *u)
{
	struct pin_origin *origin = NULL;
	struct pinner *p;

	while (u->pinners && (origin = registry_origin_next(u->m->registry, origin))) {
		if (!is_in_vmpin(origin))
			continue;
		HASH_FIND(hh, u->pinners, &origin->tgid, sizeof(origin->tgid), p);
		if (p)
			p->bytes -= MIN(p->bytes, origin->bytes);
	}
}

static int finish(struct unattributed *u)
{
	struct pinner *p;

	subtract_pins(u);
	u->bytes = 0;
	for (p = u->pinners; p; p = p->hh.next)
		u->bytes += p->bytes;
	u->known = true;
	u->done_usec = loop_usec(u->m->event, CLOCK_MONOTONIC);
	stop(u);
	return waiters_settle(u->m);
}

static int on_turn(sd_event_source *source, void *userdata);

static int next_turn(struct unattributed *u)
{
	return turn_schedule(u->m->event, &u->turn, on_turn, u, "unattributed");
}

static int on_turn(sd_event_source *source, void *userdata)
{
	struct unattributed *u = userdata;
	int r;

	if (!u->dir)
		return finish(u);
	r = step_processes(u);
	if (r >= 0)
		return next_turn(u);
	/* Without memory it stays unknown; whoever waits for it does not any more. */
	stop(u);
	return waiters_settle(u->m);
}

int unattributed_refresh(struct unattributed *u)
{
	const uint64_t now = loop_usec(u->m->event, CLOCK_MONOTONIC);
	int fd;

	if (u->looking)
		return 0;
	if (u->done_usec && now - u->done_usec <
			MIN(FRESH_USEC, FRESH_RATIO * (u->done_usec - u->started_usec)))
		return 1;
	/* What was known is too old. */
	u->known = false;
	fd = openat(u->proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	u->dir = fdopendir(fd);
	if (!u->dir) {
		close(fd);
		return -ENOMEM;
	}
	u->started_usec = now;
	u->looking = true;
	return next_turn(u);
}

bool unattributed_is_fresh(const struct manager *m)
{
	return !m->unattributed->looking;
}

bool unattributed_bytes(const struct unattributed *u, uint64_t *ret_bytes)
{
	if (!u || !u->known)
		return false;
	*ret_bytes = u->bytes;
	return true;
}

int unattributed_new(struct manager *m, const char *proc, struct unattributed **ret)
{
	_cleanup_(unattributed_freep) struct unattributed *u = calloc(1, sizeof(*u));

	if (!u)
		return -ENOMEM;
	u->m = m;
	u->proc_fd = open(proc, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (u->proc_fd < 0)
		return -errno;
	*ret = TAKE_PTR(u);
	return 0;
}

struct unattributed *unattributed_free(struct unattributed *u)
{
	if (!u)
		return NULL;
	sd_event_source_disable_unref(u->turn);
	stop(u);
	closep(&u->proc_fd);
	free(u);
	return NULL;
}
