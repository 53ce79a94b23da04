/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests as a whole: start, end, who follows them, what is remembered. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <utlist.h>

#include "daemon/base/clock.h"
#include "daemon/base/messages.h"
#include "daemon/kernel/procfs.h"
#include "daemon/release/release-cgroup.h"
#include "daemon/release/internal.h"
#include "lib/log.h"

int release_new_token(char token[static RELEASE_TOKEN_LEN + 1])
{
	unsigned char bytes[RELEASE_TOKEN_LEN / 2];

	if (getrandom(bytes, sizeof(bytes), GRND_NONBLOCK) != sizeof(bytes))
		return -EAGAIN;
	for (size_t i = 0; i < sizeof(bytes); i++)
		sprintf(token + 2 * i, "%02x", bytes[i]);
	return 0;
}

int releases_new(sd_event *event, const struct releases_config *config, struct releases **ret)
{
	_cleanup_(releases_freep) struct releases *releases = calloc(1, sizeof(*releases));

	if (!releases)
		return -ENOMEM;
	releases->event = sd_event_ref(event);
	releases->config = *config;
	releases->started_usec = clock_usec(CLOCK_MONOTONIC);
	/* Without it no process is known for sure, and none is acted on. */
	releases->proc_fd = open(config->proc, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (releases->proc_fd >= 0 &&
	    procfs_read_cgroup(releases->proc_fd, getpid(), &releases->own_cgroup) == -ENOMEM)
		return -ENOMEM;
	*ret = TAKE_PTR(releases);
	return 0;
}

/* What the engine holds of a request that it lets go of. */
static void detach(struct release *release)
{
	struct releases *releases = release->releases;

	for (size_t i = 0; i < release->n_owners; i++) {
		struct release_owner *o = &release->owners[i];

		release_owner_drop_action(o);
		completions_settle(o);
		if (o->token[0])
			HASH_DEL(releases->tokens, o);
		o->token[0] = '\0';
		o->owner = NULL;
		o->exit = sd_event_source_disable_unref(o->exit);
		o->timer = sd_event_source_disable_unref(o->timer);
	}
	release->deadline = sd_event_source_disable_unref(release->deadline);
	release->releases = NULL;
	release_unref(release);
}

struct releases *releases_free(struct releases *releases)
{
	struct release *release, *next;

	if (!releases)
		return NULL;
	if (releases->running)
		log_event(LOG_WARNING, MESSAGE_RELEASE_GIVEN_UP, NULL,
			  "%zu requests to release pins given up", releases->n_running);
	DL_FOREACH_SAFE(releases->running, release, next)
		detach(release);
	DL_FOREACH_SAFE(releases->kept, release, next)
		detach(release);
	ladders_free(releases->ladders);
	sd_event_source_disable_unref(releases->queue_turn);
	sd_event_unref(releases->event);
	closep(&releases->proc_fd);
	free(releases->own_cgroup);
	free(releases);
	return NULL;
}

int releases_set_ladders(struct releases *releases, struct ladders *ladders)
{
	ladders_free(releases->ladders);
	releases->ladders = ladders;
	return 0;
}

struct release *release_ref(struct release *release)
{
	release->n_ref++;
	return release;
}

struct release *release_unref(struct release *release)
{
	if (!release || --release->n_ref > 0)
		return NULL;
	for (size_t i = 0; i < release->n_owners; i++)
		release_owner_done(&release->owners[i]);
	sd_event_source_disable_unref(release->deadline);
	sd_event_source_disable_unref(release->notify);
	sd_event_unref(release->event);
	ladders_free(release->ladders);
	release_drop_failures(release);
	json_decref(release->shown);
	free(release->asked);
	free(release->order);
	free(release->owners);
	free(release->target);
	free(release);
	return NULL;
}

/* --- those who follow --- */

static int on_notify(sd_event_source *source, uint64_t usec, void *userdata)
{
	_cleanup_(release_unrefp) struct release *release = release_ref(userdata);
	struct release_watch *watch, *next;

	release->notify = sd_event_source_disable_unref(release->notify);
	release->notified_usec = clock_usec(CLOCK_MONOTONIC);
	DL_FOREACH_SAFE(release->watches, watch, next)
		watch->changed(release, watch->userdata);
	return 0;
}

void release_changed(struct release *release)
{
	/* The end is told at once. */
	uint64_t usec = release->phase == RELEASE_RUNNING ?
				release->notified_usec + RELEASE_PAUSE_USEC : 0;
	int r;

	json_decref(release->shown);
	release->shown = NULL;
	if (!release->watches)
		return;
	if (release->notify) {
		r = usec == 0 ? sd_event_source_set_time(release->notify, 0) : 0;
	} else {
		r = sd_event_add_time(release->event, &release->notify, CLOCK_MONOTONIC, usec,
				      RELEASE_ACCURACY_USEC, on_notify, release);
		if (r >= 0)
			(void)sd_event_source_set_description(release->notify, "release-notify");
	}
	if (r < 0)
		log_error_errno(r, "cannot tell of a change of a release: %m");
}

void release_watch_add(struct release *release, struct release_watch *watch)
{
	DL_APPEND(release->watches, watch);
	if (release->phase != RELEASE_RUNNING)
		release_changed(release);
}

void release_watch_remove(struct release *release, struct release_watch *watch)
{
	DL_DELETE(release->watches, watch);
}

/* --- the end --- */

static void evict(struct releases *releases, struct release *release)
{
	DL_DELETE(releases->kept, release);
	releases->n_kept--;
	releases->n_kept_owners -= release->n_owners;
	detach(release);
}

static void forget_old(struct releases *releases, uint64_t now_usec)
{
	while (releases->kept && (releases->n_kept > RELEASES_KEPT_MAX ||
				  releases->n_kept_owners > RELEASES_OWNERS_MAX ||
				  releases->kept->over_usec + RELEASE_KEPT_USEC <= now_usec))
		evict(releases, releases->kept);
}

static void count(struct releases *releases, const struct release *release)
{
	releases->n_running++;
	releases->n_pins += release->n_asked;
	releases->n_owners += release->n_owners;
	if (release->admin)
		return;
	releases->n_user_running++;
	releases->n_user_pins += release->n_asked;
	releases->n_user_owners += release->n_owners;
}

static void uncount(struct releases *releases, const struct release *release)
{
	releases->n_running--;
	releases->n_pins -= release->n_asked;
	releases->n_owners -= release->n_owners;
	if (release->admin)
		return;
	releases->n_user_running--;
	releases->n_user_pins -= release->n_asked;
	releases->n_user_owners -= release->n_owners;
}

size_t release_room(const struct release *release, size_t max, size_t n, size_t n_user)
{
	const size_t room = max - n;

	return release->admin ? room : MIN(room, max / 2 - n_user);
}

void release_finish(struct release *release, enum release_phase phase)
{
	struct releases *releases = release->releases;

	if (release->phase != RELEASE_RUNNING)
		return;
	release->phase = phase;
	release->over_usec = clock_usec(CLOCK_MONOTONIC);
	release->deadline = sd_event_source_disable_unref(release->deadline);
	release_drop_failures(release);
	for (size_t i = 0; i < release->n_owners; i++)
		release_owner_close(&release->owners[i]);
	free(TAKE_PTR(release->asked));
	free(TAKE_PTR(release->order));
	uncount(releases, release);
	release->n_asked = 0;
	DL_DELETE(releases->running, release);
	DL_APPEND(releases->kept, release);
	releases->n_kept++;
	releases->n_kept_owners += release->n_owners;
	release_tell_over(release);
	release_changed(release);
	forget_old(releases, release->over_usec);
	releases_run_queue(releases);
}

void release_check(struct release *release)
{
	if (release->n_holding == 0)
		release_finish(release, RELEASE_DONE);
	else if (release->n_holding == release->n_settled)
		release_finish(release, RELEASE_REFUSED);
}

/* Some did not answer, or all that is left was refused. */
static enum release_phase failure(const struct release *release)
{
	for (size_t i = 0; i < release->n_owners; i++)
		if (release->owners[i].pins_left && release->owners[i].answer != ANSWER_REFUSED)
			return RELEASE_TIMED_OUT;
	return RELEASE_REFUSED;
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct release *release = userdata;

	release_finish(release, failure(release));
	return 0;
}

void release_cancel(struct release *release)
{
	if (release->releases)
		release_finish(release, RELEASE_CANCELLED);
}

void releases_revoke_done(struct releases *releases, uint64_t revoke_id, uint32_t outcome)
{
	struct release *release = release_find_revoke(releases, revoke_id);

	if (!release)
		return;
	if (outcome == PINGUARD_REVOKE_OUTCOME_DONE)
		release_finish(release, RELEASE_DONE);
	else if (outcome == PINGUARD_REVOKE_OUTCOME_BUSY)
		release_finish(release, failure(release));
	else
		release_finish(release, RELEASE_CANCELLED);
}

/* --- the beginning --- */

static int check_limits(struct releases *releases, const struct release_config *config)
{
	struct release *release;
	unsigned int n = 0;

	if (config->timeout_usec != RELEASE_TIMEOUT_LADDER &&
	    config->timeout_usec > RELEASE_TIMEOUT_MAX_USEC)
		return -ERANGE;
	if (config->has_revoke || config->dry_run)
		return 0;
	DL_FOREACH(releases->running, release)
		n += release->uid == config->uid && !release->admin;
	if (!config->admin && n >= RELEASES_UID_MAX)
		return -EUSERS;
	if (!config->admin && releases->n_user_running >= RELEASES_MAX / 2)
		return -EBUSY;
	return releases->n_running >= RELEASES_MAX ? -EBUSY : 0;
}

static void set_up_owner(struct release_owner *o)
{
	struct release *release = o->release;
	struct owners *owners = release->releases->config.owners;
	_cleanup_(freep) char *cgroup = NULL;

	release_owner_identify(o);
	cgroup = release_owner_cgroup(o);
	o->ladder = release->ladders ? ladders_match(release->ladders, cgroup) :
				       &policy_default_ladder;
	if (o->gone)
		o->state = OWNER_GONE;
	else
		o->owner = owners ? owners_find(owners, o->pid) : NULL;
	if (o->owner && !owner_lives(o->owner))
		o->owner = NULL;
	o->registered = o->owner != NULL;
}

static void set_deadline(struct release *release, uint64_t timeout_usec)
{
	uint64_t longest = 0;

	for (size_t i = 0; i < release->n_owners; i++)
		longest = MAX(longest, policy_ladder_usec(release->owners[i].ladder));
	if (timeout_usec == RELEASE_TIMEOUT_LADDER)
		timeout_usec = longest;
	release->started_realtime_usec = clock_usec(CLOCK_REALTIME);
	release->started_usec = clock_usec(CLOCK_MONOTONIC);
	release->deadline_usec = release->started_usec + timeout_usec;
}

static int prepare(struct release *release, const struct release_config *config)
{
	struct releases *releases = release->releases;
	int r;

	release->event = sd_event_ref(releases->event);
	release->reason = config->reason;
	release->mode = config->mode;
	release->dry_run = config->dry_run;
	release->admin = config->admin;
	release->uid = config->uid;
	release->has_revoke = config->has_revoke;
	release->revoke_id = config->revoke_id;
	release->ladders = releases->ladders ? ladders_ref(releases->ladders) : NULL;
	if (config->target && !(release->target = strdup(config->target)))
		return -ENOMEM;
	r = release_select(release, config->pin_ids, config->n_pins);
	if (r >= 0)
		r = release_set_failures(release, config);
	if (r < 0)
		return r;
	if (release->n_owners > release_room(release, RELEASES_OWNERS_MAX, releases->n_owners,
					     releases->n_user_owners))
		return -E2BIG;
	for (size_t i = 0; i < release->n_owners; i++)
		set_up_owner(&release->owners[i]);
	release->n_holding = release->n_owners;
	set_deadline(release, config->timeout_usec);
	return 0;
}

/* What would be done first, or after the asking. */
static void foresee(struct release *release)
{
	for (size_t i = 0; i < release->n_owners; i++) {
		struct release_owner *o = &release->owners[i];
		struct ladder_facts facts = release_owner_facts(o);

		facts.untouchable |= release_owner_may_act(o) == 0;
		if (facts.registered && o->ladder->on[STEP_ASK]) {
			facts.step = STEP_ASK;
			facts.step_usec = release->started_usec;
		}
		o->next = policy_decide(o->ladder, &facts, release->started_usec);
		if (o->next.type == DECISION_STEP)
			o->next.usec = release->started_usec;
		closep(&o->pidfd);
		o->pidfd = -1;
		o->owner = NULL;
	}
	release->releases = NULL;
}

static int run(struct release *release)
{
	struct releases *releases = release->releases;
	int r = release_new_token(release->token);

	if (r < 0)
		return r;
	r = sd_event_add_time(releases->event, &release->deadline, CLOCK_MONOTONIC,
			      release->deadline_usec, RELEASE_ACCURACY_USEC, on_deadline, release);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(release->deadline, "release-deadline");
	for (size_t i = 0; i < release->n_owners; i++) {
		r = release_owner_watch_exit(&release->owners[i]);
		if (r < 0)
			return r;
	}
	release_ref(release);
	DL_APPEND(releases->running, release);
	count(releases, release);
	release_tell_started(release);
	for (size_t i = 0; i < release->n_owners; i++)
		release_owner_decide(&release->owners[i]);
	release_check(release);
	return 0;
}

int release_start(struct releases *releases, const struct release_config *config,
		  struct release **ret)
{
	_cleanup_(release_unrefp) struct release *release = NULL;
	int r;

	r = check_limits(releases, config);
	if (r < 0)
		return r;
	release = calloc(1, sizeof(*release));
	if (!release)
		return -ENOMEM;
	release->n_ref = 1;
	release->releases = releases;
	r = prepare(release, config);
	if (r < 0)
		return r;
	if (config->dry_run) {
		foresee(release);
	} else {
		r = run(release);
		if (r < 0)
			return r;
	}
	*ret = TAKE_PTR(release);
	return 0;
}
