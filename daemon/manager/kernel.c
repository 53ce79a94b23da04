/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel is told: its mode, policies, and who is an owner no more. */
#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "daemon/base/config.h"
#include "daemon/base/turn.h"
#include "daemon/manager/internal.h"
#include "daemon/release/owners.h"
#include "daemon/cgroup/policies.h"
#include "lib/clock.h"
#include "lib/log.h"

/* So long after the start owners may come back before their marks are taken. */
#define MARKS_GRACE_USEC (30 * 1000000ULL)
#define MARKS_PAUSE_USEC (1 * 1000000ULL)

struct marks {
	uint32_t *tgids; /* that are marked, and not registered */
	size_t n, size;
	struct manager *m;
};

static int on_marked(uint32_t tgid, void *userdata)
{
	struct marks *marks = userdata;
	uint32_t *tgids;
	size_t size;

	if (owners_find(marks->m->owners, tgid))
		return 0;
	if (marks->n == marks->size) {
		size = marks->size ? marks->size * 2 : 64;
		tgids = reallocarray(marks->tgids, size, sizeof(*tgids));
		if (!tgids)
			return -ENOMEM;
		marks->tgids = tgids;
		marks->size = size;
	}
	marks->tgids[marks->n++] = tgid;
	return 0;
}

/* One that takes over the number meanwhile has no mark, and none is taken from it. */
static int take_mark(struct manager *m, uint32_t tgid)
{
	_cleanup_(closep) int fd = syscall(SYS_pidfd_open, tgid, 0);
	int r;

	if (fd < 0)
		return errno == ESRCH ? 0 : -errno;
	r = genl_set_owner(source_genl(m->source), fd, false);
	return r == -ESRCH ? 0 : r;
}

static int on_marks(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct marks marks = { .m = userdata };
	unsigned int n = 0;
	size_t i;
	int r;

	r = genl_list_owners(source_genl(marks.m->source), on_marked, &marks);
	for (i = 0; i < marks.n && r >= 0; i++) {
		r = take_mark(marks.m, marks.tgids[i]);
		n += r >= 0;
	}
	free(marks.tgids);
	if (r < 0)
		log_warning_errno(r, "cannot take the marks of owners that are gone: %m");
	if (n > 0)
		log_info("%u processes have not come back to be asked; device memory is not "
			 "theirs to pin where only owners may", n);
	return 0;
}

int manager_check_marks(struct manager *m)
{
	uint64_t now = loop_usec(m->event, CLOCK_MONOTONIC);
	int r;

	if (!m->marks_source)
		return 0;
	r = sd_event_source_set_time(m->marks_source, MAX(m->marks_usec, now + MARKS_PAUSE_USEC));
	return r < 0 ? r : sd_event_source_set_enabled(m->marks_source, SD_EVENT_ONESHOT);
}

static int add_marks(struct manager *m)
{
	int r;

	if (!(source_features(m->source) & PINGUARD_FEATURE_POLICY))
		return 0;
	m->marks_usec = clock_usec(CLOCK_MONOTONIC) + MARKS_GRACE_USEC;
	r = sd_event_add_time(m->event, &m->marks_source, CLOCK_MONOTONIC, m->marks_usec, 0,
			      on_marks, m);
	if (r < 0)
		return r;
	return sd_event_source_set_description(m->marks_source, "marks");
}

/* An unknown file, or none, says the defaults. */
static int set_revoke(struct manager *m)
{
	struct config config;
	int r;

	r = config_load(m->config_file, &config);
	if (r < 0)
		return r;
	if (!(source_features(m->source) & GENL_FRAME_FEATURES))
		return 0;
	r = genl_set_revoke(source_genl(m->source), config.revoke_mode, config.revoke_timeout_usec);
	if (r < 0)
		log_warning_errno(r, "cannot tell the kernel to wait for owners: %s: %m",
				  genl_refusal(source_genl(m->source)) ?: "no reason");
	return 0;
}

int manager_kernel_new(struct manager *m, const struct manager_config *config)
{
	m->config_file = config->config_file;
	return add_marks(m);
}

int manager_kernel_start(struct manager *m)
{
	return set_revoke(m);
}

int manager_kernel_reload(struct manager *m)
{
	return set_revoke(m);
}

void manager_kernel_free(struct manager *m)
{
	m->marks_source = sd_event_source_disable_unref(m->marks_source);
}
