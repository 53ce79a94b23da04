/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PINGUARD_LOG_H
#define PINGUARD_LOG_H

#include <syslog.h>

#include "lib/macros.h"

/*
 * Messages go to the journal where stderr is connected to it, with their
 * fields; to stderr otherwise, with the "<N>" prefix where a service manager
 * reads it and as "PREFIX: text" for people.
 */

/**
 * log_init() - choose where messages go
 * @prefix: program name, a string that outlives the program's messages
 *
 * Without this call messages go to stderr without a prefix.
 */
void log_init(const char *prefix);

/**
 * log_set_max_level() - drop messages that matter less
 * @level: LOG_ERR ... LOG_DEBUG; LOG_INFO at start
 */
void log_set_max_level(int level);

/**
 * log_write() - write a message; called through the macros below
 * @level: LOG_ERR ... LOG_DEBUG
 * @error: an errno value, positive or negative, for the field ERRNO; 0 for none
 * @message_id: 32 hex digits for MESSAGE_ID, or NULL
 * @fields: NULL-terminated list of "NAME=value", or NULL; to the journal only
 * @format: the text, without a newline; %m is @error
 *
 * errno is kept. Names of foreign origin (comm, cgroups, devices) must have
 * passed through escape().
 *
 * Return: -@error as a negative number, so that "return log_error_errno(...)" reads well
 */
int log_write(int level, int error, const char *message_id, const char *const *fields,
	      const char *format, ...) _printf_(5, 6);

#define log_error(...)	 ((void)log_write(LOG_ERR, 0, NULL, NULL, __VA_ARGS__))
#define log_warning(...) ((void)log_write(LOG_WARNING, 0, NULL, NULL, __VA_ARGS__))
#define log_notice(...)	 ((void)log_write(LOG_NOTICE, 0, NULL, NULL, __VA_ARGS__))
#define log_info(...)	 ((void)log_write(LOG_INFO, 0, NULL, NULL, __VA_ARGS__))
#define log_debug(...)	 ((void)log_write(LOG_DEBUG, 0, NULL, NULL, __VA_ARGS__))

#define log_error_errno(error, ...)   log_write(LOG_ERR, error, NULL, NULL, __VA_ARGS__)
#define log_warning_errno(error, ...) log_write(LOG_WARNING, error, NULL, NULL, __VA_ARGS__)
#define log_debug_errno(error, ...)   log_write(LOG_DEBUG, error, NULL, NULL, __VA_ARGS__)

/* A message of the journal catalogue: its id and its fields. */
#define log_event(level, message_id, fields, ...) \
	((void)log_write(level, 0, message_id, fields, __VA_ARGS__))

#endif
