/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Questions which of the pins of the registry hold some page frames, where eBPF programs
 * watch pins and the kernel cannot be asked: a child looks at their makers, for all
 * questions that wait by then.
 */
#ifndef PINGUARD_KERNEL_WALKS_H
#define PINGUARD_KERNEL_WALKS_H

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "daemon/kernel/genl.h"
#include "daemon/kernel/source.h"
#include "daemon/kernel/walk.h"
#include "daemon/model/model.h"
#include "lib/macros.h"

/* For one look; what it does not come to is told as not looked at. */
#define WALKS_USEC (10 * 1000000ULL)
/* What the child may say. */
#define WALKS_BYTES (64U << 20)

struct walks;
struct walks_query;

/* proc: "/proc"; all outlive them */
int walks_new(sd_event *event, const char *proc, struct registry *registry,
	      const struct source *source, struct walks **ret);
struct walks *walks_free(struct walks *walks); /* queries have been freed before */
DEFINE_CLEANUP(struct walks *, walks_free);

/*
 * Called once, from the event loop alone: each pin with what is known of it, the better
 * first, WALK_NONE last. -E2BIG: they are too many. The query may be freed from here.
 */
typedef void (*walks_done)(int error, const struct walk_found *found, size_t n, void *userdata);

/* The ranges are copied. 0 or a negative errno */
int walks_find(struct walks *walks, const struct pfn_range *ranges, size_t n, walks_done done,
	       void *userdata, struct walks_query **ret);
struct walks_query *walks_query_free(struct walks_query *query); /* NULL is fine; returns NULL */
DEFINE_CLEANUP(struct walks_query *, walks_query_free);

#endif
