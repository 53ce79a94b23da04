/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of a file with [Section] and Key=value. */
#ifndef PINGUARD_BASE_INI_H
#define PINGUARD_BASE_INI_H

#include <stdbool.h>
#include <stddef.h>

/* One Key=value. Lines are numbered from 1 on. */
struct ini_line {
	const char *section;
	unsigned int section_line; /* of its head: another one with the same name is another section */
	const char *name, *value;
	unsigned int line;
	bool goes_on; /* it begins with a blank: more of the value before it */
};

extern const char ini_begins_with_blank[]; /* what is wrong with that where it is not wanted */

/* 0 to go on; -EINVAL with *ret_reason, a constant text; -ENOMEM */
typedef int (*ini_handler_t)(const struct ini_line *line, void *userdata, const char **ret_reason);

/**
 * ini_read() - hand each Key=value of a text to a handler
 * @text: NUL-terminated
 * @ret_line: on -EINVAL the line, 0 for the text as a whole
 * @ret_reason: on -EINVAL a constant text
 *
 * It ends with the first -EINVAL of the handler; a line before that which is
 * neither section, key nor comment is named in its place.
 *
 * Return: 0, -EINVAL, -ENOMEM
 */
int ini_read(const char *text, ini_handler_t handler, void *userdata, unsigned int *ret_line,
	     const char **ret_reason);

/* yes, true, on, 1 and their opposites; -EINVAL */
int ini_parse_bool(const char *value, bool *ret);
/* Adds a copy of a word to a list of up to max, for strv_free(). 0, -E2BIG, -ENOMEM */
int ini_add_word(char ***list, const char *word, size_t max);
/* Words that blanks part; a backslash is a backslash. As above. */
int ini_add_words(char ***list, const char *value, size_t max);

#endif
