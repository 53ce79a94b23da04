/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where pins come from: a kernel that tells of each of them; eBPF programs that see
 * them come and go on any other; or what that one lets one see without. Whoever is
 * above does not know which it is, but where it asks the kernel for what only the
 * first one has.
 */
#ifndef PINGUARD_KERNEL_SOURCE_H
#define PINGUARD_KERNEL_SOURCE_H

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "daemon/kernel/genl.h"
#include "daemon/kernel/listener.h"
#include "daemon/kernel/observe.h"
#include "daemon/kernel/probe.h"
#include "lib/macros.h"

struct source;

struct source_config {
	const char *proc; /* "/proc" */
	const char *sys; /* "/sys" */
	const char *probe_socket; /* of the loader of eBPF programs; NULL: without them */
	bool limits; /* that these shall keep limits of cgroups */
	int rcvbuf_bytes; /* 0 for the default */
	/* Outlives the source. Called from the loop, begin() from within source_new(), too. */
	const struct source_listener *listener;
	/* The id of a cgroup whose raw path is known; 0 where there is none. */
	uint64_t (*cgroup_id)(const char *path, void *userdata);
	/* As probe_config has it; may be NULL. */
	int (*limited)(void *userdata);
	void *userdata;
};

/* The best one that this kernel allows. What is missing is logged. 0 or a negative errno */
int source_new(sd_event *event, const struct source_config *config, struct source **ret);
struct source *source_free(struct source *s);
DEFINE_CLEANUP(struct source *, source_free);

/* Whether the list of pins is what the kernel says now. */
bool source_ready(const struct source *s);
/* 1: what has been told is fresh; 0: the listener's end() will be called; a negative errno */
int source_refresh(struct source *s);
unsigned int source_n_resyncs(const struct source *s);

/* Whether pins are only looked at now and then, and nobody says when one goes. */
bool source_observes(const struct source *s);
/* Why the kernel does not tell; NULL where it does. */
const char *source_reason(const struct source *s);
/* Why it is observed, and what is not seen even so, as of the last end(), which may free it. */
const char *source_caveats(const struct source *s);
/* "kernel", "probe", "proc" */
const char *source_name(const struct source *s);
/* NULL but for the second. */
const struct probe *source_probe(const struct source *s);
/*
 * Whether eBPF programs shall keep limits of cgroups; nothing where the kernel tells
 * of pins. 0 or an error that is final
 */
int source_wish_limits(struct source *s, bool wish);
/* Whether processes of others could not be read then, so that what they pin is not known. */
bool source_is_blind(const struct source *s);
/* Processes with pinned or locked memory, as of the last end(); none where it does not observe. */
const struct observe_process *source_processes(const struct source *s, size_t *ret_n);

/* Whether somebody tells of memory that fails. */
bool source_tells_failures(const struct source *s);

/* For questions that only such a kernel answers; NULL for another. */
struct genl *source_genl(const struct source *s);
uint64_t source_features(const struct source *s); /* PINGUARD_FEATURE_* */

#endif
