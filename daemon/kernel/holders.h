/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who holds memory of some ranges: asks the kernel, again for a moment where
 * pins are busy, and hands on what came of it. On a kernel that does not say it,
 * processes are looked at.
 */
#ifndef PINGUARD_KERNEL_HOLDERS_H
#define PINGUARD_KERNEL_HOLDERS_H

#include "daemon/kernel/genl.h"
#include "daemon/kernel/walks.h"
#include "daemon/model/model.h"

/* A pin that is being made or changed is asked for again, so often. */
#define HOLDERS_TRIES	   4
#define HOLDERS_PAUSE_USEC (20 * 1000ULL) /* doubled each time */

struct holders;

/* How that is known. */
enum holder_test {
	HOLDER_KERNEL, /* the kernel says it */
	HOLDER_PAGE, /* the page tables of its maker do */
	HOLDER_PROCESS, /* these say that its maker has the memory, but not that it is the pin's */
	HOLDER_NONE, /* it may hold some, but could not be looked at; as good as any other pin */
};

struct holder {
	uint64_t id;
	enum holder_test test;
	bool inexact; /* it may hold some; the kernel could not look */
	bool opening; /* it is not complete yet, and has no size */
	bool has_offset; /* for one range: where in the pin its first page is */
	uint64_t offset;
};

struct holders_config {
	struct genl *genl;
	struct walks *walks; /* without genl */
	struct registry *registry;
	bool exact; /* the kernel looks at frames; else each pin is inexact */
	size_t max; /* more pins are -E2BIG */
	const struct pfn_range *ranges;
	size_t n_ranges;
	/*
	 * 0 or a negative errno. The pins, each once, by id, are good until
	 * the holders are freed, which may be from here.
	 */
	void (*done)(int error, const struct holder *pins, size_t n, void *userdata);
	void *userdata;
};

/* Calls back from the event loop alone. The ranges are copied. */
int holders_find(sd_event *event, const struct holders_config *config, struct holders **ret);
const char *holder_test_name(enum holder_test test);
struct holders *holders_free(struct holders *h); /* ends it; NULL is fine; returns NULL */
DEFINE_CLEANUP(struct holders *, holders_free);

#endif
