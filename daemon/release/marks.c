/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/base/base.h"
#include "daemon/release/marks.h"
#include "lib/clock.h"
#include "lib/log.h"

/* So long after the start owners may come back before their marks are taken. */
#define GRACE_USEC (30 * 1000000ULL)
#define PAUSE_USEC (1 * 1000000ULL)

struct marks {
	sd_event *event;
	struct genl *genl;
	bool (*is_registered)(pid_t pid, void *userdata);
	void *userdata;
	uint64_t usec; /* nobody loses its mark before */
	sd_event_source *source; /* NULL where the kernel has no policies */
};

/* Those that are marked, and not registered. */
struct left {
	const struct marks *marks;
	uint32_t *tgids;
	size_t n, size;
};

static int on_marked(uint32_t tgid, void *userdata)
{
	struct left *left = userdata;
	uint32_t *tgids;
	size_t size;

	if (left->marks->is_registered(tgid, left->marks->userdata))
		return 0;
	if (left->n == left->size) {
		size = left->size ? left->size * 2 : 64;
		tgids = reallocarray(left->tgids, size, sizeof(*tgids));
		if (!tgids)
			return -ENOMEM;
		left->tgids = tgids;
		left->size = size;
	}
	left->tgids[left->n++] = tgid;
	return 0;
}

/* One that takes over the number meanwhile has no mark, and none is taken from it. */
static int take(struct genl *genl, uint32_t tgid)
{
	_cleanup_(closep) int fd = syscall(SYS_pidfd_open, tgid, 0);
	int r;

	if (fd < 0)
		return errno == ESRCH ? 0 : -errno;
	r = genl_set_owner(genl, fd, false);
	return r == -ESRCH ? 0 : r;
}

static int on_time(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct marks *marks = userdata;
	struct left left = { .marks = marks };
	unsigned int n = 0;
	size_t i;
	int r;

	r = genl_list_owners(marks->genl, on_marked, &left);
	for (i = 0; i < left.n && r >= 0; i++) {
		r = take(marks->genl, left.tgids[i]);
		n += r >= 0;
	}
	free(left.tgids);
	if (r < 0)
		log_warning_errno(r, "cannot take the marks of owners that are gone: %m");
	if (n > 0)
		log_info("%u processes have not come back to be asked; device memory is not "
			 "theirs to pin where only owners may", n);
	return 0;
}

int marks_check(struct marks *marks)
{
	const uint64_t now = loop_usec(marks->event, CLOCK_MONOTONIC);
	int r;

	if (!marks->source)
		return 0;
	r = sd_event_source_set_time(marks->source, MAX(marks->usec, now + PAUSE_USEC));
	return r < 0 ? r : sd_event_source_set_enabled(marks->source, SD_EVENT_ONESHOT);
}

void marks_put(struct marks *marks, struct owner *owner)
{
	const int pidfd = call_peer(owner->call)->pidfd;
	int r;

	if (!marks->genl || pidfd < 0)
		return;
	r = genl_set_owner(marks->genl, pidfd, true);
	if (r < 0 && r != -EOPNOTSUPP && r != -ESRCH)
		log_warning_errno(r, "the kernel does not take process %d for an owner: %m",
				  (int)owner->pid);
	owner->marked = r >= 0;
}

void marks_take(struct marks *marks, struct owner *owner)
{
	if (owner->marked)
		(void)genl_set_owner(marks->genl, call_peer(owner->call)->pidfd, false);
}

int marks_new(sd_event *event, struct genl *genl,
	      bool (*is_registered)(pid_t pid, void *userdata), void *userdata,
	      struct marks **ret)
{
	struct marks *marks = calloc(1, sizeof(*marks));
	int r = 0;

	if (!marks)
		return -ENOMEM;
	marks->event = sd_event_ref(event);
	marks->genl = genl;
	marks->is_registered = is_registered;
	marks->userdata = userdata;
	if (genl && genl_features(genl) & PINGUARD_FEATURE_POLICY) {
		marks->usec = clock_usec(CLOCK_MONOTONIC) + GRACE_USEC;
		r = sd_event_add_time(event, &marks->source, CLOCK_MONOTONIC, marks->usec, 0,
				      on_time, marks);
	}
	if (r < 0) {
		marks_free(marks);
		return r;
	}
	if (marks->source)
		(void)sd_event_source_set_description(marks->source, "marks");
	*ret = marks;
	return 0;
}

struct marks *marks_free(struct marks *marks)
{
	if (!marks)
		return NULL;
	sd_event_source_disable_unref(marks->source);
	sd_event_unref(marks->event);
	free(marks);
	return NULL;
}
