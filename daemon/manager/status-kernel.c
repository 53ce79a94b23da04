/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What GetStatus says of the kernel. */
#include <string.h>
#include <sys/utsname.h>

#include "daemon/base/base.h"
#include "daemon/manager/internal.h"
#include "daemon/model/model.h"
#include "lib/json.h"

/* Of each kind of pins; null where it is not eBPF that watches. */
static json_t *watched_json(const struct manager *m)
{
	const struct probe *probe = source_probe(m->source);
	_cleanup_json_ json_t *array = probe ? json_array() : json_null();
	struct probe_watch watch;

	for (uint32_t kind = PINGUARD_KIND_RDMA; probe && kind <= PINGUARD_KIND_UDMABUF; kind++) {
		watch = probe_watches(probe, kind);
		if (json_array_append_new(array, json_pack("{s:s, s:o, s:o, s:o}",
				"kind", render_kind(kind),
				"since_usec", watch.since_usec ? json_bytes(watch.since_usec) :
								 json_null(),
				"reason", *watch.reason ? json_string(watch.reason) :
							  json_null(),
				"before_reason", *watch.before ? json_string(watch.before) :
								 json_null())) < 0)
			return NULL;
	}
	return TAKE_PTR(array);
}

/* Memory that fails; null where it is not eBPF that watches. */
static json_t *failures_json(const struct manager *m)
{
	const struct probe *probe = source_probe(m->source);
	struct probe_watch watch;

	if (!probe)
		return json_null();
	watch = probe_watches(probe, PROBE_KIND_FAILURE);
	return json_pack("{s:o, s:o}",
			 "since_usec", watch.since_usec ? json_bytes(watch.since_usec) : json_null(),
			 "reason", *watch.reason ? json_string(watch.reason) : json_null());
}

json_t *status_kernel_json(struct manager *m, bool ready)
{
	struct support support = manager_support(m);
	const char *reason, *no_quotas = support_no_quotas(&support);
	struct utsname un;

	support.ready = ready;
	reason = support_reason(&support);
	if (uname(&un) < 0)
		strcpy(un.release, "?");
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:s, s:b, s:o, s:o}",
			 "support", source_genl(m->source) ? "patched" : "stock",
			 "source", source_name(m->source),
			 "watched", watched_json(m),
			 "enforced", manager_enforced_json(m),
			 "failures", failures_json(m),
			 "features", render_features(source_features(m->source)),
			 "release", un.release,
			 "processes_hidden", source_is_blind(m->source),
			 "reason", reason ? json_string(reason) : json_null(),
			 "no_quotas_reason", no_quotas ? json_string(no_quotas) : json_null());
}
