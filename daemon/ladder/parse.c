/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One file of release.d: all of it is right, or none of it counts. */
#include <errno.h>
#include <string.h>

#include "daemon/base/base.h"
#include "daemon/ladder/parse.h"
#include "lib/escape.h"
#include "lib/parse.h"
#include "lib/strv.h"

#define USEC_PER_SEC UINT64_C(1000000)

struct parser {
	struct ladder *ladder;
	const struct ini_line *line; /* that is read */
	bool seen[N_STEPS], seen_usec[N_STEPS];
	const char *reason;
};

struct ladder *ladder_free(struct ladder *ladder)
{
	if (!ladder)
		return NULL;
	strv_free(ladder->units);
	strv_free(ladder->cgroups);
	strv_free(ladder->hook);
	free(ladder->name);
	free(ladder);
	return NULL;
}

static int wrong(struct parser *p, const char *reason)
{
	p->reason = reason;
	return -EINVAL;
}

/* What a list of words says when it takes no more. */
static int added(struct parser *p, int r, const char *too_many)
{
	return r == -E2BIG ? wrong(p, too_many) : r;
}

/* Blanks part patterns; a backslash is a backslash, as in the names of units. */
static int add_patterns(struct parser *p, char ***list, bool paths, const char *value)
{
	static const char blanks[] = " \t";

	if (p->line->goes_on)
		return wrong(p, ini_begins_with_blank);
	for (const char *s = value + strspn(value, blanks); *s; s += strspn(s, blanks)) {
		size_t n = strcspn(s, blanks);

		if (paths && *s != '/')
			return wrong(p, "a cgroup begins with a slash");
		if (!paths && memchr(s, '/', n))
			return wrong(p, "a unit's name has no slash");
		s += n;
	}
	return added(p, ini_add_words(list, value, LADDER_PATTERNS_MAX), "too many patterns");
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
	int r = 0;

	if (!shown || !word)
		return -ENOMEM;
	if (strcmp(shown, value) != 0)
		return wrong(p, "a control character, or no UTF-8");
	if (p->ladder->hook && !p->line->goes_on)
		return wrong(p, "given twice");
	if (!p->ladder->hook && *value != '/')
		return wrong(p, "a command begins with an absolute path");
	for (value += strspn(value, " \t"); *value && r == 0; value += strspn(value, " \t")) {
		if (take_word(&value, word) < 0)
			return wrong(p, "a quote without its end, or an unknown escape");
		r = ini_add_word(&p->ladder->hook, word, LADDER_WORDS_MAX);
	}
	p->ladder->on[STEP_HOOK] = true;
	return added(p, r, "too many words");
}

static int set_usec(struct parser *p, int step, const char *value)
{
	bool may_be_zero = step == STEP_ASK || step == STEP_REMIND;
	const char *reason;
	uint64_t usec;

	if (p->line->goes_on || p->seen_usec[step])
		return wrong(p, p->line->goes_on ? ini_begins_with_blank : "given twice");
	if (parse_span(value, &usec, &reason) < 0)
		return wrong(p, reason);
	if (usec > LADDER_SEC_MAX * USEC_PER_SEC)
		return wrong(p, "more than a day");
	if (usec < USEC_PER_SEC && !(usec == 0 && may_be_zero))
		return wrong(p, "less than a second");
	p->seen_usec[step] = true;
	p->ladder->usec[step] = usec;
	if (may_be_zero)
		p->ladder->on[step] = usec > 0;
	return 0;
}

static int set_bool(struct parser *p, int step, const char *value)
{
	if (p->line->goes_on || p->seen[step])
		return wrong(p, p->line->goes_on ? ini_begins_with_blank : "given twice");
	p->seen[step] = true;
	if (ini_parse_bool(value, &p->ladder->on[step]) < 0)
		return wrong(p, "neither yes nor no");
	return 0;
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
		if (p->line->goes_on && looks_like_key(value))
			return wrong(p, ini_begins_with_blank);
		return add_command(p, value);
	}
	return wrong(p, "unknown key");
}

static int read_key(struct parser *p, const struct ini_line *line)
{
	if (!*line->value)
		return wrong(p, "no value");
	if (strcmp(line->section, "Release") == 0)
		return on_release_key(p, line->name, line->value);
	if (strcmp(line->section, "Match") != 0)
		return wrong(p, "unknown section");
	if (strcmp(line->name, "Unit") == 0)
		return add_patterns(p, &p->ladder->units, false, line->value);
	if (strcmp(line->name, "Cgroup") == 0)
		return add_patterns(p, &p->ladder->cgroups, true, line->value);
	return wrong(p, "unknown key");
}

static int on_key(const struct ini_line *line, void *userdata, const char **ret_reason)
{
	struct parser *p = userdata;
	int r;

	p->line = line;
	r = read_key(p, line);
	*ret_reason = p->reason;
	return r;
}

static int parse(struct parser *p, const char *text, unsigned int *ret_line)
{
	int r = ini_read(text, on_key, p, ret_line, &p->reason);

	if (r < 0)
		return r;
	*ret_line = 0;
	if (!p->ladder->units && !p->ladder->cgroups)
		return wrong(p, "neither Unit= nor Cgroup= in [Match]");
	if (p->seen_usec[STEP_HOOK] && !p->ladder->hook)
		return wrong(p, "HookSec= without Hook=");
	return 0;
}

int ladder_parse(const char *text, const char *name, struct ladder **ret, unsigned int *ret_line,
		 const char **ret_reason)
{
	_cleanup_(ladder_freep) struct ladder *ladder = calloc(1, sizeof(*ladder));
	struct parser p = { .ladder = ladder };
	unsigned int line;
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
	r = parse(&p, text, &line);
	if (r == -EINVAL) {
		*ret_line = line;
		*ret_reason = p.reason;
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(ladder);
	return 0;
}
