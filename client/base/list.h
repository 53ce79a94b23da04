/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_PINCTL_LIST_H
#define PINGUARD_PINCTL_LIST_H

#include <jansson.h>

struct column;
struct pinctl;

/* What one method lists, as a table or as JSON. */
struct list {
	const char *method;
	const char *key; /* of the array in its reply; also what say_none() calls it */
	const struct column *columns;
	const char *size_key; /* the largest come first; NULL for the order of the reply */
	const char *const *nullable;
	void (*arrange)(json_t *object); /* for its row in the table; may be NULL */
	void (*comment)(const json_t *reply); /* below the table; may be NULL */
	const char *parameter; /* of the method: one that is true; NULL for none */
	void (*extend)(json_t *reply); /* with rows for the table; may be NULL */
};

/* Print it; an exit status. */
int show_list(struct pinctl *ctl, const struct list *list);

#endif
