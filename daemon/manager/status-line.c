/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What works here, and the line that says so in systemctl status. */
#include <string.h>
#include <systemd/sd-daemon.h>

#include "daemon/base/base.h"
#include "daemon/manager/internal.h"

#define PAUSE_USEC (2 * 1000000ULL) /* between two lines */

struct support manager_support(const struct manager *m)
{
	struct support support = {
		.ready = source_ready(m->source),
		.no_patches = source_reason(m->source),
		.observe_caveats = source_caveats(m->source),
	};
	const struct probe *probe = source_probe(m->source);

	if (probe) {
		support.unlisted = probe_unlisted(probe);
		support.no_limits = probe_why_unlimited(probe);
		if (probe_is_limited(probe))
			support.ungrouped = probe_ungrouped(probe);
	}
	cgroups_describe(m->cgroups, &support);
	return support;
}

static int write_line(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct manager *m = userdata;
	struct status_line *line = &m->status;
	const struct support support = manager_support(m);
	struct quotas *quotas = cgroups_quotas(m->cgroups);
	char *text = support_status_line(&support, registry_count(m->registry),
					 registry_bytes(m->registry),
					 quotas ? quotas_count(quotas) : 0);

	line->usec = loop_usec(m->event, CLOCK_MONOTONIC);
	if (!text || (line->text && strcmp(text, line->text) == 0)) {
		free(text);
		return 0;
	}
	free(line->text);
	line->text = text;
	(void)sd_notifyf(false, "STATUS=%s", text);
	return 0;
}

void status_line_write(struct manager *m)
{
	(void)write_line(NULL, 0, m);
}

void status_line_changed(struct manager *m)
{
	struct status_line *line = &m->status;
	int enabled;

	if (!line->source || sd_event_source_get_enabled(line->source, &enabled) < 0 ||
	    enabled != SD_EVENT_OFF)
		return;
	(void)sd_event_source_set_time(line->source, line->usec + PAUSE_USEC);
	(void)sd_event_source_set_enabled(line->source, SD_EVENT_ONESHOT);
}

int status_line_init(struct manager *m)
{
	int r = sd_event_add_time(m->event, &m->status.source, CLOCK_MONOTONIC, 0, 0, write_line,
				  m);

	if (r < 0)
		return r;
	(void)sd_event_source_set_description(m->status.source, "status");
	return sd_event_source_set_enabled(m->status.source, SD_EVENT_OFF);
}

void status_line_done(struct manager *m)
{
	m->status.source = sd_event_source_disable_unref(m->status.source);
	free(m->status.text);
	m->status.text = NULL;
}
