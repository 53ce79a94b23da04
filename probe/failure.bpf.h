/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that fails. Each failure has a place of its own among the last ones: no traffic
 * of pins takes it. The ring only wakes the service, which looks now and then as well.
 */
#ifndef PINGUARD_PROBE_FAILURE_BPF_H
#define PINGUARD_PROBE_FAILURE_BPF_H

#include "probe/failure-words.h"
#include "probe/pin.bpf.h"

/* Set by the loader. */
const volatile struct failure_words failure_words = {};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PROBE_FAILURES_MAX);
	__type(key, __u32);
	__type(value, struct probe_failure);
} failures SEC(".maps");

static __always_inline void wake(void)
{
	struct probe_event *event = bpf_ringbuf_reserve(&ring, sizeof(*event), 0);

	if (!event)
		return;
	__builtin_memset(event, 0, sizeof(*event));
	event->type = PROBE_EVENT_FAILURE;
	bpf_ringbuf_submit(event, 0);
}

/* What is beyond the end is as the last one, of which the kernel has none. */
static __always_inline __u32 bounded(__u32 value, __u32 n)
{
	barrier_var(value);
	return value < n ? value : n - 1;
}

SEC("tp_btf/memory_failure_event")
int BPF_PROG(memory_failed, unsigned long pfn, int type, int result)
{
	struct probe_head *h = get_head();
	struct probe_failure *failure;
	__u32 place, word, outcome;
	__u64 n;

	if (!h)
		return 0;
	n = __sync_fetch_and_add(&h->failures, 1);
	place = n & (PROBE_FAILURES_MAX - 1);
	failure = bpf_map_lookup_elem(&failures, &place);
	if (!failure)
		return 0;
	__sync_lock_test_and_set(&failure->id, 0);
	failure->pfn = pfn;
	failure->since_nsec = bpf_ktime_get_boot_ns();
	word = bounded(type, FAILURE_WORDS_MAX);
	outcome = bounded(result, FAILURE_RESULTS_MAX);
	for (__u32 i = 0; i < PROBE_ACTION_MAX; i++)
		failure->action[i] = failure_words.actions[word][i];
	failure->result = failure_words.results[outcome];
	/* All else is there before. */
	__sync_lock_test_and_set(&failure->id, n + 1);
	wake();
	return 0;
}

#endif
