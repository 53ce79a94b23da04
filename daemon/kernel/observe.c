/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netlink/msg.h>
#include <netlink/socket.h>
#include <rdma/rdma_netlink.h>
#include <string.h>

#include "daemon/base/base.h"
#include "daemon/kernel/nlio.h"
#include "daemon/kernel/observe.h"
#include "daemon/kernel/procfs.h"
#include "daemon/kernel/rdmamsg.h"
#include "lib/log.h"
#include "lib/parse.h"

#define FRESH_USEC	 (1 * 1000000ULL)
#define FRESH_RATIO	 10 /* not more than a tenth of the time is spent reading */
#define STEP_PROCESSES	 128
#define STEP_RECVS	 16
#define PROCESSES_MAX	 (1 << 20)
#define DEVICES_MAX	 1024
/* Never 0. */
#define SYNTHETIC_ID(dev, mr) (((uint64_t)(dev) + 1) << 32 | (mr))

enum phase {
	PHASE_IDLE,
	PHASE_PROC,
	PHASE_DEVICES,
	PHASE_MRS,
};

struct observe {
	sd_event *event;
	sd_event_source *source;
	int proc_fd;
	uint64_t (*cgroup_id)(const char *path, void *userdata);
	const struct source_listener *listener;
	void *userdata;

	enum phase phase;
	uint64_t started_usec, done_usec;
	DIR *dir;
	struct nl_sock *sk;
	struct rdma_device *devices;
	size_t n_devices, device;
	/* What is read now, and what the last round found. */
	struct observe_process *next, *last;
	size_t n_next, n_last;
	struct pin_info owner; /* of the region before: they come in runs */
};

static void round_clear(struct observe *o)
{
	if (o->dir)
		closedir(o->dir);
	o->dir = NULL;
	nl_socket_free(o->sk);
	o->sk = NULL;
	free(o->devices);
	o->devices = NULL;
	o->n_devices = 0;
	o->device = 0;
	free(o->next);
	o->next = NULL;
	o->n_next = 0;
	o->owner = (struct pin_info){};
}

static int finish(struct observe *o)
{
	int r;

	free(o->last);
	o->last = TAKE_PTR(o->next);
	o->n_last = o->n_next;
	round_clear(o);
	o->phase = PHASE_IDLE;
	r = sd_event_now(o->event, CLOCK_MONOTONIC, &o->done_usec);
	if (r < 0)
		return r;
	return o->listener->end(0, o->userdata);
}

static uint64_t cgroup_of(struct observe *o, pid_t pid)
{
	_cleanup_(freep) char *path = NULL;

	if (!o->cgroup_id || procfs_read_cgroup(o->proc_fd, pid, &path) < 0)
		return 0;
	return o->cgroup_id(path, o->userdata);
}

static int add_process(struct observe *o, pid_t pid)
{
	struct observe_process *p;
	struct proc_status st;

	/* It may end at any moment: then it pins nothing. */
	if (procfs_read_status(o->proc_fd, pid, &st) < 0 ||
	    (!st.pinned_bytes && !st.locked_bytes) || o->n_next >= PROCESSES_MAX)
		return 0;
	if ((o->n_next & (o->n_next - 1)) == 0) {
		p = reallocarray(o->next, o->n_next ? o->n_next * 2 : 1, sizeof(*p));
		if (!p)
			return -ENOMEM;
		o->next = p;
	}
	o->next[o->n_next++] = (struct observe_process){
		.cgroup_id = cgroup_of(o, pid),
		.pinned_bytes = st.pinned_bytes,
		.locked_bytes = st.locked_bytes,
		.uid = st.uid,
	};
	return 0;
}

static int start_devices(struct observe *o)
{
	struct nl_msg *msg;
	int r;

	/* No RDMA in this kernel: nothing to list. */
	if (nlio_socket(NETLINK_RDMA, &o->sk) < 0)
		return finish(o);
	msg = nlmsg_alloc_simple(rdmamsg_type_devices(), NLM_F_REQUEST | NLM_F_DUMP);
	if (!msg)
		return -ENOMEM;
	r = nlio_send(o->sk, msg);
	nlmsg_free(msg);
	if (r < 0)
		return finish(o);
	o->phase = PHASE_DEVICES;
	return 0;
}

static int step_proc(struct observe *o)
{
	struct dirent *de;
	unsigned int i;
	pid_t pid;
	int r;

	for (i = 0; i < STEP_PROCESSES; i++) {
		de = readdir(o->dir);
		if (!de)
			return start_devices(o);
		if (de->d_name[0] < '1' || de->d_name[0] > '9' ||
		    parse_pid(de->d_name, &pid, NULL) < 0)
			continue;
		r = add_process(o, pid);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The next device's memory regions. */
static int start_mrs(struct observe *o)
{
	struct nl_msg *msg;
	int r;

	if (o->device >= o->n_devices)
		return finish(o);
	msg = nlmsg_alloc_simple(rdmamsg_type_mrs(), NLM_F_REQUEST | NLM_F_DUMP);
	if (!msg)
		return -ENOMEM;
	r = nla_put_u32(msg, RDMA_NLDEV_ATTR_DEV_INDEX, o->devices[o->device].index);
	if (r >= 0)
		r = nlio_send(o->sk, msg);
	nlmsg_free(msg);
	if (r < 0)
		return finish(o);
	o->phase = PHASE_MRS;
	return 0;
}

static int on_device(const struct nlmsghdr *nlh, void *userdata)
{
	struct observe *o = userdata;
	struct rdma_device dev, *devices;

	if (nlh->nlmsg_type == NLMSG_DONE || nlh->nlmsg_type == NLMSG_ERROR)
		return 1;
	if (nlh->nlmsg_type != rdmamsg_type_devices() || o->n_devices >= DEVICES_MAX ||
	    rdmamsg_parse_device(nlh, &dev) < 0)
		return 0;
	devices = reallocarray(o->devices, o->n_devices + 1, sizeof(*devices));
	if (!devices)
		return -ENOMEM;
	o->devices = devices;
	o->devices[o->n_devices++] = dev;
	return 0;
}

static void set_owner(struct observe *o, uint32_t pid, struct pin_info *pin)
{
	struct proc_status st;
	int n;

	if (pid && o->owner.tgid != pid) {
		o->owner = (struct pin_info){ .tgid = pid, .uid = PIN_UID_NONE };
		n = procfs_read_comm(o->proc_fd, pid, o->owner.comm, sizeof(o->owner.comm));
		o->owner.comm_len = n > 0 ? n : 0;
		if (procfs_read_status(o->proc_fd, pid, &st) >= 0)
			o->owner.uid = st.uid;
		o->owner.cgroup_id = cgroup_of(o, pid);
	}
	*pin = pid ? o->owner : (struct pin_info){ .uid = PIN_UID_NONE };
	if (!pid || !pin->comm_len)
		pin->flags = PINGUARD_FLAG_OWNER_GONE;
}

static int on_mr(const struct rdma_mr *mr, void *userdata)
{
	struct observe *o = userdata;
	const struct rdma_device *dev = &o->devices[o->device];
	struct pin_info pin;

	set_owner(o, mr->pid, &pin);
	pin.id = SYNTHETIC_ID(dev->index, mr->number);
	pin.kind = PINGUARD_KIND_RDMA;
	pin.bytes = mr->bytes;
	memcpy(pin.device, dev->name, sizeof(pin.device));
	return o->listener->pin(&pin, o->userdata);
}

static int on_mrs(const struct nlmsghdr *nlh, void *userdata)
{
	int r;

	if (nlh->nlmsg_type == NLMSG_DONE || nlh->nlmsg_type == NLMSG_ERROR)
		return 1;
	if (nlh->nlmsg_type != rdmamsg_type_mrs())
		return 0;
	r = rdmamsg_parse_mrs(nlh, on_mr, userdata);
	return r == -EBADMSG ? 0 : r;
}

static int step_netlink(struct observe *o, nlio_handler handler)
{
	int fd = nl_socket_get_fd(o->sk);
	unsigned int i;
	int r;

	for (i = 0; i < STEP_RECVS; i++) {
		r = nlio_recv(fd, handler, o);
		if (r == 0)
			continue;
		if (r == -ENOMEM)
			return r;
		/* The kernel answers at once: no more comes, or the end was there. */
		if (o->phase == PHASE_MRS)
			o->device++;
		return start_mrs(o);
	}
	return 0;
}

static int step(struct observe *o)
{
	switch (o->phase) {
	case PHASE_PROC:
		return step_proc(o);
	case PHASE_DEVICES:
		return step_netlink(o, on_device);
	case PHASE_MRS:
		return step_netlink(o, on_mrs);
	case PHASE_IDLE:
		break;
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
	int r = step(o);

	return r == 0 && o->phase != PHASE_IDLE ? next_step(o) : r;
}

int observe_refresh(struct observe *o)
{
	uint64_t now;
	int fd, r;

	if (o->phase != PHASE_IDLE)
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
	r = o->listener->begin(o->userdata);
	if (r < 0)
		return r;
	o->phase = PHASE_PROC;
	return next_step(o);
}

const struct observe_process *observe_processes(const struct observe *o, size_t *ret_n)
{
	*ret_n = o->n_last;
	return o->last;
}

int observe_new(sd_event *event, const struct observe_config *config, struct observe **ret)
{
	_cleanup_(observe_freep) struct observe *o = calloc(1, sizeof(*o));

	if (!o)
		return -ENOMEM;
	o->event = sd_event_ref(event);
	o->cgroup_id = config->cgroup_id;
	o->listener = config->listener;
	o->userdata = config->userdata;
	o->proc_fd = open(config->proc, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (o->proc_fd < 0)
		return -errno;
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
	closep(&o->proc_fd);
	sd_event_unref(o->event);
	free(o);
	return NULL;
}
