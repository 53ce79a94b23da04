/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/kernel/pinlimits.h"
#include "lib/macros.h"

int pinlimits_parse(const char *text, uint64_t *ret)
{
	unsigned long long value;
	char *end;

	if (*text < '0' || *text > '9')
		return -ENODATA;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || (*end && *end != '\n'))
		return -ENODATA;
	*ret = value;
	return 0;
}

int pinlimits_read(const char *sys, const char *name, uint64_t *ret)
{
	_cleanup_(closep) int fd = -1;
	char path[PATH_MAX], text[32];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%s", sys, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	return pinlimits_parse(text, ret);
}
