/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/base.h"
#include "daemon/kernel/observe-internal.h"
#include "daemon/kernel/procfs.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/parse.h"

#define FRESH_USEC	 (1 * 1000000ULL)
#define FRESH_RATIO	 10 /* times what reading took is it good for, within FRESH_USEC */
#define STEP_PROCESSES	 128
#define PROCESSES_MAX	 (1 << 20)

/* What is read after the processes. */
static int (*const parts[])(struct observe *o) = { observe_rdma_start, observe_xdp_start };

static void round_clear(struct observe *o)
{
	if (o->dir)
		closedir(o->dir);
	o->dir = NULL;
	nl_socket_free(o->sk);
	o->sk = NULL;
	o->step = NULL;
	observe_rdma_clear(o);
	free(o->next);
	o->next = NULL;
	o->n_next = 0;
	o->owner = (struct pin_info){};
	o->owner_thread = 0;
}

/* Why it is only observed, and what even so is not seen. */
static int describe(struct observe *o)
{
	_cleanup_(freep) char *reason = NULL;

	if (asprintf(&reason, "%s%s%s", o->config.reason,
		     o->hidden ? "; processes of others cannot be read (hidepid of /proc), what "
				 "they pin is not known" : "",
		     o->exclusive ? "; RDMA devices in other network namespaces are not seen" :
				    "") < 0) {
		reason = NULL;
		return -ENOMEM;
	}
	if (strcmp(reason, o->reason) == 0)
		return 0;
	log_notice("observe mode: %s", reason);
	free(o->reason);
	o->reason = TAKE_PTR(reason);
	return 0;
}

static int finish(struct observe *o)
{
	int r;

	free(o->last);
	o->last = TAKE_PTR(o->next);
	o->n_last = o->n_next;
	o->last_hidden = o->hidden;
	round_clear(o);
	r = describe(o);
	if (r >= 0)
		r = sd_event_now(o->event, CLOCK_MONOTONIC, &o->done_usec);
	if (r < 0)
		return r;
	return o->config.listener->end(0, o->config.userdata);
}

static int start_part(struct observe *o)
{
	if (o->part == ARRAY_SIZE(parts))
		return finish(o);
	return parts[o->part++](o);
}

static int add_process(struct observe *o, pid_t pid)
{
	struct observe_process *p;
	struct proc_status st;
	int r = procfs_read_status(o->proc_fd, pid, &st);

	if (observe_is_withheld(r))
		o->hidden = true;
	/* It may end at any moment: then it pins nothing. */
	if (r < 0 || (!st.pinned_bytes && !st.locked_bytes) || o->n_next >= PROCESSES_MAX)
		return 0;
	if ((o->n_next & (o->n_next - 1)) == 0) {
		p = reallocarray(o->next, o->n_next ? o->n_next * 2 : 1, sizeof(*p));
		if (!p)
			return -ENOMEM;
		o->next = p;
	}
	o->next[o->n_next++] = (struct observe_process){
		.cgroup_id = observe_cgroup_of(o, pid),
		.pinned_bytes = st.pinned_bytes,
		.locked_bytes = st.locked_bytes,
		.uid = st.uid,
	};
	return 0;
}

static int step_processes(struct observe *o)
{
	const uint64_t start_usec = clock_usec(CLOCK_MONOTONIC);
	struct dirent *de;
	unsigned int i;
	pid_t pid;
	int r;

	for (i = 0; i < STEP_PROCESSES && (i == 0 || !turn_is_long(start_usec)); i++) {
		de = readdir(o->dir);
		if (!de)
			return observe_next_part(o);
		if (de->d_name[0] < '1' || de->d_name[0] > '9' ||
		    parse_pid(de->d_name, &pid, NULL) < 0)
			continue;
		r = add_process(o, pid);
		if (r < 0)
			return r;
	}
	return 0;
}

static int on_step(sd_event_source *source, void *userdata);

static int next_step(struct observe *o)
{
	int r = turn_schedule(o->event, &o->source, on_step, o, "observe");

	if (r >= 0)
		r = sd_event_source_set_exit_on_failure(o->source, true);
	return MIN(r, 0);
}

static int on_step(sd_event_source *source, void *userdata)
{
	struct observe *o = userdata;
	int r = o->step(o);

	return r == 0 && o->step ? next_step(o) : r;
}

/* PID 1 is always there: whoever hides it hides others', too. */
static bool hides_processes(struct observe *o)
{
	struct proc_status st;
	int r = procfs_read_status(o->proc_fd, 1, &st);

	return r == -ENOENT || observe_is_withheld(r);
}

int observe_refresh(struct observe *o)
{
	uint64_t now;
	int fd, r;

	if (o->step)
		return 0;
	r = sd_event_now(o->event, CLOCK_MONOTONIC, &now);
	if (r < 0)
		return r;
	if (o->done_usec && now - o->done_usec < MIN(FRESH_USEC,
			FRESH_RATIO * (o->done_usec - o->started_usec)))
		return 1;
	o->started_usec = now;
	fd = openat(o->proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	o->dir = fdopendir(fd);
	if (!o->dir) {
		close(fd);
		return -ENOMEM;
	}
	r = o->config.listener->begin(o->config.userdata);
	if (r < 0)
		return r;
	o->hidden = hides_processes(o);
	o->exclusive = false;
	o->part = 0;
	o->step = step_processes;
	return next_step(o);
}

const struct observe_process *observe_processes(const struct observe *o, size_t *ret_n)
{
	*ret_n = o->n_last;
	return o->last;
}

bool observe_is_blind(const struct observe *o)
{
	return o->last_hidden;
}

const char *observe_reason(const struct observe *o)
{
	return o->reason;
}

int observe_new(sd_event *event, const struct observe_config *config, struct observe **ret)
{
	_cleanup_(observe_freep) struct observe *o = calloc(1, sizeof(*o));

	if (!o)
		return -ENOMEM;
	o->event = sd_event_ref(event);
	o->config = *config;
	o->start_part = start_part;
	o->sys_fd = -1;
	o->proc_fd = open(config->proc, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (o->proc_fd < 0)
		return -errno;
	if (config->sys)
		o->sys_fd = open(config->sys, O_PATH | O_DIRECTORY | O_CLOEXEC);
	o->reason = strdup(config->reason);
	if (!o->reason)
		return -ENOMEM;
	*ret = TAKE_PTR(o);
	return 0;
}

struct observe *observe_free(struct observe *o)
{
	if (!o)
		return NULL;
	sd_event_source_disable_unref(o->source);
	round_clear(o);
	free(o->last);
	free(o->reason);
	closep(&o->sys_fd);
	closep(&o->proc_fd);
	sd_event_unref(o->event);
	free(o);
	return NULL;
}
