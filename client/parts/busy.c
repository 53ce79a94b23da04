/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "client/base/output.h"
#include "client/base/pinctl.h"
#include "client/parts/busy.h"
#include "lib/json.h"

static const struct kind {
	const char *class, *text;
	bool may_move;
} kinds[] = {
	{ "slab", "slab" },
	{ "page_tables", "page tables" },
	{ "reserved", "reserved since boot" },
	{ "kernel", "other kernel memory" },
	{ "hugetlb", "hugetlb", true },
	{ "unevictable", "locked or pinned", true },
	{ "offline", "given to a hypervisor", true },
};

/* What this one does not know is told in the service's word. */
static struct kind kind_of(const json_t *entry)
{
	const char *class = json_get_string(entry, "class", "?");

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i].class, class) == 0)
			return kinds[i];
	return (struct kind){ class, class, true };
}

static bool add_kinds(FILE *out, const struct pinctl *ctl, const json_t *busy, bool may_move,
		      const char *head)
{
	const char *separator = head;
	char size[FORMAT_SIZE_LEN];
	const json_t *entry;
	size_t i;

	json_array_foreach (busy, i, entry) {
		const struct kind kind = kind_of(entry);

		if (kind.may_move != may_move)
			continue;
		fprintf(out, "%s%s %s", separator,
			show_size(ctl, size, (uint64_t)json_get_int(entry, "bytes", 0)), kind.text);
		separator = ", ";
	}
	return separator != head;
}

char *format_busy(const struct pinctl *ctl, const json_t *busy)
{
	char *text = NULL;
	size_t size;
	FILE *out;
	bool any;

	if (json_array_size(busy) == 0)
		return NULL;
	out = open_memstream(&text, &size);
	if (!out)
		return NULL;
	any = add_kinds(out, ctl, busy, false, "not movable: ");
	(void)add_kinds(out, ctl, busy, true, any ? "; may not move: " : "may not move: ");
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}
