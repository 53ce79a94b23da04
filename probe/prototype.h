/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the running kernel has the functions that the programs are made for. */
#ifndef PINGUARD_PROBE_PROTOTYPE_H
#define PINGUARD_PROBE_PROTOTYPE_H

#include <bpf/btf.h>
#include <stdbool.h>

#include "probe/hooks.h"

/*
 * Looks at the function, or tracepoint, of a hook in the type information of the kernel or a module.
 * 0, -ENOENT: there is no such function; -EPROTO: it has another signature
 */
int prototype_check(const struct btf *btf, const struct hook *hook);
bool prototype_is_tracepoint(const struct hook *hook);

#endif
