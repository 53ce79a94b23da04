/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The service's state, and what ties sources, registry and server together. */
#ifndef PINGUARD_MANAGER_H
#define PINGUARD_MANAGER_H

#include <systemd/sd-event.h>

#include "daemon/cgroup/cgroups.h"
#include "daemon/devices/devices.h"
#include "daemon/model/events.h"
#include "daemon/kernel/source.h"
#include "daemon/varlink/server.h"
#include "daemon/kernel/support.h"

#define MANAGER_READY_TIMEOUT_USEC (5 * 1000000ULL)

struct waiter;
struct monitor;
struct listing;
struct inquiry;
struct drain;
struct triggers;
struct callers;
struct owners;
struct releases;
struct follower;

struct manager {
	sd_event *event;
	struct registry *registry;
	struct events *events;
	struct cgroups *cgroups; /* what is set and counted there */
	struct source *source; /* where pins come from */
	struct devices *devices; /* that have memory, or pin it */
	struct inquiry *inquiries; /* calls that wait to hear who holds memory */
	struct drain *drains; /* under way */
	const char *config_file;
	uint64_t marks_usec; /* no owner loses its mark before */
	struct server *server;

	struct owners *owners; /* that are registered */
	struct releases *releases; /* NULL while the service stops */
	struct triggers *triggers; /* start them by themselves */
	struct callers *requesters; /* of them that are no administrators */
	struct follower *followers; /* of them */

	struct waiter *waiters;
	struct monitor *monitors;
	struct listing *listings;

	sd_event_source *settle_source, *status_source, *marks_source;
	sd_event_source *resynced_source; /* of the releases */
	char *status; /* as written last, at status_usec */
	uint64_t status_usec;
	unsigned int told_resyncs;
	size_t trim_at;
};

struct manager_config {
	const char *state_dir; /* NULL for none */
	const char *proc;
	const char *sys;
	const char *config_file;
	const char *boot_id; /* of this start of the machine; NULL: proc says it */
	int rcvbuf_bytes; /* 0 for the default */
};

int manager_new(const struct manager_config *config, struct manager **ret);
struct manager *manager_free(struct manager *m);
DEFINE_CLEANUP(struct manager *, manager_free);
/* Files that the service manager opened, -1 for none; not closed. */
void manager_set_proc(struct manager *m, int iomem_fd, int kpageflags_fd);
/* Until a signal to stop; 0 or a negative errno. */
int manager_run(struct manager *m);
/* The listening sockets: from the service manager, or one of its own. */
int manager_listen(struct manager *m, int n_fds, const char *path);

/* Good until the manager changes. */
struct support manager_support(const struct manager *m);
/* Whether the registry is what the kernel says now. */
bool manager_ready(const struct manager *m);
/*
 * Calls done as soon as the registry can be trusted, from within if it can
 * already; or with ready false when that takes too long. In observe mode it
 * is read anew for that. The call's client may go meanwhile: done does not
 * come then.
 */
typedef int (*manager_waiter)(struct manager *m, struct call *call, bool ready, json_t *params);
int manager_wait_ready(struct manager *m, struct call *call, json_t *params, manager_waiter done);
/* Those that have what they wait for, one each turn: from anywhere. */
int waiters_settle(struct manager *m);
void waiters_free(struct manager *m);

/* The line that systemctl status shows will be written anew. */
void manager_status_changed(struct manager *m);

#endif
