/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A child of the service that looks where readers may have to wait for others, says what
 * it has found, and ends. It is killed where it stands.
 */
#ifndef PINGUARD_KERNEL_CHILD_H
#define PINGUARD_KERNEL_CHILD_H

#include <stddef.h>
#include <stdio.h>
#include <systemd/sd-event.h>

#include "lib/macros.h"

struct child;

struct child_config {
	const char *description;
	size_t max_bytes; /* that it may say; it is killed for more */
	/* In the child, which has no other file open, and ends with it. */
	void (*run)(FILE *out, void *userdata);
	/* Of its own or not, it has ended. The child may be freed from here. */
	void (*ended)(const void *text, size_t n, void *userdata);
	void *userdata;
};

/* 0 or a negative errno */
int child_start(sd_event *event, const struct child_config *config, struct child **ret);
/* What it has said by now, good until the next turn of the loop. */
const void *child_said(struct child *c, size_t *ret_n);
/* ended() follows, with what it has said. */
void child_kill(struct child *c);
struct child *child_free(struct child *c); /* kills it; NULL is fine; returns NULL */
DEFINE_CLEANUP(struct child *, child_free);

#endif
