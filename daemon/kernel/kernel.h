/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The door of daemon/kernel: where pins come from, and what else the kernel says
 * of memory and processes. A source tells one listener of pins, whichever it is;
 * a kernel with the patches can be asked more. It keeps no list of pins but
 * the one it is handed, and knows no cgroup but its id.
 */
#ifndef PINGUARD_KERNEL_DOOR_H
#define PINGUARD_KERNEL_DOOR_H

#include "daemon/kernel/busy.h"
#include "daemon/kernel/genl.h"
#include "daemon/kernel/holders.h"
#include "daemon/kernel/iomem.h"
#include "daemon/kernel/makers.h"
#include "daemon/kernel/openers.h"
#include "daemon/kernel/pinlimits.h"
#include "daemon/kernel/probe-groups.h"
#include "daemon/kernel/procfs.h"
#include "daemon/kernel/source.h"
#include "daemon/kernel/support.h"
#include "daemon/kernel/walks.h"

#endif
