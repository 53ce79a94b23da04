/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/base.h"
#include "daemon/kernel/source-internal.h"
#include "lib/log.h"

static int start_observing(struct source *s)
{
	const struct source_config *config = &s->config;
	const struct observe_config observe = {
		.reason = s->observe_reason ?: s->reason,
		.proc = config->proc,
		.sys = config->sys,
		.cgroup_id = config->cgroup_id,
		.listener = config->listener,
		.userdata = config->userdata,
	};
	int r;

	log_event(LOG_NOTICE, MESSAGE_OBSERVING, NULL, "observe mode: %s", observe.reason);
	r = observe_new(s->event, &observe, &s->observe);
	return r < 0 ? log_error_errno(r, "cannot read %s: %m", config->proc) : 0;
}

/* There are none yet. Whoever waits for the first list gets one that was looked at. */
static int on_probe_failed(const char *why, void *userdata)
{
	struct source *s = userdata;
	int r;

	if (s->observe)
		return 0;
	if (asprintf(&s->observe_reason, "%s; eBPF does not help: %s", s->reason, why) < 0) {
		s->observe_reason = NULL;
		return -ENOMEM;
	}
	r = start_observing(s);
	return r < 0 ? r : MIN(observe_refresh(s->observe), 0);
}

static void on_probe_watching(void *userdata)
{
	struct source *s = userdata;

	log_notice("pins are watched by eBPF from now on");
	s->observe = observe_free(s->observe);
	free(s->observe_reason);
	s->observe_reason = NULL;
}

static int on_limited(void *userdata)
{
	struct source *s = userdata;

	return s->config.limited ? s->config.limited(s->config.userdata) : 0;
}

static bool is_watched(const struct source *s)
{
	return s->probe && !s->observe;
}

/* Without a kernel that tells: error, or why in s->reason */
static int start_other(struct source *s, int error)
{
	const struct probe_config probe = {
		.socket = s->config.probe_socket,
		.limits = s->config.limits,
		.listener = s->config.listener,
		.failed = on_probe_failed,
		.watching = on_probe_watching,
		.limited = on_limited,
		.failed_userdata = s,
		.userdata = s->config.userdata,
	};
	int r;

	if (!s->reason &&
	    asprintf(&s->reason, "the kernel cannot be asked: %s", strerror(-error)) < 0) {
		s->reason = NULL;
		return -ENOMEM;
	}
	r = probe.socket ? probe_new(s->event, &probe, &s->probe) : -ENOENT;
	if (r == -ENOMEM || r >= 0)
		return r;
	/* Where it is not installed nobody expects it. */
	return r == -ENOENT ? start_observing(s) : on_probe_failed(strerror(-r), s);
}

int source_new(sd_event *event, const struct source_config *config, struct source **ret)
{
	const struct genl_config genl = {
		.rcvbuf_bytes = config->rcvbuf_bytes,
		.listener = config->listener,
		.userdata = config->userdata,
	};
	_cleanup_(source_freep) struct source *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->event = sd_event_ref(event);
	s->config = *config;
	r = genl_new(event, &genl, &s->genl, &s->reason);
	if (r < 0 && r != -ENOMEM)
		r = start_other(s, r);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(s);
	return 0;
}

struct source *source_free(struct source *s)
{
	if (!s)
		return NULL;
	genl_free(s->genl);
	probe_free(s->probe);
	observe_free(s->observe);
	free(s->reason);
	free(s->observe_reason);
	sd_event_unref(s->event);
	free(s);
	return NULL;
}

bool source_ready(const struct source *s)
{
	if (is_watched(s))
		return probe_ready(s->probe);
	return !s->genl || genl_state(s->genl) == GENL_SYNCED;
}

int source_refresh(struct source *s)
{
	return s->observe ? observe_refresh(s->observe) : source_ready(s);
}

unsigned int source_n_resyncs(const struct source *s)
{
	if (is_watched(s))
		return probe_n_resyncs(s->probe);
	return s->genl ? genl_n_resyncs(s->genl) : 0;
}

bool source_observes(const struct source *s)
{
	return s->observe;
}

const char *source_reason(const struct source *s)
{
	return s->reason;
}

const char *source_caveats(const struct source *s)
{
	return s->observe ? observe_reason(s->observe) : NULL;
}

const char *source_name(const struct source *s)
{
	return s->genl ? "kernel" : is_watched(s) ? "probe" : "proc";
}

const struct probe *source_probe(const struct source *s)
{
	return is_watched(s) ? s->probe : NULL;
}

int source_wish_limits(struct source *s, bool wish)
{
	return s->probe ? probe_wish_limits(s->probe, wish) : 0;
}

bool source_is_blind(const struct source *s)
{
	return s->observe && observe_is_blind(s->observe);
}

const struct observe_process *source_processes(const struct source *s, size_t *ret_n)
{
	*ret_n = 0;
	return s->observe ? observe_processes(s->observe, ret_n) : NULL;
}

struct genl *source_genl(const struct source *s)
{
	return s->genl;
}

uint64_t source_features(const struct source *s)
{
	return s->genl ? genl_features(s->genl) : 0;
}

bool source_tells_failures(const struct source *s)
{
	if (is_watched(s))
		return probe_watches(s->probe, PROBE_KIND_FAILURE).since_usec;
	return source_features(s) & PINGUARD_FEATURE_MEMORY_FAILURE;
}
