/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pins that eBPF programs see on a kernel without the patches: exact from when the
 * programs were loaded, and for the kinds that they watch. They and what they know
 * outlive the service. What changes comes by a ring; after any loss the pins are
 * read anew. More programs are asked for when modules come that they are for.
 */
#ifndef PINGUARD_KERNEL_PROBE_H
#define PINGUARD_KERNEL_PROBE_H

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "daemon/kernel/listener.h"
#include "daemon/kernel/probe-groups.h"
#include "lib/macros.h"
#include "lib/probe-layout.h"

struct probe;

struct probe_config {
	const char *socket; /* of the loader */
	bool limits; /* it shall keep those of cgroups, too */
	const struct source_listener *listener; /* outlives the probe, as all of this */
	/*
	 * It cannot be, for now: called in place of the first list, each time that is tried
	 * in vain. watching: it can after all, and a list follows.
	 */
	int (*failed)(const char *reason, void *userdata);
	void (*watching)(void *userdata);
	/* Limits are kept from now on, or not any more; NULL where nobody wants to know. */
	int (*limited)(void *userdata);
	void *failed_userdata;
	void *userdata;
};

/* What is watched of a kind. */
struct probe_watch {
	uint64_t since_usec; /* CLOCK_REALTIME; 0: it is not */
	char reason[PROBE_REASON_MAX]; /* then, why */
	char before[PROBE_REASON_MAX]; /* where it is, why pins from before are not known, or "" */
	enum probe_enforced enforced; /* what keeps limits */
	char limit_reason[PROBE_REASON_MAX]; /* why nothing does; "" where nobody wished that */
};

/* -ENOENT: there is no loader; or another negative errno */
int probe_new(sd_event *event, const struct probe_config *config, struct probe **ret);
struct probe *probe_free(struct probe *p);
DEFINE_CLEANUP(struct probe *, probe_free);

/* Has the loader watch what can be watched by now, as when a module comes. 0 or an error that is final */
int probe_ask(struct probe *p);
/* Has the loader keep limits of cgroups from now on, or none. Likewise */
int probe_wish_limits(struct probe *p, bool wish);
/* Whether limits of any kind of pins are kept. */
bool probe_is_limited(const struct probe *p);
/* Why not, though that is wished; NULL for no reason. */
const char *probe_why_unlimited(const struct probe *p);
/* Where the limits are; to be asked only while it is limited. */
struct probe_groups probe_groups(const struct probe *p);
bool probe_ready(const struct probe *p);
unsigned int probe_n_resyncs(const struct probe *p);
/* CLOCK_REALTIME when CLOCK_BOOTTIME was 0, as the times of pins are told by it. */
uint64_t probe_boot_usec(const struct probe *p);
/* kind: PINGUARD_KIND_*, or PROBE_KIND_FAILURE */
struct probe_watch probe_watches(const struct probe *p, uint32_t kind);
/* Pins that were too many to be listed, since the programs were loaded. */
uint64_t probe_unlisted(const struct probe *p);
/* Pins of which the sums of cgroups do not know, so that limits do not hold for them. */
uint64_t probe_ungrouped(const struct probe *p);

#endif
