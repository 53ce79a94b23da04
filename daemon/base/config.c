/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <linux/pinguard.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/config.h"
#include "daemon/base/ini.h"
#include "lib/cgroup-path.h"
#include "lib/escape.h"
#include "lib/log.h"
#include "lib/parse.h"
#include "lib/strv.h"

struct parser {
	struct config config;
	config_problem problem;
	void *userdata;
};

static void config_init(struct config *config)
{
	*config = (struct config){
		.revoke_mode = PINGUARD_REVOKE_MODE_WAIT,
		.revoke_timeout_usec = CONFIG_TIMEOUT_USEC,
	};
}

void config_done(struct config *config)
{
	config->enable = strv_free(config->enable);
}

/* Return: 0 to go on, -ENOMEM */
static int tell(struct parser *p, const struct ini_line *line, const char *what)
{
	_cleanup_(freep) char *text = NULL, *shown = NULL;

	if (asprintf(&text, "%s=%s: %s", line->name, line->value, what) < 0)
		text = NULL;
	shown = text ? escape_text(text) : NULL;
	if (!shown)
		return -ENOMEM;
	p->problem(line->line, shown, p->userdata);
	return 0;
}

static int set_mode(struct config *config, const char *value, const char **ret_reason)
{
	if (strcmp(value, "wait") == 0)
		config->revoke_mode = PINGUARD_REVOKE_MODE_WAIT;
	else if (strcmp(value, "notify") == 0)
		config->revoke_mode = PINGUARD_REVOKE_MODE_NOTIFY;
	else
		*ret_reason = "neither wait nor notify";
	return 0;
}

static int set_timeout(struct config *config, const char *value, const char **ret_reason)
{
	uint64_t usec;

	if (parse_span(value, &usec, ret_reason) < 0)
		return 0;
	if (usec > CONFIG_TIMEOUT_MAX_USEC)
		*ret_reason = "more than 100 seconds";
	else
		config->revoke_timeout_usec = usec;
	return 0;
}

static int set_enforce(struct config *config, const char *value, const char **ret_reason)
{
	if (strcmp(value, "lsm") == 0)
		config->limits = true;
	else if (strcmp(value, "no") == 0)
		config->limits = false;
	else
		*ret_reason = "neither no nor lsm";
	return 0;
}

/* One word of Enable=: a path, with or without the slash at its begin. */
static int add_enable(struct config *config, const char *word, const char **ret_reason)
{
	_cleanup_(freep) char *name = NULL, *path = NULL;
	enum cgroup_name_type type;
	int r;

	if (asprintf(&name, "/%s", word) < 0) {
		name = NULL;
		return -ENOMEM;
	}
	r = cgroup_name_parse(name, &type, &path, ret_reason);
	if (r < 0)
		return r == -EINVAL ? 0 : r;
	if (strcmp(path, "/") == 0)
		*ret_reason = "the root has the controller anyway: name what is delegated";
	else if (strv_length(config->enable) == CONFIG_ENABLE_MAX)
		*ret_reason = "more than 64 cgroups";
	else
		r = strv_extend(&config->enable, path);
	return r;
}

/* Nothing takes back what was listed before, as in systemd's files. */
static int set_enable(struct config *config, const char *value, const char **ret_reason)
{
	_cleanup_(freep) char *copy = strdup(value);
	char *word, *save;
	int r = 0;

	if (!copy)
		return -ENOMEM;
	if (!*value)
		config->enable = strv_free(config->enable);
	for (word = strtok_r(copy, " \t", &save); word && r == 0 && !*ret_reason;
	     word = strtok_r(NULL, " \t", &save))
		r = add_enable(config, word, ret_reason);
	return r;
}

/* set: 0 or -ENOMEM; *ret_reason says what is wrong with the value. */
static const struct key {
	const char *section, *name;
	int (*set)(struct config *config, const char *value, const char **ret_reason);
} keys[] = {
	{ "Revoke", "Mode", set_mode },
	{ "Revoke", "TimeoutSec", set_timeout },
	{ "Control", "Enable", set_enable },
	{ "Limits", "Enforce", set_enforce },
};

static int on_key(const struct ini_line *line, void *userdata, const char **ret_reason)
{
	const char *reason = "unknown section";
	struct parser *p = userdata;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strcmp(line->section, keys[i].section) != 0)
			continue;
		reason = "unknown key";
		if (strcmp(line->name, keys[i].name) != 0)
			continue;
		reason = NULL;
		if (keys[i].set(&p->config, line->value, &reason) < 0)
			return -ENOMEM;
		break;
	}
	return reason ? tell(p, line, reason) : 0;
}

int config_parse(const char *text, config_problem problem, void *userdata, struct config *ret)
{
	struct parser p = { .problem = problem, .userdata = userdata };
	unsigned int line;
	const char *reason;
	int r;

	config_init(&p.config);
	r = ini_read(text, on_key, &p, &line, &reason);
	if (r == -ENOMEM) {
		config_done(&p.config);
		return r;
	}
	if (r < 0)
		problem(line, reason, userdata);
	*ret = p.config;
	return 0;
}

struct loading {
	const char *path;
	conf_problem problem;
	void *userdata;
};

static void log_problem(const char *file, unsigned int line, const char *text, void *userdata)
{
	if (line > 0)
		log_warning("%s:%u: %s; the default is used", file, line, text);
	else
		log_warning("%s: %s; the defaults are used", file, text);
}

static void on_problem(unsigned int line, const char *text, void *userdata)
{
	const struct loading *l = userdata;

	l->problem(l->path, line, text, l->userdata);
}

int config_load(const char *path, conf_problem problem, void *userdata, struct config *ret)
{
	struct loading loading = { path, problem ?: log_problem, userdata };
	_cleanup_(freep) char *text = NULL;
	struct conf_file file;
	int r = conf_file_read(path, CONFIG_FILE_BYTES, &text, &file);

	if (r >= 0)
		return config_parse(text, on_problem, &loading, ret);
	if (r == -ENOMEM)
		return r;
	config_init(ret);
	return r == -ENOENT ? 0 : conf_file_tell(&file, loading.problem, loading.userdata);
}
