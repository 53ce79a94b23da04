/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much is asked for, of whom first, and when again. */
#include "tests/unit/triggers/excess-fixture.h"

#include "daemon/triggers/internal.h"

/* The high mark of the cgroup has been passed so often. */
static void check_highs(struct manager *m, const char *path, int n)
{
	const struct event *event = NULL;
	struct events_item item;

	for (uint64_t number = 0; events_at(m->events, number, &item); number = item.number + 1)
		if (item.event && item.event->type == EVENT_HIGH) {
			event = item.event;
			assert_string_equal(event->quota_cgroup, path);
			assert_true(event->usage_bytes > event->max_bytes);
			n--;
		}
	assert_int_equal(n, 0);
}

static int64_t excess_of(struct manager *m, const struct process *p, const char *path)
{
	_cleanup_json_ json_t *reply = NULL;
	struct client c;
	json_t *quota;
	size_t i;

	client_open(m, &c, p);
	client_send(&c, MANAGER("ListQuotas"), false, NULL);
	reply = client_reply(m, &c, MANAGER("ListQuotas"), false);
	client_close(m, &c);
	json_array_foreach(json_object_get(reply, "quotas"), i, quota)
		if (strcmp(json_get_string(quota, "cgroup", ""), path) == 0)
			return json_get_int(quota, "excess_bytes", -1);
	return -2;
}

static void test_pinned(void **state)
{
	struct manager *m = *state;
	struct process p;
	struct client c;

	if (geteuid() != 0)
		skip();
	process_start(&p);
	owner_register(m, &c, &p);
	json_decref(set_quota(m, &p, "/a", INT64_MAX, 4000));
	say_pin(m, 1, p.pid, 4000, "/a/b");
	cgroup_charge("/a", 4000);
	set_looked(m, "/a", 0);
	client_silent(m, &c);
	/* Not twice in a second. */
	cgroup_charge("/a", 9000);
	set_looked(m, "/a", now_usec() + HOUR_USEC);
	say_pin(m, 2, p.pid, 5000, "/a/b");
	client_silent(m, &c);
	set_looked(m, "/a", 0);
	say_pin(m, 3, p.pid, 1000, "/u");
	client_silent(m, &c);
	say_pin(m, 4, p.pid, 0, "/a");
	check_asked(m, &c, 9000);
	check_highs(m, "/a", 1);
	client_close(m, &c);
	process_end(&p);
}

/* The owner is asked once, until no more than nine tenths of the mark have been pinned. */
static void test_once(void **state)
{
	struct manager *m = *state;
	struct process p;
	struct client c;

	if (geteuid() != 0)
		skip();
	process_start(&p);
	owner_register(m, &c, &p);
	json_decref(set_quota(m, &p, "/a", INT64_MAX, 4000));
	cgroup_charge("/a", 4401);
	say_pin(m, 1, p.pid, 400, "/a/b");
	say_pin(m, 2, p.pid, 4001, "/a/b");
	set_looked(m, "/a", 0);
	check_asked(m, &c, 4001);
	/* It does not let go of that one, nor of others that come; one byte is too many still. */
	cgroup_charge("/a", 4501);
	set_looked(m, "/a", 0);
	say_pin(m, 3, p.pid, 100, "/a/b");
	client_silent(m, &c);
	cgroup_charge("/a", 3601);
	set_looked(m, "/a", 0);
	say_unpin(m, 2);
	assert_int_equal(releases_n_running(m->releases), 0);
	client_silent(m, &c);
	cgroup_charge("/a", 4600);
	set_looked(m, "/a", 0);
	say_pin(m, 4, p.pid, 999, "/a/b");
	client_silent(m, &c);
	check_highs(m, "/a", 1);
	/* What is gone makes the next time another one. */
	cgroup_charge("/a", 3600);
	set_looked(m, "/a", 0);
	say_unpin(m, 4);
	client_silent(m, &c);
	cgroup_charge("/a", 4001);
	set_looked(m, "/a", 0);
	say_pin(m, 5, p.pid, 401, "/a/b");
	check_asked(m, &c, 401);
	check_highs(m, "/a", 2);
	client_close(m, &c);
	process_end(&p);
}

/* Where memory is short more than nine tenths are a reason; once, as well. */
static void test_pressed(void **state)
{
	struct manager *m = *state;
	struct quota *quota;
	struct process p;
	struct client c;

	if (geteuid() != 0)
		skip();
	process_start(&p);
	owner_register(m, &c, &p);
	json_decref(set_quota(m, &p, "/a", INT64_MAX, 4000));
	quota = quotas_find(cgroups_quotas(m->cgroups), "/a");
	cgroup_charge("/a", 3600);
	quota->pressed = true;
	set_looked(m, "/a", 0);
	say_pin(m, 1, p.pid, 3600, "/a/b");
	client_silent(m, &c);
	assert_false(quota->pressed);
	cgroup_charge("/a", 3601);
	set_looked(m, "/a", 0);
	say_pin(m, 2, p.pid, 1, "/a/b");
	client_silent(m, &c);
	quota->pressed = true;
	set_looked(m, "/a", 0);
	say_pin(m, 3, p.pid, 0, "/a/b");
	check_asked(m, &c, 3600);
	cgroup_charge("/a", 4001);
	quota->pressed = true;
	set_looked(m, "/a", 0);
	say_pin(m, 4, p.pid, 400, "/a/b");
	client_silent(m, &c);
	client_close(m, &c);
	process_end(&p);
}

/* What one file says of /a. */
static void declare(struct manager *m, const char *quota)
{
	struct declarations *d = declarations_new();
	struct quotas *quotas = cgroups_quotas(m->cgroups);
	_cleanup_(closep) int fd = cgroupfs_open(cgroups_fs(m->cgroups), "/a");
	const char *reason = "";
	unsigned int line;
	char text[128];

	snprintf(text, sizeof(text), "[Match]\nCGroup=/a\n[Quota]\n%s\n", quota);
	if (declarations_parse(d, text, "/etc/x.conf", 0, &line, &reason) < 0)
		fail_msg("%u: %s", line, reason);
	quotas_declare(quotas, d, true);
	assert_int_equal(quotas_look(quotas, fd, "/a", NULL), 0);
}

/* A file is enough: no quota was ever set. */
static void test_declared(void **state)
{
	struct manager *m = *state;
	struct process p;
	struct client c;

	if (geteuid() != 0)
		skip();
	process_start(&p);
	owner_register(m, &c, &p);
	declare(m, "High=4000");
	cgroup_charge("/a", 4001);
	say_pin(m, 1, p.pid, 4001, "/a/b");
	check_asked(m, &c, 4001);
	check_highs(m, "/a", 1);
	/* A limit that is lowered below what is pinned. */
	say_unpin(m, 1);
	cgroup_charge("/a", 3000);
	say_pin(m, 2, p.pid, 3000, "/a/b");
	declare(m, "Max=3000");
	triggers_quotas_declared(m->triggers);
	client_silent(m, &c);
	declare(m, "Max=2999");
	set_looked(m, "/a", 0);
	triggers_quotas_declared(m->triggers);
	check_asked(m, &c, 3000);
	client_close(m, &c);
	process_end(&p);
}

/* It pinned before the cgroup had been seen. */
static void test_late(void **state)
{
	struct manager *m = *state;
	struct process p;
	struct client c;

	if (geteuid() != 0)
		skip();
	process_start(&p);
	owner_register(m, &c, &p);
	cgroup_charge("/a", 3000);
	say_pin(m, 1, p.pid, 3000, "/a/b");
	declare(m, "Max=2999");
	client_silent(m, &c);
	triggers_quotas_raised(m->triggers);
	check_asked(m, &c, 3000);
	client_close(m, &c);
	process_end(&p);
}

/* Over the limit each new pin that comes all the same is a reason; down to the limit alone. */
static void test_limit(void **state)
{
	struct manager *m = *state;
	struct process p;
	struct client c;

	if (geteuid() != 0)
		skip();
	process_start(&p);
	owner_register(m, &c, &p);
	say_pin(m, 1, p.pid, 100, "/a/b");
	say_pin(m, 2, p.pid, 5000, "/a/b");
	cgroup_charge("/a", 5100);
	json_decref(set_quota(m, &p, "/a", 5000, -1));
	check_asked(m, &c, 5000);
	cgroup_charge("/a", 100);
	say_unpin(m, 2);
	json_decref(set_quota(m, &p, "/a", 100, -1));
	client_silent(m, &c);
	json_decref(set_quota(m, &p, "/a", 99, -1));
	check_asked(m, &c, 100);
	check_highs(m, "/a", 0);
	client_close(m, &c);
	process_end(&p);
}

static void say_slipped(struct manager *m, uint64_t id, pid_t pid, uint64_t bytes)
{
	const struct pin_info pin = { .id = id, .bytes = bytes, .tgid = pid,
				      .since_usec = realtime_usec() };

	process_set_cgroup(pid, "/a/b");
	say_pin_like(m, &pin, "/a/b", "/a");
}

/* What was pinned before the cgroup could be limited counts above it, and is asked back. */
static void test_slipped(void **state)
{
	struct manager *m = *state;
	struct process p;
	struct client c;

	if (geteuid() != 0)
		skip();
	process_start(&p);
	owner_register(m, &c, &p);
	json_decref(set_quota(m, &p, "/a/b", 1000, -1));
	assert_int_equal(excess_of(m, &p, "/a/b"), 0);
	set_looked(m, "/a/b", 0);
	say_slipped(m, 1, p.pid, 1000);
	client_silent(m, &c);
	assert_int_equal(excess_of(m, &p, "/a/b"), 0);
	set_looked(m, "/a/b", 0);
	say_slipped(m, 2, p.pid, 1);
	check_asked(m, &c, 1000);
	assert_int_equal(excess_of(m, &p, "/a/b"), 1);
	/* There it is no excess. */
	json_decref(set_quota(m, &p, "/a", 1001, -1));
	cgroup_charge("/a", 1001);
	assert_int_equal(excess_of(m, &p, "/a"), 0);
	client_silent(m, &c);
	client_close(m, &c);
	process_end(&p);
}

static void say_old(struct manager *m, uint64_t id, pid_t pid, uint64_t bytes, uint64_t since)
{
	const struct pin_info pin = { .id = id, .bytes = bytes, .tgid = pid,
				      .since_usec = since };

	say_pin_like(m, &pin, "/a/b", "/a/b");
}

static void check_found(struct manager *m, const char *path, uint64_t excess, const char *expected)
{
	_cleanup_(freep) uint64_t *ids = NULL;
	struct cgroup_node *node;
	char text[64] = "";
	size_t n;

	assert_int_equal(cgroupfs_resolve_path(cgroups_fs(m->cgroups), path, &node), 0);
	assert_int_equal(excess_find_pins(m->registry, node->id, excess, &ids, &n), 0);
	for (size_t i = 0; i < n; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%d", i ? " " : "",
			 (int)ids[i]);
	assert_string_equal(text, expected);
}

/* Who has most comes first, and its largest pin; the older one where they are the same. */
static void test_order(void **state)
{
	struct manager *m = *state;

	if (geteuid() != 0)
		skip();
	say_old(m, 1, 101, 4000, 50);
	say_old(m, 2, 102, 1000, 40);
	say_old(m, 3, 102, 3000, 60);
	say_old(m, 4, 103, 2500, 10);
	say_old(m, 5, 103, 2500, 9);
	check_found(m, "/a", 12999, "5 4 3 2 1");
	check_found(m, "/a", 13001, "5 4 3 2 1");
	check_found(m, "/a", 2500, "5");
	check_found(m, "/a", 2501, "5 4");
	check_found(m, "/a", 5001, "5 4 3");
	check_found(m, "/u", 1, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, excess_setup, excess_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pinned),
		TEST(test_once),
		TEST(test_pressed),
		TEST(test_declared),
		TEST(test_late),
		TEST(test_limit),
		TEST(test_slipped),
		TEST(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
