/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <unistd.h>

#include "daemon/model/explain.h"
#include "lib/macros.h"

/* What a kind of pins meets. */
#define STEPS_MAX 6

static const struct order {
	enum check_counter counter;
	bool capable; /* CAP_IPC_LOCK spares it RLIMIT_MEMLOCK */
	size_t n;
	enum check_type steps[STEPS_MAX];
} orders[] = {
	[PINGUARD_KIND_RDMA] = { COUNTER_PINNED, true, 5,
		{ CHECK_RDMA_OBJECTS, CHECK_RLIMIT, CHECK_LIMIT, CHECK_REVOKE, CHECK_POLICY } },
	[PINGUARD_KIND_VFIO] = { COUNTER_LOCKED, true, 5,
		{ CHECK_DMA_ENTRIES, CHECK_LIMIT, CHECK_REVOKE, CHECK_POLICY, CHECK_RLIMIT } },
	[PINGUARD_KIND_IOMMUFD] = { COUNTER_USER, true, 4,
		{ CHECK_LIMIT, CHECK_REVOKE, CHECK_POLICY, CHECK_RLIMIT } },
	[PINGUARD_KIND_IO_URING] = { COUNTER_USER, true, 4,
		{ CHECK_LIMIT, CHECK_REVOKE, CHECK_POLICY, CHECK_RLIMIT } },
	[PINGUARD_KIND_XDP] = { COUNTER_USER, true, 4,
		{ CHECK_RLIMIT, CHECK_LIMIT, CHECK_REVOKE, CHECK_POLICY } },
	[PINGUARD_KIND_VDPA] = { COUNTER_PINNED, false, 4,
		{ CHECK_LIMIT, CHECK_RLIMIT, CHECK_REVOKE, CHECK_POLICY } },
	[PINGUARD_KIND_UDMABUF] = { COUNTER_NONE, false, 4,
		{ CHECK_UDMABUF_SIZE, CHECK_LIMIT, CHECK_REVOKE, CHECK_POLICY } },
};

struct walk {
	const struct explain_facts *f;
	const struct order *order;
	struct pin_check *checks;
	size_t n;
};

enum check_counter explain_counter(uint32_t kind)
{
	return kind < ARRAY_SIZE(orders) ? orders[kind].counter : COUNTER_NONE;
}

bool explain_is_exempt(const struct explain_process *p, uint32_t kind)
{
	return kind < ARRAY_SIZE(orders) && orders[kind].capable && p->ipc_lock_known &&
	       p->ipc_lock && p->user_ns == USER_NS_INITIAL;
}

static bool in_bytes(const struct pin_check *c)
{
	return c->type == CHECK_RLIMIT || c->type == CHECK_LIMIT || c->type == CHECK_UDMABUF_SIZE;
}

static uint64_t left(const struct pin_check *c)
{
	return c->max - MIN(c->used, c->max);
}

static uint64_t add(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* How much one more would take: of what is counted one by one that is one. */
static uint64_t wanted(const struct explain_facts *f, const struct pin_check *c)
{
	if (!in_bytes(c))
		return 1;
	return f->asked_bytes ?: (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Of a limit that is known: whether it lets one more through. */
static void judge(const struct explain_facts *f, struct pin_check *c)
{
	const uint64_t more = wanted(f, c);
	/* Without a size that was refused: twice as much. */
	const uint64_t room = in_bytes(c) && !f->asked_bytes ? MAX(c->max, more) : more;

	if (c->max == UINT64_MAX) {
		c->state = CHECK_UNLIMITED;
		return;
	}
	/* Where it is not known how much is used, this is enough, and may be too much. */
	c->needed = add(c->used_is == USED_UNKNOWN || c->used_is == USED_HIDDEN ? c->max : c->used,
			room);
	c->needed = MAX(c->needed, c->max);
	c->state = left(c) < more ? CHECK_REFUSES : CHECK_OPEN;
	if (c->state == CHECK_REFUSES && c->used_is == USED_AT_MOST && c->max >= more) {
		c->state = CHECK_UNKNOWN;
		c->note = "as many are in use, but of each container there may be so many";
	}
}

static struct pin_check *put(struct walk *w, enum check_type type)
{
	struct pin_check *c = &w->checks[w->n];

	if (w->n == EXPLAIN_CHECKS_MAX)
		return NULL;
	*c = (struct pin_check){ .type = type, .max = UINT64_MAX };
	w->n++;
	return c;
}

static void unknown(struct pin_check *c, const char *note)
{
	c->state = CHECK_UNKNOWN;
	c->used_is = USED_UNKNOWN;
	c->note = note;
}

static void add_rdma(struct walk *w)
{
	const struct explain_facts *f = w->f;

	for (size_t i = 0; i < f->n_rdma; i++) {
		const struct explain_rdma *r = &f->rdma[i];
		struct pin_check *c;

		if (*f->device && strcmp(f->device, r->device) != 0)
			continue;
		c = put(w, CHECK_RDMA_OBJECTS);
		if (!c)
			return;
		c->cgroup = r->path;
		c->device = r->device;
		c->used = r->used;
		c->max = r->max;
		c->used_is = r->hidden ? USED_HIDDEN : USED_EXACT;
		judge(f, c);
	}
}

static void add_dma_entries(struct walk *w)
{
	const struct explain_facts *f = w->f;
	struct pin_check *c = put(w, CHECK_DMA_ENTRIES);

	if (!c)
		return;
	if (!f->has_dma_entry_limit) {
		unknown(c, "the module vfio_iommu_type1 is not loaded");
		return;
	}
	c->max = f->dma_entry_limit;
	c->used = f->vfio_pins;
	c->used_is = f->patched && f->process.pid ? USED_AT_MOST : USED_UNKNOWN;
	judge(f, c);
}

static void add_udmabuf(struct walk *w)
{
	const struct explain_facts *f = w->f;
	struct pin_check *c = put(w, CHECK_UDMABUF_SIZE);

	if (!c)
		return;
	if (!f->has_udmabuf_mb) {
		unknown(c, "the module udmabuf is not loaded");
		return;
	}
	/* Of each buffer for itself. */
	c->max = f->udmabuf_mb > UINT64_MAX >> 20 ? UINT64_MAX : f->udmabuf_mb << 20;
	judge(f, c);
}

/* As capable(CAP_IPC_LOCK) has it. */
static void judge_capability(const struct walk *w, struct pin_check *c)
{
	const struct explain_process *p = &w->f->process;

	if (!w->order->capable) {
		if (p->ipc_lock_known && p->ipc_lock)
			c->note = "the kernel does not ask for CAP_IPC_LOCK here";
		return;
	}
	if (!p->ipc_lock_known || (p->ipc_lock && p->user_ns == USER_NS_UNKNOWN)) {
		c->note = "nobody can tell whether CAP_IPC_LOCK spares it this limit";
		if (c->state == CHECK_REFUSES)
			c->state = CHECK_UNKNOWN;
		return;
	}
	if (!p->ipc_lock)
		return;
	if (p->user_ns == USER_NS_INITIAL) {
		c->state = CHECK_EXEMPT;
		c->note = "CAP_IPC_LOCK spares it this limit";
		return;
	}
	c->note = "it has CAP_IPC_LOCK in its own user namespace, but the kernel asks for it in "
		  "the first one";
}

static void add_rlimit(struct walk *w)
{
	const struct explain_facts *f = w->f;
	const struct explain_process *p = &f->process;
	struct pin_check *c = put(w, CHECK_RLIMIT);

	if (!c)
		return;
	c->counter = w->order->counter;
	if (!p->pid) {
		unknown(c, "there is no process whose limit it would be");
		return;
	}
	c->max = p->soft_bytes;
	switch (c->counter) {
	case COUNTER_PINNED:
		c->used = p->pinned_bytes;
		c->used_is = p->has_memory ? USED_EXACT : USED_UNKNOWN;
		break;
	case COUNTER_LOCKED:
		c->used = p->locked_bytes;
		c->used_is = p->has_memory ? USED_EXACT : USED_UNKNOWN;
		break;
	default:
		c->used = f->has_user_bytes ? f->user_bytes : 0;
		c->used_is = f->has_user_bytes ? USED_ABOUT : USED_UNKNOWN;
		break;
	}
	judge(f, c);
	if (c->state != CHECK_UNLIMITED)
		judge_capability(w, c);
}

static void add_limits(struct walk *w)
{
	const struct explain_facts *f = w->f;

	for (size_t i = 0; i < f->n_levels; i++) {
		const struct explain_level *level = &f->levels[i];
		struct pin_check *c;

		if (!level->counts)
			continue;
		c = put(w, CHECK_LIMIT);
		if (!c)
			return;
		c->cgroup = level->path;
		c->used = level->used;
		c->max = level->max;
		c->used_is = level->hidden ? USED_HIDDEN : USED_EXACT;
		judge(f, c);
	}
	if (f->levels_left_out > 0) {
		struct pin_check *c = put(w, CHECK_LIMIT);

		if (c)
			unknown(c, "there are more cgroups on the way to the root than are looked at");
	}
}

static void add_revoke(struct walk *w)
{
	struct pin_check *c = put(w, CHECK_REVOKE);

	if (!c)
		return;
	c->used = w->f->revokes;
	c->state = w->f->revokes > 0 ? CHECK_DEVICE_MEMORY : CHECK_OPEN;
	if (w->f->revokes > 0)
		c->note = "memory of a device is being removed, and cannot be pinned any more";
}

/* The strictest counts, and of those the innermost is named. */
static void add_policy(struct walk *w)
{
	const struct explain_facts *f = w->f;
	const struct explain_level *strictest = NULL;
	struct pin_check *c = put(w, CHECK_POLICY);

	if (!c)
		return;
	for (size_t i = 0; i < f->n_levels; i++)
		if (f->levels[i].policy > PINGUARD_POLICY_ALLOW &&
		    (!strictest || f->levels[i].policy > strictest->policy))
			strictest = &f->levels[i];
	if (!strictest)
		return;
	c->cgroup = strictest->path;
	if (strictest->policy == PINGUARD_POLICY_REVOCABLE && f->process.registered)
		return;
	c->state = CHECK_DEVICE_MEMORY;
	c->note = strictest->policy == PINGUARD_POLICY_DENY ?
			  "nobody may pin memory of devices" :
			  "owners alone that can be asked to let go may pin memory of devices";
}

static void add_step(struct walk *w, enum check_type type)
{
	switch (type) {
	case CHECK_RDMA_OBJECTS:
		add_rdma(w);
		break;
	case CHECK_DMA_ENTRIES:
		add_dma_entries(w);
		break;
	case CHECK_UDMABUF_SIZE:
		add_udmabuf(w);
		break;
	case CHECK_RLIMIT:
		add_rlimit(w);
		break;
	case CHECK_LIMIT:
		if (w->f->patched)
			add_limits(w);
		break;
	case CHECK_REVOKE:
		if (w->f->patched)
			add_revoke(w);
		break;
	case CHECK_POLICY:
		if (w->f->patched)
			add_policy(w);
		break;
	}
}

/* The first one that refuses; else the one that will: where the least is left. */
static void mark_first(struct walk *w)
{
	struct pin_check *first = NULL;

	for (size_t i = 0; i < w->n; i++) {
		struct pin_check *c = &w->checks[i];

		if (c->state == CHECK_REFUSES) {
			c->first = true;
			return;
		}
		if (c->state == CHECK_OPEN && in_bytes(c) && c->max != UINT64_MAX &&
		    (!first || left(c) < left(first)))
			first = c;
	}
	if (first)
		first->first = true;
}

size_t explain_walk(const struct explain_facts *f, uint32_t kind,
		    struct pin_check ret[static EXPLAIN_CHECKS_MAX])
{
	struct walk w = { .f = f, .checks = ret };

	if (kind >= ARRAY_SIZE(orders) || orders[kind].n == 0)
		return 0;
	w.order = &orders[kind];
	for (size_t i = 0; i < w.order->n; i++)
		add_step(&w, w.order->steps[i]);
	mark_first(&w);
	return w.n;
}

struct pin_check explain_refused(const struct explain_facts *f, uint32_t kind, uint32_t reason,
			     const char *cgroup, uint64_t used, uint64_t max)
{
	struct pin_check checks[1];
	struct walk w = { .f = f, .checks = checks };

	static const enum check_type types[] = {
		[PINGUARD_REASON_LIMIT] = CHECK_LIMIT,
		[PINGUARD_REASON_RLIMIT] = CHECK_RLIMIT,
		[PINGUARD_REASON_POLICY] = CHECK_POLICY,
		[PINGUARD_REASON_REVOKE] = CHECK_REVOKE,
	};

	w.order = &orders[kind < ARRAY_SIZE(orders) ? kind : 0];
	if (reason == PINGUARD_REASON_RLIMIT) {
		add_rlimit(&w);
	} else if (reason == PINGUARD_REASON_POLICY) {
		add_policy(&w);
	} else {
		put(&w, reason < ARRAY_SIZE(types) ? types[reason] : CHECK_LIMIT);
		checks[0].cgroup = cgroup;
		checks[0].used = used == UINT64_MAX ? 0 : used;
		checks[0].used_is = used == UINT64_MAX ? USED_HIDDEN : USED_EXACT;
	}
	/* As it was then. */
	if (max != UINT64_MAX)
		checks[0].max = max;
	if (checks[0].max != UINT64_MAX) {
		if (in_bytes(&checks[0]))
			judge(f, &checks[0]);
	} else if (in_bytes(&checks[0])) {
		checks[0].needed = add(checks[0].used, f->asked_bytes);
		checks[0].note = "what the limit was then is not known: it may take more";
	}
	checks[0].state = CHECK_REFUSES;
	checks[0].first = true;
	return checks[0];
}
