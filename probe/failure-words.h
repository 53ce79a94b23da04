/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the loader tells the program of failures: the kernel's words, by the numbers that
 * it has for them, which differ between versions.
 */
#ifndef PINGUARD_PROBE_FAILURE_WORDS_H
#define PINGUARD_PROBE_FAILURE_WORDS_H

#include <linux/types.h>

#include "lib/probe-layout.h"

#define FAILURE_WORDS_MAX   32
#define FAILURE_RESULTS_MAX 8

struct failure_words {
	char actions[FAILURE_WORDS_MAX][PROBE_ACTION_MAX];
	__u32 results[FAILURE_RESULTS_MAX]; /* PINGUARD_FAILURE_RESULT_* */
};

#ifndef __bpf__
#include <bpf/btf.h>

/* From the kernel's type information; where that has none it is "unknown page", and failed. */
void failure_words_find(const struct btf *btf, struct failure_words *ret);
#endif

#endif
