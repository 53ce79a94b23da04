/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_PINCTL_VERB_H
#define PINGUARD_PINCTL_VERB_H

struct pinctl;

/* A verb needs no other one: what two of them share is a part. */
struct verb {
	const char *name;
	const char *help;
	/* argv[0] is the verb; returns an exit status */
	int (*run)(struct pinctl *ctl, int argc, char **argv);
};

extern const struct verb verb_status, verb_pins, verb_who, verb_quota, verb_policy, verb_owners,
	verb_release, verb_drain, verb_events, verb_failures, verb_classify, verb_explain;

#endif
