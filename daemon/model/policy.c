/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/model/policy.h"
#include "lib/macros.h"

const struct ladder policy_default_ladder = {
	.on[STEP_ASK] = true,
	.usec[STEP_ASK] = 30 * 1000000ULL,
};

static uint64_t add(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t step_usec(const struct ladder *ladder, int step)
{
	return ladder->on[step] ? ladder->usec[step] : 0;
}

uint64_t policy_ladder_usec(const struct ladder *ladder)
{
	uint64_t sum = 0;

	for (int step = 0; step < N_STEPS; step++)
		sum = add(sum, step_usec(ladder, step));
	return sum;
}

/* The first step from here on that is on; N_STEPS for none. */
static int first_on(const struct ladder *ladder, int step)
{
	while (step < N_STEPS && !ladder->on[step])
		step++;
	return step;
}

/* What an owner has that was asked, and reminded maybe. */
static uint64_t answer_time(const struct ladder *ladder, int step, uint64_t usec)
{
	usec = add(usec, step_usec(ladder, step));
	return step == STEP_ASK ? add(usec, step_usec(ladder, STEP_REMIND)) : usec;
}

uint64_t policy_answer_deadline(const struct ladder *ladder, uint64_t asked_usec,
				uint64_t deadline_usec)
{
	if (first_on(ladder, STEP_HOOK) == N_STEPS)
		return deadline_usec;
	return MIN(answer_time(ladder, STEP_ASK, asked_usec), deadline_usec);
}

/* What comes next, and when: 0 for at once. Of an owner that was asked or cannot be. */
static int next_step(const struct ladder *ladder, const struct ladder_facts *f, uint64_t *ret_usec)
{
	const int forced = f->untouchable ? N_STEPS : first_on(ladder, MAX(f->step + 1, STEP_HOOK));

	*ret_usec = 0;
	if (f->step >= STEP_HOOK) {
		if (!f->step_failed)
			*ret_usec = add(f->step_usec, ladder->usec[f->step]);
		return forced;
	}
	if (f->step < 0) {
		*ret_usec = f->grace_usec;
		return forced;
	}
	if (f->answer == ANSWER_REFUSED)
		return forced;
	if (f->lapsed) {
		*ret_usec = f->grace_usec;
		return forced;
	}
	if (f->answer == ANSWER_DEFERRED) {
		*ret_usec = answer_time(ladder, f->step, f->step_usec);
		return forced;
	}
	*ret_usec = add(f->step_usec, step_usec(ladder, f->step));
	return f->step == STEP_ASK && ladder->on[STEP_REMIND] ? STEP_REMIND : forced;
}

struct decision policy_decide(const struct ladder *ladder, const struct ladder_facts *f,
			      uint64_t now_usec)
{
	struct decision d = { .type = DECISION_WAIT };

	if (now_usec >= f->deadline_usec)
		return (struct decision){ .type = DECISION_OVER, .step = N_STEPS };
	if (f->step < 0 && f->registered && !f->lapsed && ladder->on[STEP_ASK])
		return (struct decision){ .type = DECISION_STEP, .step = STEP_ASK };

	d.step = next_step(ladder, f, &d.usec);
	if (d.step < N_STEPS) {
		if (now_usec < d.usec)
			d.usec = MIN(d.usec, f->deadline_usec);
		else if (d.step >= STEP_HOOK && f->uncertain)
			d.usec = f->deadline_usec; /* or until the list has been read */
		else
			d.type = DECISION_STEP;
	} else if (f->answer == ANSWER_REFUSED) {
		if (now_usec >= d.usec)
			d.type = DECISION_REFUSED;
		d.usec = MIN(d.usec, f->deadline_usec);
	} else {
		/* It may let go by itself as long as somebody waits for it. */
		d.usec = f->deadline_usec;
	}
	return d;
}
