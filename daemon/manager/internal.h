/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of the manager alone. */
#ifndef PINGUARD_MANAGER_INTERNAL_H
#define PINGUARD_MANAGER_INTERNAL_H

#include "daemon/cgroup/cgroup.h"
#include "daemon/devices/devices.h"
#include "daemon/kernel/kernel.h"
#include "daemon/manager/manager.h"
#include "daemon/model/model.h"
#include "daemon/release/release.h"
#include "daemon/triggers/triggers.h"
#include "daemon/varlink/varlink.h"

struct waiter;
struct monitor;
struct inquiry;
struct drain;
struct summing;
struct unattributed;
struct left;
struct callers;

/* Calls that are not answered yet, by what they wait for: each list is one file's. */
struct calls {
	struct waiter *waiters; /* wait.c */
	sd_event_source *settle;
	bool held; /* left.c: those that wait for the pins wait for it, too */
	struct monitor *monitors; /* monitor.c */
	struct inquiry *inquiries; /* inquiry.c */
	struct drain *drains; /* drain.c */
	struct summing *summings; /* sum-pins.c */
	struct callers *lookups; /* access.c; NULL while there were none */
};

/* feed.c */
struct feed {
	unsigned int told_resyncs;
	size_t trim_at;
	size_t most_pins; /* since memory was given back */
	sd_event_source *resynced;
};

/* status-line.c */
struct status_line {
	sd_event_source *source;
	char *text; /* as written last, at usec */
	uint64_t usec;
};

/* What ties the parts. */
struct manager {
	sd_event *event;
	const char *config_file;
	const char *proc, *sys; /* NULL for the usual places */
	struct registry *registry; /* pins and their cgroups */
	struct events *events; /* the history */
	struct source *source; /* where pins come from */
	struct cgroups *cgroups; /* what is set and counted there */
	struct devices *devices; /* that have memory, or pin it */
	struct openers *openers; /* who has them open */
	struct walks *walks; /* whose pins hold some memory, where the kernel does not say it */
	struct makers *makers; /* of pins, whether they live */
	struct owners *owners; /* that are registered */
	struct releases *releases;
	struct triggers *triggers; /* start them by themselves */
	struct unattributed *unattributed; /* what no pin explains; NULL: nobody looks */
	struct left *left; /* whose cgroup nobody tells; NULL: nobody looks */
	struct server *server;
	struct calls calls;
	struct feed feed;
	struct status_line status;
};

/* feed.c: what the source tells, handed on to all; userdata is the manager */
extern const struct source_listener manager_listener;
void feed_done(struct manager *m);
/* Forgets cgroups that nothing refers to, once they are many: also those that were asked for. */
void feed_trim(struct manager *m);
/* The pins of a device have its new name. */
void feed_renamed(const struct rename_entry *rename, void *userdata);

/* requests.c: owners and requests, and what the history gets of them */
int requests_new(struct manager *m);

/* status-line.c: what systemctl status shows */
int status_line_init(struct manager *m);
void status_line_done(struct manager *m);
void status_line_write(struct manager *m);
/* It will be written anew. */
void status_line_changed(struct manager *m);
/* What works here; good until the manager changes. */
struct support manager_support(const struct manager *m);

/* limits.c: eBPF programs keep limits from now on, or not any more. 0 or an error that is final */
int manager_limited(void *userdata);
/* What keeps limits: of each kind of pins, NULL when out of memory; and of any of them. */
json_t *manager_enforced_json(const struct manager *m);
const char *manager_enforcer(const struct manager *m);
/* status-kernel.c: what GetStatus says of it. ready: the list of pins was. NULL: no memory */
json_t *status_kernel_json(struct manager *m, bool ready);

/*
 * wait.c: calls done as soon as the registry can be trusted, from within if it
 * can already; or with ready false when that takes too long. In observe mode it
 * is read anew for that. The call's client may go meanwhile: done does not come
 * then.
 */
typedef int (*manager_waiter)(struct manager *m, struct call *call, bool ready, json_t *params);
int manager_wait_ready(struct manager *m, struct call *call, json_t *params, manager_waiter done);
/* The same for the limits of cgroups: cgroups_noted() is what there is, late or not. */
int manager_wait_limits(struct manager *m, struct call *call, json_t *params, manager_waiter done);
/* The same for something else: done as soon as that is, or with ready false as above. */
int manager_wait_for(struct manager *m, struct call *call, json_t *params,
		     bool (*is_ready)(const struct manager *m), manager_waiter done);
/* Those that have what they wait for, one each turn: from anywhere. */
int waiters_settle(struct manager *m);

#endif
