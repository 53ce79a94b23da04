/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls about a target, which wait for the kernel to tell who holds its memory. */
#ifndef PINGUARD_MANAGER_INQUIRY_H
#define PINGUARD_MANAGER_INQUIRY_H

#include "daemon/devices/devices.h"
#include "daemon/kernel/kernel.h"
#include "daemon/manager/internal.h"

#define INQUIRIES_MAX 64 /* at a time */

struct inquiry;

struct inquiry_kind {
	size_t max; /* pins in one answer */
	bool users; /* who has the device open is asked first */
	/* Each answers the call, also with an error of its own. */
	void (*answer)(struct inquiry *q, const struct holder *pins, size_t n);
	/* names: NULL where sysfs has no such device */
	void (*answer_name)(struct inquiry *q, const struct devnames *names);
};

struct inquiry {
	struct inquiry *prev, *next;
	struct manager *m;
	struct call *call;
	const struct inquiry_kind *kind;
	bool handed_on; /* another watches the call */
	json_t *params;
	const char *text; /* in the parameters */
	const char *name; /* of a device that pins, as its pins have it; while it is answered */
	struct target target;
	struct phys_range *ranges;
	size_t n_ranges;
	struct openers_query *opening;
	json_t *users; /* NULL where nobody looked */
	char *users_unknown; /* why there may be others; NULL where there are none */
	struct holders *holders;
	struct busy *busy; /* is looked at before the pins are */
	bool has_sums;
	struct busy_sums sums;
};

/* Calls start as soon as the pins are known; that one is to call inquiry_start(). */
int manager_inquire(struct call *call, json_t *params, struct manager *m, manager_waiter start);
int inquiry_start(struct manager *m, struct call *call, bool ready, json_t *params,
		  const struct inquiry_kind *kind);

#endif
