/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <linux/pinguard.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/config.h"
#include "lib/escape.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/parse.h"

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

static int on_key(void *userdata, const char *section, const char *name, const char *value)
{
	struct parser *p = userdata;
	const char *reason;
	uint64_t usec;

	if (strcmp(section, "Revoke") != 0)
		return tell(p, name, value, "unknown section");
	if (strcmp(name, "Mode") == 0) {
		if (strcmp(value, "wait") == 0)
			p->config.revoke_mode = PINGUARD_REVOKE_MODE_WAIT;
		else if (strcmp(value, "notify") == 0)
			p->config.revoke_mode = PINGUARD_REVOKE_MODE_NOTIFY;
		else
			return tell(p, name, value, "neither wait nor notify");
		return 1;
	}
	if (strcmp(name, "TimeoutSec") != 0)
		return tell(p, name, value, "unknown key");
	if (parse_span(value, &usec, &reason) < 0)
		return tell(p, name, value, reason);
	if (usec > CONFIG_TIMEOUT_MAX_USEC)
		return tell(p, name, value, "more than 100 seconds");
	p->config.revoke_timeout_usec = usec;
	return 1;
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
	if (line < 0 || p.error < 0)
		return -ENOMEM;
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
