/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All requests, and how one of them begins. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <utlist.h>

#include "daemon/base/base.h"
#include "daemon/kernel/kernel.h"
#include "daemon/release/internal.h"
#include "lib/clock.h"
#include "lib/log.h"

int releases_new(sd_event *event, const struct releases_config *config, struct releases **ret)
{
	_cleanup_(releases_freep) struct releases *releases = calloc(1, sizeof(*releases));
	int r;

	if (!releases)
		return -ENOMEM;
	releases->event = sd_event_ref(event);
	releases->config = *config;
	releases->take_up = release_owner_decide;
	releases->started_usec = clock_usec(CLOCK_MONOTONIC);
	/* Without it no process is known for sure, and none is acted on. */
	releases->proc_fd = open(config->proc, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (releases->proc_fd >= 0 &&
	    procfs_read_cgroup(releases->proc_fd, getpid(), &releases->own_cgroup) == -ENOMEM)
		return -ENOMEM;
	r = actions_new(event, config->cgroup_mount, &releases->actions);
	if (r < 0)
		return r;
	r = callers_new(RELEASE_CALLS_BURST, RELEASE_CALLS_RATE, &releases->callers);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(releases);
	return 0;
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
		release_detach(release);
	DL_FOREACH_SAFE(releases->kept, release, next)
		release_detach(release);
	actions_free(releases->actions);
	callers_free(releases->callers);
	ladders_free(releases->ladders);
	sd_event_source_disable_unref(releases->queue_turn);
	sd_event_unref(releases->event);
	closep(&releases->proc_fd);
	free(releases->own_cgroup);
	free(releases);
	return NULL;
}

void releases_load_ladders(struct releases *releases, const char *dir)
{
	struct ladders *ladders;
	int r;

	dir = dir ?: LADDERS_DIR;
	r = ladders_load(dir, NULL, NULL, &ladders);
	if (r < 0) {
		log_warning_errno(r, "cannot read %s: %m", dir);
		return;
	}
	ladders_free(releases->ladders);
	releases->ladders = ladders;
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
	if (o->gone) {
		o->state = OWNER_GONE;
		release_owner_inherit(o);
	} else {
		o->owner = owners ? owners_find(owners, o->pid) : NULL;
	}
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
	if (config->selected && !(release->selected = strdup(config->selected)))
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

/* What every step past asking would act on. */
static int foresee_steps(struct release_owner *o, unsigned int *looks)
{
	int r = 0;

	for (int step = STEP_HOOK; r == 0 && step < N_STEPS; step++)
		if (o->ladder->on[step])
			r = release_owner_aim(o, step, looks, &o->aims[step - STEP_HOOK]);
	return r;
}

/* What would be done first, or after the asking, and to what. */
static int foresee(struct release *release)
{
	unsigned int looks = RELEASE_AIMS_MAX;
	int r = 0;

	for (size_t i = 0; i < release->n_owners; i++) {
		struct release_owner *o = &release->owners[i];
		struct ladder_facts facts = release_owner_facts(o);

		/* Of one that is gone: if somebody is found who holds its pins. */
		facts.untouchable |= !o->gone && release_owner_may_act(o) == 0;
		if (r == 0 && !facts.untouchable && !o->gone)
			r = foresee_steps(o, &looks);
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
	release->foresees = release->releases;
	release->releases = NULL;
	return r;
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct release *release = userdata;

	release_run_out(release);
	return 0;
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
	releases_count(releases, release);
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

	r = releases_check_limits(releases, config);
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
	r = config->dry_run ? foresee(release) : run(release);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(release);
	return 0;
}
