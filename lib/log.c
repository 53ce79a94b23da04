/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>

#include "lib/escape.h"
#include "lib/log.h"

#define LOG_FIELDS_MAX 32

static enum {
	TARGET_PLAIN,
	TARGET_PREFIXED,
	TARGET_JOURNAL,
} log_target;
static const char *log_prefix;
static int log_max_level = LOG_INFO;

void log_init(const char *prefix)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t device, inode;
	struct stat st;

	log_prefix = prefix;
	log_target = TARGET_PLAIN;
	if (!stream || sscanf(stream, "%ju:%ju", &device, &inode) != 2)
		return;
	/* Inherited by children whose stderr may lead elsewhere. */
	if (fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode)
		log_target = TARGET_JOURNAL;
}

void log_set_max_level(int level)
{
	log_max_level = level;
}

static void add_field(struct iovec *iov, size_t *n, const char *field)
{
	if (*n < LOG_FIELDS_MAX)
		iov[(*n)++] = (struct iovec){ (char *)field, strlen(field) };
}

static int write_journal(int level, int error, const char *message_id, const char *const *fields,
			 char *message)
{
	char priority[sizeof("PRIORITY=") + 11], number[sizeof("ERRNO=") + 11];
	char id[sizeof("MESSAGE_ID=") + 32], identifier[sizeof("SYSLOG_IDENTIFIER=") + 64];
	struct iovec iov[LOG_FIELDS_MAX];
	size_t n = 0;

	add_field(iov, &n, message);
	snprintf(priority, sizeof(priority), "PRIORITY=%d", level);
	add_field(iov, &n, priority);
	if (log_prefix) {
		snprintf(identifier, sizeof(identifier), "SYSLOG_IDENTIFIER=%s", log_prefix);
		add_field(iov, &n, identifier);
	}
	if (error) {
		snprintf(number, sizeof(number), "ERRNO=%d", error);
		add_field(iov, &n, number);
	}
	if (message_id) {
		snprintf(id, sizeof(id), "MESSAGE_ID=%s", message_id);
		add_field(iov, &n, id);
	}
	for (; fields && *fields; fields++)
		add_field(iov, &n, *fields);
	return sd_journal_sendv(iov, (int)n);
}

int log_write(int level, int error, const char *message_id, const char *const *fields,
	      const char *format, ...)
{
	static const char key[] = "MESSAGE=";
	_cleanup_(freep) char *safe = NULL;
	int saved_errno = errno;
	char message[2048];
	va_list ap;

	error = error < 0 ? -error : error;
	if (level > log_max_level)
		return -error;

	memcpy(message, key, sizeof(key));
	errno = error;
	va_start(ap, format);
	vsnprintf(message + sizeof(key) - 1, sizeof(message) - (sizeof(key) - 1), format, ap);
	va_end(ap);
	/* Whatever a caller has let through: no terminal obeys it. */
	safe = escape_text(message);

	/* A journal that does not take it must not swallow it. */
	if (log_target != TARGET_JOURNAL ||
	    write_journal(level, error, message_id, fields, safe ?: message) < 0) {
		const char *text = (safe ?: message) + sizeof(key) - 1;

		if (log_target != TARGET_PLAIN)
			fprintf(stderr, "<%d>%s\n", level, text);
		else if (log_prefix)
			fprintf(stderr, "%s: %s\n", log_prefix, text);
		else
			fprintf(stderr, "%s\n", text);
	}
	errno = saved_errno;
	return -error;
}
