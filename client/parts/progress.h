/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_PINCTL_PROGRESS_H
#define PINGUARD_PINCTL_PROGRESS_H

#include <jansson.h>
#include <stdbool.h>

#include "lib/macros.h"

struct pinctl;

/* Lines on a terminal, drawn over each time. */
struct progress {
	const struct pinctl *ctl;
	bool on; /* stderr is a terminal, and the output is for people */
	unsigned int lines; /* that are drawn */
};

void progress_init(struct progress *progress, const struct pinctl *ctl);
/* A request as it stands. */
void progress_draw(struct progress *progress, const json_t *release);
void progress_line(struct progress *progress, const char *format, ...) _printf_(2, 3);
void progress_clear(struct progress *progress);

#endif
