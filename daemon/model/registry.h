/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pins and the cgroups they belong to: a cache of what the kernel says.
 * No I/O; whoever feeds it resolves paths.
 */
#ifndef PINGUARD_MODEL_REGISTRY_H
#define PINGUARD_MODEL_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/model/origin.h"
#include "lib/macros.h"

struct registry;

struct cgroup_node {
	UT_hash_handle hh;
	uint64_t id;
	struct cgroup_node *parent; /* NULL for the root, and while unknown */
	char *path; /* raw bytes, "/" for the root; NULL while unknown */
	unsigned int refs; /* pins, children, events */
	bool removed;
	bool unresolved; /* path says so, it is none */
	bool noted; /* in the manager's list of those with a limit or a denial */
	/* Of this cgroup alone, by owner; charged_bytes by charged cgroup. */
	uint64_t pins;
	uint64_t bytes;
	uint64_t charged_bytes;
	uint64_t refused; /* pins of processes in it, by others than a cgroup's limit */
	/* With all below it; right after registry_sum() only. */
	uint64_t sum_pins;
	uint64_t sum_bytes;
	uint64_t sum_charged_bytes;
	uint64_t sum_refused;
	/* Scratch for whoever shows the tree; cleared by registry_sum(). */
	uint64_t sum_vm_pinned_bytes;
	uint64_t sum_vm_locked_bytes;
	bool shown;
	/* Owner of the directory, as the cgroup source saw it last. */
	uid_t owner;
	uint64_t checked_usec;
};

struct pin {
	UT_hash_handle hh;
	uint64_t id;
	uint64_t address;
	uint64_t bytes;
	uint64_t shared_bytes; /* of these, see pin_info */
	uint64_t since_usec;
	struct pin_origin *origin;
	uint8_t flags;
	uint8_t generation;
};

struct pin_filter {
	bool has_cgroup, has_tgid, has_kind, has_id;
	uint64_t cgroup_id; /* and all below it */
	uint32_t tgid;
	uint32_t kind;
	uint64_t id;
	const char *device; /* NULL for any */
};

/* A place in the list of pins that stays good while pins come and go. */
struct pin_cursor {
	struct registry *registry;
	struct pin *next;
	struct pin_cursor *link_prev, *link_next;
};

struct registry *registry_new(void);
void registry_free(struct registry *r);
DEFINE_CLEANUP(struct registry *, registry_free);

/* The node is found or made; cgroup nodes may be made and resolved first. */
int registry_upsert(struct registry *r, const struct pin_info *info);
/* Its device has another name now. 0 or -ENOMEM */
int registry_set_device(struct registry *r, struct pin *pin, const char *name);
/* It is known by now in which one it is; of a pin that had none. 0 or -ENOMEM */
int registry_set_cgroup(struct registry *r, struct pin *pin, struct cgroup_node *cgroup);
int registry_remove(struct registry *r, uint64_t id);
struct pin *registry_find(struct registry *r, uint64_t id);
size_t registry_count(const struct registry *r);
uint64_t registry_bytes(const struct registry *r);
/* What pins have in common: the first after prev, NULL for the first of all. */
struct pin_origin *registry_origin_next(struct registry *r, struct pin_origin *prev);
/* A number that is another one once the path of a cgroup has changed. */
unsigned int registry_names(const struct registry *r);

/*
 * A resync: begin, upsert everything that exists, end. What was not upserted
 * in between is gone. seq is the number of the last event that is included.
 */
void registry_begin_resync(struct registry *r);
void registry_end_resync(struct registry *r, uint64_t seq);

/* 1 applied, 0 known already, -EILSEQ when events are missing before it. */
int registry_apply(struct registry *r, const struct pin_event *event);
uint64_t registry_seq(const struct registry *r);

void pin_cursor_init(struct pin_cursor *c, struct registry *r);
struct pin *pin_cursor_next(struct pin_cursor *c);
void pin_cursor_done(struct pin_cursor *c);
bool pin_filter_match(const struct pin_filter *f, const struct pin *pin);
/* The same, as far as it can be said of all pins of an origin: not of ids. */
bool pin_filter_match_origin(const struct pin_filter *f, const struct pin_origin *origin);

/* Nodes without references stay until registry_trim(). */
struct cgroup_node *registry_cgroup_find(struct registry *r, uint64_t id);
int registry_cgroup_get(struct registry *r, uint64_t id, struct cgroup_node **ret);
int registry_cgroup_set(struct registry *r, struct cgroup_node *node,
			struct cgroup_node *parent, const char *path);
struct cgroup_node *registry_cgroup_next(struct registry *r, struct cgroup_node *prev);
static inline struct cgroup_node *cgroup_node_ref(struct cgroup_node *node)
{
	if (node)
		node->refs++;
	return node;
}

static inline void cgroup_node_unref(struct cgroup_node *node)
{
	if (node)
		node->refs--;
}

bool cgroup_node_below(const struct cgroup_node *node, uint64_t ancestor_id);
/* Whether pins are of processes in a cgroup or below it, and charged to one above. */
bool pin_origin_is_uncharged(const struct pin_origin *origin, uint64_t cgroup_id);
/* counts: whose pins count, NULL for all of them */
void registry_sum(struct registry *r,
		  bool (*counts)(const struct pin_origin *origin, void *userdata), void *userdata);
/* What pins charge to a cgroup and to those below it. Looks at all cgroups. */
uint64_t registry_charged_bytes(struct registry *r, uint64_t cgroup_id);
/*
 * What processes of a cgroup, and those below it, have pinned that is charged to one
 * above: made before the controller was on there.
 */
uint64_t registry_uncharged_bytes(struct registry *r, uint64_t cgroup_id);
size_t registry_n_cgroups(const struct registry *r);
/* Forgets nodes that nothing refers to, if there are more than keep. */
void registry_trim(struct registry *r, size_t keep);

#endif
