/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One file of quota.d: all of it is right, or none of it counts. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "daemon/cgroup/declarations.h"
#include "daemon/model/model.h"
#include "lib/parse.h"
#include "lib/strv.h"

struct parser {
	struct declarations *to;
	struct declaration *d; /* that is read; NULL before the first [Match] */
	const char *file;
	uint64_t memory_bytes;
	unsigned int quota_line; /* of its [Quota]; 0 before that */
	const struct ini_line *line;
	unsigned int error_line; /* 0 for the line that is read */
	const char *reason;
};

struct declarations *declarations_new(void)
{
	struct declarations *d = calloc(1, sizeof(*d));

	if (d)
		d->n_refs = 1;
	return d;
}

struct declarations *declarations_ref(struct declarations *d)
{
	d->n_refs++;
	return d;
}

static void declaration_free(struct declaration *d)
{
	strv_free(d->patterns);
	free(d);
}

struct declarations *declarations_free(struct declarations *d)
{
	if (!d || --d->n_refs > 0)
		return NULL;
	for (size_t i = 0; i < d->n; i++)
		declaration_free(d->all[i]);
	free(d->all);
	strv_free(d->files);
	free(d);
	return NULL;
}

static int wrong(struct parser *p, const char *reason)
{
	p->reason = reason;
	return -EINVAL;
}

/* The same of a line that was read before. */
static int was_wrong(struct parser *p, unsigned int line, const char *reason)
{
	p->error_line = line;
	return wrong(p, reason);
}

static int add_section(struct parser *p)
{
	struct declarations *to = p->to;
	struct declaration **grown;

	if (to->n >= DECLARATIONS_MAX)
		return wrong(p, "too many sections");
	if ((to->n & (to->n - 1)) == 0) {
		grown = reallocarray(to->all, to->n ? to->n * 2 : 1, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		to->all = grown;
	}
	p->d = calloc(1, sizeof(*p->d));
	if (!p->d)
		return -ENOMEM;
	p->d->file = p->file;
	p->d->line = p->line->section_line;
	p->d->max_bytes = p->d->high_bytes = UINT64_MAX;
	p->quota_line = 0;
	to->all[to->n++] = p->d;
	return 0;
}

/* Of the section that ends here. */
static int check_section(struct parser *p)
{
	const struct declaration *d = p->d;

	if (!d)
		return 0;
	if (!p->quota_line)
		return was_wrong(p, d->line, "no [Quota] with a value comes after this [Match]");
	if (d->pressure_line && !d->high_line)
		return was_wrong(p, d->pressure_line, "Pressure= wants High=");
	if (d->high_bytes != UINT64_MAX && d->high_bytes > d->max_bytes)
		return was_wrong(p, d->high_line, "the high mark is above the limit");
	return 0;
}

static const char *check_path(const char *s, size_t n)
{
	static const char *const parts[] = { "//", "/./", "/../" };
	char path[256];

	if (n + 3 > sizeof(path))
		return "the pattern is too long";
	/* between slashes, whether it begins with one or not */
	memcpy(path, "/", 1);
	memcpy(path + 1, s + (*s == '/'), n - (*s == '/'));
	strcpy(path + 1 + n - (*s == '/'), "/");
	if (strcmp(path, "//") == 0)
		return "the root has no limit";
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (strstr(path, parts[i]))
			return "a path has no empty, \".\" or \"..\" component, nor a slash at its end";
	return NULL;
}

static const char *check_unit(const char *s, size_t n)
{
	if (memchr(s, '/', n))
		return "a unit's name has no slash; CGroup= is for paths";
	if (n == strlen("-.slice") && strncmp(s, "-.slice", n) == 0)
		return "the root has no limit";
	return NULL;
}

static int add_patterns(struct parser *p, bool paths, const char *value)
{
	static const char blanks[] = " \t";
	struct declaration *d = p->d;
	int r;

	if (p->line->goes_on)
		return wrong(p, ini_begins_with_blank);
	if (d->patterns && d->paths != paths)
		return wrong(p, "Unit= and CGroup= are for sections of their own");
	for (const char *s = value + strspn(value, blanks); *s; s += strspn(s, blanks)) {
		size_t n = strcspn(s, blanks);
		const char *reason = paths ? check_path(s, n) : check_unit(s, n);

		if (reason)
			return wrong(p, reason);
		s += n;
	}
	d->paths = paths;
	r = ini_add_words(&d->patterns, value, DECLARATION_PATTERNS_MAX);
	return r == -E2BIG ? wrong(p, "too many patterns") : r;
}

static int set_bytes(struct parser *p, uint64_t *bytes, unsigned int *line)
{
	const char *reason;

	if (*line)
		return wrong(p, "given twice");
	if (parse_size(p->line->value, p->memory_bytes, bytes, &reason) < 0)
		return wrong(p, reason);
	*line = p->line->line;
	return 0;
}

/* One word for who may pin, one for how it counts, or both. */
static int set_policy(struct parser *p, const char *value)
{
	struct declaration *d = p->d;
	char word[16];

	if (d->policy_line)
		return wrong(p, "given twice");
	d->policy_line = p->line->line;
	for (value += strspn(value, " \t"); *value; value += strspn(value, " \t")) {
		size_t n = strcspn(value, " \t");
		uint32_t policy = 0, count = 0;

		snprintf(word, sizeof(word), "%.*s", (int)MIN(n, sizeof(word) - 1), value);
		if (n >= sizeof(word) || (render_parse_policy(word, &policy) < 0 &&
					  render_parse_count(word, &count) < 0))
			return wrong(p, "none of allow, revocable, deny, each and once");
		if ((policy && d->policy) || (count && d->count))
			return wrong(p, "two words of the same kind");
		d->policy = policy ?: d->policy;
		d->count = count ?: d->count;
		value += n;
	}
	return 0;
}

/* "some 10%/10s" */
static int set_pressure(struct parser *p, const char *value)
{
	struct pressure *pressure = &p->d->pressure;
	unsigned int percent;
	const char *reason;
	char word[8];
	int n = 0;

	if (p->d->pressure_line)
		return wrong(p, "given twice");
	if (sscanf(value, "%7s %3u%%/%n", word, &percent, &n) < 2 || n == 0 ||
	    (strcmp(word, "some") != 0 && strcmp(word, "full") != 0))
		return wrong(p, "not as \"some 10%/10s\" or \"full 5%/2s\"");
	if (percent < 1 || percent > 100)
		return wrong(p, "not from 1% to 100%");
	if (parse_span(value + n, &pressure->window_usec, &reason) < 0)
		return wrong(p, reason);
	if (pressure->window_usec == 0 || pressure->window_usec > PRESSURE_WINDOW_MAX_USEC ||
	    pressure->window_usec % PRESSURE_WINDOW_STEP_USEC != 0)
		return wrong(p, "the kernel takes 2, 4, 6, 8 or 10 seconds");
	pressure->full = strcmp(word, "full") == 0;
	pressure->stall_usec = pressure->window_usec / 100 * percent;
	p->d->pressure_line = p->line->line;
	return 0;
}

static int on_match(struct parser *p)
{
	const struct ini_line *line = p->line;
	int r;

	if (!p->d || p->d->line != line->section_line) {
		r = check_section(p);
		if (r == 0)
			r = add_section(p);
		if (r < 0)
			return r;
	}
	if (strcmp(line->name, "Unit") == 0)
		return add_patterns(p, false, line->value);
	if (strcmp(line->name, "CGroup") == 0)
		return add_patterns(p, true, line->value);
	return wrong(p, "unknown key");
}

static int on_quota(struct parser *p)
{
	const struct ini_line *line = p->line;

	if (!p->d)
		return was_wrong(p, line->section_line, "no [Match] comes before this [Quota]");
	if (p->quota_line && p->quota_line != line->section_line)
		return was_wrong(p, line->section_line, "a second [Quota] for one [Match]");
	p->quota_line = line->section_line;
	if (line->goes_on)
		return wrong(p, ini_begins_with_blank);
	if (strcmp(line->name, "Max") == 0)
		return set_bytes(p, &p->d->max_bytes, &p->d->max_line);
	if (strcmp(line->name, "High") == 0)
		return set_bytes(p, &p->d->high_bytes, &p->d->high_line);
	if (strcmp(line->name, "Policy") == 0)
		return set_policy(p, line->value);
	if (strcmp(line->name, "Pressure") == 0)
		return set_pressure(p, line->value);
	return wrong(p, "unknown key");
}

static int read_key(struct parser *p)
{
	if (!*p->line->value)
		return wrong(p, "no value");
	if (strcmp(p->line->section, "Match") == 0)
		return on_match(p);
	if (strcmp(p->line->section, "Quota") == 0)
		return on_quota(p);
	return wrong(p, "unknown section");
}

static int on_key(const struct ini_line *line, void *userdata, const char **ret_reason)
{
	struct parser *p = userdata;
	int r;

	p->line = line;
	r = read_key(p);
	*ret_reason = p->reason;
	return r;
}

static int parse(struct parser *p, const char *text, unsigned int *ret_line)
{
	const char *reason = NULL;
	int r = ini_read(text, on_key, p, ret_line, &reason);

	if (r == 0) {
		*ret_line = 0;
		r = p->d ? check_section(p) : wrong(p, "no section with a key");
		reason = p->reason;
	}
	/* what was no key at all may come before what this found */
	if (r == -EINVAL && p->error_line && reason == p->reason)
		*ret_line = p->error_line;
	p->reason = reason;
	return r;
}

int declarations_parse(struct declarations *d, const char *text, const char *file,
		       uint64_t memory_bytes, unsigned int *ret_line, const char **ret_reason)
{
	struct parser p = { .to = d, .memory_bytes = memory_bytes };
	const size_t n = d->n;
	size_t n_files = 0;
	unsigned int line;
	int r;

	r = ini_add_word(&d->files, file, SIZE_MAX);
	if (r < 0)
		return r;
	while (d->files[n_files + 1])
		n_files++;
	p.file = d->files[n_files];
	r = parse(&p, text, &line);
	if (r == 0)
		return 0;
	while (d->n > n)
		declaration_free(d->all[--d->n]);
	free(d->files[n_files]);
	d->files[n_files] = NULL;
	if (r == -EINVAL) {
		*ret_line = line;
		*ret_reason = p.reason;
	}
	return r;
}

struct loading {
	struct declarations *d;
	uint64_t memory_bytes;
	conf_problem problem;
	void *userdata;
	bool told;
};

static int load_file(const struct conf_file *file, void *userdata)
{
	struct loading *l = userdata;
	const char *reason;
	unsigned int line;
	int r;

	if (!file->text) {
		l->told = true;
		return conf_file_tell(file, l->problem, l->userdata);
	}
	r = declarations_parse(l->d, file->text, file->path, l->memory_bytes, &line, &reason);
	if (r != -EINVAL)
		return r;
	l->told = true;
	l->problem(file->path, line, reason, l->userdata);
	return 0;
}

static uint64_t memory_bytes(void)
{
	struct sysinfo info;

	return sysinfo(&info) < 0 ? 0 : (uint64_t)info.totalram * info.mem_unit;
}

int declarations_load(const char *const *dirs, conf_problem problem, void *userdata,
		      struct declarations **ret)
{
	static const char *const all_dirs[] = DECLARATIONS_DIRS;
	_cleanup_(declarations_freep) struct declarations *d = declarations_new();
	const struct conf_files files = {
		.dirs = dirs ?: all_dirs,
		.masks = true,
		.max = DECLARATION_FILES_MAX,
		.max_bytes = DECLARATION_FILE_BYTES,
	};
	struct loading l = {
		.d = d, .memory_bytes = memory_bytes(), .problem = problem, .userdata = userdata,
	};
	int r;

	if (!d)
		return -ENOMEM;
	r = conf_files_read(&files, load_file, &l);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(d);
	return l.told;
}
