/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/kernel/procfs.h"
#include "daemon/kernel/walk.h"
#include "lib/clock.h"
#include "lib/macros.h"

#define ENTRIES_MAX  8192 /* that are read at a time */
#define MAPS_MAX     (1U << 16) /* mappings of a process that are looked at */
#define PATH_LEN     64

/* See Documentation/admin-guide/mm/pagemap.rst. */
#define PM_PRESENT    (UINT64_C(1) << 63)
#define PM_SWAP	      (UINT64_C(1) << 62)
#define PM_FRAME      ((UINT64_C(1) << 55) - 1)
#define PM_TYPE_BITS  5
#define PM_TYPE	      ((UINT64_C(1) << PM_TYPE_BITS) - 1)
/*
 * Types below are swap files, and the offset is a place in them. Those above are of
 * the kernel itself: what has failed or is moved is told by its frame. The kernel has 23
 * or more for files, which nobody has.
 */
#define PM_TYPE_FIRST 23

DEFINE_CLEANUP(FILE *, fclose);

struct looking {
	struct walk *w;
	uint32_t all; /* questions */
	uint64_t first, last; /* pfn, of all ranges */
	uint64_t page_bytes;
	uint64_t *entries;
};

/* What was found in some part of a process. */
struct part {
	uint32_t questions;
	bool whole; /* all of it was looked at, and nothing was missing there */
};

static uint32_t questions_of(const struct looking *l, uint64_t pfn)
{
	uint32_t questions = 0;

	for (size_t i = 0; i < l->w->n_ranges; i++) {
		const struct walk_range *range = &l->w->ranges[i];

		if (pfn >= range->first && pfn <= range->last)
			questions |= UINT32_C(1) << range->question;
	}
	return questions;
}

/* The frame of an entry; false where it has none. */
static bool frame_of(uint64_t entry, uint64_t *ret_pfn)
{
	const uint64_t frame = entry & PM_FRAME;

	if (entry & PM_PRESENT)
		*ret_pfn = frame;
	else if (entry & PM_SWAP && (frame & PM_TYPE) >= PM_TYPE_FIRST)
		*ret_pfn = frame >> PM_TYPE_BITS;
	else
		return false;
	/* Who may not see them is told 0 for all. */
	return *ret_pfn != 0;
}

/* pin: whose part it is, NULL for none; offset: in it, of the first entry */
static void look_at(const struct looking *l, size_t n, const struct walk_pin *pin, uint64_t offset,
		    struct part *part)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t pfn;
		uint32_t more;

		if (!frame_of(l->entries[i], &pfn)) {
			part->whole = false;
			continue;
		}
		if (pfn < l->first || pfn > l->last)
			continue;
		more = questions_of(l, pfn) & ~part->questions;
		if (more && pin) {
			const struct walk_found found = {
				.id = pin->id,
				.offset = offset + i * l->page_bytes,
				.questions = more,
				.test = WALK_PAGE,
			};

			l->w->found(&found, l->w->userdata);
		}
		part->questions |= more;
	}
}

/* From one address on, n pages. Ends where all has been found, or time is over. */
static void look_at_pages(const struct looking *l, int fd, uint64_t address, uint64_t n,
			  const struct walk_pin *pin, struct part *part)
{
	const uint64_t first = address / l->page_bytes;

	for (uint64_t done = 0; done < n && part->questions != l->all;) {
		const size_t want = MIN(n - done, (uint64_t)ENTRIES_MAX);
		ssize_t bytes = -1;

		if (clock_usec(CLOCK_MONOTONIC) < l->w->end_usec)
			bytes = pread(fd, l->entries, want * sizeof(*l->entries),
				      (first + done) * sizeof(*l->entries));
		if (bytes < (ssize_t)sizeof(*l->entries)) {
			part->whole = false;
			return;
		}
		look_at(l, bytes / sizeof(*l->entries), pin, done * l->page_bytes, part);
		done += bytes / sizeof(*l->entries);
	}
}

static int open_file(const struct looking *l, uint32_t tgid, const char *file)
{
	char path[PATH_LEN];
	int fd;

	snprintf(path, sizeof(path), "%u/%s", tgid, file);
	fd = openat(l->w->proc_fd, path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static void say_none(const struct looking *l, const struct walk_pin *pin, uint32_t questions)
{
	const struct walk_found found = {
		.id = pin->id, .questions = questions, .test = WALK_NONE,
	};

	if (questions)
		l->w->found(&found, l->w->userdata);
}

static void look_at_pin(const struct looking *l, int fd, const struct walk_pin *pin)
{
	const uint64_t address = pin->address & ~(l->page_bytes - 1);
	const uint64_t bytes = pin->bytes + (pin->address - address);
	struct part part = { .whole = true };

	if (pin->bytes > UINT64_MAX - pin->address - l->page_bytes)
		part.whole = false;
	else
		look_at_pages(l, fd, address, (bytes + l->page_bytes - 1) / l->page_bytes, pin,
			      &part);
	/* What is not there any more may have been pinned. */
	if (!part.whole)
		say_none(l, pin, l->all & ~part.questions);
}

/* All that a process has mapped, for its pins of which nobody knows where they are. */
static struct part look_at_process(const struct looking *l, int fd, uint32_t tgid)
{
	_cleanup_(fclosep) FILE *maps = NULL;
	struct part part = { .whole = true };
	int maps_fd = open_file(l, tgid, "maps");
	unsigned long start, end;
	char line[512], perms[5];
	unsigned int n = 0;

	maps = maps_fd < 0 ? NULL : fdopen(maps_fd, "r");
	if (!maps) {
		if (maps_fd >= 0)
			close(maps_fd);
		return part;
	}
	while (part.questions != l->all && n < MAPS_MAX && fgets(line, sizeof(line), maps)) {
		/* Address space that is only kept free may be without end. */
		if (sscanf(line, "%lx-%lx %4s", &start, &end, perms) != 3 || end <= start ||
		    strncmp(perms, "---", 3) == 0)
			continue;
		n++;
		look_at_pages(l, fd, start, (end - start) / l->page_bytes, NULL, &part);
		if (clock_usec(CLOCK_MONOTONIC) >= l->w->end_usec)
			break;
	}
	return part;
}

static void say_process(const struct looking *l, const struct walk_pin *pin, uint32_t questions)
{
	const struct walk_found found = {
		.id = pin->id, .questions = questions, .test = WALK_PROCESS,
	};

	if (questions)
		l->w->found(&found, l->w->userdata);
	/* The rest of what it has pinned may not be mapped any more. */
	say_none(l, pin, l->all & ~questions);
}

/* Whether a file that was opened before is of who lives, and made the pin. */
static bool is_maker(uint64_t born_usec, const struct walk_pin *pin)
{
	return pin->since_boot_usec + PROCFS_BORN_TOLERANCE_USEC >= born_usec;
}

/* The pins of one process. */
static void look_at_pins(const struct looking *l, const struct walk_pin *pins, size_t n)
{
	const uint32_t tgid = pins[0].tgid;
	_cleanup_(closep) int fd = tgid ? open_file(l, tgid, "pagemap") : -ENOENT;
	bool looked = false;
	struct part process = {};
	uint64_t born_usec;

	/* In this order: of whoever comes after the maker it says a later time. */
	if (fd >= 0 && procfs_read_start(l->w->proc_fd, tgid, &born_usec) < 0)
		born_usec = UINT64_MAX;
	for (size_t i = 0; i < n; i++) {
		const struct walk_pin *pin = &pins[i];

		if (fd < 0 || !is_maker(born_usec, pin) ||
		    clock_usec(CLOCK_MONOTONIC) >= l->w->end_usec) {
			say_none(l, pin, l->all);
		} else if (pin->address) {
			look_at_pin(l, fd, pin);
		} else {
			if (!looked)
				process = look_at_process(l, fd, tgid);
			looked = true;
			say_process(l, pin, process.questions);
		}
	}
}

static int compare(uint64_t x, uint64_t y)
{
	return x < y ? -1 : x > y;
}

static int by_process(const void *a, const void *b)
{
	const struct walk_pin *x = a, *y = b;

	return compare(x->tgid, y->tgid);
}

static int by_size(const void *a, const void *b)
{
	const struct walk_pin *x = a, *y = b;

	return compare(x->process_bytes, y->process_bytes) ?: compare(x->tgid, y->tgid) ?:
	       compare(!x->address, !y->address) ?: compare(x->bytes, y->bytes);
}

static size_t n_of_process(const struct walk *w, size_t i)
{
	size_t end = i;

	while (end < w->n_pins && w->pins[end].tgid == w->pins[i].tgid)
		end++;
	return end - i;
}

/* One that is large beyond measure has the rest of the time, when the others are done. */
static void sort(struct walk *w)
{
	size_t n;

	if (w->n_pins > 0)
		qsort(w->pins, w->n_pins, sizeof(*w->pins), by_process);
	for (size_t i = 0; i < w->n_pins; i += n) {
		uint64_t bytes = 0;

		n = n_of_process(w, i);
		for (size_t j = i; j < i + n; j++)
			bytes += MIN(w->pins[j].bytes, UINT64_MAX - bytes);
		for (size_t j = i; j < i + n; j++)
			w->pins[j].process_bytes = bytes;
	}
	if (w->n_pins > 0)
		qsort(w->pins, w->n_pins, sizeof(*w->pins), by_size);
}

void walk_pins(struct walk *w)
{
	struct looking l = { .w = w, .first = UINT64_MAX, .page_bytes = sysconf(_SC_PAGESIZE) };
	size_t n;

	for (size_t i = 0; i < w->n_ranges; i++) {
		l.all |= UINT32_C(1) << w->ranges[i].question;
		l.first = MIN(l.first, w->ranges[i].first);
		l.last = MAX(l.last, w->ranges[i].last);
	}
	l.entries = malloc(ENTRIES_MAX * sizeof(*l.entries));
	sort(w);
	for (size_t i = 0; i < w->n_pins; i += n) {
		n = n_of_process(w, i);
		if (l.entries)
			look_at_pins(&l, &w->pins[i], n);
		for (size_t j = i; !l.entries && j < i + n; j++)
			say_none(&l, &w->pins[j], l.all);
	}
	free(l.entries);
}
