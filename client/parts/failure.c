/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/parts/failure.h"
#include "lib/json.h"

#define OWNERS_NAMED 3

char *failure_owners(const json_t *failure)
{
	_cleanup_json_ json_t *seen = json_object();
	int64_t others = json_get_int(failure, "owners_omitted", 0);
	const json_t *owner;
	char *text = NULL, pid[24];
	size_t i, size, named = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	json_array_foreach (json_object_get(failure, "owners"), i, owner) {
		snprintf(pid, sizeof(pid), "%" PRId64, json_get_int(owner, "pid", 0));
		if (json_object_get(seen, pid))
			continue;
		(void)json_object_set_new(seen, pid, json_true());
		if (named == OWNERS_NAMED) {
			others++;
			continue;
		}
		fprintf(out, "%s%s[%s]%s", named++ ? ", " : "", json_get_string(owner, "comm", "?"),
			pid, strcmp(json_get_string(owner, "test", ""), "maybe") ? "" : "?");
	}
	if (others > 0)
		fprintf(out, "%s+%" PRId64, named ? " " : "", others);
	if (fclose(out) == 0 && size > 0)
		return text;
	free(text);
	return NULL;
}
