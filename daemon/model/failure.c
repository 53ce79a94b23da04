/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <utlist.h>

#include "daemon/model/failure-internal.h"

int failures_new(const char *boot_id, void *userdata, struct failures **ret)
{
	struct failures *fs = calloc(1, sizeof(*fs));

	if (!fs)
		return -ENOMEM;
	snprintf(fs->boot_id, sizeof(fs->boot_id), "%s", boot_id);
	fs->userdata = userdata;
	fs->next_id = 1;
	*ret = fs;
	return 0;
}

struct failures *failures_free(struct failures *fs)
{
	if (!fs)
		return NULL;
	while (fs->all)
		failures_drop(fs, fs->all);
	free(fs);
	return NULL;
}

void *failures_userdata(const struct failures *fs)
{
	return fs->userdata;
}

bool failure_is_over(const struct failure *f)
{
	return f->state != FAILURE_OPEN;
}

static void set_state(struct failure *f, enum failure_state state, uint64_t ended_usec)
{
	f->failures->n_open -= f->state == FAILURE_OPEN;
	f->failures->n_open += state == FAILURE_OPEN;
	f->state = state;
	f->ended_usec = ended_usec;
}

/* --- all of them --- */

static size_t text_bytes(const struct failure *f)
{
	return (f->place ? strlen(f->place) : 0) + (f->owners ? strlen(f->owners) : 0);
}

static void set_frame(struct failures *fs, struct failure *f)
{
	struct failure *old = failures_find(fs, f->pfn);

	if (old)
		HASH_DEL(fs->frames, old);
	HASH_ADD(hh, fs->frames, pfn, sizeof(f->pfn), f);
}

void failures_drop(struct failures *fs, struct failure *f)
{
	failure_set_step(f, FAILURE_IDLE);
	if (failures_find(fs, f->pfn) == f)
		HASH_DEL(fs->frames, f);
	DL_DELETE(fs->all, f);
	fs->n--;
	fs->n_open -= f->state == FAILURE_OPEN;
	fs->text_bytes -= text_bytes(f);
	free(f->place);
	free(f->owners);
	free(f->held);
	free(f);
}

/* The oldest that is over and of which nothing more will come, but that one. */
static bool evict(struct failures *fs, const struct failure *but)
{
	struct failure *f;

	if (fs->n_open == fs->n)
		return false;
	DL_FOREACH(fs->all, f) {
		if (f == but || !failure_is_over(f) || f->step != FAILURE_IDLE)
			continue;
		failures_drop(fs, f);
		return true;
	}
	return false;
}

int failures_append(struct failures *fs, const struct failure *template, struct failure **ret)
{
	struct failure *f;

	if (fs->n >= FAILURES_MAX && !evict(fs, NULL))
		return -ENOSPC;
	f = malloc(sizeof(*f));
	if (!f)
		return -ENOMEM;
	*f = *template;
	f->failures = fs;
	if (f->this_boot) {
		set_frame(fs, f);
		if (!f->hh.tbl) {
			free(f);
			return -ENOMEM;
		}
	}
	DL_APPEND(fs->all, f);
	fs->n++;
	fs->n_open += f->state == FAILURE_OPEN;
	fs->n_steps[FAILURE_IDLE]++;
	*ret = f;
	return 0;
}

struct failure *failures_find(struct failures *fs, uint64_t pfn)
{
	struct failure *f;

	HASH_FIND(hh, fs->frames, &pfn, sizeof(pfn), f);
	return f;
}

struct failure *failures_next(struct failures *fs, struct failure *prev)
{
	return prev ? prev->next : fs->all;
}

size_t failures_count(const struct failures *fs)
{
	return fs->n;
}

size_t failures_n_open(const struct failures *fs)
{
	return fs->n_open;
}

void failures_counted(struct failures *fs, uint64_t n)
{
	fs->last_kernel_id = MAX(fs->last_kernel_id, n);
}

uint64_t failures_unseen(const struct failures *fs)
{
	return fs->missed + (fs->last_kernel_id > fs->seen ? fs->last_kernel_id - fs->seen : 0);
}

/* --- what the kernel says --- */

static int add_new(struct failures *fs, const struct failure_info *info, uint64_t now_usec,
		   struct failure **ret)
{
	const bool recovered = info->result == PINGUARD_FAILURE_RESULT_RECOVERED;
	struct failure template = {
		.id = fs->next_id,
		.kernel_id = info->id,
		.this_boot = true,
		.pfn = info->pfn,
		.time_usec = info->started_usec ?: now_usec,
		.count = 1,
		.kind = info->kind,
		.class = info->class ?: PINGUARD_MEMORY_CLASS_NONE,
		.class_guessed = !info->class,
		.result = info->result,
		.state = recovered ? FAILURE_ISOLATED : FAILURE_OPEN,
	};
	int r;

	template.last_usec = template.time_usec;
	template.ended_usec = recovered ? template.time_usec : 0;
	memcpy(template.action, info->action, sizeof(template.action));
	r = failures_append(fs, &template, ret);
	if (r < 0)
		return r;
	fs->next_id++;
	/* What is out of use for all others may still be a device's. */
	failure_set_step(*ret, FAILURE_WAITING);
	return 0;
}

/* The same frame once more: what makes a difference, and whether its owners should hear of it. */
static void add_again(struct failure *f, const struct failure_info *info, uint64_t now_usec)
{
	const bool worse = f->kind == PINGUARD_FAILURE_KIND_SOFT_OFFLINE &&
			   info->kind == PINGUARD_FAILURE_KIND_UNCORRECTED;
	const bool better = f->state == FAILURE_OPEN && !f->pending &&
			    info->result == PINGUARD_FAILURE_RESULT_RECOVERED;

	f->count++;
	f->last_usec = info->started_usec ?: now_usec;
	if (worse || better) {
		f->kind = worse ? info->kind : f->kind;
		f->result = info->result;
		memcpy(f->action, info->action, sizeof(f->action));
	}
	if (better)
		set_state(f, FAILURE_ISOLATED, f->last_usec);
	else if (worse && info->result != PINGUARD_FAILURE_RESULT_RECOVERED)
		set_state(f, FAILURE_OPEN, 0);
	if (worse)
		f->told = f->done = false;
	if (f->step == FAILURE_IDLE &&
	    (worse || (f->state == FAILURE_OPEN && now_usec >= f->asked_usec + FAILURE_AGAIN_USEC)))
		failure_set_step(f, FAILURE_WAITING);
}

/*
 * Whether what is told of a frame that is over is another failure. One that was
 * isolated, or unpinned, has been declared good in between, of which the kernel
 * tells only while it is in use; or the kernel says that it was bad already.
 */
static bool starts_anew(const struct failure *f, const struct failure_info *info)
{
	if (f->state != FAILURE_ISOLATED && f->state != FAILURE_UNPINNED)
		return f->state != FAILURE_OPEN;
	if (strstr(info->action, "already"))
		return false;
	return f->done || info->result != PINGUARD_FAILURE_RESULT_RECOVERED;
}

/* Whether it is the next one; what is between it and the last one was missed. */
static bool is_next(struct failures *fs, const struct failure_info *info)
{
	const uint64_t last = info->counter == fs->counter ? fs->last_number : 0;

	if (info->number <= last)
		return false;
	fs->missed += info->number - last - 1;
	fs->counter = info->counter;
	fs->last_number = info->number;
	return true;
}

int failures_add(struct failures *fs, const struct failure_info *info, uint64_t now_usec,
		 struct failure **ret)
{
	struct failure *f = failures_find(fs, info->pfn);
	int r;

	if (info->counter && !is_next(fs, info))
		return -EALREADY;
	if (!info->counter)
		failures_counted(fs, info->id);
	if (f && f->kernel_id == info->id) {
		*ret = f;
		return 0;
	}
	if (f && !starts_anew(f, info)) {
		fs->seen += !info->counter;
		add_again(f, info, now_usec);
		*ret = f;
		return 2;
	}
	r = add_new(fs, info, now_usec, ret);
	if (r < 0) {
		fs->missed += info->counter != 0;
		return r;
	}
	fs->seen += !info->counter;
	return 1;
}

int failure_set_held(struct failure *f, const uint64_t *pins, size_t n, uint64_t now_usec)
{
	const bool was_held = f->pending;
	uint64_t *held = NULL;

	f->n_held_more = n > FAILURE_HELD_MAX ? n - FAILURE_HELD_MAX : 0;
	n = MIN(n, (size_t)FAILURE_HELD_MAX);
	if (n > 0 && !(held = malloc(n * sizeof(*held))))
		return -ENOMEM;
	free(f->held);
	f->held = held;
	f->n_held = n;
	if (n > 0) {
		memcpy(held, pins, n * sizeof(*held));
		/* What is out of use for all others is a device's yet. */
		if (f->state == FAILURE_ISOLATED && !f->done)
			set_state(f, FAILURE_OPEN, 0);
		f->pending = f->state == FAILURE_OPEN;
		return 0;
	}
	if (!was_held || f->state != FAILURE_OPEN)
		return 0;
	set_state(f, FAILURE_UNPINNED, now_usec);
	f->pending = false;
	f->done = true;
	return 1;
}

static enum failure_state state_of(uint32_t outcome)
{
	switch (outcome) {
	case PINGUARD_FAILURE_OUTCOME_ISOLATED:
		return FAILURE_ISOLATED;
	case PINGUARD_FAILURE_OUTCOME_UNPINNED:
		return FAILURE_UNPINNED;
	case PINGUARD_FAILURE_OUTCOME_UNPOISONED:
		return FAILURE_UNPOISONED;
	case PINGUARD_FAILURE_OUTCOME_GONE:
		return FAILURE_GONE;
	default: /* of a newer kernel */
		return FAILURE_UNKNOWN;
	}
}

int failures_done(struct failures *fs, const struct failure_info *info, uint64_t now_usec,
		  struct failure **ret)
{
	struct failure *f = failures_find(fs, info->pfn);
	const enum failure_state state = state_of(info->outcome);

	/* What was made out from a list may be told late, and better. */
	if (!f || (f->done && (f->state != FAILURE_UNPINNED || state == FAILURE_UNPINNED)))
		return 0;
	set_state(f, state, now_usec);
	f->ended_id = info->id;
	f->pending = false;
	f->done = true;
	*ret = f;
	return 1;
}

void failures_begin_list(struct failures *fs)
{
	struct failure *f;

	DL_FOREACH(fs->all, f)
		f->listed = false;
}

int failures_list(struct failures *fs, const struct failure_info *info, uint64_t now_usec,
		  struct failure **ret)
{
	struct failure *f = failures_find(fs, info->pfn);
	bool news;
	int r;

	/* The list was made before the end that was told. */
	if (f && f->ended_id && f->ended_id == info->id) {
		*ret = f;
		return 0;
	}
	/* What was recovered at once, and is in use by a device, is the same failure. */
	if (!f || (failure_is_over(f) && f->done && f->kernel_id != info->id)) {
		r = add_new(fs, info, now_usec, &f);
		if (r < 0)
			return r;
		failures_counted(fs, info->id);
		fs->seen++;
		news = true;
	} else {
		/* A recovered one that a device holds on to; its owners are looked for, too. */
		news = f->state == FAILURE_ISOLATED;
	}
	set_state(f, FAILURE_OPEN, 0);
	f->pending = f->listed = true;
	f->done = false;
	/* Such as one of before the service's start. */
	if (f->step == FAILURE_IDLE && (news || !f->asked_usec))
		failure_set_step(f, FAILURE_WAITING);
	*ret = f;
	return news;
}

void failures_end_list(struct failures *fs, uint64_t now_usec,
		       void (*ended)(struct failure *f, void *userdata), void *userdata)
{
	struct failure *f;

	DL_FOREACH(fs->all, f) {
		if (!f->this_boot || f->state != FAILURE_OPEN || !f->pending || f->listed)
			continue;
		/*
		 * The kernel keeps in its list what is pinned: that it went from there
		 * was told, and the message was lost.
		 */
		set_state(f, FAILURE_UNPINNED, now_usec);
		f->pending = false;
		f->done = true;
		ended(f, userdata);
	}
}

/* --- what is done about them --- */

/* For so much more text; false where all that is left is open. */
static bool make_room(struct failure *f, size_t bytes)
{
	struct failures *fs = f->failures;

	while (fs->text_bytes + bytes > FAILURES_TEXT_BYTES)
		if (!evict(fs, f))
			return false;
	return true;
}

static void set_text(struct failure *f, char **text, char *to)
{
	const size_t bytes = to ? strlen(to) : 0;

	f->failures->text_bytes -= *text ? strlen(*text) : 0;
	free(*text);
	*text = to;
	if (make_room(f, bytes))
		f->failures->text_bytes += bytes;
	else
		free(TAKE_PTR(*text));
}

void failure_set_place(struct failure *f, char *place)
{
	set_text(f, &f->place, place);
}

void failure_set_owners(struct failure *f, char *owners, unsigned int n_owners,
			unsigned int omitted)
{
	set_text(f, &f->owners, owners);
	f->n_owners = f->owners ? n_owners : 0;
	f->owners_omitted = omitted + n_owners - f->n_owners;
}

void failure_set_step(struct failure *f, enum failure_step step)
{
	struct failures *fs = f->failures;

	if (f->step != FAILURE_IDLE)
		DL_DELETE2(fs->queues[f->step], f, queue_prev, queue_next);
	fs->n_steps[f->step]--;
	f->step = step;
	fs->n_steps[f->step]++;
	if (f->step != FAILURE_IDLE)
		DL_APPEND2(fs->queues[f->step], f, queue_prev, queue_next);
}

size_t failures_n_step(const struct failures *fs, enum failure_step step)
{
	return fs->n_steps[step];
}

struct failure *failures_next_waiting(struct failures *fs)
{
	return fs->n_steps[FAILURE_LOOKING] < FAILURE_LOOKS_MAX ? fs->queues[FAILURE_WAITING] :
								  NULL;
}

void failures_unblock(struct failures *fs)
{
	struct failure *f;

	DL_FOREACH2(fs->queues[FAILURE_BLOCKED], f, queue_next)
		f->step = FAILURE_WAITING;
	fs->n_steps[FAILURE_WAITING] += fs->n_steps[FAILURE_BLOCKED];
	fs->n_steps[FAILURE_BLOCKED] = 0;
	DL_CONCAT2(fs->queues[FAILURE_BLOCKED], fs->queues[FAILURE_WAITING], queue_prev,
		   queue_next);
	fs->queues[FAILURE_WAITING] = TAKE_PTR(fs->queues[FAILURE_BLOCKED]);
}
