/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ring of events, and what pins and events look like. */
#include "tests/unit/unit.h"

#include "daemon/model/events.h"
#include "daemon/model/render.h"
#include "lib/json.h"

static void test_ring(void **state)
{
	_cleanup_(events_freep) struct events *e = events_new(0);
	uint64_t i;

	assert_null(events_get(e, 0));
	assert_int_equal(events_since(e, 0), 0);
	for (i = 0; i < EVENTS_MAX + 10; i++)
		events_add(e, event_new(EVENT_RESYNC, 1000 + i));
	assert_int_equal(events_first(e), 10);
	assert_int_equal(events_next(e), EVENTS_MAX + 10);
	assert_null(events_get(e, 9));
	assert_int_equal(events_get(e, 10)->time_usec, 1010);
	assert_int_equal(events_get(e, EVENTS_MAX + 9)->time_usec, 1000 + EVENTS_MAX + 9);
	assert_null(events_get(e, EVENTS_MAX + 10));
	assert_int_equal(events_since(e, 0), 10);
	assert_int_equal(events_since(e, 1500), 500);
	assert_int_equal(events_since(e, UINT64_MAX), EVENTS_MAX + 10);
}

/* An event holds on to the path of a cgroup that nothing else refers to. */
static void test_keeps_cgroups(void **state)
{
	_cleanup_(registry_freep) struct registry *r = registry_new();
	_cleanup_(events_freep) struct events *e = events_new(0);
	struct event *event = event_new(EVENT_UNPIN, 1);
	struct cgroup_node *node;

	assert_int_equal(registry_cgroup_get(r, 7, &node), 0);
	assert_int_equal(registry_cgroup_set(r, node, NULL, "/gone"), 0);
	event->cgroup = cgroup_node_ref(node);
	events_add(e, event);
	registry_trim(r, 0);
	assert_non_null(registry_cgroup_find(r, 7));
	e = events_free(e);
	registry_trim(r, 0);
	assert_null(registry_cgroup_find(r, 7));
}

static void test_hostile_names(void **state)
{
	_cleanup_(registry_freep) struct registry *r = registry_new();
	struct pin_info info = {
		.id = UINT64_MAX, .cgroup_id = 7, .bytes = 4096, .uid = PIN_UID_NONE, .kind = 99,
		.comm_len = 5, .comm = "\x1b[m\xff\n",
	};
	_cleanup_json_ json_t *pin = NULL;
	struct cgroup_node *node;

	assert_int_equal(registry_cgroup_get(r, 7, &node), 0);
	assert_int_equal(registry_cgroup_set(r, node, NULL, "/a\\x2d\x9b"), 0);
	assert_int_equal(registry_upsert(r, &info), 0);
	pin = render_pin(registry_find(r, UINT64_MAX));
	assert_non_null(pin);
	assert_string_equal(json_get_string(pin, "id", ""), "0xffffffffffffffff");
	assert_string_equal(json_get_string(pin, "comm", ""), "\\x1b[m\\xff\\x0a");
	assert_string_equal(json_get_string(pin, "cgroup", ""), "/a\\\\x2d\\x9b");
	assert_string_equal(json_get_string(pin, "kind", ""), "unknown");
	assert_true(json_is_null(json_object_get(pin, "device")));
	assert_true(json_is_null(json_object_get(pin, "address")));
	assert_true(json_is_null(json_object_get(pin, "charged_cgroup")));
	assert_true(json_is_null(json_object_get(pin, "uid")));
	assert_true(json_is_null(json_object_get(pin, "since_usec")));
}

/* A path that can be shown as it is, is: others know it by that name. */
static void test_render_cgroup(void **state)
{
	static const char path[] = "/machine.slice/machine-qemu\\x2d1.scope";
	_cleanup_(registry_freep) struct registry *r = registry_new();
	struct pin_info info = { .id = 1, .cgroup_id = 7, .charged_cgroup_id = 7, .bytes = 4096 };
	struct event *event = event_new(EVENT_QUOTA_SET, 5);
	_cleanup_json_ json_t *pin = NULL, *json = NULL;
	struct cgroup_node *node;

	assert_int_equal(registry_cgroup_get(r, 7, &node), 0);
	assert_int_equal(registry_cgroup_set(r, node, NULL, path), 0);
	assert_int_equal(registry_upsert(r, &info), 0);
	pin = render_pin(registry_find(r, 1));
	assert_string_equal(json_get_string(pin, "cgroup", ""), path);
	assert_string_equal(json_get_string(pin, "charged_cgroup", ""), path);
	event->quota_cgroup = strdup(path);
	json = render_event(event, true);
	assert_string_equal(json_get_string(json, "quota_cgroup", ""), path);
	event_free(event);
}

static void test_deny(void **state)
{
	_cleanup_(registry_freep) struct registry *r = registry_new();
	struct event *event = event_new(EVENT_DENY, 5);
	_cleanup_json_ json_t *json = NULL;
	struct cgroup_node *node;

	assert_int_equal(registry_cgroup_get(r, 7, &node), 0);
	assert_int_equal(registry_cgroup_set(r, node, NULL, "/a"), 0);
	event->reason = PINGUARD_REASON_LIMIT;
	event->limit = cgroup_node_ref(node);
	event->usage_bytes = 4096;
	event->max_bytes = 8192;
	json = render_event(event, true);
	assert_string_equal(json_get_string(json, "type", ""), "deny");
	assert_string_equal(json_get_string(json, "reason", ""), "limit");
	assert_string_equal(json_get_string(json, "limit_cgroup", ""), "/a");
	assert_int_equal(json_get_int(json, "usage_bytes", -1), 4096);
	assert_int_equal(json_get_int(json, "max_bytes", -1), 8192);
	assert_true(json_is_null(json_object_get(json, "quota_cgroup")));
	event_free(event);
}

static void test_kinds(void **state)
{
	uint32_t kind = 0;

	assert_int_equal(render_parse_kind("io_uring", &kind), 0);
	assert_int_equal(kind, PINGUARD_KIND_IO_URING);
	assert_true(render_parse_kind("io-uring", &kind) < 0);
	assert_true(render_parse_kind("", &kind) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ring),  cmocka_unit_test(test_keeps_cgroups),
		cmocka_unit_test(test_hostile_names), cmocka_unit_test(test_deny),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_render_cgroup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
