/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Limits that eBPF programs keep, in place of the misc controller. */
#include <errno.h>

#include "daemon/base/base.h"
#include "daemon/manager/internal.h"
#include "daemon/model/model.h"
#include "lib/json.h"
#include "lib/log.h"

static void read_limit(uint64_t id, struct cgroup_misc *ret, void *userdata)
{
	struct manager *m = userdata;
	struct probe_groups groups;

	if (!source_probe(m->source))
		return;
	groups = probe_groups(source_probe(m->source));
	ret->current_bytes = probe_groups_current(&groups, id);
	ret->max_bytes = probe_groups_max(&groups, id);
	ret->denied = probe_groups_denied(&groups, id);
}

/* Those of cgroups that are gone take up room, and no id comes again. */
static void drop_gone(struct manager *m, const struct probe_groups *groups)
{
	struct cgroup_node *node;
	uint64_t id, next;

	for (id = probe_groups_next(groups, 0); id; id = next) {
		next = probe_groups_next(groups, id);
		if (cgroupfs_resolve(cgroups_fs(m->cgroups), id, &node) >= 0 && node->removed)
			(void)probe_groups_set_max(groups, id, UINT64_MAX);
	}
}

static int set_limit(uint64_t id, uint64_t max_bytes, void *userdata)
{
	struct manager *m = userdata;
	struct probe_groups groups;
	int r;

	if (!source_probe(m->source))
		return -EOPNOTSUPP;
	groups = probe_groups(source_probe(m->source));
	r = probe_groups_set_max(&groups, id, max_bytes);
	if (r != -ENOSPC)
		return r;
	drop_gone(m, &groups);
	r = probe_groups_set_max(&groups, id, max_bytes);
	if (r == -ENOSPC)
		log_warning("there is no room for another limit that eBPF programs keep");
	return r;
}

int manager_limited(void *userdata)
{
	struct manager *m = userdata;
	const struct probe *probe = source_probe(m->source);
	const struct cgroup_counter counter = {
		.read = read_limit,
		.set_max = set_limit,
		.depth_max = PROBE_LEVELS_MAX,
		.userdata = m,
	};
	const bool limited = probe && probe_is_limited(probe);
	struct probe_groups groups;

	if (!m->cgroups || !cgroups_fs(m->cgroups))
		return 0;
	log_notice("limits of cgroups are %s eBPF programs", limited ? "kept by" : "not kept by");
	if (limited) {
		groups = probe_groups(probe);
		drop_gone(m, &groups);
	}
	status_line_changed(m);
	return cgroups_set_counter(m->cgroups, limited ? &counter : NULL);
}

static const char *enforced_by(const struct manager *m, uint32_t kind)
{
	const struct probe *probe = source_probe(m->source);

	if (!cgroups_count(m->cgroups))
		return "nothing";
	if (!probe)
		return "kernel";
	switch (probe_watches(probe, kind).enforced) {
	case PROBE_ENFORCED_LSM:
		return "lsm";
	case PROBE_ENFORCED_RLIMIT:
		return "rlimit";
	default:
		return "nothing";
	}
}

json_t *manager_enforced_json(const struct manager *m)
{
	const struct probe *probe = source_probe(m->source);
	_cleanup_json_ json_t *array = json_array();

	for (uint32_t kind = PINGUARD_KIND_RDMA; array && kind <= PINGUARD_KIND_UDMABUF; kind++) {
		const char *by = enforced_by(m, kind);
		struct probe_watch watch = {};

		if (probe && strcmp(by, "nothing") == 0)
			watch = probe_watches(probe, kind);
		if (json_array_append_new(array, json_pack("{s:s, s:s, s:o}",
				"kind", render_kind(kind), "enforced_by", by,
				"reason", *watch.limit_reason ? json_string(watch.limit_reason) :
								json_null())) < 0)
			return NULL;
	}
	return TAKE_PTR(array);
}

const char *manager_enforcer(const struct manager *m)
{
	if (!cgroups_count(m->cgroups))
		return "nothing";
	return source_probe(m->source) ? "lsm" : "kernel";
}
