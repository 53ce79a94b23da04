/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The door of daemon/varlink/: sockets, connections and calls of varlink.
 *
 * Transport, limits, who is at the other end, and dispatch by a table that is
 * handed to server_new(). It knows no method but those of org.varlink.service,
 * and nothing of pins, cgroups or the kernel: what a call is about, who may see
 * what of it, and the texts of interfaces are its users'.
 */
#ifndef PINGUARD_VARLINK_DOOR_H
#define PINGUARD_VARLINK_DOOR_H

#include "daemon/varlink/peer.h"
#include "daemon/varlink/server.h"

#endif
