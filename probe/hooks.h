/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which program goes to which function, for each kind of pins. */
#ifndef PINGUARD_PROBE_HOOKS_H
#define PINGUARD_PROBE_HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOOK_TYPES_MAX 10
/* A function of this name is none, but what programs of a tracepoint get, by its type. */
#define HOOK_TRACEPOINT "btf_trace_"

/*
 * types: of what the function returns, then of each parameter: the name of the
 * structure that it points to, "" for anything else; NULL after the last.
 */
struct hook {
	const char *program; /* of pins.bpf.c */
	const char *module; /* that has the function, where it is not built in; NULL: never */
	const char *function;
	const char *types[HOOK_TYPES_MAX];
	bool optional; /* a kernel that has not the function does without */
};

/* Some kernels have the one, some the other: all hooks of one are needed. */
struct hook_set {
	const struct hook *hooks;
	size_t n;
};

struct hook_kind {
	uint32_t kind; /* PINGUARD_KIND_*, or PROBE_KIND_FAILURE */
	const char *name;
	struct hook_set sets[2];
	const char *before[2]; /* programs that find what was there before; NULL for none */
	const char *never; /* why it is never watched; NULL where it may be */
};

extern const struct hook_kind hook_kinds[];
extern const size_t n_hook_kinds;

#endif
