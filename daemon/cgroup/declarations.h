/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What root's files in quota.d declare for cgroups, see pinguard.quota(5): their
 * text, and which section is whose. Nothing here reads or writes a cgroup.
 */
#ifndef PINGUARD_CGROUP_DECLARATIONS_H
#define PINGUARD_CGROUP_DECLARATIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/base/base.h"
#include "lib/macros.h"

#define DECLARATIONS_MAX	  4096	       /* sections, of all files */
#define DECLARATION_FILES_MAX	  1024
#define DECLARATION_FILE_BYTES	  (64U << 10)  /* of one file */
#define DECLARATION_PATTERNS_MAX  64	       /* of one section */

/* In this order of precedence. */
#define DECLARATIONS_DIRS                                             \
	{                                                             \
		PACKAGE_SYSCONFDIR "/pinguard/quota.d",               \
		"/run/pinguard/quota.d", PACKAGE_LIBDIR "/quota.d",   \
		NULL                                                  \
	}

/* Tasks have stood still for so much of a window, waiting for memory; as Documentation/accounting/psi.rst of the kernel says. */
struct pressure {
	bool full; /* all of them, else some */
	uint64_t stall_usec, window_usec; /* 0: nothing is said */
};

/* As long as the kernel averages over, and lets one ask for without CAP_SYS_RESOURCE. */
#define PRESSURE_WINDOW_MAX_USEC UINT64_C(10000000)
#define PRESSURE_WINDOW_STEP_USEC UINT64_C(2000000)

/* One [Match] and the [Quota] after it. Of the lines 0 is for what is not said. */
struct declaration {
	const char *file; /* fit to be shown; of the declarations */
	unsigned int line; /* of [Match] */
	char **patterns; /* NULL-terminated */
	bool paths; /* they are of the whole path, else of a unit's name */
	uint64_t max_bytes, high_bytes; /* UINT64_MAX for none */
	struct pressure pressure;
	unsigned int max_line, high_line, policy_line, pressure_line;
	uint32_t policy, count; /* PINGUARD_POLICY_*, PINGUARD_COUNT_*; 0 for what is not said */
	/* For whoever applies it. */
	bool failed; /* it has been said that it could not be applied */
	size_t n_matches; /* cgroups, when they were counted last */
};

struct declarations {
	unsigned int n_refs;
	struct declaration **all;
	size_t n;
	char **files; /* NULL-terminated, as they are shown */
};

struct declarations *declarations_new(void);
struct declarations *declarations_ref(struct declarations *d);
struct declarations *declarations_free(struct declarations *d); /* gives one reference back */
DEFINE_CLEANUP(struct declarations *, declarations_free);

/**
 * declarations_parse() - add the sections of one file
 * @text: its NUL-terminated content
 * @file: what it is called, fit to be shown
 * @memory_bytes: what percent are of; 0 where nobody knows
 * @ret_line: on -EINVAL the line, 0 for the file as a whole
 * @ret_reason: on -EINVAL a constant text
 *
 * Return: 0; -EINVAL, -ENOMEM, and then nothing of it is added
 */
int declarations_parse(struct declarations *d, const char *text, const char *file,
		       uint64_t memory_bytes, unsigned int *ret_line, const char **ret_reason);

/**
 * declarations_load() - read all files of some directories
 * @dirs: NULL-terminated, see struct conf_files; NULL for DECLARATIONS_DIRS
 * @problem: is told what is wrong
 * @ret: what is right, also where something is wrong
 *
 * Return: 0, 1 where a problem was told, -ENOMEM
 */
int declarations_load(const char *const *dirs, conf_problem problem, void *userdata,
		      struct declarations **ret);

/**
 * declarations_match() - the section of a cgroup
 * @path: raw
 *
 * An exact name or path before patterns, then the one with the most bytes before its
 * first wildcard, then the one that comes last.
 *
 * Return: NULL for none, and for the root
 */
struct declaration *declarations_match(const struct declarations *d, const char *path);

/* Whether a cgroup that is not there yet, anywhere below this one, may be a path's. */
bool declarations_may_hold(const struct declarations *d, const char *path);

/* The unit of the system whose own cgroup this is, NULL for none: a part of path. */
const char *declaration_unit(const char *path);
/* The bytes before its first wildcard; all of them where it has none. */
size_t pattern_literal(const char *pattern);
bool pattern_is_exact(const char *pattern);

#endif
