/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a service waits for that has quotas by quota.d. systemd runs it as root, in the
 * environment of that service, which whoever the service runs as may have written
 * (EnvironmentFile=). So none of that is handed on, and this program has no dynamic
 * linker, which would go by it before main().
 */
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	char *argv[] = { PACKAGE_BINDIR "/pinctl", "quota", "apply", "--self", NULL };
	char *environment[] = { NULL };

	execve(argv[0], argv, environment);
	perror(argv[0]);
	return 1;
}
