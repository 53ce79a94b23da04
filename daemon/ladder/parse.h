/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One file of release.d. */
#ifndef PINGUARD_LADDER_PARSE_H
#define PINGUARD_LADDER_PARSE_H

#include "daemon/model/model.h"
#include "lib/macros.h"

#define LADDERS_MAX 256		       /* files */
#define LADDER_FILE_BYTES (64U << 10)  /* of one file */
#define LADDER_PATTERNS_MAX 64	       /* of units, and of cgroups */
#define LADDER_WORDS_MAX 64	       /* of a hook's command */
#define LADDER_SEC_MAX (24 * 60 * 60)  /* of one step */

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

#endif
