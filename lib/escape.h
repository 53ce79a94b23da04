/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PINGUARD_ESCAPE_H
#define PINGUARD_ESCAPE_H

#include <stddef.h>

/**
 * escape() - make bytes of foreign origin fit for JSON, journal and terminal
 * @bytes: any bytes, NUL included
 * @size: their number
 *
 * The result is valid UTF-8 without control characters (C0, DEL, C1) and
 * without characters that reorder text (the bidi controls) or that are none
 * (such as U+FFFE, which D-Bus refuses): each byte of those, and each byte that
 * is not UTF-8, becomes \xNN; a backslash becomes two.
 *
 * Return: a new string, NULL when out of memory
 */
char *escape(const void *bytes, size_t size);

/** escape_string() - escape() of a NUL-terminated string */
char *escape_string(const char *string);

/**
 * escape_text() - escape_string() that leaves backslashes alone
 *
 * For text of which parts are escaped already: nothing in it is obeyed by a
 * terminal, but it cannot be unescape()d.
 */
char *escape_text(const char *text);

/**
 * escape_name() - escape_string() of what has to be, and all else as it is
 *
 * For names of cgroups: systemd writes backslashes into them, as in
 * machine-qemu\x2d1.scope, and who joins ours with systemd's has to find them.
 * A name with a backslash may then be one or the other: whoever looks it up
 * tries it as it is first, and if there is none, unescape()d.
 */
char *escape_name(const char *name);

/**
 * unescape() - the inverse of escape()
 * @text: escaped text; what escape() would have escaped is taken as it is
 * @ret: the bytes, NUL-terminated; the caller frees them
 * @ret_size: their number without the NUL, may be NULL
 *
 * Return: 0, -EINVAL for a backslash followed by neither a backslash nor
 * xNN, -ENOMEM
 */
int unescape(const char *text, char **ret, size_t *ret_size);

#endif
