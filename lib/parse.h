/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PINGUARD_PARSE_H
#define PINGUARD_PARSE_H

#include <stdint.h>
#include <sys/types.h>

/*
 * What people type. Each parser takes all of its text or fails with -EINVAL
 * or -ERANGE; ret_reason (may be NULL) then gets a constant text that says
 * what is wrong, fit to follow the text itself and a colon.
 */

/* "max", "infinity" or "unlimited": no limit */
#define PARSE_SIZE_MAX UINT64_MAX

/**
 * parse_size() - parse a number of bytes
 * @text: a word for no limit, or a number with an optional suffix K, M, G, T, P
 *	or E (base 1024), itself with an optional i, B or iB; "1.5G" is fine, a
 *	fraction of a byte is not; or with a %, up to 100, rounded down to a byte
 * @all_bytes: what the percent are of, up to INT64_MAX; 0 where there are none
 * @ret_bytes: 0 to INT64_MAX, or PARSE_SIZE_MAX
 * @ret_reason: see above
 *
 * Return: 0, -EINVAL for what is no size, -ERANGE for a negative or too large one
 */
int parse_size(const char *text, uint64_t all_bytes, uint64_t *ret_bytes,
	       const char **ret_reason);

/**
 * parse_id() - parse a 64-bit id or address, "0x" and 1 to 16 hex digits
 *
 * Return: 0, -EINVAL, -ERANGE
 */
int parse_id(const char *text, uint64_t *ret_id, const char **ret_reason);

/**
 * parse_pid() - parse the number of a process, 1 to INT32_MAX
 *
 * Return: 0, -EINVAL, -ERANGE
 */
int parse_pid(const char *text, pid_t *ret_pid, const char **ret_reason);

/**
 * parse_time() - parse a point in time
 * @text: "now", "today", "yesterday", "@SECONDS", "YYYY-MM-DD [HH:MM[:SS]]",
 *	"HH:MM[:SS]" of today, all in local time, or a span before now as
 *	"-10min" or "1h 30min ago" (units s, min, h, d, w)
 * @now_usec: now, realtime microseconds
 * @ret_usec: realtime microseconds, 0 to INT64_MAX
 * @ret_reason: see above
 *
 * Return: 0, -EINVAL, -ERANGE for a time before 1970 or too far ahead
 */
int parse_time(const char *text, uint64_t now_usec, uint64_t *ret_usec, const char **ret_reason);

/**
 * parse_span() - parse a span of time
 * @text: "90", in seconds, or with units as "1min 30s" (units s, min, h, d, w)
 * @ret_usec: microseconds, 0 to INT64_MAX
 * @ret_reason: see above
 *
 * Return: 0, -EINVAL, -ERANGE
 */
int parse_span(const char *text, uint64_t *ret_usec, const char **ret_reason);

#endif
