/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which ladder is whose: pinguard.release(5), root's files. */
#ifndef PINGUARD_LADDER_LADDERS_H
#define PINGUARD_LADDER_LADDERS_H

#include "daemon/base/base.h"
#include "daemon/model/model.h"
#include "lib/macros.h"

#define LADDERS_DIR PACKAGE_SYSCONFDIR "/pinguard/release.d"

struct ladders;

/**
 * ladders_load() - read all DIR/\*.conf, in the order of their names
 * @problem: is told what is wrong; NULL for the log
 * @ret: also without a directory or files: the built-in ladder always is there
 *
 * A file that is wrong, or that others than root could have written, is told of
 * with its line and left out.
 *
 * Return: 0, -ENOMEM, or why the directory could not be read
 */
int ladders_load(const char *dir, conf_problem problem, void *userdata, struct ladders **ret);

/* A ladder that was matched lives as long as its ladders: who keeps one refers to them. */
struct ladders *ladders_ref(struct ladders *ladders);
struct ladders *ladders_free(struct ladders *ladders); /* gives one reference back */
DEFINE_CLEANUP(struct ladders *, ladders_free);

/**
 * ladders_match() - the ladder of a cgroup
 * @cgroup_path: raw, as the registry has it; NULL where it is not known
 *
 * Return: that of the first file that matches, else the built-in one; never NULL
 */
const struct ladder *ladders_match(const struct ladders *ladders, const char *cgroup_path);

#endif
