/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The door of daemon/base: what every part of the service stands on, turns of
 * the loop, files in the state directory, configuration, how often who may
 * call, ids of log messages. It knows nothing of pins.
 */
#ifndef PINGUARD_BASE_DOOR_H
#define PINGUARD_BASE_DOOR_H

#include "daemon/base/callers.h"
#include "daemon/base/conf-files.h"
#include "daemon/base/config.h"
#include "daemon/base/ini.h"
#include "daemon/base/messages.h"
#include "daemon/base/store.h"
#include "daemon/base/turn.h"

#endif
