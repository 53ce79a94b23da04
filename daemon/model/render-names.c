/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words for what the kernel numbers, and names that are others'. */
#include <errno.h>
#include <string.h>

#include "daemon/model/render.h"
#include "lib/json.h"

static const char *const kinds[] = {
	[PIN_KIND_UNKNOWN] = "unknown",	     [PINGUARD_KIND_RDMA] = "rdma",
	[PINGUARD_KIND_VFIO] = "vfio",	     [PINGUARD_KIND_IOMMUFD] = "iommufd",
	[PINGUARD_KIND_IO_URING] = "io_uring", [PINGUARD_KIND_XDP] = "xdp",
	[PINGUARD_KIND_VDPA] = "vdpa",	     [PINGUARD_KIND_UDMABUF] = "udmabuf",
};

static const char *const policies[] = {
	[PINGUARD_POLICY_ALLOW] = "allow",
	[PINGUARD_POLICY_REVOCABLE] = "revocable",
	[PINGUARD_POLICY_DENY] = "deny",
};

static const char *const counts[] = {
	[PINGUARD_COUNT_EACH] = "each",
	[PINGUARD_COUNT_ONCE] = "once",
};

static const char *const revoke_reasons[] = {
	[PINGUARD_REVOKE_REASON_DEVICE_REMOVAL] = "device_removal",
	[PINGUARD_REVOKE_REASON_MEMORY_OFFLINE] = "memory_offline",
};

static const char *const revoke_outcomes[] = {
	[PINGUARD_REVOKE_OUTCOME_DONE] = "done",
	[PINGUARD_REVOKE_OUTCOME_BUSY] = "busy",
	[PINGUARD_REVOKE_OUTCOME_INTERRUPTED] = "interrupted",
	[PINGUARD_REVOKE_OUTCOME_FAILED] = "failed",
};

const char *render_kind(uint32_t kind)
{
	return kind < ARRAY_SIZE(kinds) ? kinds[kind] : kinds[PIN_KIND_UNKNOWN];
}

/* The number of one of the words, of which some may be NULL. */
static int parse_word(const char *word, const char *const words[], size_t n, uint32_t *ret)
{
	for (size_t i = 0; i < n; i++) {
		if (words[i] && strcmp(word, words[i]) == 0) {
			*ret = i;
			return 0;
		}
	}
	return -EINVAL;
}

int render_parse_kind(const char *name, uint32_t *ret)
{
	return parse_word(name, kinds, ARRAY_SIZE(kinds), ret);
}

const char *render_policy(uint32_t policy)
{
	return policy < ARRAY_SIZE(policies) ? policies[policy] : NULL;
}

int render_parse_policy(const char *name, uint32_t *ret)
{
	return parse_word(name, policies, ARRAY_SIZE(policies), ret);
}

const char *render_count(uint32_t count)
{
	return count < ARRAY_SIZE(counts) ? counts[count] : NULL;
}

int render_parse_count(const char *name, uint32_t *ret)
{
	return parse_word(name, counts, ARRAY_SIZE(counts), ret);
}

const char *render_revoke_reason(uint32_t reason)
{
	return reason < ARRAY_SIZE(revoke_reasons) ? revoke_reasons[reason] : NULL;
}

const char *render_revoke_outcome(uint32_t outcome)
{
	return outcome < ARRAY_SIZE(revoke_outcomes) ? revoke_outcomes[outcome] : NULL;
}

json_t *render_features(uint64_t features)
{
	static const char *const names[] = { "rdma", "vfio", "events", "policy", "device_removal",
					     "memory_offline", "memory_failure", "once" };
	_cleanup_json_ json_t *array = json_array();

	for (size_t i = 0; array && i < ARRAY_SIZE(names); i++)
		if (features >> i & 1 && json_array_append_new(array, json_string(names[i])) < 0)
			return NULL;
	return TAKE_PTR(array);
}

json_t *render_string(const char *text)
{
	return text ? json_escaped(text, strlen(text)) : json_null();
}

json_t *render_name(const char *name)
{
	return name ? json_name(name) : json_null();
}

json_t *render_path(const struct cgroup_node *node)
{
	return render_name(node ? node->path : NULL);
}

size_t render_names_bytes(const json_t *owner)
{
	static const char *const names[] = { "comm", "cgroup", "reason" };
	size_t bytes = 0, i;
	const json_t *step, *holder;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		bytes += json_string_length(json_object_get(owner, names[i]));
	json_array_foreach (json_object_get(owner, "steps"), i, step)
		bytes += json_string_length(json_object_get(step, "name")) +
			 json_string_length(json_object_get(step, "refused"));
	json_array_foreach (json_object_get(owner, "holders"), i, holder)
		bytes += render_names_bytes(holder);
	return bytes;
}
