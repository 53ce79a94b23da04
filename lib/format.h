/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PINGUARD_FORMAT_H
#define PINGUARD_FORMAT_H

#include <stddef.h>
#include <stdint.h>

/* Enough for any result below. */
#define FORMAT_SIZE_LEN 24
#define FORMAT_TIME_LEN 64

/**
 * format_size() - a number of bytes for people: "0", "512B", "8M", "1.5G"
 * @buf: at least FORMAT_SIZE_LEN bytes
 * @bytes: the number; base 1024, one decimal, rounded to nearest
 *
 * Return: @buf
 */
char *format_size(char buf[static FORMAT_SIZE_LEN], uint64_t bytes);

/**
 * format_span() - a span of time for people: "0s", "59s", "5min", "3h", "12d"
 * @buf: at least FORMAT_SIZE_LEN bytes
 * @usec: the span in microseconds; the largest unit that fits, rounded down
 *
 * Return: @buf
 */
char *format_span(char buf[static FORMAT_SIZE_LEN], uint64_t usec);

/**
 * format_time() - a point in time as "YYYY-MM-DD HH:MM:SS", local time
 * @buf: at least FORMAT_TIME_LEN bytes
 * @usec: realtime microseconds
 *
 * Return: @buf
 */
char *format_time(char buf[static FORMAT_TIME_LEN], uint64_t usec);

#endif
