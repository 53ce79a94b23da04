/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is done when the kernel wants memory back. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/base.h"
#include "daemon/kernel/kernel.h"
#include "daemon/model/model.h"
#include "daemon/triggers/internal.h"
#include "lib/escape.h"
#include "lib/log.h"

#define TARGET_LEN 48
#define RETRY_USEC (1 * 1000000ULL) /* where the owners could not be asked */

struct revoking {
	const struct triggers_config *config;
	sd_event *event;
	struct revokes *revokes; /* of the kernel, under way */
	sd_event_source *turn, *retry;
};

static uint64_t first_byte(const struct revoke_info *info)
{
	return info->first_pfn * sysconf(_SC_PAGESIZE);
}

static uint64_t last_byte(const struct revoke_info *info)
{
	return (info->last_pfn + 1) * sysconf(_SC_PAGESIZE) - 1;
}

/* The device's name, or the addresses. */
static const char *describe(const struct revoke_info *info, char *buf)
{
	if (info->device[0])
		return info->device;
	snprintf(buf, TARGET_LEN, "0x%" PRIx64 "-0x%" PRIx64, first_byte(info), last_byte(info));
	return buf;
}

static void record(struct revoking *rv, enum event_type type, uint64_t seq,
		   const struct revoke_info *info)
{
	struct event *event = event_new(type, loop_usec(rv->event, CLOCK_REALTIME));

	if (event)
		event->revoke = malloc(sizeof(*info));
	if (!event || !event->revoke) {
		log_warning("out of memory, a revoke is missing in the history");
		event_free(event);
		return;
	}
	event->seq = seq;
	*event->revoke = *info;
	events_add(rv->config->events, event);
}

static void tell(const struct revoke_info *info, bool again)
{
	_cleanup_(freep) char *shown = NULL, *comm = escape(info->comm, info->comm_len);
	char target[TARGET_LEN], id[64], name[160], waits[64] = "it does not wait";
	const char *fields[] = { id, name, NULL };

	shown = escape_string(describe(info, target));
	snprintf(id, sizeof(id), "PINGUARD_REVOKE=0x%" PRIx64, info->id);
	snprintf(name, sizeof(name), "PINGUARD_TARGET=%s", shown ?: "?");
	if (info->timeout_usec)
		snprintf(waits, sizeof(waits), "it waits up to %" PRIu64 " ms",
			 info->timeout_usec / 1000);
	log_event(LOG_NOTICE, MESSAGE_REVOKE, fields,
		  "%s: the kernel wants %s back for process %" PRIu32 " (%s): %s, %" PRIu64
		  " pin%s, %s", again ? "still" : "revoke", shown ?: "?", info->tgid, comm ?: "?",
		  render_revoke_reason(info->reason) ?: "unknown reason", info->pins,
		  info->pins == 1 ? "" : "s", waits);
}

static void tell_over(const struct revoke_info *info)
{
	_cleanup_(freep) char *shown = NULL;
	char target[TARGET_LEN], id[64], name[160];
	const char *fields[] = { id, name, NULL };

	shown = escape_string(describe(info, target));
	snprintf(id, sizeof(id), "PINGUARD_REVOKE=0x%" PRIx64, info->id);
	snprintf(name, sizeof(name), "PINGUARD_TARGET=%s", shown ?: "?");
	log_event(LOG_NOTICE, MESSAGE_REVOKE_DONE, fields, "the revoke of %s is over: %s",
		  shown ?: "?", render_revoke_outcome(info->outcome) ?: "outcome unknown");
}

/* Of those that hold some of it, if any do. */
static int ask_owners(struct revoking *rv, const struct revoke_info *info,
		      const struct holder *pins, size_t n)
{
	_cleanup_(release_unrefp) struct release *release = NULL;
	_cleanup_(freep) uint64_t *ids = calloc(n ?: 1, sizeof(*ids));
	const bool offline = info->reason == PINGUARD_REVOKE_REASON_MEMORY_OFFLINE;
	const uint64_t left = revoke_usec_left(info, loop_usec(rv->event, CLOCK_REALTIME));
	char target[TARGET_LEN];
	const struct release_config config = {
		.reason = offline ? RELEASE_MEMORY_OFFLINE : RELEASE_DEVICE_REMOVAL,
		.target = describe(info, target),
		.mode = info->timeout_usec ? RELEASE_SYNC : RELEASE_ASYNC,
		.timeout_usec = left == UINT64_MAX ? RELEASE_TIMEOUT_LADDER : left,
		.admin = true,
		.uid = PIN_UID_NONE,
		.has_revoke = true,
		.revoke_id = info->id,
		.pin_ids = ids,
		.n_pins = n,
	};
	size_t i;

	if (!ids)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		ids[i] = pins[i].id;
	/* The kernel's time is over, and its word of that on its way. */
	return n == 0 || left == 0 ? 0 : release_start(rv->config->releases, &config, &release);
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata);

/* Tried again for as long as the kernel waits; told once. */
static void fail(struct revoking *rv, struct revoke *revoke, int error, const char *what)
{
	int r = 0;

	if (!revoke->failed)
		log_warning_errno(error, "%s, trying again: %m", what);
	revoke->failed = true;
	if (rv->retry && sd_event_source_get_enabled(rv->retry, NULL) > 0)
		return;
	rv->retry = sd_event_source_disable_unref(rv->retry);
	r = sd_event_add_time_relative(rv->event, &rv->retry, CLOCK_MONOTONIC, RETRY_USEC, 0,
				       on_retry, rv);
	if (r < 0)
		log_error_errno(r, "cannot look at the revokes again: %m");
	else
		(void)sd_event_source_set_description(rv->retry, "revokes-retry");
}

static void on_holders(int error, const struct holder *pins, size_t n, void *userdata)
{
	struct revoke *revoke = userdata;
	struct revoking *rv = revokes_userdata(revoke->revokes);
	_cleanup_(holders_freep) struct holders *holders = TAKE_PTR(revoke->holders);

	if (error < 0) {
		fail(rv, revoke, error, "cannot tell who is affected by a revoke");
		return;
	}
	if (!source_ready(rv->config->source))
		return; /* the next list of pins brings it up again */
	error = ask_owners(rv, &revoke->info, pins, n);
	if (error < 0)
		fail(rv, revoke, error,
		     "cannot ask the owners of memory that the kernel wants back");
	else
		revoke->looked = true;
}

static void look(struct revoking *rv, struct revoke *revoke)
{
	const struct pfn_range range = { revoke->info.first_pfn, revoke->info.last_pfn };
	const struct holders_config config = {
		.genl = source_genl(rv->config->source),
		.registry = rv->config->registry,
		.exact = true,
		.max = SIZE_MAX,
		.ranges = &range,
		.n_ranges = 1,
		.done = on_holders,
		.userdata = revoke,
	};
	struct holders *holders = NULL;
	int r;

	if (revoke->holders || revoke->looked)
		return;
	r = holders_find(rv->event, &config, &holders);
	revoke->holders = holders;
	if (r < 0)
		fail(rv, revoke, r, "cannot tell who is affected by a revoke");
}

static void look_at_all(struct revoking *rv)
{
	struct revoke *revoke;

	for (revoke = revokes_next(rv->revokes, NULL); revoke;
	     revoke = revokes_next(rv->revokes, revoke))
		look(rv, revoke);
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
	look_at_all(userdata);
	return 0;
}

static void on_revoke_done(struct revoking *rv, const struct pin_event *e)
{
	struct revoke *revoke = revokes_find(rv->revokes, e->revoke.id);

	if (!revoke) {
		record(rv, EVENT_REVOKE_DONE, e->seq, &e->revoke);
		return;
	}
	/* The kernel says not all of it once more. */
	revoke->info.outcome = e->revoke.outcome;
	record(rv, EVENT_REVOKE_DONE, e->seq, &revoke->info);
	revokes_remove(rv->revokes, revoke);
}

int revoking_event(struct revoking *rv, const struct pin_event *e)
{
	struct revoke *revoke;
	int r;

	if (e->type == PIN_EVENT_REVOKE_DONE) {
		on_revoke_done(rv, e);
		return 0;
	}
	r = revokes_add(rv->revokes, &e->revoke, &revoke);
	/* The kernel is asked for the owners before the journal and others are told. */
	if (r > 0)
		look(rv, revoke);
	record(rv, EVENT_REVOKE, e->seq, &e->revoke);
	if (r > 0)
		tell(&e->revoke, false);
	else if (r == -E2BIG)
		log_warning("too many revokes at a time, one is left to the kernel alone");
	return r == -E2BIG ? 0 : MIN(r, 0);
}

static void on_over(struct revoke *revoke, void *userdata)
{
	struct revoking *rv = userdata;

	tell_over(&revoke->info);
	revoke->holders = holders_free(revoke->holders);
	if (rv->config->releases)
		releases_revoke_done(rv->config->releases, revoke->info.id, revoke->info.outcome);
	devices_read(rv->config->devices);
}

static int on_listed(const struct revoke_info *info, void *userdata)
{
	struct revoking *rv = userdata;
	struct revoke *revoke;
	int r = revokes_add(rv->revokes, info, &revoke);

	if (r > 0) {
		/* It began while nobody followed: the history has it from here on. */
		record(rv, EVENT_REVOKE, 0, info);
		tell(info, true);
	}
	return r == -ENOMEM ? r : 0;
}

static int list_revokes(sd_event_source *source, void *userdata)
{
	struct revoking *rv = userdata;
	int r;

	revokes_begin_list(rv->revokes);
	r = genl_list_revokes(source_genl(rv->config->source), on_listed, rv);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		log_warning_errno(r, "cannot list the kernel's revokes: %m");
	else
		revokes_end_list(rv->revokes);
	look_at_all(rv);
	devices_read(rv->config->devices);
	return 0;
}

int revoking_list(struct revoking *rv)
{
	if (!(source_features(rv->config->source) & GENL_FRAME_FEATURES))
		return 0;
	/* Later: nothing is asked of the kernel while an answer of it is being read. */
	return turn_schedule(rv->event, &rv->turn, list_revokes, rv, "revokes");
}

int revoking_new(sd_event *event, const struct triggers_config *config, struct revoking **ret)
{
	struct revoking *rv = calloc(1, sizeof(*rv));
	int r;

	if (!rv)
		return -ENOMEM;
	rv->config = config;
	rv->event = sd_event_ref(event);
	r = revokes_new(on_over, rv, &rv->revokes);
	if (r < 0) {
		revoking_free(rv);
		return r;
	}
	*ret = rv;
	return 0;
}

struct revoking *revoking_free(struct revoking *rv)
{
	struct revoke *revoke = NULL;

	if (!rv)
		return NULL;
	sd_event_source_disable_unref(rv->turn);
	sd_event_source_disable_unref(rv->retry);
	while (rv->revokes && (revoke = revokes_next(rv->revokes, revoke)))
		revoke->holders = holders_free(revoke->holders);
	revokes_free(rv->revokes);
	sd_event_unref(rv->event);
	free(rv);
	return NULL;
}

size_t revoking_count(const struct revoking *rv)
{
	return revokes_count(rv->revokes);
}

size_t revoking_count_removals(const struct revoking *rv)
{
	struct revoke *revoke = NULL;
	size_t n = 0;

	while ((revoke = revokes_next(rv->revokes, revoke)))
		n += revoke->info.reason == PINGUARD_REVOKE_REASON_DEVICE_REMOVAL;
	return n;
}
