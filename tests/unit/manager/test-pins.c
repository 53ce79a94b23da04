/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ListPins and SumPins, as clients call them. */
#include "tests/unit/manager/owner-fixture.h"

#include "daemon/manager/internal.h"
#include "daemon/model/model.h"

static json_t *call(struct manager *m, const struct process *p, const char *method, json_t *params,
		    const char *error)
{
	json_t *reply = NULL;
	struct client c;

	client_open(m, &c, p);
	client_send(&c, method, false, params);
	if (error)
		client_error(m, &c, error);
	else
		reply = client_reply(m, &c, method, false);
	client_close(m, &c);
	return reply;
}

/* How many pins come in how many replies, each once. */
static void list(struct manager *m, const struct process *p, size_t pins, size_t replies)
{
	_cleanup_json_ json_t *seen = json_object();
	struct client c;
	size_t i;

	client_open(m, &c, p);
	client_send(&c, MANAGER("ListPins"), true, NULL);
	while (replies-- > 0) {
		_cleanup_json_ json_t *reply = client_reply(m, &c, MANAGER("ListPins"), replies > 0);
		json_t *pin;

		json_array_foreach (json_object_get(reply, "pins"), i, pin)
			assert_int_equal(json_object_set(seen, json_get_string(pin, "id", ""), pin), 0);
	}
	assert_int_equal(json_object_size(seen), pins);
	client_close(m, &c);
}

/* Many in a reply: around the number that one has. */
static void test_replies(void **state)
{
	struct manager *m = *state;
	struct process p;

	process_start(&p);
	list(m, &p, 0, 1);
	for (uint64_t id = 1; id <= 127; id++)
		pin_add(m, id, p.pid, 4096);
	list(m, &p, 127, 1);
	pin_add(m, 128, p.pid, 4096);
	list(m, &p, 128, 2); /* the last one is empty */
	pin_add(m, 129, p.pid, 4096);
	list(m, &p, 129, 2);
	process_end(&p);
}

static json_t *sums_of(json_t *reply)
{
	return json_object_get(reply, "sums");
}

static void test_sums(void **state)
{
	struct manager *m = *state;
	_cleanup_json_ json_t *all = NULL, *one = NULL, *none = NULL, *kind = NULL, *own = NULL;
	struct process p, user;

	process_start(&p);
	/* more than one step */
	for (uint64_t id = 1; id <= 20000; id++)
		pin_add(m, id, id % 4 ? p.pid : 1, 4096);
	all = call(m, &p, MANAGER("SumPins"), json_pack("{ss}", "by", "process"), NULL);
	assert_int_equal(json_array_size(sums_of(all)), 2);
	assert_int_equal(json_get_int(json_array_get(sums_of(all), 0), "pins", 0), 15000);
	assert_int_equal(json_get_int(json_array_get(sums_of(all), 0), "pid", 0), p.pid);
	assert_int_equal(json_get_int(json_array_get(sums_of(all), 1), "bytes", 0), 5000 * 4096);
	assert_int_equal(json_get_int(all, "pins", 0), 20000);
	one = call(m, &p, MANAGER("SumPins"), json_pack("{ss ss}", "by", "device", "id", "0x7"), NULL);
	assert_int_equal(json_array_size(sums_of(one)), 1);
	assert_int_equal(json_get_int(json_array_get(sums_of(one), 0), "pins", 0), 1);
	none = call(m, &p, MANAGER("SumPins"), json_pack("{ss ss}", "by", "kind", "kind", "xdp"), NULL);
	assert_int_equal(json_array_size(sums_of(none)), 0);
	kind = call(m, &p, MANAGER("SumPins"), json_pack("{ss si}", "by", "kind", "pid", 1), NULL);
	assert_int_equal(json_get_int(json_array_get(sums_of(kind), 0), "pins", 0), 5000);
	call(m, &p, MANAGER("SumPins"), json_pack("{ss}", "by", "colour"),
	     "org.varlink.service.InvalidParameter");
	call(m, &p, MANAGER("SumPins"), NULL, "org.varlink.service.InvalidParameter");
	process_end(&p);
	if (!process_start_as(&user, 12345))
		return;
	own = call(m, &user, MANAGER("SumPins"), json_pack("{ss}", "by", "kind"), NULL);
	assert_int_equal(json_array_size(sums_of(own)), 0);
	assert_int_equal(json_get_int(own, "pins", -1), 0);
	process_end(&user);
}

/* Pins of a device that are too many to be listed come as sums: at the limit, and past it. */
static void test_who(void **state)
{
	struct manager *m = *state;
	struct process p;

	process_start(&p);
	for (uint64_t id = 1; id <= 32769; id++) {
		_cleanup_json_ json_t *reply = NULL;

		pin_add(m, id, p.pid, 4096);
		if (id < 32767)
			continue;
		reply = call(m, &p, MANAGER("Who"), json_pack("{ss}", "target", "rxe0"), NULL);
		assert_int_equal(json_array_size(json_object_get(reply, "pins")), id <= 32768 ? id : 0);
		assert_int_equal(json_array_size(sums_of(reply)), id <= 32768 ? 0 : 1);
		if (id > 32768)
			assert_int_equal(json_get_int(json_array_get(sums_of(reply), 0), "pins", 0), id);
	}
	process_end(&p);
}

/* Nor do long names make an answer that nobody could hold. */
static void test_who_names(void **state)
{
	struct manager *m = *state;
	_cleanup_json_ json_t *list = NULL, *sums = NULL;
	struct cgroup_node *node;
	static char path[4000];
	struct process p;

	process_start(&p);
	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	pin_add(m, 1, p.pid, 4096);
	node = registry_cgroup_find(m->registry, TEST_CGROUP);
	assert_int_equal(registry_cgroup_set(m->registry, node, node->parent, path), 0);
	for (uint64_t id = 2; id <= 2000; id++)
		pin_add(m, id, p.pid, 4096);
	list = call(m, &p, MANAGER("Who"), json_pack("{ss}", "target", "rxe0"), NULL);
	assert_int_equal(json_array_size(json_object_get(list, "pins")), 2000);
	assert_int_equal(json_array_size(sums_of(list)), 0);
	for (uint64_t id = 2001; id <= 2200; id++)
		pin_add(m, id, p.pid, 4096);
	sums = call(m, &p, MANAGER("Who"), json_pack("{ss}", "target", "rxe0"), NULL);
	assert_int_equal(json_array_size(json_object_get(sums, "pins")), 0);
	assert_int_equal(json_get_int(json_array_get(sums_of(sums), 0), "pins", 0), 2200);
	process_end(&p);
}

/* One user's calls are no reason to refuse others'. */
static void test_sums_of_one_user(void **state)
{
	struct manager *m = *state;
	struct client c[5], other;
	struct process p, user;
	json_t *reply;

	process_start(&p);
	if (!process_start_as(&user, USER_UID))
		return process_end(&p);
	for (uint64_t id = 1; id <= 100000; id++)
		pin_add(m, id, p.pid, 4096);
	for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
		client_open(m, &c[i], &user);
		client_send(&c[i], MANAGER("SumPins"), false, json_pack("{ss}", "by", "kind"));
	}
	client_open(m, &other, &p);
	client_send(&other, MANAGER("SumPins"), false, json_pack("{ss}", "by", "kind"));
	client_error(m, &c[4], MANAGER("LimitExceeded"));
	for (size_t i = 0; i < 4; i++)
		json_decref(client_reply(m, &c[i], MANAGER("SumPins"), false));
	reply = client_reply(m, &other, MANAGER("SumPins"), false);
	assert_int_equal(json_get_int(reply, "pins", 0), 100000);
	json_decref(reply);
	for (size_t i = 0; i < ARRAY_SIZE(c); i++)
		client_close(m, &c[i]);
	client_close(m, &other);
	process_end(&user);
	process_end(&p);
}

/* Clients that leave while their sums are made. */
static void test_sums_left(void **state)
{
	struct manager *m = *state;
	struct client c[3];
	struct process p;

	process_start(&p);
	for (uint64_t id = 1; id <= 20000; id++)
		pin_add(m, id, p.pid, 4096);
	for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
		client_open(m, &c[i], &p);
		client_send(&c[i], MANAGER("SumPins"), false, json_pack("{ss}", "by", "process"));
	}
	while (!m->calls.summings)
		assert_true(sd_event_run(m->event, 0) >= 0);
	for (size_t i = 0; i < ARRAY_SIZE(c); i++)
		client_close(m, &c[i]);
	assert_null(m->calls.summings);
	process_end(&p);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, owner_setup, owner_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(replies),
		TEST(sums),
		TEST(sums_left),
		TEST(sums_of_one_user),
		TEST(who),
		TEST(who_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
