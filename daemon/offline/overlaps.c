/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sections of which only the order of files says which one counts. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/offline/internal.h"
#include "lib/escape.h"

struct entry {
	const struct declaration *d;
	const char *pattern; /* without the slash that it may begin with */
	size_t order;
};

static size_t rest_of(const char *pattern)
{
	const char *last = pattern;

	for (const char *s = pattern; (s = strpbrk(s, "*?[]")); s++)
		last = s + 1;
	return strlen(last);
}

/* Those of the same rank come one after the other. */
static int by_rank(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	const size_t n = pattern_literal(x->pattern), k = pattern_literal(y->pattern);
	int r = (int)x->d->paths - (int)y->d->paths;

	r = r ?: (int)pattern_is_exact(x->pattern) - (int)pattern_is_exact(y->pattern);
	r = r ?: (n > k) - (n < k);
	r = r ?: strncmp(x->pattern, y->pattern, n);
	return r ?: (x->order > y->order) - (x->order < y->order);
}

static unsigned int count_slashes(const char *s)
{
	unsigned int n = 0;

	for (; *s; s++)
		n += *s == '/';
	return n;
}

/* Whether one name may be matched by both: it may be said too often, never too seldom. */
static bool may_overlap(const char *a, const char *b)
{
	const size_t n = pattern_literal(a), rest = MIN(rest_of(a), rest_of(b));

	if (pattern_is_exact(a) || pattern_is_exact(b))
		return strcmp(a, b) == 0;
	return n == pattern_literal(b) && strncmp(a, b, n) == 0 &&
	       count_slashes(a) == count_slashes(b) &&
	       strcmp(a + strlen(a) - rest, b + strlen(b) - rest) == 0;
}

/* With the nearest one before it that is of another section. */
static int tell(const struct entry *all, size_t i, FILE *out)
{
	const struct entry *e = &all[i];

	for (size_t j = i; j-- > 0;) {
		const struct entry *before = &all[j];
		_cleanup_(freep) char *shown = NULL;

		if (before->d->paths != e->d->paths ||
		    pattern_literal(before->pattern) != pattern_literal(e->pattern))
			break;
		if (before->d == e->d || !may_overlap(before->pattern, e->pattern))
			continue;
		shown = escape_name(e->pattern);
		if (!shown)
			return -ENOMEM;
		fprintf(out, "%s:%u: warning: %s may be of the same cgroups as %s:%u, and counts for "
			"them since it comes later\n", e->d->file, e->d->line, shown,
			before->d->file, before->d->line);
		break;
	}
	return 0;
}

int check_overlaps(const struct declarations *d, FILE *out)
{
	_cleanup_(freep) struct entry *all = NULL;
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; i < d->n; i++)
		for (char **p = d->all[i]->patterns; *p; p++)
			n++;
	all = calloc(n ?: 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	n = 0;
	for (size_t i = 0; i < d->n; i++)
		for (char **p = d->all[i]->patterns; *p; p++)
			all[n++] = (struct entry){ d->all[i],
						   *p + (d->all[i]->paths && **p == '/'), i };
	qsort(all, n, sizeof(*all), by_rank);
	for (size_t i = 1; i < n && r == 0; i++)
		r = tell(all, i, out);
	return r;
}
