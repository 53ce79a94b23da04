/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_PINCTL_FAILURE_H
#define PINGUARD_PINCTL_FAILURE_H

#include <jansson.h>

/* Memory that failed: the Failure of the manager's interface. */

/*
 * Who had pinned it, "mr[612], qemu[700]? +5", each process once; with a question mark
 * who may have, but could not be looked at; NULL for none. The
 * caller frees it.
 */
char *failure_owners(const json_t *failure);

#endif
