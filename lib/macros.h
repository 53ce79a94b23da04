/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PINGUARD_MACROS_H
#define PINGUARD_MACROS_H

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f)	   __attribute__((cleanup(f)))
#define _printf_(fmt, arg) __attribute__((format(printf, fmt, arg)))
#define _unused_	   __attribute__((unused))
/* What libpinguard.sym names is defined with this; all else is hidden. */
#define _public_	   __attribute__((visibility("default")))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#ifndef MIN
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#endif

/* Hand a pointer or an fd on: the variable no longer owns it. */
#define TAKE_PTR(p)                    \
	({                             \
		__typeof__(p) _p = (p); \
		(p) = NULL;            \
		_p;                    \
	})
#define TAKE_FD(fd)          \
	({                   \
		int _fd = (fd); \
		(fd) = -1;   \
		_fd;         \
	})

/* Defines fp(), for _cleanup_(fp), that frees what *p points to. */
#define DEFINE_CLEANUP(type, func)                    \
	static inline void func##p(type *p)           \
	{                                             \
		if (*p)                               \
			func(*p);                     \
	}                                             \
	struct __semicolon_wanted_

static inline void freep(void *p)
{
	free(*(void **)p);
}

static inline void closep(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#endif
