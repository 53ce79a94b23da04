/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_DEVICES_DEVICES_INTERNAL_H
#define PINGUARD_DEVICES_DEVICES_INTERNAL_H

#include "daemon/devices/devices.h"

struct devices {
	struct devices_config config;
	struct inventory *inventory;
	struct renames *renames; /* NULL before it has been started */
	sd_event_source *settle;
	bool wanted; /* somebody has asked for it since the start */
};

/* Once its configuration and its inventory are there. */
int devices_start_renames(struct devices *d);

#endif
