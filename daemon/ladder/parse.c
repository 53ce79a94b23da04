/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One file of release.d: all of it is right, or none of it counts. */
#include <errno.h>
#include <ini.h>
#include <string.h>

#include "daemon/ladder/parse.h"
#include "lib/escape.h"
#include "lib/parse.h"

#define USEC_PER_SEC UINT64_C(1000000)

static const char begins_with_blank[] = "the line begins with a blank";

struct parser {
	struct ladder *ladder;
	const char *rest; /* of the text */
	unsigned int line;
	bool goes_on; /* the line begins with a blank */
	bool seen[N_STEPS], seen_usec[N_STEPS];
	int error;
	unsigned int error_line;
	const char *reason;
};

struct ladder *ladder_free(struct ladder *ladder)
{
	char ***lists[] = { &ladder->units, &ladder->cgroups, &ladder->hook };

	if (!ladder)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		for (char **s = *lists[i]; s && *s; s++)
			free(*s);
		free(*lists[i]);
	}
	free(ladder->name);
	free(ladder);
	return NULL;
}

/* Keeps the first error. Return: 0, which is failure to libinih. */
static int fail(struct parser *p, int error, const char *reason)
{
	if (!p->error) {
		p->error = error;
		p->error_line = p->line;
		p->reason = reason;
	}
	return 0;
}

/* Takes the word over, also when it fails. */
static int add_word(char ***list, char *word, size_t max)
{
	char **grown;
	size_t n = 0;

	while (*list && (*list)[n])
		n++;
	if (!word || n >= max) {
		free(word);
		return word ? -E2BIG : -ENOMEM;
	}
	grown = realloc(*list, (n + 2) * sizeof(*grown));
	if (!grown) {
		free(word);
		return -ENOMEM;
	}
	grown[n] = word;
	grown[n + 1] = NULL;
	*list = grown;
	return 0;
}

/* Blanks part patterns; a backslash is a backslash, as in the names of units. */
static int add_patterns(struct parser *p, char ***list, bool paths, const char *value)
{
	if (p->goes_on)
		return fail(p, -EINVAL, begins_with_blank);
	for (;;) {
		size_t n;
		int r;

		value += strspn(value, " \t");
		n = strcspn(value, " \t");
		if (n == 0)
			return 1;
		if (paths && *value != '/')
			return fail(p, -EINVAL, "a cgroup begins with a slash");
		if (!paths && memchr(value, '/', n))
			return fail(p, -EINVAL, "a unit's name has no slash");
		r = add_word(list, strndup(value, n), LADDER_PATTERNS_MAX);
		if (r < 0)
			return fail(p, r == -E2BIG ? -EINVAL : r, "too many patterns");
		value += n;
	}
}

/* One word of a command, quoted in part or not. Return: 0, -EINVAL. */
static int take_word(const char **value, char *word)
{
	const char *s = *value;
	char quote = '\0';

	for (; *s && (quote || !strchr(" \t", *s)); s++) {
		if (*s == '\\') {
			if (!s[1] || !strchr("\\\"' \t", s[1]))
				return -EINVAL;
			*word++ = *++s;
		} else if (quote && *s == quote) {
			quote = '\0';
		} else if (!quote && (*s == '"' || *s == '\'')) {
			quote = *s;
		} else {
			*word++ = *s;
		}
	}
	*word = '\0';
	*value = s;
	return quote ? -EINVAL : 0;
}

static int add_command(struct parser *p, const char *value)
{
	_cleanup_(freep) char *shown = escape_text(value), *word = malloc(strlen(value) + 1);
	int r;

	if (!shown || !word)
		return fail(p, -ENOMEM, NULL);
	if (strcmp(shown, value) != 0)
		return fail(p, -EINVAL, "a control character, or no UTF-8");
	if (p->ladder->hook && !p->goes_on)
		return fail(p, -EINVAL, "given twice");
	if (!p->ladder->hook && *value != '/')
		return fail(p, -EINVAL, "a command begins with an absolute path");
	for (;;) {
		value += strspn(value, " \t");
		if (!*value)
			break;
		if (take_word(&value, word) < 0)
			return fail(p, -EINVAL, "a quote without its end, or an unknown escape");
		r = add_word(&p->ladder->hook, strdup(word), LADDER_WORDS_MAX);
		if (r < 0)
			return fail(p, r == -E2BIG ? -EINVAL : r, "too many words");
	}
	p->ladder->on[STEP_HOOK] = true;
	return 1;
}

static int set_usec(struct parser *p, int step, const char *value)
{
	bool may_be_zero = step == STEP_ASK || step == STEP_REMIND;
	const char *reason;
	uint64_t usec;

	if (p->goes_on || p->seen_usec[step])
		return fail(p, -EINVAL, p->goes_on ? begins_with_blank : "given twice");
	if (parse_span(value, &usec, &reason) < 0)
		return fail(p, -EINVAL, reason);
	if (usec > LADDER_SEC_MAX * USEC_PER_SEC)
		return fail(p, -EINVAL, "more than a day");
	if (usec < USEC_PER_SEC && !(usec == 0 && may_be_zero))
		return fail(p, -EINVAL, "less than a second");
	p->seen_usec[step] = true;
	p->ladder->usec[step] = usec;
	if (may_be_zero)
		p->ladder->on[step] = usec > 0;
	return 1;
}

static int set_bool(struct parser *p, int step, const char *value)
{
	static const char *const yes[] = { "yes", "true", "on", "1" };
	static const char *const no[] = { "no", "false", "off", "0" };

	if (p->goes_on || p->seen[step])
		return fail(p, -EINVAL, p->goes_on ? begins_with_blank : "given twice");
	p->seen[step] = true;
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		if (strcmp(value, yes[i]) == 0 || strcmp(value, no[i]) == 0) {
			p->ladder->on[step] = strcmp(value, yes[i]) == 0;
			return 1;
		}
	}
	return fail(p, -EINVAL, "neither yes nor no");
}

static const struct {
	const char *name;
	int step;
	bool is_bool;
} release_keys[] = {
	{ "AskSec", STEP_ASK },
	{ "RemindSec", STEP_REMIND },
	{ "Hook", STEP_HOOK },
	{ "HookSec", STEP_HOOK },
	{ "StopUnit", STEP_STOP_UNIT, true },
	{ "StopSec", STEP_STOP_UNIT },
	{ "Kill", STEP_KILL, true },
	{ "KillSec", STEP_KILL },
};

/* An indented "Key=value" would be read as more of the value before it. */
static bool looks_like_key(const char *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(release_keys); i++) {
		size_t n = strlen(release_keys[i].name);

		if (strncmp(value, release_keys[i].name, n) == 0 &&
		    value[n + strspn(value + n, " \t")] == '=')
			return true;
	}
	return false;
}

static int on_release_key(struct parser *p, const char *name, const char *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(release_keys); i++) {
		if (strcmp(release_keys[i].name, name) != 0)
			continue;
		if (release_keys[i].is_bool)
			return set_bool(p, release_keys[i].step, value);
		if (strcmp(name, "Hook") != 0)
			return set_usec(p, release_keys[i].step, value);
		if (p->goes_on && looks_like_key(value))
			return fail(p, -EINVAL, begins_with_blank);
		return add_command(p, value);
	}
	return fail(p, -EINVAL, "unknown key");
}

static int on_key(void *userdata, const char *section, const char *name, const char *value)
{
	struct parser *p = userdata;

	if (p->error)
		return 0;
	if (!*value)
		return fail(p, -EINVAL, "no value");
	if (strcmp(section, "Release") == 0)
		return on_release_key(p, name, value);
	if (strcmp(section, "Match") != 0)
		return fail(p, -EINVAL, "unknown section");
	if (strcmp(name, "Unit") == 0)
		return add_patterns(p, &p->ladder->units, false, value);
	if (strcmp(name, "Cgroup") == 0)
		return add_patterns(p, &p->ladder->cgroups, true, value);
	return fail(p, -EINVAL, "unknown key");
}

/* As fgets(): libinih would take the rest of a long line for the next one. */
static char *read_line(char *buf, int size, void *stream)
{
	struct parser *p = stream;
	size_t n = strcspn(p->rest, "\n");

	if (p->error || !*p->rest)
		return NULL;
	p->line++;
	p->goes_on = *p->rest == ' ' || *p->rest == '\t';
	n += p->rest[n] == '\n';
	if (n >= (size_t)size) {
		fail(p, -EINVAL, "the line is too long");
		return NULL;
	}
	memcpy(buf, p->rest, n);
	buf[n] = '\0';
	p->rest += n;
	return buf;
}

static int parse(struct parser *p)
{
	int line = ini_parse_stream(read_line, p, on_key, p);

	/* what libinih did not understand may come before what was wrong in a value */
	if (line > 0 && (unsigned int)line < p->error_line)
		p->error = 0;
	if (p->error)
		return p->error;
	p->line = line > 0 ? line : 0;
	if (line > 0)
		fail(p, -EINVAL, "neither [Section], Key=value nor a comment");
	else if (line < 0)
		fail(p, -ENOMEM, NULL);
	else if (!p->ladder->units && !p->ladder->cgroups)
		fail(p, -EINVAL, "neither Unit= nor Cgroup= in [Match]");
	else if (p->seen_usec[STEP_HOOK] && !p->ladder->hook)
		fail(p, -EINVAL, "HookSec= without Hook=");
	return p->error;
}

int ladder_parse(const char *text, const char *name, struct ladder **ret, unsigned int *ret_line,
		 const char **ret_reason)
{
	_cleanup_(ladder_freep) struct ladder *ladder = calloc(1, sizeof(*ladder));
	struct parser p = { .ladder = ladder, .rest = text };
	int r;

	if (!ladder)
		return -ENOMEM;
	ladder->name = strdup(name);
	if (!ladder->name)
		return -ENOMEM;
	ladder->on[STEP_ASK] = true;
	ladder->usec[STEP_ASK] = 30 * USEC_PER_SEC;
	ladder->usec[STEP_HOOK] = 60 * USEC_PER_SEC;
	ladder->usec[STEP_STOP_UNIT] = 90 * USEC_PER_SEC;
	ladder->usec[STEP_KILL] = 10 * USEC_PER_SEC;
	r = parse(&p);
	if (r == -EINVAL) {
		*ret_line = p.error_line;
		*ret_reason = p.reason;
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(ladder);
	return 0;
}
