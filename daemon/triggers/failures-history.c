/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The history of failures on disk. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "daemon/base/base.h"
#include "daemon/kernel/kernel.h"
#include "daemon/triggers/failures-internal.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "lib/log.h"

#define COST_FACTOR 20 /* writing takes at most this part of the time */

static void save(struct failing *failing)
{
	const uint64_t before = clock_usec(CLOCK_MONOTONIC);
	int r;

	failing->save = sd_event_source_disable_unref(failing->save);
	if (!failing->dirty || failing->dir_fd < 0)
		return;
	r = store_write(failing->dir_fd, FAILURES_FILE, failures_to_json(failing->failures),
			JSON_COMPACT, FAILURES_FILE_BYTES);
	failing->saved_usec = clock_usec(CLOCK_MONOTONIC);
	failing->save_cost_usec = failing->saved_usec - before;
	failing->dirty = false;
	/* Once for a spell of them; the next change tries again. */
	if (r < 0 && !failing->save_failed)
		log_warning_errno(r, "cannot write the history of memory failures: %m");
	failing->save_failed = r < 0;
}

static int on_save(sd_event_source *source, uint64_t usec, void *userdata)
{
	save(userdata);
	return 0;
}

void failing_changed(struct failing *failing)
{
	const uint64_t pause = MAX(FAILURES_PAUSE_USEC, COST_FACTOR * failing->save_cost_usec);
	int r;

	failing->dirty = true;
	if (failing->save || failing->dir_fd < 0)
		return;
	r = sd_event_add_time(failing->event, &failing->save, CLOCK_MONOTONIC,
			      failing->saved_usec + pause, 0, on_save, failing);
	if (r < 0)
		log_warning_errno(r, "cannot write the history of memory failures: %m");
	else
		(void)sd_event_source_set_description(failing->save, "failures-save");
}

static int set_aside(struct failing *failing, const char *reason)
{
	_cleanup_(freep) char *aside = NULL;
	int r = store_set_aside(failing->dir_fd, FAILURES_FILE,
				loop_usec(failing->event, CLOCK_REALTIME), &aside);

	if (r < 0)
		return log_error_errno(r, "cannot put the damaged %s aside: %m", FAILURES_FILE);
	log_event(LOG_ERR, MESSAGE_FAILURES_CORRUPT, NULL,
		  "the history of memory failures cannot be read: %s; the file is kept as %s",
		  reason, aside);
	return 0;
}

static int load(struct failing *failing)
{
	_cleanup_json_ json_t *root = NULL;
	const char *reason;
	int r;

	r = store_read(failing->dir_fd, FAILURES_FILE, FAILURES_FILE_BYTES, &root, &reason);
	if (r >= 0 && root) {
		r = failures_from_json(failing->failures, root);
		reason = "an entry of it makes no sense";
	}
	if (r == -EBADMSG)
		r = set_aside(failing, reason ?: "it is damaged");
	return r;
}

/* As 32 digits, with or without dashes between them; "" for what is none. */
static void copy_boot_id(const char *text, char *buf)
{
	size_t n = 0;

	for (; *text && *text != '\n' && n <= FAILURE_BOOT_ID_LEN; text++)
		if (*text != '-')
			buf[n++] = *text;
	buf[n] = '\0';
	if (n != FAILURE_BOOT_ID_LEN || strspn(buf, "0123456789abcdef") != n)
		buf[0] = '\0';
}

/* The unit hides the file, and says it instead. */
static void get_boot_id(const struct triggers_config *config, char *buf)
{
	_cleanup_(freep) char *path = NULL;
	_cleanup_(closep) int fd = -1;
	char text[64];
	ssize_t n;

	copy_boot_id(config->boot_id ?: "", buf);
	if (buf[0])
		return;
	if (asprintf(&path, "%s/sys/kernel/random/boot_id", config->proc ?: "/proc") < 0) {
		path = NULL;
		return;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n < 0) {
		log_warning("nobody says which start of the machine this is: what becomes of "
			    "memory that failed is not known after a restart of the service");
		return;
	}
	text[n] = '\0';
	copy_boot_id(text, buf);
}

int failing_open(struct failing *failing)
{
	const char *state_dir = failing->config->state_dir;
	char boot_id[FAILURE_BOOT_ID_LEN + 2];
	int r;

	get_boot_id(failing->config, boot_id);
	r = failures_new(boot_id, failing, &failing->failures);
	if (r < 0 || !state_dir)
		return r;
	failing->dir_fd = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = failing->dir_fd < 0 ? -errno : load(failing);
	if (r >= 0 || r == -ENOMEM)
		return r;
	/* The rest is worth having without it; what is there is left as it is. */
	closep(&failing->dir_fd);
	failing->dir_fd = -1;
	log_error_errno(r, "no history of memory failures is kept in %s: %m", state_dir);
	return 0;
}

void failing_close(struct failing *failing)
{
	if (failing->failures)
		save(failing);
	failing->failures = failures_free(failing->failures);
	failing->save = sd_event_source_disable_unref(failing->save);
	closep(&failing->dir_fd);
	failing->dir_fd = -1;
}
