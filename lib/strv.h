/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arrays of strings that end with NULL; NULL is one without any. */
#ifndef PINGUARD_STRV_H
#define PINGUARD_STRV_H

#include <stddef.h>

#include "lib/macros.h"

size_t strv_length(char *const *v);

/**
 * strv_extend() - append a copy of a string
 * @v: the array, which is made larger; left alone on failure
 *
 * Return: 0, -ENOMEM
 */
int strv_extend(char ***v, const char *string);

/**
 * strv_copy() - an array with copies of all strings
 * @ret: the caller's, for strv_free()
 *
 * Return: 0, -ENOMEM
 */
int strv_copy(char *const *v, char ***ret);

/* Returns NULL. */
char **strv_free(char **v);
DEFINE_CLEANUP(char **, strv_free);

#endif
