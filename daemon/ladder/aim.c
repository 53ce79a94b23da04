/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What steps act on. None reaches beyond what was selected. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/kernel/kernel.h"
#include "daemon/ladder/internal.h"
#include "daemon/ladder/reach.h"
#include "daemon/ladder/units.h"
#include "lib/cgroup-path.h"
#include "lib/escape.h"

void aim_done(struct aim *aim)
{
	free(aim->name);
	free(aim->refused);
	*aim = (struct aim){};
}

static int set(char **target, const char *format, ...) _printf_(2, 3);
static int set(char **target, const char *format, ...)
{
	va_list ap;
	int r;

	va_start(ap, format);
	r = vasprintf(target, format, ap);
	va_end(ap);
	if (r < 0)
		*target = NULL;
	return r < 0 ? -ENOMEM : 0;
}

int stop_refused(struct actions *actions, const char *cgroup, const char *selected,
		 unsigned int *ret_looked, char **ret)
{
	_cleanup_(freep) char *beyond = NULL, *shown = NULL;
	int r = cgroup && actions->cgroup_fd >= 0 ?
		unit_reach(actions->cgroup_fd, cgroup, selected, ret_looked, &beyond) :
		-EOPNOTSUPP;

	if (r == -ENOMEM)
		return r;
	if (r == -E2BIG)
		return set(ret, "it has more than %d cgroups, and what is in them cannot be told",
			   ACTION_LOOKS_MAX);
	if (r < 0)
		return set(ret, "what else is in it cannot be told: %s", strerror(-r));
	if (!beyond)
		return 0;
	shown = escape_string(beyond);
	return shown ? set(ret, "what runs in %s would be stopped, too, and was not selected",
			   shown) : -ENOMEM;
}

/* Of a process; nobody knows: as if it were in it. */
static bool holds_process(struct actions *actions, const char *cgroup, pid_t pid)
{
	_cleanup_(freep) char *path = NULL;

	return actions->proc_fd < 0 || procfs_read_cgroup(actions->proc_fd, pid, &path) < 0 ||
	       cgroup_path_is_in(path, cgroup);
}

bool kill_takes_cgroup(struct actions *actions, const char *cgroup, const char *selected)
{
	return cgroup && actions->cgroup_fd >= 0 && kills_cgroup(cgroup, selected) &&
	       !holds_process(actions, selected, 1) && !holds_process(actions, selected, getpid());
}

static int aim_at_command(const struct ladder *ladder, struct aim *aim)
{
	_cleanup_(freep) char *words = strdup(ladder->hook[0]);

	aim->type = "command";
	for (size_t i = 1; words && ladder->hook[i]; i++) {
		char *more;

		if (set(&more, "%s %s", words, ladder->hook[i]) < 0)
			return -ENOMEM;
		free(words);
		words = more;
	}
	aim->name = words ? escape_text(words) : NULL;
	return aim->name ? 0 : -ENOMEM;
}

static int aim_at_unit(struct actions *actions, const char *cgroup, const char *selected,
		       unsigned int *looks, struct aim *aim)
{
	_cleanup_(freep) char *unit = cgroup_unit(cgroup);
	const char *why = unit ? unit_protected(unit) : NULL;
	unsigned int looked = 0;
	int r;

	aim->type = "unit";
	if (unit && !(aim->name = escape_text(unit)))
		return -ENOMEM;
	if (!unit)
		return set(&aim->refused, "the process is in no unit that is known");
	if (why)
		return set(&aim->refused, "it is protected: %s", why);
	if (*looks == 0)
		return 0;
	r = stop_refused(actions, cgroup, selected, &looked, &aim->refused);
	*looks -= MIN(*looks, looked);
	return r;
}

static int aim_at_process(struct actions *actions, pid_t pid, const char *cgroup,
			  const char *selected, struct aim *aim)
{
	if (kill_takes_cgroup(actions, cgroup, selected)) {
		aim->type = "cgroup";
		aim->name = escape_string(selected);
		return aim->name ? 0 : -ENOMEM;
	}
	aim->type = "process";
	return set(&aim->name, "%d", pid);
}

int action_aim(struct actions *actions, const struct ladder *ladder, int step, pid_t pid,
	       const char *cgroup, const char *selected, unsigned int *looks, struct aim *ret)
{
	struct aim aim = {};
	int r;

	if (step == STEP_HOOK)
		r = aim_at_command(ladder, &aim);
	else if (step == STEP_STOP_UNIT)
		r = aim_at_unit(actions, cgroup, selected, looks, &aim);
	else
		r = aim_at_process(actions, pid, cgroup, selected, &aim);
	if (r < 0)
		aim_done(&aim);
	else
		*ret = aim;
	return r;
}
