/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_PINCTL_REQUEST_SHOW_H
#define PINGUARD_PINCTL_REQUEST_SHOW_H

#include <jansson.h>
#include <stdbool.h>

struct pinctl;

/* What has come of a request, or would. */

/* Check -o before somebody is asked; -1 or an exit status. */
int request_check_columns(struct pinctl *ctl, bool dry_run);

/* The end of a request, or what a dry run found, for people. An exit status. */
int request_show(struct pinctl *ctl, json_t *release, bool dry_run);

#endif
