/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdio.h>

#include "client/base/exit.h"
#include "lib/log.h"

int usage_error(const char *format, ...)
{
	_cleanup_(freep) char *text = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	va_end(ap);
	log_error("%s", text ?: format);
	return STATUS_USAGE;
}

int out_of_memory(void)
{
	log_error("out of memory");
	return STATUS_FAILED;
}
