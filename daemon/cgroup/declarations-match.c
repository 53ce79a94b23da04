/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which section is whose. */
#include <fnmatch.h>
#include <limits.h>
#include <string.h>

#include "daemon/cgroup/declarations.h"

static const char wildcards[] = "*?[";

size_t pattern_literal(const char *pattern)
{
	return strcspn(pattern + (*pattern == '/'), wildcards);
}

bool pattern_is_exact(const char *pattern)
{
	return !strpbrk(pattern, wildcards);
}

static bool is_unit(const char *name)
{
	static const char *const suffixes[] = {
		".service", ".scope", ".slice", ".socket", ".mount", ".swap",
	};
	const size_t n = strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		const size_t k = strlen(suffixes[i]);

		if (n > k && strcmp(name + n - k, suffixes[i]) == 0)
			return true;
	}
	return false;
}

const char *declaration_unit(const char *path)
{
	const char *name = strrchr(path, '/') + 1, *s = path;

	if (!is_unit(name))
		return NULL;
	/* what is in a unit has names of the unit's own choice */
	while (++s < name) {
		size_t n = strcspn(s, "/");

		if (n <= 6 || strncmp(s + n - 6, ".slice", 6) != 0)
			return NULL;
		s += n;
	}
	/* systemd writes it before names that the kernel might take for files of its own */
	return *name == '_' ? name + 1 : name;
}

/* The pattern's rank for a cgroup: exact ones are above all others; 0 where it is none of its. */
static size_t rank(const struct declaration *d, const char *pattern, const char *path,
		   const char *unit)
{
	const char *what = d->paths ? path + 1 : unit;

	pattern += d->paths && *pattern == '/';
	if (!what)
		return 0;
	if (pattern_is_exact(pattern))
		return strcmp(pattern, what) == 0 ? PATH_MAX + strlen(pattern) : 0;
	if (fnmatch(pattern, what, FNM_NOESCAPE | FNM_PATHNAME) != 0)
		return 0;
	return 1 + pattern_literal(pattern);
}

struct declaration *declarations_match(const struct declarations *d, const char *path)
{
	const char *unit = declaration_unit(path);
	struct declaration *best = NULL;
	size_t best_rank = 1;

	if (!path[1])
		return NULL;
	for (size_t i = 0; i < d->n; i++) {
		for (char **p = d->all[i]->patterns; *p; p++) {
			size_t r = rank(d->all[i], *p, path, unit);

			if (r < best_rank)
				continue;
			best = d->all[i];
			best_rank = r;
		}
	}
	return best;
}

/* Whether a path is what the pattern begins with, component by component, and not all of it. */
static bool begins_with(const char *pattern, const char *path)
{
	char head[PATH_MAX];
	size_t n = 0;

	pattern += *pattern == '/';
	path++;
	/* as many components as the path has */
	for (const char *s = path; *s; s += strcspn(s, "/"), s += *s == '/') {
		n += strcspn(pattern + n, "/");
		if (!pattern[n] || n >= sizeof(head))
			return false;
		n++;
	}
	if (n == 0)
		return true;
	memcpy(head, pattern, n - 1);
	head[n - 1] = '\0';
	return fnmatch(head, path, FNM_NOESCAPE | FNM_PATHNAME) == 0;
}

bool declarations_may_hold(const struct declarations *d, const char *path)
{
	for (size_t i = 0; i < d->n; i++)
		for (char **p = d->all[i]->patterns; d->all[i]->paths && *p; p++)
			if (begins_with(*p, path))
				return true;
	return false;
}
