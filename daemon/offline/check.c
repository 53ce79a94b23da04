/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The whole configuration, as the service reads it, and what it does less than it seems. */
#include <errno.h>
#include <string.h>

#include "daemon/ladder/ladder.h"
#include "daemon/offline/internal.h"
#include "lib/escape.h"

struct check {
	FILE *out;
	int wrong;
};

static void on_problem(const char *file, unsigned int line, const char *text, void *userdata)
{
	struct check *c = userdata;

	if (line > 0)
		fprintf(c->out, "%s:%u: error: %s\n", file, line, text);
	else
		fprintf(c->out, "%s: error: %s\n", file, text);
	c->wrong = 1;
}

static int check_section(const struct declaration *d, FILE *out)
{
	for (char **p = d->patterns; *p; p++) {
		char *names[DROP_IN_NAMES];
		_cleanup_(freep) char *shown = escape_name(*p);
		const char *reason;
		int r = drop_in_names(d, *p, names, &reason);

		for (size_t i = 0; i < DROP_IN_NAMES; i++)
			free(names[i]);
		if (r == -ENOMEM || !shown)
			return -ENOMEM;
		if (r < 0 && (d->max_line || d->policy_line))
			fprintf(out, "%s:%u: warning: %s: the first process there may pin before "
				"it has its quota: %s\n", d->file, d->line, shown, reason);
	}
	return 0;
}

static int check_quotas(struct check *c, const struct offline_config *config)
{
	_cleanup_(declarations_freep) struct declarations *d = NULL;
	int r = declarations_load(config->quota_dirs, on_problem, c, &d);

	for (size_t i = 0; r >= 0 && i < d->n; i++)
		r = check_section(d->all[i], c->out);
	return r < 0 ? r : check_overlaps(d, c->out);
}

int offline_check(const struct offline_config *config, FILE *out)
{
	_cleanup_(ladders_freep) struct ladders *ladders = NULL;
	const char *dir = config->release_dir ?: LADDERS_DIR;
	struct check c = { .out = out };
	struct config parsed;
	int r;

	r = config_load(config->config_file ?: CONFIG_FILE, on_problem, &c, &parsed);
	if (r >= 0)
		r = ladders_load(dir, on_problem, &c, &ladders);
	if (r < 0 && r != -ENOMEM) {
		on_problem(dir, 0, strerror(-r), &c);
		r = 0;
	}
	if (r >= 0)
		r = check_quotas(&c, config);
	if (r < 0)
		fprintf(out, "error: %s\n", strerror(-r));
	return r < 0 || fflush(out) != 0 || ferror(out) || c.wrong;
}
