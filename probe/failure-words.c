/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <linux/pinguard.h>
#include <stdio.h>
#include <string.h>

#include "lib/macros.h"
#include "probe/failure-words.h"

#define ACTION_PREFIX "MF_MSG_"

/* Those of mm/memory-failure.c, which its BTF does not have. */
static const struct {
	const char *name, *word;
} actions[] = {
	{ "KERNEL", "reserved kernel page" },
	{ "KERNEL_HIGH_ORDER", "high-order kernel page" },
	{ "SLAB", "kernel slab page" },
	{ "DIFFERENT_COMPOUND", "different compound page after locking" },
	{ "HUGE", "huge page" },
	{ "FREE_HUGE", "free huge page" },
	{ "GET_HWPOISON", "get hwpoison page" },
	{ "UNMAP_FAILED", "unmapping failed page" },
	{ "DIRTY_SWAPCACHE", "dirty swapcache page" },
	{ "CLEAN_SWAPCACHE", "clean swapcache page" },
	{ "DIRTY_MLOCKED_LRU", "dirty mlocked LRU page" },
	{ "CLEAN_MLOCKED_LRU", "clean mlocked LRU page" },
	{ "DIRTY_UNEVICTABLE_LRU", "dirty unevictable LRU page" },
	{ "CLEAN_UNEVICTABLE_LRU", "clean unevictable LRU page" },
	{ "DIRTY_LRU", "dirty LRU page" },
	{ "CLEAN_LRU", "clean LRU page" },
	{ "TRUNCATED_LRU", "already truncated LRU page" },
	{ "BUDDY", "free buddy page" },
	{ "DAX", "dax page" },
	{ "UNSPLIT_THP", "unsplit thp" },
	{ "ALREADY_POISONED", "already poisoned page" },
	{ "UNKNOWN", "unknown page" },
};

static const struct {
	const char *name;
	__u32 result;
} results[] = {
	{ "MF_IGNORED", PINGUARD_FAILURE_RESULT_IGNORED },
	{ "MF_FAILED", PINGUARD_FAILURE_RESULT_FAILED },
	{ "MF_DELAYED", PINGUARD_FAILURE_RESULT_DELAYED },
	{ "MF_RECOVERED", PINGUARD_FAILURE_RESULT_RECOVERED },
};

/* What a newer kernel has is told by its name there: "MF_MSG_NEW_ONE" is "new one". */
static void set_action(char *action, const char *name)
{
	if (strncmp(name, ACTION_PREFIX, strlen(ACTION_PREFIX)) == 0)
		name += strlen(ACTION_PREFIX);
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (strcmp(actions[i].name, name) == 0) {
			snprintf(action, PROBE_ACTION_MAX, "%s", actions[i].word);
			return;
		}
	}
	snprintf(action, PROBE_ACTION_MAX, "%s", name);
	for (char *c = action; *c; c++)
		*c = *c == '_' ? ' ' : (char)tolower((unsigned char)*c);
}

static __u32 find_result(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(results); i++)
		if (strcmp(results[i].name, name) == 0)
			return results[i].result;
	return PINGUARD_FAILURE_RESULT_FAILED;
}

static const struct btf_enum *find_enum(const struct btf *btf, const char *name, __u16 *ret_n)
{
	const __s32 id = btf__find_by_name_kind(btf, name, BTF_KIND_ENUM);
	const struct btf_type *type = id < 0 ? NULL : btf__type_by_id(btf, id);

	*ret_n = type ? btf_vlen(type) : 0;
	return type ? btf_enum(type) : NULL;
}

static const char *value_name(const struct btf *btf, const struct btf_enum *value)
{
	return btf__name_by_offset(btf, value->name_off) ?: "";
}

void failure_words_find(const struct btf *btf, struct failure_words *ret)
{
	const struct btf_enum *values;
	__u16 n;

	for (size_t i = 0; i < FAILURE_WORDS_MAX; i++)
		set_action(ret->actions[i], ACTION_PREFIX "UNKNOWN");
	for (size_t i = 0; i < FAILURE_RESULTS_MAX; i++)
		ret->results[i] = PINGUARD_FAILURE_RESULT_FAILED;
	values = find_enum(btf, "mf_action_page_type", &n);
	for (__u16 i = 0; i < n; i++)
		if (values[i].val >= 0 && values[i].val < FAILURE_WORDS_MAX)
			set_action(ret->actions[values[i].val], value_name(btf, &values[i]));
	values = find_enum(btf, "mf_result", &n);
	for (__u16 i = 0; i < n; i++)
		if (values[i].val >= 0 && values[i].val < FAILURE_RESULTS_MAX)
			ret->results[values[i].val] = find_result(value_name(btf, &values[i]));
}
