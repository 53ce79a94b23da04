/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Start, reload and stop of the service. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <systemd/sd-daemon.h>

#include "daemon/base/base.h"
#include "daemon/manager/methods.h"
#include "daemon/manager/left.h"
#include "daemon/manager/unattributed.h"
#include "lib/clock.h"
#include "lib/log.h"

static uint64_t cgroup_id(const char *path, void *userdata)
{
	struct manager *m = userdata;
	struct cgroupfs *fs = cgroups_fs(m->cgroups);
	struct cgroup_node *node;

	return fs && cgroupfs_resolve_path(fs, path, &node) >= 0 ? node->id : 0;
}

/* They are told when all of it is read. */
static void ignore_problem(const char *file, unsigned int line, const char *text, void *userdata)
{
}

static int start_source(struct manager *m, const struct manager_config *config)
{
	_cleanup_(config_done) struct config file = {};
	int r = config_load(m->config_file, ignore_problem, NULL, &file);
	const struct source_config source = {
		.limits = file.limits,
		.limited = manager_limited,
		.proc = config->proc,
		.sys = config->sys,
		.probe_socket = config->probe_socket,
		.rcvbuf_bytes = config->rcvbuf_bytes,
		.listener = &manager_listener,
		.cgroup_id = cgroup_id,
		.userdata = m,
	};

	return r < 0 ? r : source_new(m->event, &source, &m->source);
}

static void on_declared(void *userdata)
{
	struct manager *m = userdata;

	if (m->triggers)
		triggers_quotas_raised(m->triggers);
}

static int start_cgroups(struct manager *m, const struct manager_config *config)
{
	const struct cgroups_config cgroups = {
		.state_dir = config->state_dir,
		.registry = m->registry,
		.genl = source_genl(m->source),
		.quota_dirs = config->quota_dirs,
		.declared = on_declared,
		.userdata = m,
	};

	return cgroups_new(m->event, &cgroups, &m->cgroups);
}

static bool at_rest(void *userdata)
{
	struct manager *m = userdata;

	return triggers_n_revokes(m->triggers) == 0;
}

static int start_devices(struct manager *m, const struct manager_config *config)
{
	const struct devices_config devices = {
		.sys = config->sys,
		.source = m->source,
		.at_rest = at_rest,
		.state_dir = config->state_dir,
		.boot_id = config->boot_id,
		.renamed = feed_renamed,
		.userdata = m,
	};

	return devices_new(m->event, &devices, &m->devices);
}

void manager_set_proc(struct manager *m, int iomem_fd, int kpageflags_fd)
{
	devices_set_proc(m->devices, iomem_fd, kpageflags_fd);
}

static void set_revoke(struct manager *m, const struct config *config)
{
	struct genl *genl = source_genl(m->source);
	int r;

	if (!(source_features(m->source) & GENL_FRAME_FEATURES))
		return;
	r = genl_set_revoke(genl, config->revoke_mode, config->revoke_timeout_usec);
	if (r < 0)
		log_warning_errno(r, "cannot tell the kernel to wait for owners: %s: %m",
				  genl_refusal(genl) ?: "no reason");
}

/* An unknown file, or none, says the defaults. */
static int configure(struct manager *m)
{
	_cleanup_(config_done) struct config config = {};
	int r = config_load(m->config_file, NULL, NULL, &config);

	if (r < 0)
		return r;
	set_revoke(m, &config);
	r = source_wish_limits(m->source, config.limits);
	if (r < 0)
		return r;
	return cgroups_set_enabled(m->cgroups, config.enable);
}

static int on_reloaded(void *userdata)
{
	struct manager *m = userdata;

	triggers_quotas_declared(m->triggers);
	status_line_changed(m);
	log_info("reloaded: quotas applied again");
	(void)sd_notify(false, "READY=1");
	return 0;
}

static int on_hangup(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata)
{
	struct manager *m = userdata;
	int r;

	(void)sd_notifyf(false, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
			 clock_usec(CLOCK_MONOTONIC));
	r = configure(m);
	if (r < 0)
		log_warning_errno(r, "cannot read the configuration again: %m");
	releases_load_ladders(m->releases, NULL);
	return cgroups_reload(m->cgroups, on_reloaded, m);
}

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata)
{
	return sd_event_exit(sd_event_source_get_event(source), 0);
}

static int add_signal(struct manager *m, int number, sd_event_signal_handler_t handler,
		      const char *description)
{
	sd_event_source *source;
	int r = sd_event_add_signal(m->event, &source, number, handler, m);

	if (r < 0)
		return r;
	(void)sd_event_source_set_description(source, description);
	/* as long as the loop */
	r = sd_event_source_set_floating(source, true);
	sd_event_source_unref(source);
	return r;
}

static int add_signals(struct manager *m)
{
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return -errno;
	r = add_signal(m, SIGTERM, on_stop, "signal-terminate");
	if (r >= 0)
		r = add_signal(m, SIGINT, on_stop, "signal-interrupt");
	if (r >= 0)
		r = add_signal(m, SIGHUP, on_hangup, "signal-hangup");
	return r;
}

static int add_sources(struct manager *m)
{
	int r;

	r = sd_event_set_watchdog(m->event, true);
	if (r < 0)
		return r;
	r = add_signals(m);
	if (r < 0)
		return r;
	return status_line_init(m);
}

static int start_triggers(struct manager *m, const struct manager_config *config)
{
	const struct triggers_config triggers = {
		.registry = m->registry,
		.events = m->events,
		.source = m->source,
		.walks = m->walks,
		.cgroups = m->cgroups,
		.devices = m->devices,
		.owners = m->owners,
		.releases = m->releases,
		.state_dir = config->state_dir,
		.proc = config->proc,
		.boot_id = config->boot_id,
	};

	return triggers_new(m->event, &triggers, &m->triggers);
}

int manager_new(const struct manager_config *config, struct manager **ret)
{
	_cleanup_(manager_freep) struct manager *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return -ENOMEM;
	m->config_file = config->config_file;
	m->proc = config->proc;
	m->sys = config->sys;
	r = sd_event_new(&m->event);
	if (r < 0)
		return log_error_errno(r, "cannot make an event loop: %m");
	m->registry = registry_new();
	m->events = events_new(loop_usec(m->event, CLOCK_REALTIME));
	if (!m->registry || !m->events)
		return -ENOMEM;
	r = add_sources(m);
	if (r < 0)
		return log_error_errno(r, "cannot fill the event loop: %m");
	r = start_source(m, config);
	if (r >= 0)
		r = start_cgroups(m, config);
	if (r >= 0)
		r = start_devices(m, config);
	if (r >= 0)
		r = openers_new(m->event, config->proc, &m->openers);
	if (r >= 0)
		r = walks_new(m->event, config->proc, m->registry, m->source, &m->walks);
	if (r >= 0)
		r = makers_new(config->proc, source_genl(m->source), &m->makers);
	if (r < 0)
		return r;
	r = requests_new(m);
	if (r < 0)
		return log_error_errno(r, "cannot take requests to release pins: %m");
	r = start_triggers(m, config);
	if (r < 0)
		return r;
	r = unattributed_new(m, config->proc, &m->unattributed);
	if (r >= 0 && !source_genl(m->source))
		r = left_new(m, config->proc, &m->left);
	if (r < 0)
		return log_error_errno(r, "cannot read %s: %m", config->proc);
	r = methods_server_new(m, &m->server);
	if (r < 0)
		return log_error_errno(r, "cannot make the control socket's server: %m");
	*ret = TAKE_PTR(m);
	return 0;
}

int manager_listen(struct manager *m, int n_fds, const char *path)
{
	int i, r;

	for (i = 0; i < n_fds; i++) {
		r = server_listen_fd(m->server, SD_LISTEN_FDS_START + i);
		if (r < 0)
			return log_error_errno(r, "the socket passed as file descriptor %d is no "
					       "listening Unix stream socket: %m",
					       SD_LISTEN_FDS_START + i);
	}
	if (n_fds > 0)
		return 0;
	r = server_listen_path(m->server, path);
	if (r == -EADDRINUSE)
		log_error("another service answers at %s", path);
	else if (r == -EEXIST)
		log_error("%s exists and is no socket", path);
	else if (r < 0)
		log_error_errno(r, "cannot listen at %s: %m", path);
	return r;
}

int manager_run(struct manager *m)
{
	int r;

	/* Only now: while there might be another service it is that one's business. */
	r = configure(m);
	if (r >= 0)
		r = cgroups_start(m->cgroups);
	if (r < 0)
		return r;
	(void)sd_notify(false, "READY=1");
	status_line_write(m);
	r = sd_event_loop(m->event);
	(void)sd_notify(false, "STOPPING=1");
	if (r < 0)
		log_error_errno(r, "stopped by an error: %m");
	return r;
}

struct manager *manager_free(struct manager *m)
{
	if (!m)
		return NULL;
	/* Owners whose connections end with the server's have not lapsed. */
	if (m->owners)
		owners_stop(m->owners);
	drains_free(m);
	triggers_free(m->triggers);
	releases_free(m->releases);
	/* Clients see the connection end, and calls under way are dropped. */
	server_free(m->server);
	unattributed_free(m->unattributed);
	left_free(m->left);
	openers_free(m->openers);
	walks_free(m->walks);
	makers_free(m->makers);
	sd_event_source_disable_unref(m->calls.settle);
	callers_free(m->calls.lookups);
	owners_free(m->owners);
	feed_done(m);
	devices_free(m->devices);
	events_free(m->events);
	cgroups_free(m->cgroups);
	source_free(m->source);
	registry_free(m->registry);
	status_line_done(m);
	sd_event_unref(m->event);
	free(m);
	return NULL;
}
