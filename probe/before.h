/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds the pins that were there before the programs that see pins come and go. */
#ifndef PINGUARD_PROBE_BEFORE_H
#define PINGUARD_PROBE_BEFORE_H

#include <bpf/libbpf.h>
#include <stdbool.h>

#include "probe/hooks.h"

#define BEFORE_LOOKS_MAX 10

/* Whether a program of pins.bpf.c is one that looks for pins of a kind. */
bool before_has_program(const struct hook_kind *kind, const char *name);
/*
 * Whether to look another time: after so many looks, the last of which left so many
 * pins undecided.
 */
bool before_again(unsigned int looks, __u64 undecided);
/*
 * Runs the programs, which are loaded. undecided: what they count, set to what is
 * left of that. 0 or a negative errno
 */
int before_find(const struct bpf_object *object, const struct hook_kind *kind, __u64 *undecided);

#endif
