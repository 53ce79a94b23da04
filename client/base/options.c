/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "client/base/exit.h"
#include "client/base/options.h"
#include "client/base/pinctl.h"
#include "lib/cgroup-path.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "lib/parse.h"

#define OPTIONS_MAX 32

enum {
	OPTION_NO_LEGEND = 0x1000,
	OPTION_LIST_COLUMNS,
	OPTION_SOCKET,
};

static const struct option common[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "bytes", no_argument, NULL, 'b' },
	{ "no-legend", no_argument, NULL, OPTION_NO_LEGEND },
	{ "output", required_argument, NULL, 'o' },
	{ "list-columns", no_argument, NULL, OPTION_LIST_COLUMNS },
	{ "socket", required_argument, NULL, OPTION_SOCKET },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
};

/* Edits between two words; words beyond the row's size are never near. */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int row[32];
	size_t length = strlen(b), i, j;

	if (length >= ARRAY_SIZE(row))
		return UINT32_MAX;
	for (j = 0; j <= length; j++)
		row[j] = (unsigned int)j;
	for (i = 0; a[i]; i++) {
		unsigned int diagonal = row[0];

		row[0] = (unsigned int)i + 1;
		for (j = 1; j <= length; j++) {
			unsigned int replace = diagonal + (a[i] != b[j - 1]);

			diagonal = row[j];
			row[j] = MIN(replace, MIN(row[j - 1], row[j]) + 1);
		}
	}
	return row[length];
}

const char *nearest(const char *word, const char *const *names)
{
	unsigned int best = 3;
	const char *found = NULL;

	for (; *names; names++) {
		unsigned int d = distance(word, *names);

		/* a word of which nothing is left is nobody's slip */
		if (d < best && d < strlen(*names)) {
			best = d;
			found = *names;
		}
	}
	return found;
}

static int unknown_option(const char *text, const struct option *options)
{
	const char *names[OPTIONS_MAX + 1] = {}, *found;
	size_t n = 0, length = strcspn(text, "=");
	char word[64];

	for (; options->name; options++)
		names[n++] = options->name;
	if (!strncmp(text, "--", 2) && length < sizeof(word)) {
		memcpy(word, text + 2, length - 2);
		word[length - 2] = '\0';
		found = nearest(word, names);
		if (found)
			return usage_error("unknown option %.*s; did you mean --%s?", (int)length,
					   text, found);
	}
	return usage_error("unknown option %.*s; see --help", (int)length, text);
}

/* What getopt_long() stopped at is argv[optind - 1], but for a short option in a cluster. */
static int bad_option(char **argv, int option, const struct option *options)
{
	const char *text = argv[optind - 1];
	const struct option *known = options;

	if (option == ':')
		return usage_error("option %s needs an argument", text);
	if (!optopt)
		return unknown_option(text, options);
	while (known->name && known->val != optopt)
		known++;
	if (known->name)
		return usage_error("option --%s takes no argument", known->name);
	if (optopt >= '0' && optopt <= '9')
		return usage_error("unknown option %s; if it is meant as a size: it is negative; "
				   "max or infinity is no limit",
				   text);
	return usage_error("unknown option -%c; see --help", optopt);
}

int parse_options(struct pinctl *ctl, int argc, char **argv, const struct option *own,
		  int (*handle)(int option, const char *argument, void *userdata), void *userdata)
{
	struct option options[OPTIONS_MAX] = {};
	/* without arguments of its own the verb comes after the options */
	char letters[16 + 2 * OPTIONS_MAX], *letter = stpcpy(letters, own ? ":jbo:hV" : "+:jbo:hV");
	size_t n = 0;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(common); i++)
		options[n++] = common[i];
	for (; own && own->name; own++) {
		options[n++] = *own;
		if (own->val < 0x80 && own->has_arg != optional_argument)
			*letter++ = (char)own->val;
		if (own->val < 0x80 && own->has_arg == required_argument)
			*letter++ = ':';
	}
	*letter = '\0';

	opterr = 0;
	optind = 0;
	for (;;) {
		int option = getopt_long(argc, argv, letters, options, NULL);

		switch (option) {
		case -1:
			return -1;
		case 'j':
			ctl->json = true;
			break;
		case 'b':
			ctl->bytes = true;
			break;
		case OPTION_NO_LEGEND:
			ctl->no_legend = true;
			break;
		case 'o':
			ctl->columns = optarg;
			break;
		case OPTION_LIST_COLUMNS:
			ctl->list_columns = true;
			break;
		case OPTION_SOCKET:
			ctl->socket = optarg;
			break;
		case 'h':
			fputs(ctl->help, stdout);
			return STATUS_DONE;
		case 'V':
			puts("pinctl " PACKAGE_VERSION);
			return STATUS_DONE;
		case '?':
		case ':':
			return bad_option(argv, option, options);
		default:
			r = handle(option, optarg, userdata);
			if (r >= 0)
				return r;
		}
	}
}

int parse_options_only(struct pinctl *ctl, int argc, char **argv, const struct option *own,
		       int (*handle)(int option, const char *argument, void *userdata),
		       void *userdata)
{
	int r = parse_options(ctl, argc, argv, own, handle, userdata);

	if (r < 0 && optind < argc)
		return usage_error("%s takes options only, not \"%s\"; see pinctl %s --help",
				   argv[0], argv[optind], argv[0]);
	return r;
}

int parse_one_argument(struct pinctl *ctl, int argc, char **argv, const struct option *own,
		       int (*handle)(int option, const char *argument, void *userdata),
		       void *userdata, const char *what, const char **ret_argument)
{
	static const struct option none[] = { {} };
	int r = parse_options(ctl, argc, argv, own ?: none, handle, userdata);

	if (r >= 0)
		return r;
	if (argc == optind && ctl->list_columns) {
		*ret_argument = NULL;
		return -1;
	}
	if (argc - optind != 1)
		return usage_error("usage: pinctl %s %s; see pinctl %s --help", argv[0], what,
				   argv[0]);
	*ret_argument = argv[optind];
	return -1;
}

int parse_since(const char *argument, uint64_t *ret_usec)
{
	const char *reason;

	if (parse_time(argument, clock_usec(CLOCK_REALTIME), ret_usec, &reason) < 0)
		return usage_error("not a time: \"%s\": %s", argument, reason);
	return -1;
}

int parse_limit(const char *argument, uint64_t *ret_n)
{
	char *end;
	unsigned long long n;

	errno = 0;
	n = strtoull(argument, &end, 10);
	/* strtoull() takes signs and spaces, too */
	if (*argument < '0' || *argument > '9' || *end || errno || n == 0 || n > INT64_MAX)
		return usage_error("not a number of rows, from 1 on: \"%s\"", argument);
	*ret_n = n;
	return -1;
}

/* "a, b and c"; NULL when out of memory. The caller frees it. */
static char *enumerate(const char *const *words)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (size_t i = 0; words[i]; i++)
		fprintf(out, "%s%s", i == 0 ? "" : words[i + 1] ? ", " : " and ", words[i]);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

int check_word(const char *what, const char *word, const char *const *words)
{
	_cleanup_(freep) char *all = NULL;
	const char *found;

	for (size_t i = 0; words[i]; i++)
		if (!strcmp(words[i], word))
			return -1;
	found = nearest(word, words);
	if (found)
		return usage_error("no %s: \"%s\"; did you mean %s?", what, word, found);
	all = enumerate(words);
	if (!all)
		return out_of_memory();
	return usage_error("no %s: \"%s\"; there are %s", what, word, all);
}

int check_cgroup(const char *cgroup)
{
	_cleanup_(freep) char *name = NULL;
	enum cgroup_name_type type;
	const char *reason;
	int r = cgroup_name_parse(cgroup, &type, &name, &reason);

	if (r == -EINVAL)
		return usage_error("not a cgroup: \"%s\": %s", cgroup, reason);
	return r < 0 ? out_of_memory() : -1;
}

json_t *argument_string(const char *argument)
{
	return json_string(argument) ?: json_escaped(argument, strlen(argument));
}
