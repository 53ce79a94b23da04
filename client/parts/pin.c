/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "client/base/output.h"
#include "client/parts/pin.h"

void fill_pin(json_t *pin)
{
	static const char *const nullable[] = { "device",  "uid",	 "cgroup", "charged_cgroup",
						"address", "since_usec", NULL };

	fill_null(pin, nullable);
}
