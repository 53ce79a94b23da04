/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What follows when. Times are invented. */
#include "daemon/model/policy.h"
#include "tests/unit/unit.h"

#define SEC 1000000ULL
#define NOW (1000 * SEC)

static const struct ladder full = {
	.on = { true, true, true, true, true },
	.usec = { 30 * SEC, 10 * SEC, 60 * SEC, 90 * SEC, 5 * SEC },
};

static struct ladder_facts make(void)
{
	return (struct ladder_facts){ .deadline_usec = NOW + 3600 * SEC, .registered = true,
				      .step = -1 };
}

static struct ladder_facts at_step(int step)
{
	struct ladder_facts f = make();

	f.step = step;
	f.step_usec = NOW;
	return f;
}

static void check(const struct ladder *ladder, const struct ladder_facts *f, uint64_t now,
		  enum decision_type type, int step, uint64_t usec)
{
	struct decision d = policy_decide(ladder, f, now);

	assert_int_equal(d.type, type);
	assert_int_equal(d.step, step);
	if (type == DECISION_WAIT)
		assert_int_equal(d.usec, usec);
}

/* Waits until just before, acts at that moment. */
static void check_deadline(const struct ladder *ladder, const struct ladder_facts *f, int step,
			   uint64_t usec)
{
	check(ladder, f, NOW, DECISION_WAIT, step, usec);
	check(ladder, f, usec - 1, DECISION_WAIT, step, usec);
	check(ladder, f, usec, DECISION_STEP, step, 0);
	check(ladder, f, usec + SEC, DECISION_STEP, step, 0);
}

static void test_each_step_has_its_time(void **state)
{
	struct ladder_facts f = make();

	check(&full, &f, NOW, DECISION_STEP, STEP_ASK, 0);
	for (int step = STEP_ASK; step < STEP_KILL; step++) {
		f = at_step(step);
		check_deadline(&full, &f, step + 1, NOW + full.usec[step]);
	}
	f = at_step(STEP_KILL);
	check(&full, &f, NOW, DECISION_WAIT, N_STEPS, f.deadline_usec);
	check(&full, &f, f.deadline_usec - 1, DECISION_WAIT, N_STEPS, f.deadline_usec);
	check(&full, &f, f.deadline_usec, DECISION_OVER, N_STEPS, 0);
}

static void test_steps_that_are_off_are_left_out(void **state)
{
	struct ladder l = full;
	struct ladder_facts f = at_step(STEP_ASK);

	l.on[STEP_REMIND] = l.on[STEP_STOP_UNIT] = false;
	check_deadline(&l, &f, STEP_HOOK, NOW + 30 * SEC);
	f = at_step(STEP_HOOK);
	check_deadline(&l, &f, STEP_KILL, NOW + 60 * SEC);
	l.on[STEP_KILL] = false;
	check(&l, &f, NOW + 60 * SEC, DECISION_WAIT, N_STEPS, f.deadline_usec);
}

/* Out of the box nobody is touched, whatever happens. */
static void test_default_asks_alone(void **state)
{
	struct ladder_facts f = make();

	check(&policy_default_ladder, &f, NOW, DECISION_STEP, STEP_ASK, 0);
	for (int answer = ANSWER_NONE; answer <= ANSWER_DEFERRED; answer++) {
		for (int bits = 0; bits < 8; bits++) {
			f = at_step(bits & 1 ? STEP_ASK : -1);
			f.registered = bits & 2;
			f.lapsed = bits & 4;
			f.answer = answer;
			for (uint64_t now = NOW; now < f.deadline_usec; now += 10 * SEC) {
				struct decision d = policy_decide(&policy_default_ladder, &f, now);

				assert_false(d.type == DECISION_STEP && d.step != STEP_ASK);
			}
		}
	}
	assert_int_equal(policy_ladder_usec(&policy_default_ladder), 30 * SEC);
	assert_int_equal(policy_ladder_usec(&full), 195 * SEC);
}

static void test_refusal(void **state)
{
	struct ladder_facts f = at_step(STEP_ASK);

	f.answer = ANSWER_REFUSED;
	check(&full, &f, NOW, DECISION_STEP, STEP_HOOK, 0);
	check(&policy_default_ladder, &f, NOW, DECISION_REFUSED, N_STEPS, 0);
	/* It keeps its word even if it leaves. */
	f.lapsed = true;
	f.registered = false;
	check(&policy_default_ladder, &f, NOW, DECISION_REFUSED, N_STEPS, 0);
	/* After the last step its time is waited for. */
	f = at_step(STEP_KILL);
	f.answer = ANSWER_REFUSED;
	check(&full, &f, NOW, DECISION_WAIT, N_STEPS, NOW + 5 * SEC);
	check(&full, &f, NOW + 5 * SEC, DECISION_REFUSED, N_STEPS, 0);
	f.step_failed = true;
	check(&full, &f, NOW, DECISION_REFUSED, N_STEPS, 0);
}

static void test_deferral(void **state)
{
	struct ladder_facts f = at_step(STEP_ASK);

	f.answer = ANSWER_DEFERRED;
	check_deadline(&full, &f, STEP_HOOK, NOW + 40 * SEC);
	assert_int_equal(policy_answer_deadline(&full, NOW, f.deadline_usec), NOW + 40 * SEC);
	f = at_step(STEP_REMIND);
	f.answer = ANSWER_DEFERRED;
	check_deadline(&full, &f, STEP_HOOK, NOW + 10 * SEC);
	assert_int_equal(policy_answer_deadline(&policy_default_ladder, NOW, NOW + 7), NOW + 7);
	assert_int_equal(policy_answer_deadline(&full, NOW, NOW + 7), NOW + 7);
}

static void test_lapse(void **state)
{
	struct ladder_facts f = at_step(STEP_ASK);

	f.lapsed = true;
	f.registered = false;
	f.grace_usec = NOW + SEC;
	check_deadline(&full, &f, STEP_HOOK, NOW + SEC);
	/* It is not asked again when it comes back. */
	f.registered = true;
	check(&full, &f, NOW + SEC, DECISION_STEP, STEP_HOOK, 0);
	f.step = -1;
	check(&full, &f, NOW + SEC, DECISION_STEP, STEP_HOOK, 0);
	f.grace_usec = 0;
	check(&policy_default_ladder, &f, NOW, DECISION_WAIT, N_STEPS, f.deadline_usec);
}

static void test_not_registered(void **state)
{
	struct ladder_facts f = make();

	f.registered = false;
	check(&full, &f, NOW, DECISION_STEP, STEP_HOOK, 0);
	f.grace_usec = NOW + 10 * SEC;
	check_deadline(&full, &f, STEP_HOOK, NOW + 10 * SEC);
	check(&policy_default_ladder, &f, NOW, DECISION_WAIT, N_STEPS, f.deadline_usec);
	/* It registers meanwhile. */
	f.registered = true;
	check(&full, &f, NOW, DECISION_STEP, STEP_ASK, 0);
}

static void test_asking_turned_off(void **state)
{
	struct ladder l = full;
	struct ladder_facts f = make();

	l.on[STEP_ASK] = l.on[STEP_REMIND] = false;
	l.usec[STEP_ASK] = 0;
	check(&l, &f, NOW, DECISION_STEP, STEP_HOOK, 0);
}

static void test_failure_goes_on_at_once(void **state)
{
	struct ladder_facts f = at_step(STEP_HOOK);

	f.step_failed = true;
	check(&full, &f, NOW, DECISION_STEP, STEP_STOP_UNIT, 0);
	f = at_step(STEP_KILL);
	f.step_failed = true;
	check(&full, &f, NOW, DECISION_WAIT, N_STEPS, f.deadline_usec);
}

static void test_untouchable(void **state)
{
	struct ladder_facts f = make();

	f.untouchable = true;
	check(&full, &f, NOW, DECISION_STEP, STEP_ASK, 0);
	f = at_step(STEP_REMIND);
	f.untouchable = true;
	check(&full, &f, NOW + 3599 * SEC, DECISION_WAIT, N_STEPS, f.deadline_usec);
	f.answer = ANSWER_REFUSED;
	check(&full, &f, NOW, DECISION_REFUSED, N_STEPS, 0);
}

/* While the list of pins is being read nobody is made to let go of what may be gone. */
static void test_uncertain(void **state)
{
	struct ladder_facts f = make();

	f.uncertain = true;
	check(&full, &f, NOW, DECISION_STEP, STEP_ASK, 0);
	f = at_step(STEP_ASK);
	f.uncertain = true;
	check(&full, &f, NOW + 30 * SEC, DECISION_STEP, STEP_REMIND, 0);
	f = at_step(STEP_REMIND);
	f.uncertain = true;
	check(&full, &f, NOW + 30 * SEC, DECISION_WAIT, STEP_HOOK, f.deadline_usec);
	f.uncertain = false;
	check(&full, &f, NOW + 30 * SEC, DECISION_STEP, STEP_HOOK, 0);
}

/* The request's deadline ends it, also before the ladder's end. */
static void test_deadline_comes_first(void **state)
{
	struct ladder_facts f = at_step(STEP_ASK);

	f.deadline_usec = NOW + 5 * SEC;
	check(&full, &f, NOW, DECISION_WAIT, STEP_REMIND, NOW + 5 * SEC);
	check(&full, &f, NOW + 5 * SEC, DECISION_OVER, N_STEPS, 0);
	f = at_step(-1);
	f.deadline_usec = NOW;
	check(&full, &f, NOW, DECISION_OVER, N_STEPS, 0);
}

static void test_no_overflow(void **state)
{
	struct ladder l = full;
	struct ladder_facts f = at_step(STEP_ASK);

	l.usec[STEP_ASK] = UINT64_MAX;
	f.deadline_usec = UINT64_MAX - 1;
	assert_int_equal(policy_ladder_usec(&l), UINT64_MAX);
	check(&l, &f, UINT64_MAX - 2, DECISION_WAIT, STEP_REMIND, UINT64_MAX - 1);
	assert_int_equal(policy_answer_deadline(&l, NOW, UINT64_MAX), UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_step_has_its_time),
		cmocka_unit_test(test_steps_that_are_off_are_left_out),
		cmocka_unit_test(test_default_asks_alone),
		cmocka_unit_test(test_refusal),
		cmocka_unit_test(test_deferral),
		cmocka_unit_test(test_lapse),
		cmocka_unit_test(test_not_registered),
		cmocka_unit_test(test_asking_turned_off),
		cmocka_unit_test(test_failure_goes_on_at_once),
		cmocka_unit_test(test_untouchable),
		cmocka_unit_test(test_uncertain),
		cmocka_unit_test(test_deadline_comes_first),
		cmocka_unit_test(test_no_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
