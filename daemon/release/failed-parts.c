/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What memory failed, of the pins of a request. */
#include <errno.h>
#include <string.h>
#include <utlist.h>

#include "daemon/release/internal.h"

int release_set_failures(struct release *release, const struct release_config *config)
{
	const size_t n = MIN(config->n_failures, (size_t)RELEASE_FAILURES_MAX);

	if (n == 0)
		return 0;
	release->failures = calloc(n, sizeof(*release->failures));
	if (!release->failures)
		return -ENOMEM;
	memcpy(release->failures, config->failures, n * sizeof(*release->failures));
	release->n_failures = n;
	return 0;
}

void release_drop_failures(struct release *release)
{
	release->failures_timer = sd_event_source_disable_unref(release->failures_timer);
	free(TAKE_PTR(release->failures));
	release->n_failures = 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct release *release = userdata;

	release->failures_timer = sd_event_source_disable_unref(release->failures_timer);
	for (size_t i = 0; i < release->n_owners; i++) {
		struct release_owner *o = &release->owners[i];

		/* One that has not been asked yet is told with the asking. */
		if (o->failures_new && o->pins_left && o->owner && o->token[0])
			release_owner_send(o, true);
		o->failures_new = false;
	}
	return 0;
}

/* In a storm more and more parts go into one message. */
static int arm(struct release *release)
{
	int r;

	if (release->failures_timer)
		return 0;
	release->failures_pause_usec = MIN(MAX(2 * release->failures_pause_usec,
					       RELEASE_FAILURES_MIN_USEC),
					   RELEASE_FAILURES_MAX_USEC);
	r = sd_event_add_time_relative(release->event, &release->failures_timer, CLOCK_MONOTONIC,
				       release->failures_pause_usec, RELEASE_ACCURACY_USEC,
				       on_timer, release);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(release->failures_timer, "release-failures");
	return 0;
}

static bool is_known(const struct release *release, const struct release_failure *f)
{
	for (size_t i = 0; i < release->n_failures; i++) {
		const struct release_failure *known = &release->failures[i];

		if (known->pin == f->pin && known->has_address == f->has_address &&
		    (!f->has_address || known->address == f->address) &&
		    known->data_lost >= f->data_lost)
			return true;
	}
	return false;
}

static int add(struct release *release, const struct release_failure *f)
{
	struct asked_pin *asked = release_asked(release, f->pin);
	struct release_failure *more;

	if (!asked || !asked->left || is_known(release, f))
		return 0;
	if (release->n_failures == RELEASE_FAILURES_MAX)
		return -E2BIG;
	more = reallocarray(release->failures, release->n_failures + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	release->failures = more;
	more[release->n_failures++] = *f;
	release->owners[asked->owner].failures_new = true;
	return arm(release);
}

int release_add_failures(struct release *release, const struct release_failure *failures,
			 size_t n)
{
	int r = 0;

	if (release->phase != RELEASE_RUNNING)
		return 0;
	for (size_t i = 0; i < n && r >= 0; i++)
		r = add(release, &failures[i]);
	return r;
}

struct release *release_find_failure(struct releases *releases, uint64_t pin_id)
{
	struct release *release;

	DL_FOREACH(releases->running, release) {
		const struct asked_pin *asked;
		const struct release_owner *o;

		if (release->reason != RELEASE_MEMORY_FAILURE)
			continue;
		asked = release_asked(release, pin_id);
		if (!asked || !asked->left)
			continue;
		/* One that refused is asked anew for what fails next. */
		o = &release->owners[asked->owner];
		if (!o->settled && o->answer != ANSWER_REFUSED)
			return release;
	}
	return NULL;
}
