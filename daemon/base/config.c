/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <linux/pinguard.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/config.h"
#include "lib/cgroup-path.h"
#include "lib/escape.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/parse.h"
#include "lib/strv.h"

struct parser {
	struct config config;
	const char *rest; /* of the text */
	unsigned int line;
	config_problem problem;
	void *userdata;
	int error;
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

/* Return: 1, which is success to libinih: it goes on. */
static int tell(struct parser *p, const char *name, const char *value, const char *what)
{
	_cleanup_(freep) char *text = NULL, *shown = NULL;

	if (asprintf(&text, "%s=%s: %s", name, value, what) < 0)
		text = NULL;
	shown = text ? escape_text(text) : NULL;
	if (shown)
		p->problem(p->line, shown, p->userdata);
	else
		p->error = -ENOMEM;
	return 1;
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
};

static int on_key(void *userdata, const char *section, const char *name, const char *value)
{
	const char *reason = "unknown section";
	struct parser *p = userdata;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strcmp(section, keys[i].section) != 0)
			continue;
		reason = "unknown key";
		if (strcmp(name, keys[i].name) != 0)
			continue;
		reason = NULL;
		if (keys[i].set(&p->config, value, &reason) < 0)
			p->error = -ENOMEM;
		break;
	}
	return reason ? tell(p, name, value, reason) : 1;
}

/* As fgets(): libinih would take the rest of a long line for the next one. */
static char *read_line(char *buf, int size, void *stream)
{
	struct parser *p = stream;
	size_t n = strcspn(p->rest, "\n");

	if (!*p->rest)
		return NULL;
	p->line++;
	n += p->rest[n] == '\n';
	if (n >= (size_t)size) {
		p->problem(p->line, "the line is too long; the rest of the file is left out",
			   p->userdata);
		return NULL;
	}
	memcpy(buf, p->rest, n);
	buf[n] = '\0';
	p->rest += n;
	return buf;
}

int config_parse(const char *text, config_problem problem, void *userdata, struct config *ret)
{
	struct parser p = { .rest = text, .problem = problem, .userdata = userdata };
	int line;

	config_init(&p.config);
	line = ini_parse_stream(read_line, &p, on_key, &p);
	if (line < 0 || p.error < 0) {
		config_done(&p.config);
		return -ENOMEM;
	}
	if (line > 0)
		problem(line, "neither [Section], Key=value nor a comment", userdata);
	*ret = p.config;
	return 0;
}

static void log_problem(unsigned int line, const char *text, void *userdata)
{
	log_warning("%s:%u: %s; the default is used", (const char *)userdata, line, text);
}

int config_load(const char *path, struct config *ret)
{
	_cleanup_(freep) char *text = NULL;
	size_t size;
	int r = file_read(AT_FDCWD, path, 0, CONFIG_FILE_BYTES, NULL, &text, &size);

	if (r >= 0 && strlen(text) != size)
		r = -EBADMSG;
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		if (r != -ENOENT)
			log_warning_errno(r, "%s cannot be read, the defaults are used: %m", path);
		config_init(ret);
		return 0;
	}
	return config_parse(text, log_problem, (void *)path, ret);
}
