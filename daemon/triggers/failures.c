/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is done when memory fails: the kernel's events and its list. */
#include <errno.h>
#include <string.h>

#include "daemon/base/base.h"
#include "daemon/kernel/kernel.h"
#include "daemon/triggers/failures-internal.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "lib/log.h"

/* While there is no room for all that is in use; then the list is read again. */
#define FULL_USEC (5 * 1000000ULL)

/* --- the kernel's list --- */

static int on_listed(const struct failure_info *info, void *userdata)
{
	struct failing *failing = userdata;
	struct failure *f;
	int r = failures_list(failing->failures, info, loop_usec(failing->event, CLOCK_REALTIME),
			      &f);

	if (r == 1)
		failing_changed(failing);
	/* What there is no room for is in the next list again. */
	failing->list_full = failing->list_full || r == -ENOSPC;
	return r == -ENOMEM ? r : 0;
}

static void on_ended(struct failure *f, void *userdata)
{
	struct failing *failing = userdata;

	failing_drop_work(failing, f);
	failing_tell_done(failing, f);
	failing_changed(failing);
}

static int schedule_list(struct failing *failing, uint64_t usec);

static int list(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct failing *failing = userdata;
	struct genl *genl = source_genl(failing->config->source);
	struct pin_kernel_info info;
	const bool resynced = failing->resynced;
	int r;

	failing->list = sd_event_source_disable_unref(failing->list);
	failing->listed_usec = clock_usec(CLOCK_MONOTONIC);
	failing->resynced = failing->list_full = false;
	if (resynced && genl_get_info(genl, &info) >= 0)
		failures_counted(failing->failures, info.failures);
	failures_begin_list(failing->failures);
	r = genl_list_failures(genl, on_listed, failing);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		log_warning_errno(r, "cannot list memory that failed and is in use: %m");
	else if (resynced)
		failures_end_list(failing->failures, loop_usec(failing->event, CLOCK_REALTIME),
				  on_ended, failing);
	if (resynced)
		failures_unblock(failing->failures);
	failing_work(failing);
	return failing->list_full ? schedule_list(failing, failing->listed_usec + FULL_USEC) : 0;
}

/* Later: nothing is asked of the kernel while an answer of it is being read. */
static int schedule_list(struct failing *failing, uint64_t usec)
{
	int r;

	if (failing->list)
		return sd_event_source_set_time(failing->list, usec);
	r = sd_event_add_time(failing->event, &failing->list, CLOCK_MONOTONIC, usec, 1000, list,
			      failing);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(failing->list, "failures-list");
	return 0;
}

int failing_list(struct failing *failing)
{
	if (!failing_kernel_says(failing))
		failing_relisted(failing);
	if (!(source_features(failing->config->source) & PINGUARD_FEATURE_MEMORY_FAILURE))
		return 0;
	failing->resynced = true;
	return schedule_list(failing, 0);
}

/* --- the kernel's events --- */

static void cancel_request(struct failing *failing, const struct failure *over)
{
	struct release *release = over->token[0] && failing->config->releases ?
					  release_find(failing->config->releases, over->token) : NULL;
	const struct failure *f = NULL;

	if (!release || release_reason(release) != RELEASE_MEMORY_FAILURE)
		return;
	while ((f = failures_next(failing->failures, (struct failure *)f)))
		if (f->state == FAILURE_OPEN && strcmp(f->token, over->token) == 0)
			return;
	release_cancel(release);
}

static void on_failure_done(struct failing *failing, const struct pin_event *e)
{
	const uint64_t now = loop_usec(failing->event, CLOCK_REALTIME);
	struct failure *f;

	if (failures_done(failing->failures, &e->failure, now, &f) <= 0)
		return;
	failing_drop_work(failing, f);
	if (!f->told)
		failing_tell(failing, f);
	f->seq = e->seq;
	failing_tell_done(failing, f);
	/* Memory that is good again, or is not there any more, is nobody's to let go of. */
	if (f->state != FAILURE_ISOLATED && f->state != FAILURE_UNPINNED)
		cancel_request(failing, f);
	failing_changed(failing);
}

static void on_failure(struct failing *failing, const struct pin_event *e)
{
	const uint64_t now = loop_usec(failing->event, CLOCK_REALTIME);
	struct failure *f;
	int r = failures_add(failing->failures, &e->failure, now, &f);

	if (r == -EALREADY)
		return;
	if (r < 0) {
		if (!failing->full)
			log_event(LOG_WARNING, MESSAGE_FAILURES_FULL, NULL,
				  "%zu failures of memory are open, no more are remembered: %s",
				  failures_count(failing->failures), strerror(-r));
		failing->full = true;
		return;
	}
	failing->full = false;
	failing_changed(failing);
	if (!f->told) {
		f->seq = f->seq ?: e->seq;
	} else if (f->step == FAILURE_IDLE && now >= f->told_usec + FAILURES_PAUSE_USEC) {
		f->seq = e->seq;
		failing_tell(failing, f);
	}
}

int failing_event(struct failing *failing, const struct pin_event *e)
{
	int r;

	if (e->type == PIN_EVENT_FAILURE_DONE) {
		on_failure_done(failing, e);
		return 0;
	}
	on_failure(failing, e);
	/* Whether a device holds on to it. */
	if (!failing->list && failing_kernel_says(failing)) {
		r = schedule_list(failing, failing->listed_usec + FAILURES_PAUSE_USEC);
		if (r < 0)
			return r;
	}
	failing_work(failing);
	return 0;
}

void failing_unpinned(struct failing *failing)
{
	failing_check_held(failing);
}

void failing_release_over(struct failing *failing, const struct release *release)
{
	if (release_reason(release) != RELEASE_MEMORY_FAILURE)
		return;
	failures_unblock(failing->failures);
	failing_work(failing);
}

struct failures *failing_failures(const struct failing *failing)
{
	return failing->failures;
}

/* --- start and end --- */

int failing_new(sd_event *event, const struct triggers_config *config, struct failing **ret)
{
	struct failing *failing = calloc(1, sizeof(*failing));
	int r;

	if (!failing)
		return -ENOMEM;
	failing->config = config;
	failing->event = sd_event_ref(event);
	failing->dir_fd = -1;
	r = failing_open(failing);
	if (r < 0) {
		failing_free(failing);
		return r;
	}
	*ret = failing;
	return 0;
}

struct failing *failing_free(struct failing *failing)
{
	struct failure *f = NULL;

	if (!failing)
		return NULL;
	while (failing->failures && (f = failures_next(failing->failures, f)))
		f->holders = holders_free(f->holders);
	failing_close(failing);
	sd_event_source_disable_unref(failing->turn);
	sd_event_source_disable_unref(failing->list);
	sd_event_source_disable_unref(failing->retry);
	sd_event_source_disable_unref(failing->rest);
	sd_event_source_disable_unref(failing->check);
	sd_event_unref(failing->event);
	free(failing);
	return NULL;
}
