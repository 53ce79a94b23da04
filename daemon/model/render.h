/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pins, cgroups and events as org.pinguard.Manager shows them. No I/O. */
#ifndef PINGUARD_MODEL_RENDER_H
#define PINGUARD_MODEL_RENDER_H

#include <jansson.h>
#include <stdio.h>

#include "daemon/model/events.h"
#include "daemon/model/registry.h"

/* All return a new reference, NULL when out of memory. */
json_t *render_pin(const struct pin *pin);
/* The same of one that the registry does not have; either node may be NULL. */
json_t *render_pin_info(const struct pin_info *info, const struct cgroup_node *cgroup,
			const struct cgroup_node *charged);
json_t *render_device(const struct pin_origin *origin); /* null for none */
/* whole: with what a refusal tells of others in the cgroup whose limit it was */
json_t *render_event(const struct event *event, bool whole);
json_t *render_path(const struct cgroup_node *node); /* null for none */
/* PINGUARD_FEATURE_*, by their names. */
json_t *render_features(uint64_t features);
json_t *render_string(const char *text); /* escaped; null for NULL */
/* The same of a cgroup's path, or what else is typed in again: as it is where it can be */
json_t *render_name(const char *name);

/*
 * render_pin() as text: a tenth of the work where there are many. 0 or -ENOMEM,
 * when half of it may have been printed.
 */
int render_pin_text(const struct registry *r, const struct pin *pin, FILE *out);

/*
 * What users' names take in one owner's JSON. A list of owners ends where they
 * come to RENDER_NAMES_BYTES: the loop does not wait for names made long.
 */
#define RENDER_NAMES_BYTES (1U << 20)
size_t render_names_bytes(const json_t *owner);

/* -EINVAL for what is no type of events in the history */
int render_parse_event_type(const char *name, enum event_type *ret);
const char *render_kind(uint32_t kind);
/* PIN_KIND_UNKNOWN for "unknown"; -EINVAL for what is no kind */
int render_parse_kind(const char *name, uint32_t *ret);
/* NULL for what is no policy */
const char *render_policy(uint32_t policy);
/* -EINVAL for what is no policy */
int render_parse_policy(const char *name, uint32_t *ret);
/* PINGUARD_COUNT_*, likewise */
const char *render_count(uint32_t count);
int render_parse_count(const char *name, uint32_t *ret);
/* NULL for an unknown one */
const char *render_revoke_reason(uint32_t reason);
const char *render_revoke_outcome(uint32_t outcome);

#endif
