/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <linux/kernel-page-flags.h>
#include <string.h>

#include "daemon/base/base.h"
#include "daemon/kernel/busy.h"

#define BIT(n) (UINT64_C(1) << (n))

/* What pages of files and processes have, whichever of it: the kernel moves them. */
#define MOVES                                                                                  \
	(BIT(KPF_LRU) | BIT(KPF_ANON) | BIT(KPF_SWAPCACHE) | BIT(KPF_SWAPBACKED) |             \
	 BIT(KPF_KSM) | BIT(KPF_UPTODATE))
/* Nobody's: there is nothing to be moved. */
#define UNUSED (BIT(KPF_BUDDY) | BIT(KPF_NOPAGE) | BIT(KPF_HWPOISON))

struct busy {
	sd_event *event;
	struct busy_config config;
	struct pfn_range *ranges;
	size_t i; /* the range that is looked at */
	uint64_t next; /* in it */
	struct busy_sums sums;
	sd_event_source *turn;
};

const char *busy_class_name(enum busy_class class)
{
	static const char *const names[] = {
		[BUSY_SLAB] = "slab",		[BUSY_PAGE_TABLES] = "page_tables",
		[BUSY_RESERVED] = "reserved",	[BUSY_KERNEL] = "kernel",
		[BUSY_HUGETLB] = "hugetlb",	[BUSY_UNEVICTABLE] = "unevictable",
		[BUSY_OFFLINE] = "offline",
	};

	return names[class];
}

/*
 * Page tables before what else a page may be told to be. What is mapped, but is no
 * page of a file or of a process, is a driver's memory that a program sees.
 */
static enum busy_class class_of(uint64_t flags)
{
	if (flags & UNUSED)
		return BUSY_NONE;
	if (flags & BIT(KPF_PGTABLE))
		return BUSY_PAGE_TABLES;
	if (flags & BIT(KPF_OFFLINE))
		return BUSY_OFFLINE;
	if (flags & BIT(KPF_SLAB))
		return BUSY_SLAB;
	if (flags & BIT(KPF_HUGE))
		return BUSY_HUGETLB;
	if (flags & BIT(KPF_RESERVED))
		return BUSY_RESERVED;
	if (flags & BIT(KPF_UNEVICTABLE))
		return BUSY_UNEVICTABLE;
	return flags & MOVES ? BUSY_NONE : BUSY_KERNEL;
}

void busy_add(struct busy_sums *sums, const uint64_t *flags, size_t n)
{
	/* Older kernels have the flags of a large page at its begin alone. */
	const uint64_t rest = BIT(KPF_COMPOUND_TAIL);

	for (size_t i = 0; i < n; i++) {
		if (!(flags[i] & rest) || flags[i] & UNUSED)
			sums->last = class_of(flags[i]);
		sums->frames[sums->last]++;
	}
}

static void finish(struct busy *b, int error)
{
	b->turn = sd_event_source_disable_unref(b->turn);
	/* may free it */
	b->config.done(error, &b->sums, b->config.userdata);
}

/* So many of the range at hand; 0 at its end, or where the file ends. */
static ssize_t look(struct busy *b)
{
	uint64_t flags[BUSY_FRAMES_TURN];
	const struct pfn_range *range = &b->ranges[b->i];
	size_t n = MIN(range->last - b->next + 1, (uint64_t)BUSY_FRAMES_TURN);
	ssize_t size;

	if (b->next > range->last)
		return 0;
	size = pread(b->config.kpageflags_fd, flags, n * sizeof(*flags), b->next * sizeof(*flags));
	if (size < 0)
		return -errno;
	n = size / sizeof(*flags);
	/* At the begin of a range there may be the rest of what is not in it. */
	if (b->next == range->first && n > 0)
		flags[0] &= ~BIT(KPF_COMPOUND_TAIL);
	busy_add(&b->sums, flags, n);
	b->next += n;
	return n;
}

static int on_turn(sd_event_source *source, void *userdata)
{
	struct busy *b = userdata;
	ssize_t n = b->i < b->config.n_ranges ? look(b) : 0;

	if (n == 0 && ++b->i < b->config.n_ranges)
		b->next = b->ranges[b->i].first;
	if (n >= 0 && b->i < b->config.n_ranges)
		n = turn_schedule(b->event, &b->turn, on_turn, b, "busy-frames");
	else
		n = MIN(n, 0);
	if (n < 0 || b->i >= b->config.n_ranges)
		finish(b, n);
	return 0;
}

int busy_find(sd_event *event, const struct busy_config *config, struct busy **ret)
{
	_cleanup_(busy_freep) struct busy *b = NULL;
	uint64_t frames = 0;
	int r;

	if (config->kpageflags_fd < 0)
		return -EBADF;
	for (size_t i = 0; i < config->n_ranges; i++) {
		const struct pfn_range *range = &config->ranges[i];

		/* each may have all that can be counted */
		if (range->last - range->first >= BUSY_FRAMES_MAX)
			return -E2BIG;
		frames += range->last - range->first + 1;
	}
	if (frames > BUSY_FRAMES_MAX)
		return -E2BIG;
	b = calloc(1, sizeof(*b));
	if (!b)
		return -ENOMEM;
	b->event = sd_event_ref(event);
	b->config = *config;
	b->ranges = calloc(config->n_ranges ?: 1, sizeof(*b->ranges));
	if (!b->ranges)
		return -ENOMEM;
	if (config->n_ranges > 0) {
		memcpy(b->ranges, config->ranges, config->n_ranges * sizeof(*b->ranges));
		b->next = b->ranges[0].first;
	}
	r = turn_schedule(event, &b->turn, on_turn, b, "busy-frames");
	if (r < 0)
		return r;
	*ret = TAKE_PTR(b);
	return 0;
}

struct busy *busy_free(struct busy *b)
{
	if (!b)
		return NULL;
	sd_event_source_disable_unref(b->turn);
	sd_event_unref(b->event);
	free(b->ranges);
	free(b);
	return NULL;
}
