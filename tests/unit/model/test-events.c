/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The history of events, and what pins and events look like. */
#include "tests/unit/unit.h"

#include "daemon/model/events.h"
#include "daemon/model/render.h"
#include "lib/json.h"

static void add(struct events *e, enum event_type type, uint64_t time_usec)
{
	struct event *event = event_new(type, time_usec);

	assert_non_null(event);
	events_add(e, event);
}

static struct events_item item_at(const struct events *e, uint64_t number)
{
	struct events_item item = {};

	assert_true(events_at(e, number, &item));
	return item;
}

/* Of each sort the last of them are kept, and where the last lost one was is known. */
static void check_bound(enum event_type type, uint64_t max)
{
	_cleanup_(events_freep) struct events *e = events_new(500);
	struct events_item item = {};
	uint64_t i;

	assert_false(events_at(e, 0, &item));
	assert_null(events_before(e, UINT64_MAX));
	assert_int_equal(events_since(e, 0), 0);
	for (i = 0; i < max; i++)
		add(e, type, 1000 + i);
	item = item_at(e, 0);
	assert_int_equal(item.event->time_usec, 1000);
	assert_int_equal(item.types, EVENT_BIT(type));
	assert_int_equal(events_since(e, 0), 0);

	/* the one past it */
	add(e, type, 1000 + max);
	assert_int_equal(events_next(e), max + 1);
	item = item_at(e, 0);
	assert_null(item.event);
	assert_int_equal(item.number, 0);
	assert_int_equal(item.time_usec, 1000);
	assert_true(item.types & EVENT_BIT(type));
	item = item_at(e, 1);
	assert_int_equal(item.event->time_usec, 1001);
	item = item_at(e, max);
	assert_int_equal(item.event->time_usec, 1000 + max);
	assert_false(events_at(e, max + 1, &item));
	assert_int_equal(events_before(e, UINT64_MAX)->number, max);
	assert_int_equal(events_before(e, 2)->number, 1);
	assert_null(events_before(e, 1));

	assert_int_equal(events_since(e, 0), 0);
	assert_int_equal(events_since(e, 1000), 0);
	assert_int_equal(events_since(e, 1001), 1);
	assert_int_equal(events_since(e, 1000 + max), max);
	assert_int_equal(events_since(e, UINT64_MAX), max + 1);
	assert_int_equal(events_started_usec(e), 500);
}

static void test_bounds(void **state)
{
	for (enum event_type type = 0; type < N_EVENT_TYPES; type++)
		check_bound(type, type <= EVENT_UNPIN ? EVENTS_TRAFFIC_MAX : EVENTS_SORT_MAX);
	/* what events.h says of the memory */
	assert_true(sizeof(struct event) + sizeof(struct event *) <= 328);
}

/* Traffic is told as it was, though what pins have in common is kept once. */
static void test_traffic(void **state)
{
	_cleanup_(registry_freep) struct registry *r = registry_new();
	_cleanup_(events_freep) struct events *e = events_new(0);
	struct event *event = event_new(EVENT_UNPIN, 77);
	const struct event *told;
	const struct pin_info pin = {
		.id = 5, .address = 0x1000, .bytes = 8192, .since_usec = 66, .kind = PINGUARD_KIND_VFIO,
		.tgid = 9, .uid = 1000, .flags = PINGUARD_FLAG_OWNER_GONE, .comm_len = 3, .comm = "a\xff\n",
		.cgroup_id = 4, .charged_cgroup_id = 3, .device = "0000:00:04.0",
	};

	assert_int_equal(registry_cgroup_get(r, 4, &event->cgroup), 0);
	assert_int_equal(registry_cgroup_get(r, 3, &event->charged), 0);
	cgroup_node_ref(event->cgroup);
	cgroup_node_ref(event->charged);
	event->pin = pin;
	event->seq = 12;
	events_add(e, event);
	registry_trim(r, 0); /* they are in use */
	told = item_at(e, 0).event;
	assert_int_equal(told->type, EVENT_UNPIN);
	assert_int_equal(told->time_usec, 77);
	assert_int_equal(told->seq, 12);
	assert_int_equal(told->cgroup->id, 4);
	assert_int_equal(told->charged->id, 3);
	assert_memory_equal(&told->pin, &pin, offsetof(struct pin_info, has_offset));
	for (size_t i = 0; i < EVENTS_TRAFFIC_MAX; i++)
		add(e, EVENT_PIN, 78);
	registry_trim(r, 0);
	assert_null(registry_cgroup_find(r, 4));
}

/* What matters outlives any number of pins, and any number of refusals, in its place. */
static void test_kept_apart(void **state)
{
	_cleanup_(events_freep) struct events *e = events_new(0);
	const uint32_t traffic =
		EVENT_BIT(EVENT_PIN) | EVENT_BIT(EVENT_PIN_CHANGE) | EVENT_BIT(EVENT_UNPIN);
	struct events_item item;
	uint64_t number = 0;

	add(e, EVENT_QUOTA_SET, 1);
	add(e, EVENT_FAILURE, 2);
	add(e, EVENT_DENY, 3);
	for (uint64_t i = 0; i < 50000; i++)
		add(e, i % 2 ? EVENT_UNPIN : EVENT_PIN, 4 + i);
	for (uint64_t i = 0; i < EVENTS_SORT_MAX; i++)
		add(e, EVENT_DENY, 60000 + i);

	item = item_at(e, number);
	assert_int_equal(item.event->type, EVENT_QUOTA_SET);
	item = item_at(e, item.number + 1);
	assert_int_equal(item.event->type, EVENT_FAILURE);
	/* the first refusal made room */
	item = item_at(e, item.number + 1);
	assert_null(item.event);
	assert_int_equal(item.types, EVENT_BIT(EVENT_DENY));
	assert_int_equal(item.time_usec, 3);
	item = item_at(e, item.number + 1);
	assert_null(item.event);
	assert_int_equal(item.types, traffic);
	assert_int_equal(item.time_usec, 4 + 50000 - EVENTS_TRAFFIC_MAX - 1);
	for (uint64_t i = 0; i < EVENTS_TRAFFIC_MAX + EVENTS_SORT_MAX; i++) {
		number = item.number + 1;
		item = item_at(e, number);
		assert_non_null(item.event);
		assert_int_equal(item.number, number);
	}
	assert_false(events_at(e, item.number + 1, &item));
	/* backwards there is the same */
	for (const struct event *event = events_before(e, UINT64_MAX); event;
	     event = events_before(e, event->number))
		number--;
	assert_int_equal(number + 1, events_next(e) - EVENTS_TRAFFIC_MAX - EVENTS_SORT_MAX - 2);
}

/* Texts have a bound of their own, of each sort; the last event is kept, however long. */
static void add_text(struct events *e, enum event_type type, size_t bytes)
{
	struct event *event = event_new(type, 1);

	event->failure = malloc(bytes);
	memset(event->failure, 'x', bytes - 1);
	event->failure[bytes - 1] = '\0';
	events_add(e, event);
}

static void test_text(void **state)
{
	_cleanup_(events_freep) struct events *e = events_new(0);

	add_text(e, EVENT_RELEASE, EVENTS_TEXT_MAX);
	add_text(e, EVENT_FAILURE, EVENTS_TEXT_MAX / 2);
	add_text(e, EVENT_FAILURE, EVENTS_TEXT_MAX / 2);
	assert_non_null(item_at(e, 0).event);
	assert_non_null(item_at(e, 1).event);
	add_text(e, EVENT_FAILURE, 1);
	assert_non_null(item_at(e, 0).event);
	assert_null(item_at(e, 1).event);
	assert_non_null(item_at(e, 2).event);
	add_text(e, EVENT_FAILURE, 2 * EVENTS_TEXT_MAX);
	assert_int_equal(item_at(e, 1).number, 3);
	assert_non_null(item_at(e, 4).event);
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
	static const char *const names[] = { "unknown",	 "rdma", "vfio", "iommufd",
					     "io_uring", "xdp",	 "vdpa", "udmabuf" };
	uint32_t kind = 0;

	for (uint32_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_string_equal(render_kind(i), names[i]);
		assert_int_equal(render_parse_kind(names[i], &kind), 0);
		assert_int_equal(kind, i);
	}
	/* One that a later kernel has. */
	assert_int_equal(PINGUARD_KIND_UDMABUF + 1, ARRAY_SIZE(names));
	assert_string_equal(render_kind(ARRAY_SIZE(names)), "unknown");
	assert_true(render_parse_kind("io-uring", &kind) < 0);
	assert_true(render_parse_kind("", &kind) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bounds), cmocka_unit_test(test_kept_apart),
		cmocka_unit_test(test_traffic),
		cmocka_unit_test(test_text), cmocka_unit_test(test_keeps_cgroups),
		cmocka_unit_test(test_hostile_names), cmocka_unit_test(test_deny),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_render_cgroup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
