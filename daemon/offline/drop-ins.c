/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drop-ins of systemd for what quota.d names; run by a generator, before all services. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/offline/internal.h"
#include "lib/escape.h"
#include "lib/log.h"

#define DROP_IN "50-pinguard-quota.conf"

/*
 * A condition comes before what the unit has in ExecStartPre=. "+" leaves the root
 * directory as it is, whose programs may be anybody's.
 */
static const char content[] =
	"# Written by pinguard's generator, see pinguard.quota(5).\n"
	"[Service]\n"
	"RootDirectoryStartOnly=yes\n"
	"ExecCondition=+" PACKAGE_LIBEXECDIR "/apply-own-quotas\n";

static bool ends_with(const char *s, size_t n, const char *suffix)
{
	const size_t k = strlen(suffix);

	return n > k && strncmp(s + n - k, suffix, k) == 0;
}

/* The part of a path's pattern that is a unit's name; NULL where it is none of a unit. */
static const char *unit_of_path(const char *pattern)
{
	const char *name = strrchr(pattern, '/'), *s = pattern + (*pattern == '/');

	for (name = name ? name + 1 : s; s < name; s += strcspn(s, "/") + 1)
		if (!ends_with(s, strcspn(s, "/"), ".slice"))
			return NULL;
	return *name == '_' ? name + 1 : name;
}

static bool is_unit_name(const char *name)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789:-_.\\@";

	return strspn(name, chars) == strlen(name) && *name != '@' && strlen(name) < 250;
}

/* "a-*" are those of a-.service.d, and templates of a-@.service.d; "a@*" of a@.service.d. */
static int names_of_glob(const char *name, char *ret[static DROP_IN_NAMES], const char **ret_reason)
{
	static const char rest[] = "*.service";
	_cleanup_(freep) char *prefix = strndup(name, pattern_literal(name));
	const char *at;
	size_t n;

	if (!prefix)
		return -ENOMEM;
	n = strlen(prefix);
	at = strchr(prefix, '@');
	*ret_reason = "systemd has drop-ins for NAME@*.service and PREFIX-*.service, and for no other "
		      "pattern; the limits above hold until the service is seen";
	if (strcmp(name + n, rest) != 0 || n < 2 || !is_unit_name(prefix) ||
	    (at ? at != prefix + n - 1 : prefix[n - 1] != '-'))
		return -EOPNOTSUPP;
	if (asprintf(&ret[0], "%s.service", prefix) < 0)
		ret[0] = NULL;
	if (ret[0] && !at && asprintf(&ret[1], "%s@.service", prefix) < 0)
		ret[1] = NULL;
	if (ret[0] && (at || ret[1]))
		return 0;
	free(TAKE_PTR(ret[0]));
	return -ENOMEM;
}

int drop_in_names(const struct declaration *d, const char *pattern, char *ret[static DROP_IN_NAMES],
		  const char **ret_reason)
{
	const char *name = d->paths ? unit_of_path(pattern) : pattern;

	memset(ret, 0, DROP_IN_NAMES * sizeof(*ret));
	if (!name || !ends_with(name, strlen(name), ".service")) {
		*ret_reason = "only a service waits for its quota; the limits above hold until this "
			      "is seen";
		return -EOPNOTSUPP;
	}
	if (!pattern_is_exact(name))
		return names_of_glob(name, ret, ret_reason);
	if (!is_unit_name(name)) {
		*ret_reason = "no service has this name";
		return -EOPNOTSUPP;
	}
	if (strcmp(name, "pinguard.service") == 0)
		return 0;
	ret[0] = strdup(name);
	return ret[0] ? 0 : -ENOMEM;
}

static int write_one(int dir_fd, const char *name)
{
	_cleanup_(freep) char *dir = NULL;
	_cleanup_(closep) int fd = -1, file = -1;

	if (asprintf(&dir, "%s.d", name) < 0) {
		dir = NULL;
		return -ENOMEM;
	}
	if (mkdirat(dir_fd, dir, 0755) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(dir_fd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	file = openat(fd, DROP_IN, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (file < 0)
		return -errno;
	return write(file, content, strlen(content)) == (ssize_t)strlen(content) ? 0 :
									errno ? -errno : -EIO;
}

/* Return: 0, 1 where something failed */
static int write_section(int dir_fd, const struct declaration *d)
{
	int failed = 0;

	for (char **p = d->patterns; *p; p++) {
		char *names[DROP_IN_NAMES];
		const char *reason;
		int r = drop_in_names(d, *p, names, &reason);

		failed |= r == -ENOMEM;
		for (size_t i = 0; i < DROP_IN_NAMES; i++) {
			r = names[i] ? write_one(dir_fd, names[i]) : 0;
			if (r < 0)
				log_warning_errno(r, "%s:%u: no drop-in for %s: %m", d->file, d->line,
						  names[i]);
			failed |= r < 0;
			free(names[i]);
		}
	}
	return failed;
}

static void log_problem(const char *file, unsigned int line, const char *text, void *userdata)
{
	log_warning("%s:%u: %s; no drop-ins for what is in it", file, line, text);
}

int offline_write_drop_ins(const struct offline_config *config, const char *dir)
{
	_cleanup_(declarations_freep) struct declarations *d = NULL;
	_cleanup_(closep) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int failed;

	if (fd < 0) {
		log_error_errno(errno, "%s cannot be opened: %m", dir);
		return 1;
	}
	failed = declarations_load(config->quota_dirs, log_problem, NULL, &d);
	if (failed < 0) {
		log_error_errno(failed, "quota.d cannot be read: %m");
		return 1;
	}
	for (size_t i = 0; i < d->n; i++)
		failed |= write_section(fd, d->all[i]);
	return failed;
}
