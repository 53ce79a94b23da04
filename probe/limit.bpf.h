/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Limits of cgroups, where a security hook is asked before memory is pinned. What a
 * call may pin counts from then on; the pin takes it over, and at the end of the call
 * what is left is given back. Which memory is meant is read from the caller's own:
 * one that changes it afterwards gets more, which counts.
 */
#ifndef PINGUARD_PROBE_LIMIT_BPF_H
#define PINGUARD_PROBE_LIMIT_BPF_H

#include <linux/vfio.h>
#include <rdma/ib_user_ioctl_cmds.h>
#include <rdma/ib_user_ioctl_verbs.h>
#include <rdma/ib_user_verbs.h>
#include <rdma/rdma_user_ioctl_cmds.h>

#define EPERM	1
#define EAGAIN	11
#define ENOMEM	12
#define EFAULT	14

#define CAP_IPC_LOCK	 14
#define MAY_WRITE	 2
#define SOL_XDP		 283
#define XDP_UMEM_REG	 4
#define VFIO_DEVICE	 (10U << 20 | 196) /* /dev/vfio/vfio, as the kernel numbers it */
#define UVERBS_MAJOR	 231
#define REREG_TRANSLATION 1U /* IB_MR_REREG_TRANS */
#define METHOD_REG_MR	 5 /* UVERBS_METHOD_REG_MR and its attributes, since Linux 6.17 */
#define ATTR_REG_MR_ADDR 4
#define ATTR_REG_MR_LENGTH 5
#define ATTRS_MAX	 16 /* that one call may have */
#define NR_SETSOCKOPT	 54 /* on x86-64 */
#define NR_IO_URING_SETUP 425 /* everywhere */
#define X32_CALL	 0x40000000U
#define ASK_MAX_BYTES	 (1ULL << 48)
#define TELL_NSEC	 100000000ULL /* from one refusal that is told to the next */

/* What a task pins for an RDMA device, in the call that it is in. */
struct range {
	__u64 address, bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, TASKS_MAX);
	__type(key, __u64);
	__type(value, struct range);
} pinning SEC(".maps");

/* A refusal, by the limit of a cgroup: bytes of what is asked for count there already. */
static __always_inline void tell_denied(const struct range *range, __u32 kind, __u64 id,
					__u32 place, __u64 bytes)
{
	const struct probe_group *group = bpf_map_lookup_elem(&groups, &place);
	const __u64 now = bpf_ktime_get_boot_ns();
	struct probe_limit *limit = find_limit(id);
	struct probe_head *h = get_head();
	struct probe_event *event;

	if (!limit || !h)
		return;
	__sync_fetch_and_add(&limit->denied, 1);
	if (now - limit->told_nsec < TELL_NSEC) {
		__sync_fetch_and_add(&limit->suppressed, 1);
		return;
	}
	limit->told_nsec = now;
	event = bpf_ringbuf_reserve(&ring, sizeof(*event), 0);
	if (!event) {
		__sync_fetch_and_add(&h->lost, 1);
		return;
	}
	__builtin_memset(event, 0, sizeof(*event));
	event->type = PROBE_EVENT_DENY;
	event->suppressed = limit->suppressed;
	limit->suppressed = 0;
	event->limit_cgroup_id = id;
	event->max_bytes = limit->max_bytes;
	if (group && group->current_bytes > bytes)
		event->current_bytes = group->current_bytes - bytes;
	event->pin.kind = kind;
	event->pin.address = range->address;
	event->pin.bytes = range->bytes;
	event->pin.since_nsec = now;
	set_maker(&event->pin, (void *)bpf_get_current_task());
	bpf_ringbuf_submit(event, 0);
}

/* The first level of a path that has a limit; PROBE_LEVELS_MAX for none. */
__noinline int first_limited(const struct path *path)
{
	for (int i = 0; path && i < PROBE_LEVELS_MAX; i++)
		if (limit_way(path->ids[i]) >= 0)
			return i;
	return PROBE_LEVELS_MAX;
}

static __always_inline bool is_limited(void)
{
	struct path path;

	read_path((void *)bpf_get_current_task(), &path);
	return first_limited(&path) < PROBE_LEVELS_MAX;
}

/* Whether a limit is passed with what counts there already. */
__noinline int is_passed(__u64 id, __u32 place)
{
	const struct probe_group *group = bpf_map_lookup_elem(&groups, &place);
	const struct probe_limit *limit = find_limit(id);

	return limit && group && group->current_bytes > limit->max_bytes;
}

/* The first level whose limit is passed with what is asked for; PROBE_LEVELS_MAX for none. */
__noinline int first_passed(const struct charge *charge, const struct path *path)
{
	for (int i = 0; charge && path && i < PROBE_LEVELS_MAX; i++)
		if (path->ids[i] && is_passed(path->ids[i], charge->groups[i]))
			return i;
	return PROBE_LEVELS_MAX;
}

/* Of a pin that could not be listed nobody would know how much it is. */
static __always_inline bool has_place(__u32 kind)
{
	struct probe_head *h = get_head();
	__u32 place;

	if (!h || (is_of_any_user(kind) && h->user_pins >= PROBE_USER_PINS_MAX))
		return false;
	return h->places < PROBE_PINS_MAX || bpf_map_peek_elem(&places, &place) == 0;
}

/* What the task was allowed, and has not used. */
static __always_inline void end_asking(void)
{
	const __u64 task = bpf_get_current_pid_tgid();
	struct asked *asked = bpf_map_lookup_elem(&asking, &task);

	if (!asked)
		return;
	charge_change(&asked->charge, -asked->charge.bytes);
	bpf_map_delete_elem(&asking, &task);
}

static __always_inline void end_pinning(void)
{
	const __u64 task = bpf_get_current_pid_tgid();

	if (bpf_map_lookup_elem(&pinning, &task))
		bpf_map_delete_elem(&pinning, &task);
	end_asking();
}

/* Whether a limit is passed, of a cgroup of the task or one above it. */
__noinline int is_refused(__u32 kind, __u64 address, __u64 bytes)
{
	const __u64 task = bpf_get_current_pid_tgid();
	const struct range range = { address, page_span(address, bytes) };
	struct asked asked = { .kind = kind };
	struct path path;
	__u32 level;

	/* Of a call that has not come as far as to its end. */
	end_asking();
	read_path((void *)bpf_get_current_task(), &path);
	level = first_limited(&path);
	if (level >= PROBE_LEVELS_MAX || !bytes)
		return 0;
	if (bytes < ASK_MAX_BYTES && has_place(kind) &&
	    charge_path(&asked.charge, &path, range.bytes) == 0) {
		const __u32 passed = first_passed(&asked.charge, &path);

		if (passed >= PROBE_LEVELS_MAX &&
		    bpf_map_update_elem(&asking, &task, &asked, BPF_ANY) == 0)
			return 0;
		if (passed < PROBE_LEVELS_MAX)
			level = passed;
	}
	tell_denied(&range, kind, path.ids[level], asked.charge.groups[level],
		    asked.charge.bytes);
	charge_change(&asked.charge, -asked.charge.bytes);
	return 1;
}

/* What a hook may return is a constant to the kernel's check, too. */
static __always_inline int ask(__u32 kind, __u64 address, __u64 bytes)
{
	return is_refused(kind, address, bytes) ? -ENOMEM : 0;
}

static __always_inline bool is_vfio(struct file *file)
{
	return BPF_CORE_READ(file, f_inode, i_rdev) == VFIO_DEVICE;
}

static __always_inline bool is_uverbs(struct file *file)
{
	struct module *owner = BPF_CORE_READ(file, f_op, owner);
	char name[sizeof(PROBE_MODULE_RDMA)] = "";

	if (BPF_CORE_READ(file, f_inode, i_rdev) >> 20 == UVERBS_MAJOR)
		return true;
	if (!owner || BPF_CORE_READ_STR_INTO(&name, owner, name) < 0)
		return false;
	for (__u32 i = 0; i < sizeof(name); i++)
		if (name[i] != PROBE_MODULE_RDMA[i])
			return false;
	return true;
}

/* From the memory of the caller; those that sleep read what is not there yet, too. */
static __always_inline int read_user(void *to, __u32 bytes, __u64 from, bool sleeps)
{
	if (sleeps)
		return bpf_copy_from_user(to, bytes, (void *)from) ? -EFAULT : 0;
	return bpf_probe_read_user(to, bytes, (void *)from) ? -EAGAIN : 0;
}

static __always_inline int ask_vfio(__u64 argument, bool sleeps)
{
	struct vfio_iommu_type1_dma_map map;
	int r = read_user(&map, sizeof(map), argument, sleeps);

	if (r < 0)
		return is_limited() ? r : 0;
	if (map.flags & VFIO_DMA_MAP_FLAG_VADDR)
		return 0;
	return ask(PINGUARD_KIND_VFIO, map.vaddr, map.size);
}

/* The attributes of a call that matter. */
struct verbs_call {
	__u64 command, in, address, bytes;
};

static __always_inline int read_verbs(const struct ib_uverbs_ioctl_hdr *head, __u64 argument,
				      bool sleeps, struct verbs_call *call)
{
	const bool is_write = head->object_id == UVERBS_OBJECT_DEVICE;
	struct ib_uverbs_attr attr;
	int r = 0;

	for (int i = 0; i < ATTRS_MAX && r == 0; i++) {
		if (i >= head->num_attrs)
			return 0;
		r = read_user(&attr, sizeof(attr), argument + sizeof(*head) + i * sizeof(attr),
			      sleeps);
		if (r < 0)
			return r;
		if (is_write && attr.attr_id == UVERBS_ATTR_WRITE_CMD)
			call->command = attr.data;
		else if (is_write && attr.attr_id == UVERBS_ATTR_CORE_IN)
			call->in = attr.data;
		else if (!is_write && attr.attr_id == ATTR_REG_MR_ADDR)
			call->address = attr.data;
		else if (!is_write && attr.attr_id == ATTR_REG_MR_LENGTH)
			call->bytes = attr.data;
	}
	return head->num_attrs > ATTRS_MAX ? -EPERM : 0;
}

/* The old commands, in their new clothes. One of them has a word more before the same. */
static __always_inline int read_command(struct verbs_call *call, bool sleeps)
{
	const bool again = call->command == IB_USER_VERBS_CMD_REREG_MR;
	struct ib_uverbs_reg_mr region;
	int r;

	if (call->command != IB_USER_VERBS_CMD_REG_MR && !again)
		return 0;
	r = read_user(&region, sizeof(region), call->in + (again ? sizeof(__u64) : 0), sleeps);
	if (r < 0)
		return r;
	call->address = region.start;
	if (again ? region.response >> 32 & REREG_TRANSLATION :
		    !(region.access_flags & IB_UVERBS_ACCESS_ON_DEMAND))
		call->bytes = region.length;
	return 0;
}

static __always_inline int ask_verbs(__u64 argument, bool sleeps)
{
	struct ib_uverbs_ioctl_hdr head;
	struct verbs_call call = {};
	int r = read_user(&head, sizeof(head), argument, sleeps);

	if (r == 0 && !(head.object_id == UVERBS_OBJECT_DEVICE &&
			head.method_id == UVERBS_METHOD_INVOKE_WRITE) &&
	    !(head.object_id == UVERBS_OBJECT_MR && head.method_id == METHOD_REG_MR))
		return 0;
	if (r == 0)
		r = read_verbs(&head, argument, sleeps, &call);
	if (r == 0 && head.object_id == UVERBS_OBJECT_DEVICE)
		r = read_command(&call, sleeps);
	if (r < 0)
		return is_limited() ? r : 0;
	return ask(PINGUARD_KIND_RDMA, call.address, call.bytes);
}

static __always_inline int ask_ioctl(struct file *file, unsigned int command, __u64 argument,
				     bool sleeps)
{
	if (command == VFIO_IOMMU_MAP_DMA && is_vfio(file))
		return ask_vfio(argument, sleeps);
	if (command == RDMA_VERBS_IOCTL && is_uverbs(file))
		return ask_verbs(argument, sleeps);
	return 0;
}

SEC("lsm.s/file_ioctl")
int BPF_PROG(limit_ioctl, struct file *file, unsigned int command, unsigned long argument)
{
	return ask_ioctl(file, command, argument, true);
}

/* Of 32-bit programs, which the other one saw as well until Linux 6.7. */
SEC("lsm/file_ioctl_compat")
int BPF_PROG(limit_ioctl_compat, struct file *file, unsigned int command, unsigned long argument)
{
	return ask_ioctl(file, command, (__u32)argument, false);
}

/* The commands of RDMA that are written have sizes, too, which nobody is shown. */
SEC("lsm/file_permission")
int BPF_PROG(limit_write, struct file *file, int mask)
{
	return mask & MAY_WRITE && is_uverbs(file) && is_limited() ? -EPERM : 0;
}

/* The call that the task is in, as it is numbered for it. */
static __always_inline struct pt_regs *get_call(__u32 *ret_number)
{
	struct pt_regs *registers =
		(void *)bpf_task_pt_regs(bpf_get_current_task_btf());

	*ret_number = -1;
	if (bpf_core_field_exists(registers->orig_ax))
		*ret_number = BPF_CORE_READ(registers, orig_ax) & ~X32_CALL;
	return registers;
}

/*
 * Without CAP_IPC_LOCK RLIMIT_MEMLOCK holds. RDMA asks where that is passed, by exactly
 * what the kernel is about to pin; io_uring when a ring is made, for all its buffers.
 */
SEC("lsm/capable")
int BPF_PROG(limit_capable, const void *credentials, void *namespace, int capability)
{
	const __u64 task = bpf_get_current_pid_tgid();
	const struct range *range;
	__u32 number;

	if (capability != CAP_IPC_LOCK)
		return 0;
	range = bpf_map_lookup_elem(&pinning, &task);
	if (range)
		return ask(PINGUARD_KIND_RDMA, range->address, range->bytes) ? -EPERM : 0;
	(void)get_call(&number);
	return number == NR_IO_URING_SETUP && is_limited() ? -EPERM : 0;
}

/* AF_XDP: what the option says is in the registers of the call alone. */
SEC("lsm/socket_setsockopt")
int BPF_PROG(limit_setsockopt, struct socket *socket, int level, int option)
{
	struct range registration = {};
	struct pt_regs *registers;
	__u32 number;
	int r;

	if (level != SOL_XDP || option != XDP_UMEM_REG)
		return 0;
	registers = get_call(&number);
	/* By io_uring, or from a 32-bit program. */
	if (number != NR_SETSOCKOPT)
		return is_limited() ? -EPERM : 0;
	r = read_user(&registration, sizeof(registration), BPF_CORE_READ(registers, r10), false);
	if (r < 0)
		return is_limited() ? r : 0;
	return ask(PINGUARD_KIND_XDP, registration.address, registration.bytes);
}

SEC("fentry/ib_umem_get")
int BPF_PROG(rdma_asks, void *device, unsigned long address, unsigned long bytes)
{
	const __u64 task = bpf_get_current_pid_tgid();
	const struct range range = { address, bytes };

	bpf_map_update_elem(&pinning, &task, &range, BPF_ANY);
	return 0;
}

SEC("fexit/ib_uverbs_ioctl")
int BPF_PROG(rdma_call_over)
{
	end_pinning();
	return 0;
}

SEC("fexit/vfio_fops_unl_ioctl")
int BPF_PROG(vfio_file_over)
{
	end_asking();
	return 0;
}

SEC("fexit/xsk_setsockopt")
int BPF_PROG(xdp_call_over)
{
	end_asking();
	return 0;
}

/* Another security module may have refused what was allowed here. */
SEC("fentry/exit_files")
int BPF_PROG(task_over, struct task_struct *task)
{
	if (task == bpf_get_current_task_btf())
		end_pinning();
	return 0;
}

#endif
