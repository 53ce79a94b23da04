/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the programs that look for pins from before share: files, locks, how a pin is found. */
#ifndef PINGUARD_PROBE_BEFORE_FIND_BPF_H
#define PINGUARD_PROBE_BEFORE_FIND_BPF_H

#include "probe/before-types.h"
#include "probe/pin.bpf.h"

#define NAME_BYTES   32
#define OPS_MAX	     1024
#define LOCK_LOOKS   4096 /* of a moment's wait for a lock that is held shortly */
#define LOCK_FLAGS   7UL
#define RTLOCK_FLAGS 1UL

/* Pins, or lists of them, that changed just then. Read and cleared by the loader. */
__u64 undecided;
__u64 fence;

enum file_kind {
	FILE_OTHER = 1,
	FILE_UVERBS,
	FILE_VFIO,
	FILE_IO_URING,
	FILE_SOCKET,
};

/* What kind of file has which struct file_operations. Each load has its own: modules go. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, OPS_MAX);
	__type(key, __u64);
	__type(value, __u32);
} file_kinds SEC(".maps");

/* A symbol of a module has its name after it. */
#define is_named(name, wanted)						\
	(bpf_strncmp(name, sizeof(wanted) - 1, wanted) == 0 &&		\
	 ((name)[sizeof(wanted) - 1] == '\0' || (name)[sizeof(wanted) - 1] == ' '))

/* By the function's name, of which the kernel is asked: it may hide its symbols from the loader. */
static __always_inline __u32 kind_of_ops(const struct file_operations *ops)
{
	char name[NAME_BYTES] = "";

	if (BPF_SNPRINTF(name, sizeof(name), "%ps", BPF_CORE_READ(ops, release)) < 0)
		return FILE_OTHER;
	if (is_named(name, "ib_uverbs_close"))
		return FILE_UVERBS;
	if (is_named(name, "vfio_fops_release"))
		return FILE_VFIO;
	if (is_named(name, "io_uring_release"))
		return FILE_IO_URING;
	return is_named(name, "sock_close") ? FILE_SOCKET : FILE_OTHER;
}

static __always_inline bool is_file_of(struct file *file, __u32 wanted)
{
	const struct file_operations *ops = BPF_CORE_READ(file, f_op);
	const __u64 key = (__u64)ops;
	const __u32 *known = bpf_map_lookup_elem(&file_kinds, &key);
	__u32 kind;

	if (known)
		return *known == wanted;
	kind = kind_of_ops(ops);
	bpf_map_update_elem(&file_kinds, &key, &kind, BPF_ANY);
	return kind == wanted;
}

static __always_inline void note_undecided(void)
{
	__sync_fetch_and_add(&undecided, 1);
}

/* Whose memory it is, as long as that process is there. */
static __always_inline struct task_struct *owner_of(struct mm_struct *mm)
{
	return bpf_core_field_exists(mm->owner) ? BPF_CORE_READ(mm, owner) : NULL;
}

struct lock_look {
	struct mutex *lock;
	bool locked;
};

static int look_at_lock(__u32 i, struct lock_look *look)
{
	struct mutex *lock = look->lock;
	struct mutex___rt *rt = (void *)lock;
	unsigned long owner;

	if (bpf_core_field_exists(lock->owner))
		owner = BPF_CORE_READ(lock, owner.counter) & ~LOCK_FLAGS;
	else
		owner = BPF_CORE_READ(rt, rtmutex.owner) & ~RTLOCK_FLAGS;
	look->locked = owner != 0;
	return owner == 0;
}

/* Whether nobody has the lock, or has it no more after a moment. */
static __always_inline bool wait_unlocked(struct mutex *lock)
{
	struct lock_look look = { .lock = lock };

	bpf_loop(LOCK_LOOKS, look_at_lock, &look, 0);
	return !look.locked;
}

/* NULL for one that is known already, or that there is no room for. */
static __always_inline struct probe_pin *begin_found(__u64 object, __u32 kind,
						     struct task_struct *maker)
{
	struct probe_head *h = get_head();
	struct probe_pin *pin;

	if (!h || find(object))
		return NULL;
	pin = new_pin(h, kind, maker);
	if (!pin) {
		note_undecided();
		return NULL;
	}
	pin->flags = PROBE_PIN_FOUND;
	return pin;
}

/* Told of before it can be given back by its object. Its id, or 0: somebody else was faster. */
static __always_inline __u64 end_found(__u64 object, struct probe_pin *pin,
				       struct task_struct *maker)
{
	const __u32 place = pin->place;
	__u64 id;

	publish(pin, maker);
	id = pin->id;
	if (set_object(object, place) < 0) {
		finish(place);
		return 0;
	}
	/* Whatever is looked at next is looked at after that. */
	__sync_lock_test_and_set(&fence, 1);
	return id;
}

/* What has changed since it was found. By its object another one may be known by now. */
static __always_inline void take_back(__u64 object, __u64 id)
{
	const struct probe_pin *known = find(object);

	note_undecided();
	if (known && known->id == id)
		forget(object);
}

/* Mappings keep files that nobody has open any more. */
#define FIND_BEFORE(kind)							\
	SEC("iter/task_file")							\
	int kind##_files(struct bpf_iter__task_file *ctx)			\
	{									\
		struct task_struct *task = ctx->task;				\
		struct file *file = ctx->file;					\
										\
		return task && file ? kind##_find(task, file) : 0;		\
	}									\
										\
	SEC("iter/task_vma")							\
	int kind##_mappings(struct bpf_iter__task_vma *ctx)			\
	{									\
		struct task_struct *task = ctx->task;				\
		struct vm_area_struct *vma = ctx->vma;				\
		struct file *file = task && vma ? vma->vm_file : NULL;		\
										\
		return file ? kind##_find(task, file) : 0;			\
	}

#endif
