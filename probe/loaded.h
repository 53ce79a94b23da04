/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is in the BPF file system already, of this build of the programs or of another one. */
#ifndef PINGUARD_PROBE_LOADED_H
#define PINGUARD_PROBE_LOADED_H

#include <limits.h>
#include <linux/types.h>
#include <stdbool.h>

#include "probe/hooks.h"

void loaded_path(char path[PATH_MAX], const char *map);
/* Also one that cannot be looked at, so that its maps are not taken for this build's. */
bool loaded_is_another(__u64 own);
unsigned int loaded_count_pins(void);
/* How often the kernel left out a program of a kind, and a pin may have been missed. */
__u64 loaded_misses(const struct hook_kind *kind);
/* What is watched, for people. 0 or a negative errno */
int loaded_print(__u64 own);
/* All of it, after a service that has the maps can see that. 0 or a negative errno */
int loaded_remove(void);

#endif
