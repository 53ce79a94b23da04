/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a service waits for that has quotas by quota.d. systemd runs it as root, in the
 * environment of that service, which whoever the service runs as may have written
 * (EnvironmentFile=). So none of that is handed on, and this program has no dynamic
 * linker, which would go by it before main().
 *
 * It is a condition, since conditions come before all that a unit has in ExecStartPre=.
 * By any other status than 255 the unit would be left out, and not fail.
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define UNIT_FAILS 255

int main(void)
{
	char *argv[] = { PACKAGE_BINDIR "/pinctl", "quota", "apply", "--self", NULL };
	char *environment[] = { NULL };
	const pid_t pid = fork();
	int status;

	if (pid == 0) {
		execve(argv[0], argv, environment);
		perror(argv[0]);
		_exit(1);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		perror("fork");
		return UNIT_FAILS;
	}
	return status == 0 ? 0 : UNIT_FAILS;
}
