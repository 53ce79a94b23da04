/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be known of a process and the limits above it, read at once: small files alone. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>

#include "daemon/base/base.h"
#include "daemon/ladder/ladder.h"
#include "daemon/manager/answers.h"
#include "daemon/manager/explain.h"
#include "lib/clock.h"

static int open_proc(const struct manager *m)
{
	return open(m->proc ?: "/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static int no_process(int error)
{
	return error == -ENOENT || error == -ESRCH ? -ESRCH : error;
}

/* Of a number that is a thread's the process's. */
static int open_process(int proc, pid_t *pid)
{
	struct proc_status status;
	int fd = syscall(SYS_pidfd_open, *pid, 0), r;

	if (fd >= 0 || errno == ESRCH)
		return fd >= 0 ? fd : -ESRCH;
	if (errno != EINVAL && errno != ENOENT)
		return -errno;
	r = procfs_read_status(proc, *pid, &status);
	if (r < 0)
		return no_process(r);
	if (!status.tgid || status.tgid == *pid)
		return -ESRCH;
	*pid = status.tgid;
	fd = syscall(SYS_pidfd_open, *pid, 0);
	return fd < 0 ? no_process(-errno) : fd;
}

static bool lives(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return poll(&p, 1, 0) == 0;
}

static int read_files(struct manager *m, int proc, struct explain_process *p)
{
	struct proc_memlock limit;
	struct proc_status status;
	bool initial;
	int r, n;

	r = procfs_read_status(proc, p->pid, &status);
	if (r >= 0)
		r = procfs_read_memlock(proc, p->pid, &limit);
	if (r < 0)
		return r;
	p->uid = status.uid;
	p->soft_bytes = limit.soft_bytes;
	p->hard_bytes = limit.hard_bytes;
	p->has_memory = status.has_memory;
	p->pinned_bytes = status.pinned_bytes;
	p->locked_bytes = status.locked_bytes;
	p->ipc_lock_known = status.has_capabilities;
	p->ipc_lock = status.capabilities >> CAP_IPC_LOCK & 1;
	if (procfs_read_user_ns(proc, p->pid, &initial) >= 0)
		p->user_ns = initial ? USER_NS_INITIAL : USER_NS_OTHER;
	n = procfs_read_comm(proc, p->pid, p->comm, sizeof(p->comm));
	p->comm_len = MAX(n, 0);
	p->registered = owners_find(m->owners, p->pid) != NULL;
	/* One that is exiting, or in no cgroup of cgroup2, has none. */
	r = procfs_read_cgroup(proc, p->pid, &p->cgroup);
	return r == -ENOMEM ? r : 0;
}

int explain_read_process(struct manager *m, pid_t pid, struct explain_process *ret)
{
	_cleanup_(closep) int proc = open_proc(m), pidfd = -1;
	struct explain_process p = {};
	int r;

	if (proc < 0)
		return -errno;
	pidfd = open_process(proc, &pid);
	if (pidfd < 0)
		return pidfd;
	p.pid = pid;
	r = read_files(m, proc, &p);
	/* As long as it lives its number is no other's, and all was its own. */
	if (!lives(pidfd))
		r = -ESRCH;
	/* hidepid: it is there, and its files are not. */
	else if (no_process(r) == -ESRCH || r == -EPERM)
		r = -EACCES;
	if (r < 0) {
		free(p.cgroup);
		return r;
	}
	*ret = p;
	return 0;
}

uint64_t explain_started_usec(struct manager *m, pid_t pid)
{
	_cleanup_(closep) int proc = open_proc(m);
	const uint64_t since_usec = clock_usec(CLOCK_BOOTTIME);
	uint64_t start_usec;

	if (proc < 0 || procfs_read_start(proc, pid, &start_usec) < 0 || start_usec > since_usec)
		return 0;
	return clock_usec(CLOCK_REALTIME) - (since_usec - start_usec);
}

/* Of the cgroup itself; 0 for none. */
static uint32_t policy_of(struct manager *m, int fd)
{
	struct policies *policies = cgroups_policies(m->cgroups);
	struct policy_info info = {};
	uint64_t id;

	if (!policies || policies_unsupported(policies) || cgroupfs_id(fd, &id) < 0 ||
	    genl_get_policy(source_genl(m->source), id, &info) < 0)
		return 0;
	return info.policy;
}

/* What others use of a limit is not for everyone. */
static bool is_hidden(struct explaining *x, const char *path)
{
	struct cgroup_node *node;

	return !call_sees_all(x->call) &&
	       (cgroupfs_resolve_path(cgroups_fs(x->m->cgroups), path, &node) < 0 ||
		!owns_node(x->m, x->call, node));
}

static_assert(CGROUP_RDMA_NAME_MAX == PINGUARD_DEVICE_NAME_MAX, "one is copied to the other");

static void read_rdma(struct explaining *x, int fd, const struct explain_level *level)
{
	struct cgroup_rdma all[CGROUP_RDMA_DEVICES_MAX];
	struct explain_facts *f = &x->facts;
	int n = cgroup_rdma_read(fd, all);

	for (int i = 0; i < n && f->n_rdma < EXPLAIN_RDMA_MAX; i++) {
		struct explain_rdma *r = &f->rdma[f->n_rdma++];

		r->path = level->path;
		r->hidden = level->hidden;
		r->used = all[i].current;
		r->max = all[i].max;
		memcpy(r->device, all[i].device, sizeof(r->device));
	}
}

/* One that is not there any more has no limits. */
static int read_level(struct explaining *x, const char *path)
{
	_cleanup_(closep) int fd = cgroupfs_open(cgroups_fs(x->m->cgroups), path);
	struct explain_facts *f = &x->facts;
	struct explain_level *level = &f->levels[f->n_levels];
	struct cgroup_misc misc = { .max_bytes = UINT64_MAX };

	*level = (struct explain_level){ .path = strdup(path), .max = UINT64_MAX };
	if (!level->path)
		return -ENOMEM;
	f->n_levels++;
	level->hidden = is_hidden(x, path);
	if (fd < 0)
		return 0;
	read_rdma(x, fd, level);
	if (!f->patched)
		return 0;
	if (cgroupfs_read_misc(cgroups_fs(x->m->cgroups), fd, &misc) >= 0 && misc.present) {
		level->counts = true;
		level->used = misc.current_bytes;
		level->max = misc.max_bytes;
	}
	level->policy = policy_of(x->m, fd);
	return 0;
}

/* The innermost first; of those that are too many the ones next to the root are left out. */
static int read_levels(struct explaining *x, const char *path)
{
	_cleanup_(freep) char *up = strdup(path);
	struct explain_facts *f = &x->facts;
	int r = 0;

	f->levels = calloc(EXPLAIN_LEVELS_MAX, sizeof(*f->levels));
	f->rdma = calloc(EXPLAIN_RDMA_MAX, sizeof(*f->rdma));
	if (!up || !f->levels || !f->rdma)
		return -ENOMEM;
	/* The root has no limit. */
	while (r >= 0 && up[0] == '/' && up[1]) {
		if (f->n_levels < EXPLAIN_LEVELS_MAX)
			r = read_level(x, up);
		else
			f->levels_left_out++;
		*strrchr(up, '/') = '\0';
	}
	return r;
}

/* What systemd knows the process by, in the manager that it is of. */
static void find_units(struct explaining *x, const char *path)
{
	x->unit = cgroup_unit(path);
	if (x->unit && strncmp(x->unit, "user@", 5) == 0)
		x->user_unit = cgroup_unit(path + cgroup_unit_len(path));
}

/* VFIO and XDP count what they pin as locked, not as pinned memory; udmabuf does not count. */
bool explain_counts_for(uint32_t kind, enum check_counter counter)
{
	switch (counter) {
	case COUNTER_PINNED:
		return kind != PINGUARD_KIND_VFIO && kind != PINGUARD_KIND_XDP &&
		       kind != PINGUARD_KIND_UDMABUF;
	case COUNTER_LOCKED:
		return kind == PINGUARD_KIND_VFIO;
	default:
		return explain_counter(kind) == counter;
	}
}

static uint64_t user_bytes(struct manager *m, uint32_t uid)
{
	struct pin_origin *origin = NULL;
	uint64_t bytes = 0;

	while ((origin = registry_origin_next(m->registry, origin)))
		if (origin->uid == uid && explain_counts_for(origin->kind, COUNTER_USER))
			bytes += origin->bytes;
	return bytes;
}

static uint64_t vfio_pins(struct manager *m, uint32_t tgid)
{
	struct pin_origin *origin = NULL;
	uint64_t pins = 0;

	while ((origin = registry_origin_next(m->registry, origin)))
		if (origin->kind == PINGUARD_KIND_VFIO && origin->tgid == tgid)
			pins += origin->pins;
	return pins;
}

int explain_read_limits(struct explaining *x, const char *path)
{
	struct explain_facts *f = &x->facts;
	const char *sys = x->m->sys ?: "/sys";

	f->patched = !source_observes(x->m->source) && cgroups_count(x->m->cgroups);
	f->revokes = triggers_n_removals(x->m->triggers);
	f->has_dma_entry_limit =
		pinlimits_read(sys, PINLIMITS_DMA_ENTRIES, &f->dma_entry_limit) >= 0;
	f->has_udmabuf_mb = pinlimits_read(sys, PINLIMITS_UDMABUF_MB, &f->udmabuf_mb) >= 0;
	if (f->process.pid && f->patched) {
		f->has_user_bytes = call_sees_all(x->call) ||
				    f->process.uid == call_peer(x->call)->uid;
		if (f->has_user_bytes)
			f->user_bytes = user_bytes(x->m, f->process.uid);
		f->vfio_pins = vfio_pins(x->m, f->process.pid);
	}
	if (!path)
		return 0;
	find_units(x, path);
	return cgroups_fs(x->m->cgroups) ? read_levels(x, path) : 0;
}

void explaining_done(struct explaining *x)
{
	for (size_t i = 0; i < x->facts.n_levels; i++)
		free(x->facts.levels[i].path);
	free(x->facts.levels);
	free(x->facts.rdma);
	free(x->facts.process.cgroup);
	free(x->unit);
	free(x->user_unit);
	call_unref(x->call);
}
