/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the kernel's word that memory failed to the owners, and back. */
#include <stdio.h>
#include <sys/socket.h>

#include "tests/unit/scene.h"

#include "daemon/holders.h"
#include "daemon/inventory.h"
#include "daemon/manager-failure.h"
#include "daemon/manager-internal.h"
#include "daemon/render.h"

#define PAGE 4096

/* In the place of the kernel: which pin holds a frame, where; what it lists. */
struct range_query {
	struct pfn_range range;
	const struct range_listener *listener;
	void *userdata;
	sd_event_source *source;
};

static struct fake {
	uint64_t (*pin_of)(uint64_t pfn); /* 0: none */
	bool no_offset;
	int error;
	unsigned int n_open, n_open_max, n_looks;
	struct failure_info listed[4];
	size_t n_listed;
	uint64_t counted;
	sd_event *loop;
} fake;

static int on_query(sd_event_source *source, void *userdata)
{
	struct range_query *q = userdata;
	struct pin_info info = {
		.id = fake.pin_of ? fake.pin_of(q->range.first) : 0,
		.has_offset = !fake.no_offset,
		.offset = q->range.first * PAGE,
	};
	int r = fake.error;

	if (r >= 0 && info.id)
		r = q->listener->pin(&info, q->userdata);
	q->listener->done(r, q->userdata);
	return 0;
}

int genl_query_range(struct genl *g, const struct pfn_range *ranges, size_t n,
		     const struct range_listener *listener, void *userdata,
		     struct range_query **ret)
{
	struct range_query *q = calloc(1, sizeof(*q));

	assert_int_equal(n, 1);
	*q = (struct range_query){ .range = ranges[0], .listener = listener, .userdata = userdata };
	assert_true(sd_event_add_defer(fake.loop, &q->source, on_query, q) >= 0);
	fake.n_looks++;
	fake.n_open++;
	fake.n_open_max = MAX(fake.n_open_max, fake.n_open);
	*ret = q;
	return 0;
}

struct range_query *range_query_free(struct range_query *q)
{
	if (q) {
		sd_event_source_disable_unref(q->source);
		fake.n_open--;
	}
	free(q);
	return NULL;
}

int __wrap_genl_list_failures(struct genl *g, genl_failure_handler handler, void *userdata);
int __wrap_genl_get_info(struct genl *g, struct pin_kernel_info *ret);

int __wrap_genl_list_failures(struct genl *g, genl_failure_handler handler, void *userdata)
{
	for (size_t i = 0; i < fake.n_listed; i++)
		assert_int_equal(handler(&fake.listed[i], userdata), 0);
	return 0;
}

int __wrap_genl_get_info(struct genl *g, struct pin_kernel_info *ret)
{
	*ret = (struct pin_kernel_info){ .failures = fake.counted };
	return 0;
}

static int setup(void **state)
{
	const struct manager_config config = { .proc = "/proc" };
	struct manager *m;

	assert_int_equal(owner_setup(state), 0);
	m = *state;
	fake = (struct fake){ .loop = m->event };
	assert_int_equal(manager_failures_new(m, &config), 0);
	assert_int_equal(inventory_new("/nonexistent", NULL, &m->inventory), 0);
	return 0;
}

/* --- the kernel's words --- */

static void say(struct manager *m, const struct pin_event *e)
{
	struct pin_event event = *e;

	event.seq = registry_seq(m->registry) + 1;
	assert_true(manager_listener.event(&event, m) >= 0);
}

static struct failure_info report(uint64_t id, uint64_t pfn, uint32_t result)
{
	return (struct failure_info){
		.id = id,
		.pfn = pfn,
		.started_usec = 1000 + id,
		.kind = PINGUARD_FAILURE_KIND_UNCORRECTED,
		.class = PINGUARD_MEMORY_CLASS_SYSTEM_RAM,
		.result = result,
		.action = "unsplit thp",
	};
}

static void say_failed(struct manager *m, uint64_t id, uint64_t pfn)
{
	const struct pin_event e = {
		.type = PIN_EVENT_FAILURE,
		.failure = report(id, pfn, PINGUARD_FAILURE_RESULT_FAILED),
	};

	say(m, &e);
}

static void say_done(struct manager *m, uint64_t pfn, uint32_t outcome)
{
	const struct pin_event e = {
		.type = PIN_EVENT_FAILURE_DONE,
		.failure = { .id = 1, .pfn = pfn, .outcome = outcome },
	};

	say(m, &e);
}

static uint64_t always_2(uint64_t pfn)
{
	return 2;
}

static uint64_t by_frame(uint64_t pfn)
{
	return pfn;
}

static json_t *list_failures(struct scene *s)
{
	client_send(&s->admin, MANAGER("ListFailures"), false, NULL);
	return client_reply(s->m, &s->admin, MANAGER("ListFailures"), false);
}

static json_t *failure_at(const json_t *reply, size_t i)
{
	return json_array_get(json_object_get(reply, "failures"), i);
}

static const char *part(const json_t *request, size_t i, const char *key)
{
	return json_get_string(json_array_get(json_object_get(request, "failures"), i), key, "");
}

static size_t n_parts(const json_t *request)
{
	return json_array_size(json_object_get(request, "failures"));
}

/* What happened last, of a type. */
static json_t *last_event(struct manager *m, enum event_type type)
{
	for (uint64_t n = events_next(m->events); n-- > events_first(m->events);) {
		const struct event *event = events_get(m->events, n);
		json_t *json;

		if (event->type != type)
			continue;
		json = render_event(event, true);
		idl_check_type(server_idl_org_pinguard_Manager, "Event", json);
		return json;
	}
	return NULL;
}

static bool has_event(struct manager *m, enum event_type type)
{
	_cleanup_json_ json_t *event = last_event(m, type);

	return event;
}

/* --- tests --- */

static void test_asked(void **state)
{
	_cleanup_json_ json_t *request = NULL, *before = NULL, *after = NULL, *event = NULL;
	_cleanup_json_ json_t *done = NULL;
	const json_t *f, *owner;
	struct process other;
	struct client unrelated;
	char token[64];
	struct scene s;

	scene_open(&s, state);
	process_start(&other);
	owner_register(s.m, &unrelated, &other);
	pin_add(s.m, 9, other.pid, 1 << 20);
	fake.pin_of = always_2;
	say_failed(s.m, 1, 1);
	request = owner_request(s.m, &s.registered, token);
	assert_string_equal(json_get_string(request, "reason", ""), "memory_failure");
	assert_int_equal(json_array_size(json_object_get(request, "pins")), 1);
	assert_int_equal(n_parts(request), 1);
	assert_string_equal(part(request, 0, "pin"), "0x2");
	/* The pin is at 0x2000. */
	assert_string_equal(part(request, 0, "address"), "0x3000");
	assert_int_equal(json_get_int(json_array_get(json_object_get(request, "failures"), 0),
				      "bytes", 0), PAGE);
	assert_true(json_get_bool(json_array_get(json_object_get(request, "failures"), 0),
				  "data_lost", false));

	before = list_failures(&s);
	f = failure_at(before, 0);
	assert_string_equal(json_get_string(f, "state", ""), "open");
	assert_string_equal(json_get_string(f, "action", ""), "unsplit thp");
	assert_string_equal(json_get_string(json_object_get(f, "place"), "address", ""), "0x1000");
	assert_string_equal(json_get_string(json_object_get(f, "place"), "class", ""),
			    "system_ram");
	assert_non_null(release_find(s.m->releases, json_get_string(f, "token", "")));
	owner = json_array_get(json_object_get(f, "owners"), 0);
	assert_int_equal(json_get_int(owner, "pid", 0), s.owner.pid);
	assert_string_equal(json_get_string(owner, "address", ""), "0x3000");
	assert_true(json_get_bool(owner, "registered", false));
	event = last_event(s.m, EVENT_FAILURE);
	assert_string_equal(json_get_string(json_object_get(event, "failure"), "state", ""),
			    "open");
	assert_false(has_event(s.m, EVENT_FAILURE_DONE));

	pin_remove(s.m, 2);
	say_done(s.m, 1, PINGUARD_FAILURE_OUTCOME_ISOLATED);
	after = list_failures(&s);
	assert_string_equal(json_get_string(failure_at(after, 0), "state", ""), "isolated");
	assert_int_equal(releases_n_running(s.m->releases), 0);
	done = last_event(s.m, EVENT_FAILURE_DONE);
	assert_string_equal(json_get_string(json_object_get(done, "failure"), "state", ""),
			    "isolated");
	client_silent(s.m, &unrelated);
	client_close(s.m, &unrelated);
	process_end(&other);
	scene_close(&s);
}

/* Where in the pin is not known: then all of it may be what failed. */
static void test_no_address(void **state)
{
	_cleanup_json_ json_t *request = NULL;
	const json_t *first;
	char token[64];
	struct scene s;

	scene_open(&s, state);
	fake.pin_of = always_2;
	fake.no_offset = true;
	say_failed(s.m, 1, 1);
	request = owner_request(s.m, &s.registered, token);
	first = json_array_get(json_object_get(request, "failures"), 0);
	assert_true(json_is_null(json_object_get(first, "address")));
	assert_int_equal(json_get_int(first, "bytes", 0), 8192);
	scene_close(&s);
}

/* A second frame of a pin that is asked for: the same request, and a reminder with both. */
static void test_second_frame(void **state)
{
	_cleanup_json_ json_t *first = NULL, *second = NULL, *third = NULL, *list = NULL;
	char token[64], again[64];
	struct scene s;

	scene_open(&s, state);
	fake.pin_of = always_2;
	say_failed(s.m, 1, 0);
	first = owner_request(s.m, &s.registered, token);
	say_failed(s.m, 2, 1);
	/* The same frame is nothing new. */
	say_failed(s.m, 3, 0);
	second = owner_request(s.m, &s.registered, again);
	assert_string_equal(token, again);
	assert_true(json_get_bool(second, "reminder", false));
	assert_int_equal(n_parts(second), 2);
	assert_string_equal(part(second, 0, "address"), "0x2000");
	assert_string_equal(part(second, 1, "address"), "0x3000");
	assert_int_equal(releases_n_running(s.m->releases), 1);
	list = list_failures(&s);
	assert_string_equal(json_get_string(failure_at(list, 0), "token", "a"),
			    json_get_string(failure_at(list, 1), "token", "b"));
	assert_int_equal(json_get_int(failure_at(list, 0), "count", 0), 2);

	/* One that said no is asked anew for what fails next. */
	owner_complete(s.m, &s.owner, token, "refused", NULL);
	assert_int_equal(releases_n_running(s.m->releases), 0);
	say_failed(s.m, 4, 3);
	third = owner_request(s.m, &s.registered, again);
	assert_string_not_equal(token, again);
	assert_int_equal(n_parts(third), 1);
	scene_close(&s);
}

/* Declared good again: nobody need let go of it. */
static void test_unpoisoned(void **state)
{
	_cleanup_json_ json_t *request = NULL, *withdrawn = NULL, *list = NULL;
	char token[64];
	struct scene s;

	scene_open(&s, state);
	fake.pin_of = always_2;
	say_failed(s.m, 1, 0);
	say_failed(s.m, 2, 1);
	request = owner_request(s.m, &s.registered, token);
	pump(s.m);
	say_done(s.m, 0, PINGUARD_FAILURE_OUTCOME_UNPOISONED);
	assert_int_equal(releases_n_running(s.m->releases), 1);
	say_done(s.m, 1, PINGUARD_FAILURE_OUTCOME_GONE);
	assert_int_equal(releases_n_running(s.m->releases), 0);
	withdrawn = client_reply(s.m, &s.registered, OWNER("Register"), true);
	assert_string_equal(json_get_string(withdrawn, "withdrawn", ""), token);
	list = list_failures(&s);
	assert_string_equal(json_get_string(failure_at(list, 0), "state", ""), "unpoisoned");
	assert_string_equal(json_get_string(failure_at(list, 1), "state", ""), "gone");
	scene_close(&s);
}

/* Nobody holds it; and nobody but administrators learns of it. */
static void test_nobody(void **state)
{
	_cleanup_json_ json_t *list = NULL, *event = NULL;
	struct process user;
	struct client c;
	struct scene s;

	scene_open(&s, state);
	say_failed(s.m, 1, 1);
	pump(s.m);
	list = list_failures(&s);
	assert_int_equal(json_array_size(json_object_get(failure_at(list, 0), "owners")), 0);
	assert_true(json_is_null(json_object_get(failure_at(list, 0), "token")));
	assert_int_equal(releases_n_running(s.m->releases), 0);
	client_silent(s.m, &s.registered);

	assert_true(process_start_as(&user, USER_UID));
	client_open(s.m, &c, &user);
	client_send(&c, MANAGER("ListFailures"), false, NULL);
	client_error(s.m, &c, VARLINK_ERROR_PERMISSION_DENIED);
	client_send(&c, MANAGER("Monitor"), true, json_pack("{s:i, s:b}", "since_usec", 0,
							     "follow", 0));
	event = client_reply(s.m, &c, MANAGER("Monitor"), false);
	assert_true(json_is_null(json_object_get(event, "event")));
	assert_int_equal(events_next(s.m->events), 1);
	client_close(s.m, &c);
	process_end(&user);
	scene_close(&s);
}

static void test_not_supported(void **state)
{
	struct scene s;

	scene_open(&s, state);
	client_send(&s.admin, MANAGER("ListFailures"), false, NULL);
	client_error(s.m, &s.admin, MANAGER("NotSupported"));
	scene_close(&s);
}

/* Out of use for all but a device: the kernel's list says so, and then that it is over. */
static void test_recovered(void **state)
{
	const struct pin_event e = {
		.type = PIN_EVENT_FAILURE,
		.failure = report(1, 1, PINGUARD_FAILURE_RESULT_RECOVERED),
	};
	_cleanup_json_ json_t *request = NULL, *list = NULL;
	char token[64];
	struct scene s;

	scene_open(&s, state);
	fake.pin_of = always_2;
	fake.listed[0] = e.failure;
	fake.n_listed = 1;
	say(s.m, &e);
	request = owner_request(s.m, &s.registered, token);
	list = list_failures(&s);
	assert_string_equal(json_get_string(failure_at(list, 0), "state", ""), "open");
	assert_int_equal(json_get_int(list, "unseen", -1), 0);
	pin_remove(s.m, 2);
	say_done(s.m, 1, PINGUARD_FAILURE_OUTCOME_ISOLATED);
	assert_int_equal(failures_find(s.m->failing->failures, 1)->state, FAILURE_ISOLATED);
	scene_close(&s);
}

/* The kernel cannot tell who holds it at first. */
static void test_look_again(void **state)
{
	_cleanup_json_ json_t *request = NULL;
	char token[64];
	struct scene s;

	scene_open(&s, state);
	fake.pin_of = always_2;
	fake.error = -ENOMEM;
	say_failed(s.m, 1, 1);
	pump(s.m);
	assert_int_equal(fake.n_looks, 1);
	assert_false(has_event(s.m, EVENT_FAILURE));
	fake.error = 0;
	request = owner_request(s.m, &s.registered, token);
	assert_int_equal(fake.n_looks, 2);
	scene_close(&s);
}

/* More owners than may be asked at a time: the rest in order, each when one is done. */
static void test_many_owners(void **state)
{
	const uint64_t n = FAILURES_REQUESTS_MAX + 4, first = 100;
	struct scene s;

	scene_open(&s, state);
	for (uint64_t i = 0; i < n; i++)
		pin_add(s.m, first + i, s.root.pid, PAGE);
	fake.pin_of = by_frame;
	for (uint64_t i = 0; i < n; i++)
		say_failed(s.m, i + 1, first + i);
	pump(s.m);
	assert_int_equal(releases_n_running(s.m->releases), FAILURES_REQUESTS_MAX);
	assert_int_equal(failures_n_step(s.m->failing->failures, FAILURE_BLOCKED), 4);
	/* What is known already can be told nevertheless. */
	assert_true(has_event(s.m, EVENT_FAILURE));
	pin_remove(s.m, first);
	pump(s.m);
	assert_int_equal(releases_n_running(s.m->releases), FAILURES_REQUESTS_MAX);
	assert_int_equal(failures_n_step(s.m->failing->failures, FAILURE_BLOCKED), 3);
	assert_non_null(release_find_failure(s.m->releases, first + FAILURES_REQUESTS_MAX));
	assert_null(release_find_failure(s.m->releases, first + n - 1));
	for (uint64_t i = 1; i < n; i++) {
		pin_remove(s.m, first + i);
		pump(s.m);
	}
	assert_int_equal(releases_n_running(s.m->releases), 0);
	assert_int_equal(failures_n_step(s.m->failing->failures, FAILURE_BLOCKED), 0);
	assert_int_equal(failures_n_step(s.m->failing->failures, FAILURE_WAITING), 0);
	scene_close(&s);
}

/*
 * 10,000 failures at once, all in one pin: the loop comes by others in between,
 * few are looked at a time, one request tells of as many as fit.
 */
static void test_storm(void **state)
{
	_cleanup_json_ json_t *request = NULL, *status = NULL, *list = NULL, *reminder = NULL;
	char token[64], again[64];
	struct failures *failures;
	struct client c;
	struct scene s;

	scene_open(&s, state);
	failures = s.m->failing->failures;
	client_open(s.m, &c, &s.root);
	fake.pin_of = always_2;
	for (uint64_t i = 1; i <= 10000; i++)
		say_failed(s.m, i, i);
	assert_int_equal(failures_count(failures), FAILURES_MAX);
	/* A call that comes now does not wait for all of that. */
	client_send(&c, MANAGER("ListOwners"), false, NULL);
	while (!status) {
		json_t *message = NULL;

		assert_true(sd_event_run(s.m->event, 0) >= 0);
		if (recv(c.fd, &message, 1, MSG_PEEK | MSG_DONTWAIT) == 1)
			status = client_reply(s.m, &c, MANAGER("ListOwners"), false);
		else
			assert_true(fake.n_looks < 1000);
	}
	request = owner_request(s.m, &s.registered, token);
	while (!reminder) {
		json_t *more = owner_request(s.m, &s.registered, again);

		assert_string_equal(token, again);
		assert_true(n_parts(more) <= RELEASE_FAILURES_MAX);
		if (n_parts(more) == RELEASE_FAILURES_MAX)
			reminder = more;
		else
			json_decref(more);
	}
	pump(s.m);
	assert_true(fake.n_open_max <= FAILURE_LOOKS_MAX);
	assert_int_equal(releases_n_running(s.m->releases), 1);
	/* The rest is not given up: it waits for that request to end. */
	assert_int_equal(failures_n_step(failures, FAILURE_BLOCKED),
			 FAILURES_MAX - RELEASE_FAILURES_MAX);
	list = list_failures(&s);
	assert_int_equal(json_array_size(json_object_get(list, "failures")), FAILURES_MAX);
	assert_int_equal(json_get_int(list, "unseen", 0), 10000 - FAILURES_MAX);
	fake.pin_of = NULL;
	pin_remove(s.m, 2);
	pump(s.m);
	assert_int_equal(failures_n_step(failures, FAILURE_BLOCKED), 0);
	assert_int_equal(fake.n_open, 0);
	client_close(s.m, &c);
	scene_close(&s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, owner_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_asked),	   TEST(test_no_address), TEST(test_second_frame),
		TEST(test_unpoisoned),	   TEST(test_nobody),	  TEST(test_not_supported),
		TEST(test_recovered),	   TEST(test_look_again), TEST(test_many_owners),
		TEST(test_storm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
