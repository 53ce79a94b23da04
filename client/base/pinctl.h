/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_PINCTL_H
#define PINGUARD_PINCTL_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Folders are layers, and each needs those before it alone:
 *
 *	base	what all verbs stand on; knows no verb, and no method
 *	parts	what verbs are made of: pins, places, requests, removals
 *	verbs	one file for each
 */

struct varlink_client;

/* What the options common to all verbs say, and the connection. */
struct pinctl {
	bool json, bytes, no_legend, list_columns;
	bool terminal, colour; /* of stdout */
	const char *columns;
	const char *socket;
	uint64_t timeout_usec; /* of connections and calls; 0 for the usual one */
	const char *help; /* of the verb */
	/* of call.c */
	struct varlink_client *client;
	int interrupt_fd;
	uint64_t connected_usec, backoff_usec; /* of manager_reconnect() */
	int output_error; /* errno of the first failure to write stdout */
};

#endif
