/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The door of daemon/release: requests to release pins, and the owners that are
 * registered and asked. It takes the steps of ladders, and says what comes of them.
 *
 * It knows no method of org.pinguard.Manager, and takes no step because of why a
 * request is made. It does no I/O of its own but to look at the processes behind
 * pins, below /proc and by their pidfds, and to answer the owners' calls: what is
 * pinned the registry knows, the kernel is asked through the configuration's look()
 * and told who is registered, and what is done to a process daemon/ladder does.
 */
#ifndef PINGUARD_RELEASE_DOOR_H
#define PINGUARD_RELEASE_DOOR_H

#include "daemon/release/owners.h"
#include "daemon/release/request.h"

#endif
