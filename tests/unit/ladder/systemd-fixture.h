/* SPDX-License-Identifier: GPL-2.0-or-later */
/* As much of a system bus with systemd on it as the service's actions see. */
#ifndef PINGUARD_TEST_SYSTEMD_FIXTURE_H
#define PINGUARD_TEST_SYSTEMD_FIXTURE_H

#include <stdbool.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "tests/unit/unit.h"

struct systemd {
	sd_event *event;
	char dir[64], socket[96];
	int listen_fd;
	sd_event_source *source;
	sd_bus *bus;

	const char *name; /* unique */

	/* how it behaves */
	const char *unit;	     /* of every process; NULL for none */
	bool no_pidfd;		     /* before 254 */
	bool silent;		     /* no answer to StopUnit */
	const char *job_result;	     /* of StopUnit */
	bool forged;		     /* another sends its signals, too */
	const char *start_error;     /* of StartTransientUnit */
	const char *result;	     /* of a hook; NULL for one that runs on */
	int code, status;
	void (*before_stop)(void *); /* when asked for a process's unit */
	void *userdata;

	/* what it was asked */
	char *started, *stopped, *unreferenced;
	char *strings;	/* of a hook: "Name=value\n" of each property */
	char *command;	/* words with '|' after each */
	char *environment; /* the same */
	char *input;
	unsigned int n_subscribed, n_by_pid, n_asked;
};

void systemd_start(struct systemd *s, sd_event *event);
void systemd_listen(struct systemd *s);
/* It gets another unique name, and a hook ends; somebody else says so before. */
void systemd_reexecute(struct systemd *s);
void systemd_drop(struct systemd *s); /* the connection */
void systemd_stop(struct systemd *s);

#endif
