/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cgroup-path.h"
#include "lib/macros.h"

static bool ends_with(const char *text, const char *suffix)
{
	size_t length = strlen(text), suffix_length = strlen(suffix);

	return length > suffix_length && !strcmp(text + length - suffix_length, suffix);
}

/* Copies @path to @out without doubled or trailing slashes; returns what is wrong with it. */
static const char *normalize_path(const char *path, char *out)
{
	char *start = out;

	while (*path) {
		size_t length;

		path += strspn(path, "/");
		length = strcspn(path, "/");
		if (length == 0)
			break;
		if (length > NAME_MAX)
			return "a component is longer than 255 bytes";
		if ((length == 1 && path[0] == '.') ||
		    (length == 2 && path[0] == '.' && path[1] == '.'))
			return "it has a component \".\" or \"..\"";
		*out++ = '/';
		memcpy(out, path, length);
		out += length;
		path += length;
	}
	if (out == start)
		*out++ = '/';
	*out = '\0';
	return NULL;
}

/* systemd's rule: each dash in a slice's name is a level of the tree. */
static int slice_to_path(const char *name, char **ret, const char **ret_reason)
{
	size_t stem = strlen(name) - strlen(".slice"), i;
	char *path, *out;

	if (!strcmp(name, "-.slice")) {
		path = strdup("/");
		if (!path)
			return -ENOMEM;
		*ret = path;
		return 0;
	}
	for (i = 0; i < stem; i++)
		if (name[i] == '-' && (i == 0 || i + 1 == stem || name[i + 1] == '-')) {
			*ret_reason = "it is no name of a slice";
			return -EINVAL;
		}

	/* each level repeats what is before it */
	out = path = malloc((stem + sizeof("/.slice")) * (stem / 2 + 1));
	if (!path)
		return -ENOMEM;
	for (i = 1; i <= stem; i++)
		if (i == stem || name[i] == '-') {
			*out++ = '/';
			memcpy(out, name, i);
			memcpy(out + i, ".slice", sizeof(".slice"));
			out += i + strlen(".slice");
		}
	if (out - path >= PATH_MAX) {
		free(path);
		*ret_reason = "its path is longer than 4095 bytes";
		return -EINVAL;
	}
	*ret = path;
	return 0;
}

static int unit_name(const char *name, char **ret)
{
	static const char *const suffixes[] = { ".service", ".scope", ".slice",
						".socket",  ".mount", ".swap" };
	size_t length = strlen(name), i;
	char *unit = malloc(length + sizeof(".service"));

	if (!unit)
		return -ENOMEM;
	memcpy(unit, name, length + 1);
	for (i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (ends_with(name, suffixes[i]))
			break;
	if (i == ARRAY_SIZE(suffixes))
		strcpy(unit + length, ".service");
	*ret = unit;
	return 0;
}

int cgroup_name_parse(const char *name, enum cgroup_name_type *ret_type, char **ret_name,
		      const char **ret_reason)
{
	_cleanup_(freep) char *result = NULL;
	enum cgroup_name_type type = CGROUP_NAME_PATH;
	const char *reason = NULL;
	size_t length = strlen(name), mount = strlen(CGROUP_MOUNT);
	int r = 0;

	if (length == 0) {
		reason = "it is empty";
	} else if (length >= PATH_MAX) {
		reason = "it is longer than 4095 bytes";
	} else if (strchr(name, '\n')) {
		reason = "it has a newline";
	} else if (name[0] == '/') {
		if (!strncmp(name, CGROUP_MOUNT, mount) && (name[mount] == '/' || !name[mount]))
			name += mount;
		result = malloc(length + 2);
		r = result ? 0 : -ENOMEM;
		if (result)
			reason = normalize_path(name, result);
	} else if (strchr(name, '/')) {
		reason = "a path must begin with /";
	} else if (!strcmp(name, ".") || !strcmp(name, "..")) {
		reason = "it is no name of a unit";
	} else if (length > NAME_MAX) {
		reason = "it is longer than 255 bytes";
	} else if (ends_with(name, ".slice")) {
		r = slice_to_path(name, &result, &reason);
	} else {
		type = CGROUP_NAME_UNIT;
		r = unit_name(name, &result);
	}
	if (reason && ret_reason)
		*ret_reason = reason;
	if (reason || r < 0)
		return reason ? -EINVAL : r;
	*ret_type = type;
	*ret_name = TAKE_PTR(result);
	return 0;
}

bool cgroup_path_is_in(const char *path, const char *top)
{
	size_t length = strlen(top);

	if (strcmp(top, "/") == 0)
		return true;
	return strncmp(path, top, length) == 0 && (path[length] == '\0' || path[length] == '/');
}
