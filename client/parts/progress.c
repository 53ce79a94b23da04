/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "client/base/output.h"
#include "client/base/pinctl.h"
#include "client/parts/progress.h"
#include "lib/clock.h"
#include "lib/json.h"

#define BAR_WIDTH    20
#define OWNERS_SHOWN 10

void progress_init(struct progress *progress, const struct pinctl *ctl)
{
	const char *term = getenv("TERM");

	*progress = (struct progress){
		.ctl = ctl,
		.on = !ctl->json && isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0,
	};
}

void progress_clear(struct progress *progress)
{
	if (progress->lines > 0)
		fprintf(stderr, "\r\033[%uA\033[J", progress->lines);
	progress->lines = 0;
}

/* One that is as wide as the terminal would take two of its lines. */
static size_t cut_to_width(char *line, size_t width)
{
	size_t columns = 0;
	char *c;

	for (c = line; *c; c++)
		if ((*c & 0xc0) != 0x80 && ++columns >= width)
			break;
	*c = '\0';
	return (size_t)(c - line);
}

/* Over what was there before, at once, so that nothing flickers. */
static void draw(struct progress *progress, char *text)
{
	struct winsize size = {};
	_cleanup_(freep) char *out = malloc(2 * strlen(text) + 64);
	char *line, *rest = text, *end = out;
	size_t width = 80, rows = 24, n;
	unsigned int lines = 0;

	if (!out)
		return;
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
		width = size.ws_col;
		rows = size.ws_row;
	}
	if (progress->lines > 0)
		end += sprintf(end, "\r\033[%uA\033[J", progress->lines);
	while ((line = strsep(&rest, "\n")) && rest && lines + 1 < rows) {
		n = cut_to_width(line, width);
		memcpy(end, line, n);
		end[n] = '\n';
		end += n + 1;
		lines++;
	}
	fwrite(out, 1, (size_t)(end - out), stderr);
	progress->lines = lines;
}

void progress_line(struct progress *progress, const char *format, ...)
{
	_cleanup_(freep) char *text = NULL, *line = NULL;
	va_list ap;

	if (!progress->on)
		return;
	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	va_end(ap);
	if (text && asprintf(&line, "%s\n", text) >= 0)
		draw(progress, line);
}

static const char *show_until(char buf[static FORMAT_SIZE_LEN], int64_t usec)
{
	uint64_t now_usec = clock_usec(CLOCK_REALTIME);

	return format_span(buf,
			   usec > 0 && (uint64_t)usec > now_usec ? (uint64_t)usec - now_usec : 0);
}

static void add_head(FILE *out, const struct pinctl *ctl, const json_t *release)
{
	int64_t bytes = json_get_int(release, "bytes", 0);
	int64_t left = json_get_int(release, "bytes_left", 0);
	const char *target = json_get_string(release, "target", NULL);
	char a[FORMAT_SIZE_LEN], b[FORMAT_SIZE_LEN], span[FORMAT_SIZE_LEN];
	int filled = BAR_WIDTH;

	if (bytes > 0 && left > 0)
		filled = (int)((double)(bytes - MIN(left, bytes)) * BAR_WIDTH / (double)bytes);
	fprintf(out, "%s [%.*s%.*s] %s of %s still pinned, %s left\n", target ?: "Releasing",
		filled, "####################", BAR_WIDTH - filled, "--------------------",
		show_size(ctl, a, (uint64_t)left), show_size(ctl, b, (uint64_t)bytes),
		show_until(span, json_get_int(release, "deadline_usec", 0)));
}

/* "321 mr: asked, 8M left, remind in 5s" */
static void add_owner(FILE *out, const struct pinctl *ctl, const json_t *owner)
{
	const char *state = json_get_string(owner, "state", "?");
	const char *reason = json_get_string(owner, "reason", NULL);
	const char *next = json_get_string(owner, "next", NULL);
	int64_t next_usec = json_get_int(owner, "next_usec", 0);
	char size[FORMAT_SIZE_LEN], span[FORMAT_SIZE_LEN];

	fprintf(out, "  %" PRId64 " %s: ", json_get_int(owner, "pid", 0),
		json_get_string(owner, "comm", "?"));
	/* tokens of the protocol: underscores for spaces */
	for (; *state; state++)
		fputc(*state == '_' ? ' ' : *state, out);
	if (reason)
		fprintf(out, " (%s)", reason);
	fprintf(out, ", %s left",
		show_size(ctl, size, (uint64_t)json_get_int(owner, "bytes_left", 0)));
	if (next) {
		fputs(", ", out);
		for (; *next; next++)
			fputc(*next == '_' ? ' ' : *next, out);
		if (next_usec > 0)
			fprintf(out, " in %s", show_until(span, next_usec));
	}
	fputc('\n', out);
}

/* The largest first: few enough of them to be chosen one by one. */
static void add_owners(FILE *out, const struct pinctl *ctl, const json_t *release)
{
	int64_t omitted = json_get_int(release, "owners_omitted", 0);
	const json_t *owners = json_object_get(release, "owners");
	size_t n = json_array_size(owners), holding = 0, i, shown;
	const json_t *owner, *chosen[OWNERS_SHOWN] = {};

	for (i = 0; i < n; i++) {
		owner = json_array_get(owners, i);
		if (json_get_int(owner, "pins_left", 0) <= 0)
			continue;
		holding++;
		for (size_t j = 0; j < OWNERS_SHOWN && owner; j++)
			if (!chosen[j] || compare_sizes(owner, chosen[j], "bytes_left") < 0) {
				const json_t *other = chosen[j];

				chosen[j] = owner;
				owner = other;
			}
	}
	shown = MIN(holding, OWNERS_SHOWN);
	for (i = 0; i < shown; i++)
		add_owner(out, ctl, chosen[i]);
	if (holding > shown)
		fprintf(out, "  and %zu more\n", holding - shown);
	if (omitted > 0)
		fprintf(out, "  and %" PRId64 " that %s not listed\n", omitted,
			omitted == 1 ? "is" : "are");
}

void progress_draw(struct progress *progress, const json_t *release)
{
	_cleanup_(freep) char *text = NULL;
	size_t size;
	FILE *out;

	if (!progress->on)
		return;
	out = open_memstream(&text, &size);
	if (!out)
		return;
	add_head(out, progress->ctl, release);
	add_owners(out, progress->ctl, release);
	if (fclose(out) == 0)
		draw(progress, text);
}
