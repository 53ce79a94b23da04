/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>

#include "client/base/output.h"
#include "client/parts/pin.h"

static const char *const nullable[] = { "device",  "uid",	 "cgroup", "charged_cgroup",
					"address", "since_usec", "charged_bytes", NULL };

void fill_pin(json_t *pin)
{
	fill_null(pin, nullable);
}

char *missing_members(const json_t *pin)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (size_t i = 0; nullable[i]; i++)
		if (!json_object_get(pin, nullable[i]))
			fprintf(out, ",\"%s\":null", nullable[i]);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}
