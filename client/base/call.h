/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_PINCTL_CALL_H
#define PINGUARD_PINCTL_CALL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct pinctl;

/*
 * Calls of the service, by the names of the manager's methods, such as "Who". The
 * first of them connects. Errors have been told to the user, and are an exit status.
 */

/* The reference of @params is taken over. */
int manager_call(struct pinctl *ctl, const char *method, json_t *params, json_t **ret_reply);

/*
 * The same, but nothing is told: 0, and *ret_error (the caller frees it) is the error's
 * name without the interface, NULL for none; or a negative errno where none is had.
 */
int manager_try(struct pinctl *ctl, const char *method, json_t *params, char **ret_error,
		json_t **ret_reply);

/* The same as manager_call(), but with NULL for an error that is named @expected. */
int manager_call_expecting(struct pinctl *ctl, const char *method, json_t *params,
			   const char *expected, json_t **ret_reply);

/*
 * A call of a method that streams. One of on_reply() that returns an exit status
 * other than STATUS_DONE ends it.
 */
struct stream {
	const char *method;
	json_t *params; /* the reference is taken over */
	/* For each reply: 0 is the usual time, UINT64_MAX for ever; on_reply() may change it. */
	uint64_t timeout_usec;
	/* Where the service closes the connection that is not told, but STATUS_LOST. */
	bool may_be_lost;
	int (*on_reply)(const json_t *reply, void *userdata);
	/*
	 * In place of on_reply(), for replies that are long: text of a JSON object, which
	 * may be written to. STATUS_DONE, an exit status, or -EBADMSG or another negative
	 * errno, which is told.
	 */
	int (*on_text)(char *reply, size_t size, void *userdata);
	void (*on_tick)(void *userdata); /* each second of waiting; may be NULL */
	void *userdata;
};

/* An interrupt ends it with STATUS_INTERRUPTED, and leaves the connection unfit for more. */
int manager_stream(struct pinctl *ctl, struct stream *stream);

/*
 * Wait a little, longer each time that a connection does not last, and connect
 * until that succeeds. STATUS_DONE, STATUS_INTERRUPTED or an exit status.
 */
int manager_reconnect(struct pinctl *ctl, uint64_t timeout_usec);

/* From now on Ctrl-C ends what waits, not the program; -1 or an exit status. */
int watch_interrupt(struct pinctl *ctl);

#endif
