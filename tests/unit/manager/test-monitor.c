/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Monitor, as clients call it: what the history tells, and where some of it is missing. */
#include <sys/stat.h>

#include "tests/unit/manager/owner-fixture.h"

#include "daemon/cgroup/cgroups-internal.h"
#include "daemon/manager/internal.h"

static void add_of(struct manager *m, enum event_type type, uint64_t time_usec, uid_t uid)
{
	struct event *event = event_new(type, time_usec);

	assert_non_null(event);
	event->pin.uid = uid;
	if (type <= EVENT_DENY)
		event->cgroup = cgroup_node_ref(registry_cgroup_find(m->registry, TEST_CGROUP));
	events_add(m->events, event);
}

static void add(struct manager *m, enum event_type type, uint64_t time_usec)
{
	add_of(m, type, time_usec, 0);
}

static void add_traffic(struct manager *m, size_t n, uint64_t time_usec)
{
	for (size_t i = 0; i < n; i++)
		add(m, i % 2 ? EVENT_UNPIN : EVENT_PIN, time_usec + i);
}

/* What is told of it, in one line: types, with the number of those that follow each other. */
static void expect_told(struct manager *m, struct client *c, json_t *params, const char *expected)
{
	char told[512] = "", last[32] = "", *at = told;
	bool continues = true;
	size_t n = 0;

	client_send(c, MANAGER("Monitor"), true, params);
	while (continues) {
		_cleanup_json_ json_t *message = client_read(m, c);
		json_t *parameters = json_object_get(message, "parameters");
		const json_t *event = json_object_get(parameters, "event");
		const char *type = json_get_string(event, "type", "none");
		const json_t *missing = json_object_get(event, "missing"), *name;
		size_t i;

		assert_null(json_object_get(message, "error"));
		idl_check_reply(idl_org_pinguard_Manager, "Monitor", parameters);
		continues = json_get_bool(message, "continues", false);
		/* pins come and go in turns */
		if (!strcmp(type, "unpin"))
			type = "pin";
		if (n > 0 && strcmp(type, last))
			at += sprintf(at, "%s*%zu ", last, n);
		n = strcmp(type, last) ? 1 : n + 1;
		strcpy(last, type);
		if (json_is_array(missing)) {
			at += sprintf(at, "gap@%d:", (int)json_get_int(event, "time_usec", 0));
			json_array_foreach(missing, i, name)
				at += sprintf(at, "%s%s", i ? "," : "", json_string_value(name));
			at += sprintf(at, " ");
			n = 0;
		}
		assert_true(at < told + sizeof(told) - 128);
	}
	if (n > 0)
		at += sprintf(at, "%s*%zu ", last, n);
	assert_string_equal(told, expected);
}

static json_t *history(int64_t since_usec)
{
	return json_pack("{s:I, s:b}", "since_usec", (json_int_t)since_usec, "follow", false);
}

/* What matters is there in its place though pins have come and gone by the ten thousand. */
static void test_gap(void **state)
{
	struct manager *m = *state;
	struct process p;
	struct client c;

	process_start(&p);
	client_open(m, &c, &p);
	expect_told(m, &c, history(0), "none*1 ");
	add(m, EVENT_DENY, 100);
	add_traffic(m, 50000, 1000);
	add(m, EVENT_QUOTA_SET, 60000);
	expect_told(m, &c, history(0), "deny*1 gap@46903:pin,pin_change,unpin pin*4096 quota_set*1 ");
	/* nothing is missing of what is asked for */
	expect_told(m, &c, history(46904), "pin*4096 quota_set*1 ");
	expect_told(m, &c, history(46903), "gap@46903:pin,pin_change,unpin pin*4096 quota_set*1 ");
	expect_told(m, &c, history(60000), "quota_set*1 ");
	expect_told(m, &c, history(60001), "none*1 ");
	client_close(m, &c);
	process_end(&p);
}

static json_t *filtered(const char *text)
{
	json_t *params = json_loads(text, 0, NULL);

	assert_non_null(params);
	assert_int_equal(json_object_set_new(params, "follow", json_false()), 0);
	return params;
}

/* One refusal in 50,000 pins, and what is missing of the pins is not missing of it. */
static void test_types(void **state)
{
	struct manager *m = *state;
	struct process p;
	struct client c;

	process_start(&p);
	client_open(m, &c, &p);
	add(m, EVENT_DENY, 100);
	add_traffic(m, 50000, 1000);
	add(m, EVENT_QUOTA_SET, 60000);
	expect_told(m, &c, filtered("{\"since_usec\":0,\"types\":[\"deny\"]}"), "deny*1 ");
	expect_told(m, &c, filtered("{\"since_usec\":0,\"types\":[\"deny\",\"quota_set\"]}"),
		    "deny*1 quota_set*1 ");
	expect_told(m, &c, filtered("{\"since_usec\":0,\"types\":[\"unpin\",\"deny\"]}"),
		    "deny*1 gap@46903:unpin pin*2048 ");
	expect_told(m, &c, filtered("{\"since_usec\":0,\"types\":[]}"), "none*1 ");
	client_send(&c, MANAGER("Monitor"), true, filtered("{\"types\":[\"denny\"]}"));
	client_error(m, &c, "org.varlink.service.InvalidParameter");
	client_send(&c, MANAGER("Monitor"), true, filtered("{\"types\":[1]}"));
	client_error(m, &c, "org.varlink.service.InvalidParameter");
	client_send(&c, MANAGER("Monitor"), true, filtered("{\"types\":[\"gap\"]}"));
	client_error(m, &c, "org.varlink.service.InvalidParameter");
	client_close(m, &c);
	process_end(&p);
}

/* The last of those that match, and a gap only where one of them may be missing. */
static void test_last(void **state)
{
	struct manager *m = *state;
	struct process p;
	struct client c;

	process_start(&p);
	client_open(m, &c, &p);
	expect_told(m, &c, filtered("{\"last\":1}"), "none*1 ");
	add(m, EVENT_DENY, 100);
	add(m, EVENT_DENY, 101);
	add_traffic(m, 50000, 1000);
	add(m, EVENT_QUOTA_SET, 60000);
	expect_told(m, &c, filtered("{\"last\":1}"), "quota_set*1 ");
	expect_told(m, &c, filtered("{\"last\":3}"), "pin*2 quota_set*1 ");
	expect_told(m, &c, filtered("{\"last\":4097}"), "pin*4096 quota_set*1 ");
	expect_told(m, &c, filtered("{\"last\":4098}"),
		    "deny*1 gap@46903:pin,pin_change,unpin pin*4096 quota_set*1 ");
	expect_told(m, &c, filtered("{\"last\":1,\"types\":[\"deny\"]}"), "deny*1 ");
	expect_told(m, &c, filtered("{\"last\":9,\"types\":[\"deny\"]}"), "deny*2 ");
	expect_told(m, &c, filtered("{\"last\":9,\"types\":[\"deny\"],\"since_usec\":101}"), "deny*1 ");
	expect_told(m, &c, filtered("{\"last\":9000,\"types\":[\"pin\"]}"), "gap@46903:pin pin*2048 ");
	client_send(&c, MANAGER("Monitor"), true, filtered("{\"last\":0}"));
	client_error(m, &c, "org.varlink.service.InvalidParameter");

	/* and then what happens */
	client_send(&c, MANAGER("Monitor"), true,
		    json_pack("{s:i, s:[s]}", "last", 1, "types", "deny"));
	json_decref(client_reply(m, &c, MANAGER("Monitor"), true));
	client_silent(m, &c);
	add_traffic(m, 1000, 70000);
	client_silent(m, &c);
	add(m, EVENT_DENY, 80000);
	json_decref(client_reply(m, &c, MANAGER("Monitor"), true));
	client_close(m, &c);
	process_end(&p);
}

static void add_deny(struct manager *m, uint64_t cgroup_id, const char *path)
{
	struct event *event = event_new(EVENT_DENY, 1);
	struct cgroup_node *node;

	assert_non_null(event);
	assert_int_equal(registry_cgroup_get(m->registry, cgroup_id, &node), 0);
	assert_int_equal(registry_cgroup_set(m->registry, node, NULL, path), 0);
	event->cgroup = cgroup_node_ref(node);
	events_add(m->events, event);
}

/* By path and by unit, of cgroups that are there and of those that are gone. */
static void test_cgroup(void **state)
{
	char mount[] = "/tmp/pinguard-cgroup-XXXXXX", path[64];
	struct manager *m = *state;
	struct process p;
	struct client c;
	char *reason;

	assert_non_null(mkdtemp(mount));
	snprintf(path, sizeof(path), "%s/here.service", mount);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(cgroupfs_new(mount, m->registry, &m->cgroups->fs, &reason), 0);
	process_start(&p);
	client_open(m, &c, &p);
	add_deny(m, 1001, "/here.service/below");
	add_deny(m, 1002, "/gone.slice/gone.service");
	add_deny(m, 1003, "/else/here.service");
	expect_told(m, &c, filtered("{\"last\":9,\"cgroup\":\"/here.service\"}"), "deny*1 ");
	expect_told(m, &c, filtered("{\"last\":9,\"cgroup\":\"here\"}"), "deny*1 ");
	expect_told(m, &c, filtered("{\"last\":9,\"cgroup\":\"/gone.slice\"}"), "deny*1 ");
	expect_told(m, &c, filtered("{\"last\":9,\"cgroup\":\"gone.service\"}"), "deny*1 ");
	expect_told(m, &c, filtered("{\"last\":9,\"cgroup\":\"never.service\"}"), "none*1 ");
	expect_told(m, &c, filtered("{\"last\":9,\"cgroup\":\"/\"}"), "deny*3 ");
	client_send(&c, MANAGER("Monitor"), true, filtered("{\"cgroup\":\"a/b\"}"));
	client_error(m, &c, "org.pinguard.Manager.InvalidCgroup");
	client_close(m, &c);
	process_end(&p);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(mount), 0);
}

/* Of a request the whole course is found by its owners. */
static void test_request(void **state)
{
	struct manager *m = *state;
	struct process p, q;
	struct client c;
	char pid[64];

	process_start(&p);
	process_start(&q);
	pin_add(m, 1, p.pid, 4096);
	client_open(m, &c, &q);
	client_send(&c, MANAGER("Release"), false,
		    json_pack("{s:i, s:b}", "pid", p.pid, "async", true));
	json_decref(client_reply(m, &c, MANAGER("Release"), false));
	pin_remove(m, 1);
	pump(m);
	snprintf(pid, sizeof(pid), "{\"last\":9,\"pid\":%d}", p.pid);
	expect_told(m, &c, filtered(pid), "release*1 release_done*1 ");
	snprintf(pid, sizeof(pid), "{\"last\":9,\"pid\":%d}", q.pid);
	expect_told(m, &c, filtered(pid), "none*1 ");
	client_send(&c, MANAGER("Monitor"), true, filtered("{\"pid\":0}"));
	client_error(m, &c, "org.varlink.service.InvalidParameter");
	/* a machine without cgroup2 */
	client_send(&c, MANAGER("Monitor"), true, filtered("{\"cgroup\":\"/a\"}"));
	client_error(m, &c, "org.pinguard.Manager.NotSupported");
	client_close(m, &c);
	process_end(&p);
	process_end(&q);
}

/* What was before the service's start nobody knows. */
static void test_before_the_start(void **state)
{
	struct manager *m = *state;
	struct process p;
	struct client c;

	events_free(m->events);
	m->events = events_new(5000);
	assert_non_null(m->events);
	events_listen(m->events, monitors_wake, m);
	process_start(&p);
	client_open(m, &c, &p);
	expect_told(m, &c, history(4999), "gap*1 ");
	add(m, EVENT_DENY, 5000);
	expect_told(m, &c, history(4999), "gap*1 deny*1 ");
	expect_told(m, &c, history(5000), "deny*1 ");
	expect_told(m, &c, filtered("{\"since_usec\":1,\"last\":2}"), "gap*1 deny*1 ");
	expect_told(m, &c, filtered("{\"since_usec\":1,\"last\":1}"), "deny*1 ");
	/* all there is */
	expect_told(m, &c, history(0), "deny*1 ");
	client_close(m, &c);
	process_end(&p);
}

/* Who follows and does not read is told of what was dropped meanwhile. */
static void test_late_reader(void **state)
{
	struct manager *m = *state;
	size_t pins = 0, gaps = 0;
	struct process p;
	struct client c;

	process_start(&p);
	client_open(m, &c, &p);
	client_send(&c, MANAGER("Monitor"), true, NULL);
	pump(m);
	for (size_t i = 0; i < 50000; i += 100) {
		add_traffic(m, 100, 1000 + i);
		pump(m);
	}
	add(m, EVENT_QUOTA_SET, 60000);
	for (;;) {
		_cleanup_json_ json_t *reply = client_reply(m, &c, MANAGER("Monitor"), true);
		const json_t *event = json_object_get(reply, "event");
		const char *type = json_get_string(event, "type", "");

		if (!strcmp(type, "quota_set"))
			break;
		gaps += !strcmp(type, "gap");
		pins += !!strcmp(type, "gap");
	}
	assert_int_equal(gaps, 1);
	assert_in_range(pins, EVENTS_TRAFFIC_MAX, 49999);
	client_close(m, &c);
	process_end(&p);
}

/* Others than administrators hear nothing of what they never see. */
static void test_user(void **state)
{
	struct manager *m = *state;
	struct process p;
	struct client c;

	if (!process_start_as(&p, USER_UID))
		skip();
	client_open(m, &c, &p);
	for (size_t i = 0; i <= EVENTS_SORT_MAX; i++) {
		add(m, EVENT_FAILURE, 100 + i);
		add(m, EVENT_RESYNC, 100 + i);
	}
	add(m, EVENT_DENY, 60000);
	expect_told(m, &c, history(0), "gap@100:resync resync*1024 ");
	expect_told(m, &c, filtered("{\"last\":1}"), "resync*1 ");
	expect_told(m, &c, filtered("{\"last\":9,\"types\":[\"deny\",\"failure\"]}"), "none*1 ");
	/* the last ones are of those that the caller may see */
	add_of(m, EVENT_UNPIN, 60001, USER_UID);
	add_traffic(m, 1000, 60002);
	expect_told(m, &c, filtered("{\"last\":1}"), "pin*1 ");
	expect_told(m, &c, filtered("{\"last\":2}"), "resync*1 pin*1 ");
	client_close(m, &c);
	process_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_gap, owner_setup, owner_teardown),
		cmocka_unit_test_setup_teardown(test_types, owner_setup, owner_teardown),
		cmocka_unit_test_setup_teardown(test_last, owner_setup, owner_teardown),
		cmocka_unit_test_setup_teardown(test_cgroup, owner_setup, owner_teardown),
		cmocka_unit_test_setup_teardown(test_request, owner_setup, owner_teardown),
		cmocka_unit_test_setup_teardown(test_before_the_start, owner_setup, owner_teardown),
		cmocka_unit_test_setup_teardown(test_late_reader, owner_setup, owner_teardown),
		cmocka_unit_test_setup_teardown(test_user, owner_setup, owner_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
