/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_PINCTL_OPTIONS_H
#define PINGUARD_PINCTL_OPTIONS_H

#include <getopt.h>
#include <jansson.h>
#include <stdint.h>

struct pinctl;

/* The command line; all that is wrong with it is told. */

/*
 * Parse the common options and those in @own, which go to @handle. With NULL for
 * @own they end at the first argument that is none. Afterwards optind is there.
 * Returns -1 to go on, or an exit status.
 */
int parse_options(struct pinctl *ctl, int argc, char **argv, const struct option *own,
		  int (*handle)(int option, const char *argument, void *userdata), void *userdata);

/* The same for verbs without arguments. */
int parse_options_only(struct pinctl *ctl, int argc, char **argv, const struct option *own,
		       int (*handle)(int option, const char *argument, void *userdata),
		       void *userdata);

/*
 * The same for verbs with one argument, which a complaint calls @what. With
 * --list-columns there need be none: *ret_argument is NULL then.
 */
int parse_one_argument(struct pinctl *ctl, int argc, char **argv, const struct option *own,
		       int (*handle)(int option, const char *argument, void *userdata),
		       void *userdata, const char *what, const char **ret_argument);

/* --since; -1 or an exit status. */
int parse_since(const char *argument, uint64_t *ret_usec);

/* --limit: a number of rows, from 1 on; -1 or an exit status. */
int parse_limit(const char *argument, uint64_t *ret_n);

/* The name in a NULL-terminated list that @word may have been meant as, or NULL. */
const char *nearest(const char *word, const char *const *names);

/* Check that @word is in a NULL-terminated list, of @what each; -1 or an exit status. */
int check_word(const char *what, const char *word, const char *const *words);

/* Check the text of a CGROUP before it is sent; -1 or an exit status. */
int check_cgroup(const char *cgroup);

/* Text from the command line as a string of JSON, escaped where it is not UTF-8. */
json_t *argument_string(const char *argument);

#endif
