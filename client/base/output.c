/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "client/base/exit.h"
#include "client/base/output.h"
#include "client/base/pinctl.h"
#include "lib/json.h"
#include "lib/log.h"

const char *show_size(const struct pinctl *ctl, char buf[static FORMAT_SIZE_LEN], uint64_t bytes)
{
	if (!ctl->bytes)
		return format_size(buf, bytes);
	snprintf(buf, FORMAT_SIZE_LEN, "%" PRIu64, bytes);
	return buf;
}

const char *show_count(char buf[static COUNT_LEN], int64_t n, const char *what)
{
	snprintf(buf, COUNT_LEN, "%" PRId64 " %s%s", n, what, n == 1 ? "" : "s");
	return buf;
}

int print_json(const json_t *object)
{
	if (json_dumpf(object, stdout, JSON_COMPACT) < 0 || putchar('\n') == EOF)
		return STATUS_FAILED;
	return STATUS_DONE;
}

void fill_null(json_t *object, const char *const *keys)
{
	for (; *keys; keys++)
		if (!json_object_get(object, *keys))
			(void)json_object_set_new(object, *keys, json_null());
}

static struct winsize screen(void)
{
	struct winsize size = {};
	const char *columns = getenv("COLUMNS");

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		size.ws_col = columns && atoi(columns) > 0 ? (unsigned short)atoi(columns) : 80;
	if (size.ws_row == 0)
		size.ws_row = 24;
	return size;
}

size_t screen_width(const struct pinctl *ctl)
{
	return ctl->terminal ? screen().ws_col : 0;
}

size_t screen_height(const struct pinctl *ctl)
{
	return ctl->terminal ? screen().ws_row : 0;
}

int compare_sizes(const json_t *a, const json_t *b, const char *key)
{
	int64_t size_a = json_get_int(a, key, 0), size_b = json_get_int(b, key, 0);

	return (size_a < size_b) - (size_a > size_b);
}

/* People want to know that there was an answer; stdout is for rows. */
void say_none(const struct pinctl *ctl, const char *what)
{
	if (ctl->terminal && !ctl->no_legend && !ctl->json)
		fprintf(stderr, "No %s.\n", what);
}

void say_omitted(struct pinctl *ctl, int64_t omitted, const char *more)
{
	/* below the table, also where both go to one file */
	if (omitted > 0 && flush_output(ctl) == STATUS_DONE)
		log_notice("%" PRId64 " more %s not listed: there are too many, or their names are "
			   "too long%s",
			   omitted, omitted == 1 ? "process is" : "processes are", more);
}

int flush_output(struct pinctl *ctl)
{
	if (fflush(stdout) == EOF) {
		if (!ctl->output_error)
			ctl->output_error = errno;
		return STATUS_FAILED;
	}
	return STATUS_DONE;
}
