/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <ini.h>
#include <string.h>

#include "daemon/base/ini.h"
#include "lib/macros.h"
#include "lib/strv.h"

const char ini_begins_with_blank[] = "the line begins with a blank";

struct reader {
	const char *rest; /* of the text */
	struct ini_line line;
	bool keyed; /* there was a key since the head */
	ini_handler_t handler;
	void *userdata;
	int error;
	unsigned int error_line;
	const char *reason;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Keeps the first error. Return: 0, which is failure to libinih. */
static int fail(struct reader *r, int error, const char *reason)
{
	if (!r->error) {
		r->error = error;
		r->error_line = r->line.line;
		r->reason = reason;
	}
	return 0;
}

/* libinih tells of keys alone, not of the heads of their sections. */
static void look_for_head(struct reader *r)
{
	static const char mark[] = "\xef\xbb\xbf"; /* of UTF-8, which libinih passes over */
	const char *s = r->rest;

	if (r->line.line == 1 && strncmp(s, mark, strlen(mark)) == 0)
		s += strlen(mark);
	/* indented, it goes on with the key before it */
	if (!r->keyed)
		s += strspn(s, " \t\r\v\f");
	if (*s != '[')
		return;
	r->line.section_line = r->line.line;
	r->keyed = false;
}

/* As fgets(): libinih would take the rest of a long line for the next one. */
static char *read_line(char *buf, int size, void *stream)
{
	struct reader *r = stream;
	size_t n = strcspn(r->rest, "\n");

	if (r->error || !*r->rest)
		return NULL;
	r->line.line++;
	r->line.goes_on = is_blank(*r->rest);
	look_for_head(r);
	n += r->rest[n] == '\n';
	if (n >= (size_t)size) {
		fail(r, -EINVAL, "the line is too long");
		return NULL;
	}
	memcpy(buf, r->rest, n);
	buf[n] = '\0';
	r->rest += n;
	return buf;
}

static int on_key(void *userdata, const char *section, const char *name, const char *value)
{
	struct reader *r = userdata;
	const char *reason = NULL;
	int error;

	if (r->error)
		return 0;
	r->keyed = true;
	r->line.section = section;
	r->line.name = name;
	r->line.value = value;
	error = r->handler(&r->line, r->userdata, &reason);
	return error < 0 ? fail(r, error, reason) : 1;
}

int ini_read(const char *text, ini_handler_t handler, void *userdata, unsigned int *ret_line,
	     const char **ret_reason)
{
	struct reader r = { .rest = text, .handler = handler, .userdata = userdata };
	int line = ini_parse_stream(read_line, &r, on_key, &r);

	/* what libinih did not understand may come before what was wrong in a value */
	if (line > 0 && (unsigned int)line < r.error_line)
		r.error = 0;
	if (!r.error && line != 0) {
		r.line.line = line > 0 ? line : 0;
		(void)fail(&r, line > 0 ? -EINVAL : -ENOMEM,
			   "neither [Section], Key=value nor a comment");
	}
	if (r.error == -EINVAL) {
		*ret_line = r.error_line;
		*ret_reason = r.reason;
	}
	return r.error;
}

int ini_parse_bool(const char *value, bool *ret)
{
	static const char *const yes[] = { "yes", "true", "on", "1" };
	static const char *const no[] = { "no", "false", "off", "0" };

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		if (strcmp(value, yes[i]) == 0 || strcmp(value, no[i]) == 0) {
			*ret = strcmp(value, yes[i]) == 0;
			return 0;
		}
	}
	return -EINVAL;
}

int ini_add_word(char ***list, const char *word, size_t max)
{
	return strv_length(*list) >= max ? -E2BIG : strv_extend(list, word);
}

int ini_add_words(char ***list, const char *value, size_t max)
{
	_cleanup_(freep) char *copy = strdup(value);
	char *word, *save;
	int r = copy ? 0 : -ENOMEM;

	if (r < 0)
		return r;
	for (word = strtok_r(copy, " \t", &save); word && r == 0;
	     word = strtok_r(NULL, " \t", &save))
		r = ini_add_word(list, word, max);
	return r;
}
