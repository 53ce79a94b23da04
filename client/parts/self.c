/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Quotas for a service that is about to start, from within its cgroup. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

#include "client/base/call.h"
#include "client/base/exit.h"
#include "client/base/options.h"
#include "client/base/pinctl.h"
#include "client/parts/self.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/log.h"

#define OWN_CGROUP  "/proc/self/cgroup"
#define SERVICE	    PACKAGE_SBINDIR "/pinguard"
#define WAIT_USEC   (5 * UINT64_C(1000000)) /* for an answer; then it is done without the service */
#define CGROUP_SIZE 8192

extern char **environ;

/* Of the line "0::PATH". -ENODATA: this process is in no cgroup2 */
static int own_cgroup(char **ret)
{
	char text[CGROUP_SIZE], *line, *save;
	int fd = open(OWN_CGROUP, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	closep(&fd);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (strncmp(line, "0::/", 4) != 0)
			continue;
		*ret = strdup(line + 3);
		return *ret ? 0 : -ENOMEM;
	}
	return -ENODATA;
}

/* By the program of the service, which knows the files and the kernel as well. */
static int apply_without_service(const char *cgroup)
{
	char option[] = "--apply-quotas", *argv[] = { (char *)SERVICE, option, (char *)cgroup, NULL };
	int status, r;
	pid_t pid;

	r = posix_spawn(&pid, SERVICE, NULL, NULL, argv, environ);
	if (r != 0) {
		log_error_errno(r, "cannot run %s: %m", SERVICE);
		return STATUS_FAILED;
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return STATUS_FAILED;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? STATUS_DONE : STATUS_FAILED;
}

/* What the service has answered: an exit status, -1 where it could not know. */
static int judge(const char *error, const json_t *params)
{
	const char *reason = json_get_string(params, "reason", "");

	if (!error)
		return STATUS_DONE;
	if (!strcmp(error, "NotSupported")) {
		log_warning("no limit is set: %s", reason);
		return STATUS_DONE;
	}
	if (!strcmp(error, "QuotaNotPossible")) {
		log_warning("no limit of its own is set on %s, those above it hold: %s",
			    json_get_string(params, "cgroup", "?"), reason);
		return STATUS_DONE;
	}
	if (!strcmp(error, "PermissionDenied")) {
		log_error("permission denied; this is for root and the group pinguard");
		return STATUS_DENIED;
	}
	log_notice("the service answered %s; the quotas are applied without it", error);
	return -1;
}

int apply_own_quotas(struct pinctl *ctl)
{
	_cleanup_(freep) char *cgroup = NULL, *error = NULL;
	_cleanup_json_ json_t *reply = NULL;
	int r = own_cgroup(&cgroup);

	if (r < 0) {
		log_error_errno(r, r == -ENODATA ? "this process is in no cgroup of cgroup2" :
						   OWN_CGROUP ": %m");
		return STATUS_FAILED;
	}
	if (!strcmp(cgroup, "/")) {
		log_error("no quota can be applied: this process is in the root of cgroup2, which has "
			  "no limits");
		return STATUS_FAILED;
	}
	if (!strncmp(cgroup, "/..", 3)) {
		log_error("no quota can be applied: the cgroup of this process is outside of its "
			  "cgroup namespace");
		return STATUS_FAILED;
	}
	ctl->timeout_usec = WAIT_USEC;
	r = manager_try(ctl, "ApplyQuotas", json_pack("{so}", "cgroup", argument_string(cgroup)),
			&error, &reply);
	if (r == -ENOMEM)
		return out_of_memory();
	if (r < 0)
		(void)log_write(LOG_NOTICE, r, NULL, NULL,
				"the service does not answer (%m); the quotas are applied without it");
	r = r < 0 ? -1 : judge(error, reply);
	return r >= 0 ? r : apply_without_service(cgroup);
}
