/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "client/base/output.h"
#include "client/parts/pin.h"
#include "lib/json.h"

void fill_pin(json_t *pin)
{
	static const char *const nullable[] = { "device",  "uid",	 "cgroup", "charged_cgroup",
						"address", "since_usec", NULL };

	fill_null(pin, nullable);
}

void mark_gone_makers(json_t *pins)
{
	json_t *pin;
	size_t i;

	json_array_foreach (pins, i, pin)
		if (json_get_bool(pin, "owner_gone", false))
			(void)json_object_set_new(pin, "comm",
						  json_sprintf("%s (gone)",
							       json_get_string(pin, "comm", "?")));
}
