/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PINGUARD_PINCTL_SETTING_H
#define PINGUARD_PINCTL_SETTING_H

struct list;
struct pinctl;

/* What can be listed, set and cleared for cgroups: quotas, policies. */
struct setting {
	const char *verb;
	const char *set_usage; /* such as "set CGROUP MAX" */
	const char *clear_method;
	const struct list *list;
	const char *more; /* ", and what else there is", for complaints; NULL for nothing */
	/* An exit status. */
	int (*set)(struct pinctl *ctl, const char *cgroup, const char *value,
		   const void *userdata);
};

/*
 * Do what the words after the verb say, of which there may be none.
 * @set_option: one that was given and belongs to "set"; NULL for none
 * @userdata: for set()
 * Returns an exit status.
 */
int setting_run(struct pinctl *ctl, const struct setting *setting, int n, char **words,
		const char *set_option, const void *userdata);

/* Call a method that clears; the error that is named @expected, NULL for none, is success. */
int setting_clear(struct pinctl *ctl, const char *method, const char *cgroup,
		  const char *expected);

#endif
