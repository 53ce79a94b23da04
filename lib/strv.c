/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/strv.h"

size_t strv_length(char *const *v)
{
	size_t n = 0;

	while (v && v[n])
		n++;
	return n;
}

int strv_extend(char ***v, const char *string)
{
	size_t n = strv_length(*v);
	char **larger = realloc(*v, (n + 2) * sizeof(*larger));

	if (!larger)
		return -ENOMEM;
	larger[n] = NULL;
	*v = larger;
	larger[n] = strdup(string);
	if (!larger[n])
		return -ENOMEM;
	larger[n + 1] = NULL;
	return 0;
}

int strv_copy(char *const *v, char ***ret)
{
	_cleanup_(strv_freep) char **copy = NULL;
	int r = 0;

	while (v && *v && r == 0)
		r = strv_extend(&copy, *v++);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(copy);
	return 0;
}

char **strv_free(char **v)
{
	for (char **s = v; s && *s; s++)
		free(*s);
	free(v);
	return NULL;
}
