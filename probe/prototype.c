/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "probe/prototype.h"

/* The structure that something points to, by whatever way; "" for anything else. */
static const char *structure_name(const struct btf *btf, __u32 id)
{
	const struct btf_type *type = btf__type_by_id(btf, id);
	bool is_pointer = false;

	while (type && (btf_is_ptr(type) || btf_is_mod(type) || btf_is_typedef(type))) {
		is_pointer |= btf_is_ptr(type);
		type = btf__type_by_id(btf, type->type);
	}
	if (!type || !is_pointer || !(btf_is_struct(type) || btf_is_fwd(type)))
		return "";
	return btf__name_by_offset(btf, type->name_off) ?: "";
}

bool prototype_is_tracepoint(const struct hook *hook)
{
	return strncmp(hook->function, HOOK_TRACEPOINT, strlen(HOOK_TRACEPOINT)) == 0;
}

/* Of a tracepoint there is a name for a pointer to a function. */
static const struct btf_type *find_prototype(const struct btf *btf, const struct hook *hook)
{
	const bool is_tracepoint = prototype_is_tracepoint(hook);
	const __s32 id = btf__find_by_name_kind(btf, hook->function,
						is_tracepoint ? BTF_KIND_TYPEDEF : BTF_KIND_FUNC);
	const struct btf_type *type = id < 0 ? NULL : btf__type_by_id(btf, id);

	if (type && is_tracepoint) {
		type = btf__type_by_id(btf, type->type);
		if (!type || !btf_is_ptr(type))
			return NULL;
	}
	return type ? btf__type_by_id(btf, type->type) : NULL;
}

int prototype_check(const struct btf *btf, const struct hook *hook)
{
	const struct btf_type *prototype = find_prototype(btf, hook);
	const struct btf_param *params;
	size_t i;

	if (!prototype || !btf_is_func_proto(prototype))
		return -ENOENT;
	if (strcmp(structure_name(btf, prototype->type), hook->types[0]) != 0)
		return -EPROTO;
	params = btf_params(prototype);
	for (i = 0; i < btf_vlen(prototype); i++)
		if (i + 1 >= HOOK_TYPES_MAX || !hook->types[i + 1] ||
		    strcmp(structure_name(btf, params[i].type), hook->types[i + 1]) != 0)
			return -EPROTO;
	return i + 1 < HOOK_TYPES_MAX && hook->types[i + 1] ? -EPROTO : 0;
}
