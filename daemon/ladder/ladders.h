/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which ladder is whose: pinguard.release(5), root's files. */
#ifndef PINGUARD_LADDER_H
#define PINGUARD_LADDER_H

#include <stddef.h>

#include "daemon/model/policy.h"
#include "lib/macros.h"

#define LADDERS_DIR PACKAGE_SYSCONFDIR "/pinguard/release.d"

#define LADDERS_MAX 256		       /* files */
#define LADDER_FILE_BYTES (64U << 10)  /* of one file */
#define LADDER_PATTERNS_MAX 64	       /* of units, and of cgroups */
#define LADDER_WORDS_MAX 64	       /* of a hook's command */
#define LADDER_SEC_MAX (24 * 60 * 60)  /* of one step */

struct ladders;

/**
 * ladders_load() - read all DIR/\*.conf, in the order of their names
 * @ret: also without a directory or files: the built-in ladder always is there
 *
 * A file that is wrong, or that others than root could have written, is logged
 * with its line and left out.
 *
 * Return: 0, -ENOMEM, or why the directory could not be read
 */
int ladders_load(const char *dir, struct ladders **ret);

/* A ladder that was matched lives as long as its ladders: who keeps one refers to them. */
struct ladders *ladders_ref(struct ladders *ladders);
struct ladders *ladders_free(struct ladders *ladders); /* gives one reference back */
DEFINE_CLEANUP(struct ladders *, ladders_free);

/**
 * ladders_match() - the ladder of a cgroup
 * @cgroup_path: raw, as the registry has it; NULL where it is not known
 *
 * Return: that of the first file that matches, else the built-in one; never NULL
 */
const struct ladder *ladders_match(const struct ladders *ladders, const char *cgroup_path);

/**
 * ladder_parse() - read one file
 * @text: its NUL-terminated content
 * @name: what it is called, for the ladder
 * @ret_line: on -EINVAL the line, 0 for the file as a whole
 * @ret_reason: on -EINVAL a constant text
 *
 * Return: 0, -EINVAL, -ENOMEM
 */
int ladder_parse(const char *text, const char *name, struct ladder **ret, unsigned int *ret_line,
		 const char **ret_reason);
struct ladder *ladder_free(struct ladder *ladder);
DEFINE_CLEANUP(struct ladder *, ladder_free);

/**
 * cgroup_unit() - the system's unit that a cgroup belongs to: the first part of
 *	its path that is no slice
 *
 * What is further down has names of the unit's own choice.
 *
 * Return: its name, to be freed; NULL where there is none, or out of memory
 */
char *cgroup_unit(const char *cgroup_path);

#endif
