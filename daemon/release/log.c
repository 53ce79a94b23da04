/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the journal and the history of events are told. */
#include <inttypes.h>
#include <stdio.h>

#include "daemon/base/base.h"
#include "daemon/release/internal.h"
#include "lib/escape.h"
#include "lib/format.h"
#include "lib/log.h"

/* The fields of a message about a request, and of one of its owners. */
struct fields {
	char token[64], reason[64], pid[32];
	const char *list[4];
};

static void set_fields(struct fields *f, const struct release *release,
		       const struct release_owner *o)
{
	*f = (struct fields){};
	snprintf(f->token, sizeof(f->token), "PINGUARD_RELEASE=%s", release->token);
	snprintf(f->reason, sizeof(f->reason), "PINGUARD_REASON=%s",
		 release_reason_name(release->reason));
	f->list[0] = f->token;
	f->list[1] = f->reason;
	if (o) {
		snprintf(f->pid, sizeof(f->pid), "PINGUARD_PID=%d", (int)(o->heir ?: o->pid));
		f->list[2] = f->pid;
	}
}

static void tell_history(enum release_event event, struct release *release,
			 struct release_owner *o)
{
	const struct releases_config *config = &release->releases->config;

	if (config->on_event)
		config->on_event(event, release, o, config->userdata);
}

static void tell_owner(struct release_owner *o, int level, const char *id, const char *what,
		       const char *more)
{
	_cleanup_(freep) char *comm = escape(o->comm, o->comm_len);
	_cleanup_(freep) char *cgroup =
		escape_name(o->cgroup && o->cgroup->path ? o->cgroup->path : "?");
	_cleanup_(freep) char *reason = more ? escape_text(more) : NULL;
	char size[FORMAT_SIZE_LEN], heir[64] = "";
	struct fields f;

	set_fields(&f, o->release, o);
	if (o->heir)
		snprintf(heir, sizeof(heir), "process %d, which holds pins of ", (int)o->heir);
	log_event(level, id, f.list,
		  "release %s: %s %sprocess %d (%s) in %s, %" PRIu64 " pins, %s%s%s",
		  o->release->token, what, heir, (int)o->pid, comm ?: "?", cgroup ?: "?", o->pins_left,
		  format_size(size, o->bytes_left), reason ? ": " : "", reason ?: "");
}

void release_tell_step(struct release_owner *o, int step)
{
	static const struct {
		const char *id, *what;
		int level;
	} texts[] = {
		[STEP_ASK] = { MESSAGE_RELEASE_ASKED, "asked", LOG_INFO },
		[STEP_REMIND] = { MESSAGE_RELEASE_REMINDED, "reminded", LOG_INFO },
		[STEP_HOOK] = { MESSAGE_RELEASE_HOOK, "running the hook for", LOG_NOTICE },
		[STEP_STOP_UNIT] = { MESSAGE_RELEASE_STOP_UNIT, "stopping the unit of",
				     LOG_WARNING },
		[STEP_KILL] = { MESSAGE_RELEASE_KILL, "killing", LOG_WARNING },
	};

	const struct aim *aim = step >= STEP_HOOK ? &o->aims[step - STEP_HOOK] : NULL;
	_cleanup_(freep) char *on = NULL;

	if (aim && aim->name && asprintf(&on, "%s %s", aim->type, aim->name) < 0)
		on = NULL;
	tell_owner(o, texts[step].level, texts[step].id, texts[step].what, on);
	tell_history(RELEASE_EVENT_STEP, o->release, o);
}

void release_tell_failed(struct release_owner *o, int step)
{
	static const char *const texts[] = {
		[STEP_HOOK] = "the hook failed for",
		[STEP_STOP_UNIT] = "could not stop the unit of",
		[STEP_KILL] = "could not kill",
	};

	tell_owner(o, LOG_WARNING, MESSAGE_RELEASE_STEP_FAILED, texts[step], o->reason);
	if (o->release->phase == RELEASE_RUNNING)
		tell_history(RELEASE_EVENT_STEP, o->release, o);
}

void release_tell_answer(struct release_owner *o)
{
	bool refused = o->answer == ANSWER_REFUSED;

	tell_owner(o, refused ? LOG_NOTICE : LOG_INFO,
		   refused ? MESSAGE_RELEASE_REFUSED : MESSAGE_RELEASE_DEFERRED,
		   refused ? "refused by" : "deferred by", o->reason);
	tell_history(RELEASE_EVENT_STEP, o->release, o);
}

void release_tell_lapse(struct release_owner *o)
{
	tell_owner(o, LOG_NOTICE, MESSAGE_RELEASE_LAPSED,
		   o->lapsed ? "left with pins held:" : "no answer in time from", NULL);
	tell_history(RELEASE_EVENT_STEP, o->release, o);
}

void release_tell_started(struct release *release)
{
	_cleanup_(freep) char *target = release->target ? escape_name(release->target) : NULL;
	char size[FORMAT_SIZE_LEN];
	struct fields f;

	set_fields(&f, release, NULL);
	log_event(LOG_NOTICE, MESSAGE_RELEASE_STARTED, f.list,
		  "release %s (%s%s%s): %zu owners of %" PRIu64 " pins, %s", release->token,
		  release_reason_name(release->reason), target ? " of " : "", target ?: "",
		  release->n_owners, release->pins, format_size(size, release->bytes));
	tell_history(RELEASE_EVENT_STARTED, release, NULL);
}

void release_tell_over(struct release *release)
{
	bool done = release->phase == RELEASE_DONE;
	char size[FORMAT_SIZE_LEN];
	struct fields f;

	set_fields(&f, release, NULL);
	if (done)
		log_event(LOG_NOTICE, MESSAGE_RELEASE_DONE, f.list, "release %s: done, %s is free",
			  release->token, format_size(size, release->bytes));
	else
		log_event(LOG_WARNING, MESSAGE_RELEASE_NOT_DONE, f.list,
			  "release %s: %s, %" PRIu64 " of %" PRIu64 " pins stand, %s",
			  release->token, release_phase_name(release->phase), release->pins_left,
			  release->pins, format_size(size, release->bytes_left));
	tell_history(RELEASE_EVENT_OVER, release, NULL);
}
