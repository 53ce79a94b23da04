/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/mman.h>

#include "daemon/kernel/probe-maps.h"
#include "lib/log.h"

/* Of the ring: a page with what has been read, one with what was written, the events twice. */
struct probe_maps {
	const struct probe_head *head;
	const struct probe_pin *pins;
	const struct probe_kind *kinds;
	const struct probe_group *groups;
	struct probe_bucket *limits;
	const struct probe_failure *failures;
	unsigned long *consumer;
	const unsigned long *producer;
	const uint8_t *events;
	unsigned long consumed; /* what we left there */
	uint64_t build; /* when they were opened */
	size_t page_bytes;
};

static const size_t sizes[] = {
	sizeof(struct probe_head),
	sizeof(struct probe_pin) * PROBE_PINS_MAX,
	sizeof(struct probe_kind) * PROBE_KINDS_MAX,
	sizeof(struct probe_group) * PROBE_GROUPS_MAX,
	sizeof(struct probe_bucket) * PROBE_BUCKETS_MAX,
	sizeof(struct probe_failure) * PROBE_FAILURES_MAX,
};

static int map(int fd, size_t bytes, off_t offset, int protection, void *ret)
{
	void *mapped = mmap(NULL, bytes, protection, MAP_SHARED, fd, offset);

	if (mapped == MAP_FAILED)
		return log_warning_errno(errno, "cannot map %zu bytes at %lld of an eBPF map: %m",
					 bytes, (long long)offset);
	*(void **)ret = mapped;
	return 0;
}

int probe_maps_open(const int fds[PROBE_FDS], struct probe_maps **ret)
{
	_cleanup_(probe_maps_freep) struct probe_maps *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return -ENOMEM;
	m->page_bytes = sysconf(_SC_PAGESIZE);
	r = map(fds[0], sizes[0], 0, PROT_READ, &m->head);
	if (r >= 0)
		r = map(fds[1], sizes[1], 0, PROT_READ, &m->pins);
	if (r >= 0)
		r = map(fds[2], sizes[2], 0, PROT_READ, &m->kinds);
	if (r >= 0)
		r = map(fds[3], sizes[3], 0, PROT_READ, &m->groups);
	if (r >= 0)
		r = map(fds[4], sizes[4], 0, PROT_READ | PROT_WRITE, &m->limits);
	if (r >= 0)
		r = map(fds[5], sizes[5], 0, PROT_READ, &m->failures);
	if (r >= 0)
		r = map(fds[6], m->page_bytes, 0, PROT_READ | PROT_WRITE, &m->consumer);
	if (r >= 0)
		r = map(fds[6], m->page_bytes + 2 * PROBE_RING_BYTES, m->page_bytes, PROT_READ,
			&m->producer);
	if (r < 0)
		return r;
	m->events = (const uint8_t *)m->producer + m->page_bytes;
	m->consumed = *m->consumer;
	m->build = __atomic_load_n(&m->head->build, __ATOMIC_ACQUIRE);
	*ret = TAKE_PTR(m);
	return 0;
}

static void unmap(const void *mapped, size_t bytes)
{
	if (mapped)
		(void)munmap((void *)mapped, bytes);
}

struct probe_maps *probe_maps_free(struct probe_maps *m)
{
	if (!m)
		return NULL;
	unmap(m->head, sizes[0]);
	unmap(m->pins, sizes[1]);
	unmap(m->kinds, sizes[2]);
	unmap(m->groups, sizes[3]);
	unmap(m->limits, sizes[4]);
	unmap(m->failures, sizes[5]);
	unmap(m->consumer, m->page_bytes);
	unmap(m->producer, m->page_bytes + 2 * PROBE_RING_BYTES);
	free(m);
	return NULL;
}

uint32_t probe_maps_places(const struct probe_maps *m)
{
	return MIN(__atomic_load_n(&m->head->places, __ATOMIC_ACQUIRE), (__u64)PROBE_PINS_MAX);
}

bool probe_maps_read(const struct probe_maps *m, uint32_t place, struct probe_pin *ret)
{
	const struct probe_pin *pin = &m->pins[place];
	uint64_t id;

	if (place >= PROBE_PINS_MAX)
		return false;
	/* Where it is another one afterwards the first has gone, and the other is told of. */
	id = __atomic_load_n(&pin->id, __ATOMIC_ACQUIRE);
	memcpy(ret, pin, sizeof(*ret));
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return id != 0 && __atomic_load_n(&pin->id, __ATOMIC_RELAXED) == id && ret->id == id;
}

struct probe_kind probe_maps_kind(const struct probe_maps *m, uint32_t kind)
{
	struct probe_kind copy = {};

	if (kind < PROBE_KINDS_MAX)
		copy = m->kinds[kind];
	copy.reason[sizeof(copy.reason) - 1] = '\0';
	copy.before[sizeof(copy.before) - 1] = '\0';
	copy.limit_reason[sizeof(copy.limit_reason) - 1] = '\0';
	return copy;
}

struct probe_groups probe_maps_groups(const struct probe_maps *m)
{
	return (struct probe_groups){
		.n = MIN(__atomic_load_n(&m->head->groups, __ATOMIC_ACQUIRE) + 1,
			 (__u64)PROBE_GROUPS_MAX),
		.groups = m->groups,
		.limits = m->limits,
	};
}

uint64_t probe_maps_ungrouped(const struct probe_maps *m)
{
	return __atomic_load_n(&m->head->ungrouped, __ATOMIC_RELAXED);
}

bool probe_maps_enforced(const struct probe_maps *m, char why[PROBE_REASON_MAX])
{
	static const uint32_t kinds[] = { PINGUARD_KIND_RDMA, PINGUARD_KIND_VFIO,
					  PINGUARD_KIND_IO_URING, PINGUARD_KIND_XDP };
	bool any = false;

	*why = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct probe_kind kind = probe_maps_kind(m, kinds[i]);

		any |= kind.enforced != PROBE_ENFORCED_NOTHING;
		if (*kind.limit_reason)
			memcpy(why, kind.limit_reason, PROBE_REASON_MAX);
	}
	return any;
}

bool probe_maps_live(const struct probe_maps *m)
{
	return __atomic_load_n(&m->head->build, __ATOMIC_ACQUIRE) == m->build;
}

bool probe_maps_same(const struct probe_maps *a, const struct probe_maps *b)
{
	return a->build == b->build && a->head->made_nsec == b->head->made_nsec;
}

uint64_t probe_maps_lost(const struct probe_maps *m)
{
	return __atomic_load_n(&m->head->lost, __ATOMIC_RELAXED);
}

uint64_t probe_maps_unlisted(const struct probe_maps *m)
{
	return __atomic_load_n(&m->head->unlisted, __ATOMIC_RELAXED);
}

uint64_t probe_maps_failures(const struct probe_maps *m)
{
	return __atomic_load_n(&m->head->failures, __ATOMIC_ACQUIRE);
}

uint64_t probe_maps_made_nsec(const struct probe_maps *m)
{
	return m->head->made_nsec;
}

int probe_maps_failure(const struct probe_maps *m, uint64_t id, struct probe_failure *ret)
{
	const struct probe_failure *failure = &m->failures[(id - 1) & (PROBE_FAILURES_MAX - 1)];
	uint64_t now = __atomic_load_n(&failure->id, __ATOMIC_ACQUIRE);
	struct probe_failure copy;

	if (now < id)
		return 0;
	memcpy(&copy, failure, sizeof(copy));
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (now != id || __atomic_load_n(&failure->id, __ATOMIC_RELAXED) != id)
		return -ESTALE;
	copy.action[sizeof(copy.action) - 1] = '\0';
	*ret = copy;
	return 1;
}

unsigned long probe_maps_written(const struct probe_maps *m)
{
	return __atomic_load_n(m->producer, __ATOMIC_ACQUIRE);
}

unsigned long probe_maps_consumed(const struct probe_maps *m)
{
	return m->consumed;
}

static void consume(struct probe_maps *m, unsigned long to)
{
	m->consumed = to;
	__atomic_store_n(m->consumer, to, __ATOMIC_RELEASE);
}

int probe_maps_next(struct probe_maps *m, struct probe_event *ret)
{
	const unsigned long at = __atomic_load_n(m->consumer, __ATOMIC_RELAXED);
	const uint8_t *record = m->events + (at & (PROBE_RING_BYTES - 1));
	uint32_t header, bytes;
	int r = 1;

	if (at != m->consumed) {
		m->consumed = at;
		return -ESTALE;
	}
	if (at == __atomic_load_n(m->producer, __ATOMIC_ACQUIRE))
		return 0;
	header = __atomic_load_n((const uint32_t *)record, __ATOMIC_ACQUIRE);
	if (header & BPF_RINGBUF_BUSY_BIT)
		return -EAGAIN;
	bytes = header & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
	if (header & BPF_RINGBUF_DISCARD_BIT || bytes != sizeof(*ret))
		r = -EBADMSG;
	else
		memcpy(ret, record + BPF_RINGBUF_HDR_SZ, sizeof(*ret));
	/* A length that cannot be true would lead out of what is written. */
	bytes = (bytes + BPF_RINGBUF_HDR_SZ + 7) & ~7U;
	consume(m, bytes > *m->producer - at ? *m->producer : at + bytes);
	return r;
}

void probe_maps_skip(struct probe_maps *m)
{
	struct probe_event event;
	int r;

	do
		r = probe_maps_next(m, &event);
	while (r != 0 && r != -EAGAIN);
}

void probe_pin_info(const struct probe_pin *pin, uint64_t boot_usec, struct pin_info *ret)
{
	*ret = (struct pin_info){
		.id = pin->id,
		.cgroup_id = pin->cgroup_id,
		.address = pin->address,
		.bytes = pin->bytes,
		.since_usec = boot_usec + pin->since_nsec / 1000,
		.kind = pin->kind,
		.tgid = pin->tgid,
		.uid = pin->uid,
		.flags = pin->flags & PROBE_PIN_FOUND ? PIN_FLAG_FOUND : 0,
		.comm_len = strnlen(pin->comm, MIN(sizeof(pin->comm), sizeof(ret->comm))),
	};
	memcpy(ret->comm, pin->comm, ret->comm_len);
	memcpy(ret->device, pin->device, strnlen(pin->device, sizeof(ret->device) - 1));
}

void probe_deny_info(const struct probe_event *told, struct pin_event *ret)
{
	ret->pin.since_usec = 0;
	ret->reason = PINGUARD_REASON_LIMIT;
	ret->suppressed = told->suppressed;
	ret->limit_cgroup_id = told->limit_cgroup_id;
	ret->usage_bytes = told->current_bytes;
	ret->max_bytes = told->max_bytes;
}

bool probe_limits_look(struct probe_limits *limits, const struct probe_maps *m)
{
	char why[PROBE_REASON_MAX] = "";
	const bool kept = probe_maps_enforced(m, why) && limits->wish == PROBE_WISH_LIMIT;
	const bool changed = kept != limits->kept;

	if (limits->wish != PROBE_WISH_LIMIT || kept)
		*why = '\0';
	if (*why && strcmp(why, limits->why_not) != 0)
		log_warning("limits are not kept: %s", why);
	memcpy(limits->why_not, why, sizeof(why));
	limits->kept = kept;
	return changed;
}
