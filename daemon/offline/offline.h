/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The door of daemon/offline: what the program does without being the service.
 * It looks at the configuration, writes drop-ins for systemd, and applies quotas
 * where no service answers. It changes no state of the service, and asks nobody.
 */
#ifndef PINGUARD_OFFLINE_DOOR_H
#define PINGUARD_OFFLINE_DOOR_H

#include <stdio.h>

/* Where all is. NULL for the usual place. */
struct offline_config {
	const char *config_file;
	const char *release_dir;
	const char *const *quota_dirs;
	const char *state_dir;
	const char *mount; /* of cgroup2 */
};

/* Prints what is wrong, and what does less than one may think. 0, 1 if something is wrong. */
int offline_check(const struct offline_config *config, FILE *out);
/*
 * Drop-ins below a directory for services that quota.d names: each has its quota
 * applied before it starts. Logs what fails. 0, 1 if something did.
 */
int offline_write_drop_ins(const struct offline_config *config, const char *dir);
/*
 * The quotas of a cgroup and of those above it, without policies and high marks,
 * which only the service knows what to do about. Logs what fails. 0, 1.
 */
int offline_apply(const struct offline_config *config, const char *path);

#endif
