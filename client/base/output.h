/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_PINCTL_OUTPUT_H
#define PINGUARD_PINCTL_OUTPUT_H

#include <jansson.h>
#include <stdint.h>

#include "lib/format.h"

struct pinctl;

/* What goes to stdout, but for tables. */

/* A size for people, or with -b the bytes. */
const char *show_size(const struct pinctl *ctl, char buf[static FORMAT_SIZE_LEN], uint64_t bytes);

#define COUNT_LEN 48

/* "1 pin", "2 pins" */
const char *show_count(char buf[static COUNT_LEN], int64_t n, const char *what);

/* An object on a line of its own; an exit status. */
int print_json(const json_t *object);

/* Set keys that are absent to null. */
void fill_null(json_t *object, const char *const *keys);

/* Columns and lines of the terminal that stdout is; 0 where it is none. */
size_t screen_width(const struct pinctl *ctl);
size_t screen_height(const struct pinctl *ctl);

/* By the value of a key; the largest first. */
int compare_sizes(const json_t *a, const json_t *b, const char *key);

/* Tell a terminal, on stderr, that there is none of @what. */
void say_none(const struct pinctl *ctl, const char *what);

/* Tell how many processes the service left out of an answer; @more follows the text. */
void say_omitted(struct pinctl *ctl, int64_t omitted, const char *more);

/* Flush stdout; STATUS_FAILED and a note of why where that fails. */
int flush_output(struct pinctl *ctl);

#endif
