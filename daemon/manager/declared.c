/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ApplyQuotas, and what lists tell of files that declare something. */
#include <errno.h>

#include "daemon/manager/answers.h"
#include "daemon/manager/methods.h"
#include "lib/json.h"

static json_t *line_json(unsigned int line)
{
	return line ? json_integer(line) : json_null();
}

json_t *source_json(const struct declaration *d)
{
	if (!d)
		return json_null();
	return json_pack("{s:s, s:i, s:o, s:o, s:o}", "file", d->file, "line", (int)d->line,
			 "max_line", line_json(d->max_line), "high_line", line_json(d->high_line),
			 "policy_line", line_json(d->policy_line));
}

static json_t *declaration_json(const struct declaration *d)
{
	json_t *match = json_array();

	for (char **p = d->patterns; match && *p; p++)
		(void)json_array_append_new(match, render_name(*p));
	return json_pack("{s:o, s:o, s:o, s:o, s:s?, s:s?}", "source", source_json(d),
			 "match", match, "max_bytes", json_bytes(d->max_bytes),
			 "high_bytes", json_bytes(d->high_bytes),
			 "policy", d->policy ? render_policy(d->policy) : NULL,
			 "count", d->count ? render_count(d->count) : NULL);
}

json_t *unmatched_json(struct manager *m)
{
	struct quotas *quotas = cgroups_quotas(m->cgroups);
	struct declarations *d = quotas ? quotas_declarations(quotas) : NULL;
	json_t *array = json_array();

	if (d)
		quotas_count_matches(quotas);
	for (size_t i = 0; array && d && i < d->n; i++)
		if (d->all[i]->n_matches == 0)
			(void)json_array_append_new(array, declaration_json(d->all[i]));
	return array;
}

const struct declaration *declared_for(struct manager *m, const char *path)
{
	struct quotas *quotas = cgroups_quotas(m->cgroups);
	struct declarations *d = quotas ? quotas_declarations(quotas) : NULL;

	return d ? declarations_match(d, path) : NULL;
}

static int apply_quotas(struct manager *m, struct call *call, bool ready, json_t *params)
{
	_cleanup_(freep) char *path = NULL, *at = NULL, *reason = NULL;
	const char *cgroup = json_get_string(params, "cgroup", "");
	_cleanup_json_ json_t *shown = NULL;
	const struct support support = manager_support(m);
	int r, answer;

	if (!cgroups_fs(m->cgroups) || !cgroups_count(m->cgroups))
		return reply_not_supported(call, support_no_quotas(&support));
	if (find_path(m, call, cgroup, &path, &answer) > 0)
		return answer;
	if (!path[1])
		return call_error(call, MANAGER_INTERFACE ".RootCgroup",
				  json_pack("{s:s}", "cgroup", cgroup));
	r = cgroups_enforce(m->cgroups, path, &at, &reason);
	if (r == 0)
		return call_reply(call, json_object());
	if (r == -ENOENT)
		return reply_no_such_cgroup(call, cgroup);
	if (r == -E2BIG)
		return reply_limit(call, "cgroups that files declare quotas for",
				   QUOTAS_DECLARED_MAX);
	if (r != -EOPNOTSUPP)
		return call_error_errno(call, r);
	shown = render_name(at);
	return call_error(call, MANAGER_INTERFACE ".QuotaNotPossible",
			  json_pack("{s:O, s:s}", "cgroup", shown, "reason",
				    reason ?: "the misc controller is off in its parent"));
}

int method_apply_quotas(struct call *call, json_t *params, void *userdata)
{
	struct manager *m = userdata;

	/* With eBPF programs limits come with the list of pins. */
	if (!source_genl(m->source) && !source_ready(m->source))
		return manager_wait_ready(m, call, params, apply_quotas);
	return apply_quotas(m, call, true, params);
}
