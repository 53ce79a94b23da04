/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pinguard.conf(5). */
#ifndef PINGUARD_BASE_CONFIG_H
#define PINGUARD_BASE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/base/conf-files.h"

#define CONFIG_FILE PACKAGE_SYSCONFDIR "/pinguard/pinguard.conf"

#define CONFIG_FILE_BYTES (64U << 10)
#define CONFIG_TIMEOUT_MAX_USEC (100 * 1000000ULL) /* the kernel's own: it holds locks meanwhile */
#define CONFIG_TIMEOUT_USEC (30 * 1000000ULL) /* where nothing is said */

#define CONFIG_ENABLE_MAX 64 /* subtrees */

struct config {
	uint32_t revoke_mode; /* PINGUARD_REVOKE_MODE_* */
	uint64_t revoke_timeout_usec;
	bool limits; /* eBPF programs keep limits of cgroups, on a kernel without the patches */
	char **enable; /* paths of cgroups, as cgroup_path_is_in() wants them; NULL for none */
};

/* What a configuration holds. */
void config_done(struct config *config);

/* Something in the text is wrong and is left out. line: 0 for the text as a whole. */
typedef void (*config_problem)(unsigned int line, const char *text, void *userdata);

/**
 * config_parse() - read a text
 * @text: NUL-terminated
 * @problem: called for each key that is unknown or has a bad value, with a
 *	text for people
 * @ret: what is not said, or said badly, has its default; for config_done()
 *
 * Return: 0, -ENOMEM
 */
int config_parse(const char *text, config_problem problem, void *userdata, struct config *ret);
/*
 * config_load() - the same of a file
 * @problem: is told what is wrong; NULL for the log
 *
 * A file that is not there says nothing; one that cannot be read is told of.
 *
 * Return: 0, -ENOMEM
 */
int config_load(const char *path, conf_problem problem, void *userdata, struct config *ret);

#endif
