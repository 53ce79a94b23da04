/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loads the programs and leaves them, and their maps, in the BPF file system: they
 * go on without this process and without the service.
 */
#ifndef PINGUARD_PROBE_LOAD_H
#define PINGUARD_PROBE_LOAD_H

#include <stdbool.h>

#include "lib/probe-layout.h"

#define LOAD_BPF_FS "/sys/fs/bpf"
#define LOAD_DIR    LOAD_BPF_FS "/pinguard"

/*
 * Watches what can be watched now, and is not yet. 0, or a negative errno with the
 * reason why nothing is. Programs of another build are replaced, and their pins
 * forgotten, or left: -EBUSY. ret_fds: in the order of PROBE_FDS, to be closed.
 */
int load_all(bool may_replace, char reason[PROBE_REASON_MAX * 2], int ret_fds[PROBE_FDS]);
/* Ends all watching, forgets the pins, and has a service start anew. 0 or a negative errno */
int load_remove(void);
/* What is watched, for people. */
int load_print(void);

#endif
