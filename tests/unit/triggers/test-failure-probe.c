/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that fails where eBPF programs watch: the kernel says it once, makers are
 * looked at, and it is over when the pins are gone that were found.
 */
#include "tests/unit/triggers/failure-fixture.h"

#define COUNTER 77
#define WAIT_MAX 100 /* turns of the loop */

/* In the place of the child that looks. */
struct walks_query {
	walks_done done;
	void *userdata;
	sd_event_source *source;
};

static struct walk_found found[4];
static size_t n_found;
static unsigned int n_walks;

const struct probe *__wrap_source_probe(const struct source *s);
int __wrap_walks_find(struct walks *walks, const struct pfn_range *ranges, size_t n, walks_done done,
		      void *userdata, struct walks_query **ret);
struct walks_query *__wrap_walks_query_free(struct walks_query *q);

const struct probe *__wrap_source_probe(const struct source *s)
{
	return (const struct probe *)&n_walks;
}

static int on_defer(sd_event_source *source, void *userdata)
{
	struct walks_query *q = userdata;

	q->done(0, found, n_found, q->userdata);
	return 0;
}

int __wrap_walks_find(struct walks *walks, const struct pfn_range *ranges, size_t n, walks_done done,
		      void *userdata, struct walks_query **ret)
{
	struct walks_query *q = calloc(1, sizeof(*q));

	assert_int_equal(n, 1);
	*q = (struct walks_query){ .done = done, .userdata = userdata };
	assert_true(sd_event_add_defer(fake.loop, &q->source, on_defer, q) >= 0);
	n_walks++;
	*ret = q;
	return 0;
}

struct walks_query *__wrap_walks_query_free(struct walks_query *q)
{
	if (q)
		sd_event_source_disable_unref(q->source);
	free(q);
	return NULL;
}

static void find(const struct walk_found *all, size_t n)
{
	memcpy(found, all, n * sizeof(*all));
	n_found = n;
}
#define FIND(...)                                                               \
	find((struct walk_found[]){ __VA_ARGS__ },                              \
	     sizeof((struct walk_found[]){ __VA_ARGS__ }) / sizeof(struct walk_found))

static void say_number(struct manager *m, uint64_t number, uint64_t pfn, uint32_t result)
{
	struct pin_event e = { .type = PIN_EVENT_FAILURE };

	e.failure = report(1000 + number, pfn, result);
	e.failure.class = 0;
	e.failure.counter = COUNTER;
	e.failure.number = number;
	assert_int_equal(manager_listener.event(&e, m), 0);
}

/* As the source tells it. */
static void unpin(struct manager *m, uint64_t id)
{
	const struct pin_event e = { .type = PIN_EVENT_UNPIN, .pin = { .id = id } };

	say(m, &e);
}

static struct failure *failure_of(struct scene *s, uint64_t pfn)
{
	return failures_find(s->m->triggers->failing->failures, pfn);
}

static void wait_state(struct scene *s, uint64_t pfn, enum failure_state state)
{
	for (unsigned int i = 0; i < WAIT_MAX && failure_of(s, pfn)->state != state; i++)
		assert_true(sd_event_run(s->m->event, 100000) >= 0);
	assert_int_equal(failure_of(s, pfn)->state, state);
}

/* It was looked at, and what follows has been done. */
static void wait_told(struct scene *s, uint64_t pfn)
{
	for (unsigned int i = 0; i < WAIT_MAX && !failure_of(s, pfn)->told; i++)
		assert_true(sd_event_run(s->m->event, 100000) >= 0);
	assert_true(failure_of(s, pfn)->told);
}

static void settle(struct scene *s)
{
	for (unsigned int i = 0; i < 5; i++)
		assert_true(sd_event_run(s->m->event, 100000) >= 0);
}

static void open_scene(struct scene *s, void **state)
{
	scene_open(s, state);
	s->m->triggers->config.walks = (struct walks *)&n_walks;
	n_found = n_walks = 0;
}

static const char *owner_test(const json_t *failure, size_t i)
{
	return json_get_string(json_array_get(json_object_get(failure, "owners"), i), "test", "");
}

static void test_asked(void **state)
{
	_cleanup_json_ json_t *request = NULL, *before = NULL, *done = NULL;
	char token[64];
	struct scene s;

	open_scene(&s, state);
	FIND({ 1, 0, 1, WALK_NONE }, { 2, PAGE, 1, WALK_PAGE });
	say_number(s.m, 1, 1, PINGUARD_FAILURE_RESULT_FAILED);
	request = owner_request(s.m, &s.registered, token);
	assert_string_equal(json_get_string(request, "reason", ""), "memory_failure");
	/* The other pin only may hold it. */
	assert_int_equal(json_array_size(json_object_get(request, "pins")), 1);
	assert_int_equal(n_parts(request), 1);
	assert_string_equal(part(request, 0, "pin"), "0x2");
	assert_string_equal(part(request, 0, "address"), "0x3000");
	assert_string_equal(part(request, 0, "test"), "page");

	before = list_failures(&s);
	assert_string_equal(json_get_string(failure_at(before, 0), "state", ""), "open");
	assert_int_equal(json_array_size(json_object_get(failure_at(before, 0), "owners")), 2);
	assert_string_equal(owner_test(failure_at(before, 0), 0), "page");
	assert_string_equal(owner_test(failure_at(before, 0), 1), "maybe");
	assert_false(has_event(s.m, EVENT_FAILURE_DONE));

	unpin(s.m, 2);
	wait_state(&s, 1, FAILURE_UNPINNED);
	done = last_event(s.m, EVENT_FAILURE_DONE);
	assert_string_equal(json_get_string(json_object_get(done, "failure"), "state", ""),
			    "unpinned");
	assert_int_equal(releases_n_running(s.m->releases), 0);
	scene_close(&s);
}

/* Nobody can be looked at: nobody is asked, and nobody knows when it is over. */
static void test_maybe(void **state)
{
	_cleanup_json_ json_t *list = NULL;
	struct scene s;

	open_scene(&s, state);
	FIND({ 1, 0, 1, WALK_NONE }, { 2, 0, 1, WALK_NONE });
	say_number(s.m, 1, 1, PINGUARD_FAILURE_RESULT_FAILED);
	wait_told(&s, 1);
	assert_int_equal(releases_n_running(s.m->releases), 0);
	client_silent(s.m, &s.registered);
	unpin(s.m, 2);
	settle(&s);
	assert_int_equal(failure_of(&s, 1)->state, FAILURE_OPEN);
	list = list_failures(&s);
	assert_string_equal(owner_test(failure_at(list, 0), 0), "maybe");
	scene_close(&s);
}

/* Its maker has the memory, and nobody knows where the pin is. */
static void test_process(void **state)
{
	_cleanup_json_ json_t *request = NULL;
	char token[64];
	struct scene s;

	open_scene(&s, state);
	FIND({ 2, 0, 1, WALK_PROCESS });
	say_number(s.m, 1, 1, PINGUARD_FAILURE_RESULT_FAILED);
	request = owner_request(s.m, &s.registered, token);
	assert_string_equal(part(request, 0, "test"), "process");
	assert_true(json_is_null(json_object_get(
		json_array_get(json_object_get(request, "failures"), 0), "address")));
	scene_close(&s);
}

/* Out of use for all others, and a device has it yet; its maker ends meanwhile. */
static void test_recovered(void **state)
{
	struct scene s;

	open_scene(&s, state);
	FIND({ 2, PAGE, 1, WALK_PAGE });
	say_number(s.m, 1, 1, PINGUARD_FAILURE_RESULT_RECOVERED);
	wait_told(&s, 1);
	assert_int_equal(failure_of(&s, 1)->state, FAILURE_OPEN);
	FIND({ 2, 0, 1, WALK_NONE });
	failure_set_step(failure_of(&s, 1), FAILURE_WAITING);
	failing_work(s.m->triggers->failing);
	settle(&s);
	assert_int_equal(n_walks, 2);
	assert_int_equal(failure_of(&s, 1)->state, FAILURE_OPEN);
	unpin(s.m, 2);
	wait_state(&s, 1, FAILURE_UNPINNED);

	/* Nobody has it. */
	n_found = 0;
	say_number(s.m, 2, 5, PINGUARD_FAILURE_RESULT_RECOVERED);
	wait_told(&s, 5);
	assert_int_equal(failure_of(&s, 5)->state, FAILURE_ISOLATED);
	assert_int_equal(failures_unseen(s.m->triggers->failing->failures), 0);
	scene_close(&s);
}

/* A source that starts tells all that there are: each is told once. */
static void test_told_again(void **state)
{
	struct scene s;

	open_scene(&s, state);
	say_number(s.m, 1, 1, PINGUARD_FAILURE_RESULT_IGNORED);
	say_number(s.m, 3, 1, PINGUARD_FAILURE_RESULT_IGNORED);
	wait_told(&s, 1);
	assert_int_equal(failure_of(&s, 1)->count, 2);
	say_number(s.m, 1, 1, PINGUARD_FAILURE_RESULT_IGNORED);
	say_number(s.m, 3, 1, PINGUARD_FAILURE_RESULT_IGNORED);
	assert_int_equal(failure_of(&s, 1)->count, 2);
	assert_int_equal(failures_unseen(s.m->triggers->failing->failures), 1);
	scene_close(&s);
}

/* The list of pins was read anew, and the pin is not in it. */
static void test_relisted(void **state)
{
	struct scene s;

	open_scene(&s, state);
	FIND({ 2, PAGE, 1, WALK_PAGE });
	say_number(s.m, 1, 1, PINGUARD_FAILURE_RESULT_DELAYED);
	wait_told(&s, 1);
	assert_int_equal(registry_remove(s.m->registry, 2), 0);
	assert_int_equal(failing_list(s.m->triggers->failing), 0);
	wait_state(&s, 1, FAILURE_UNPINNED);
	/* The kernel is not asked for a list of its own. */
	assert_null(s.m->triggers->failing->list);
	scene_close(&s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, failure_setup, owner_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_asked),     TEST(test_maybe),	     TEST(test_process),
		TEST(test_recovered), TEST(test_told_again), TEST(test_relisted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
