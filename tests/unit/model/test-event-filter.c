/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which events match what somebody wants to hear of. */
#include "tests/unit/unit.h"

#include "daemon/model/event-filter.h"

static struct registry *registry;

static struct cgroup_node *node(uint64_t id, const char *path)
{
	struct cgroup_node *n;

	assert_int_equal(registry_cgroup_get(registry, id, &n), 0);
	if (path)
		assert_int_equal(registry_cgroup_set(registry, n, NULL, path), 0);
	return cgroup_node_ref(n);
}

static int setup(void **state)
{
	registry = registry_new();
	return registry ? 0 : -1;
}

static int teardown(void **state)
{
	registry_free(registry);
	return 0;
}

static bool matches(const struct event *event, const char *cgroup, bool is_unit, uint32_t tgid)
{
	struct event_filter f = { .types = EVENT_ALL_TYPES, .has_tgid = tgid > 0, .tgid = tgid };
	bool r;

	if (cgroup)
		assert_int_equal(event_filter_set_cgroup(&f, strdup(cgroup), is_unit), 0);
	r = event_filter_match(&f, event);
	event_filter_done(&f);
	return r;
}

static bool in_cgroup(const struct event *event, const char *cgroup)
{
	return matches(event, cgroup, false, 0);
}

static void test_types(void **state)
{
	struct event_filter f = { .types = EVENT_BIT(EVENT_DENY) };
	struct event event = { .type = EVENT_DENY };

	assert_true(event_filter_match(&f, &event));
	event.type = EVENT_PIN;
	assert_false(event_filter_match(&f, &event));
	f.types = 0;
	assert_false(event_filter_match(&f, &event));
}

/* Whole components; of a refusal all cgroups that have to do with it. */
static void test_cgroup(void **state)
{
	struct event *event = event_new(EVENT_DENY, 1);

	event->cgroup = node(2, "/a/b/c");
	event->charged = node(3, "/a/x");
	event->limit = node(4, "/lim");
	assert_true(in_cgroup(event, "/"));
	assert_true(in_cgroup(event, "/a"));
	assert_true(in_cgroup(event, "/a/b/c"));
	assert_true(in_cgroup(event, "/a/x"));
	assert_true(in_cgroup(event, "/lim"));
	assert_false(in_cgroup(event, "/a/b/c/d"));
	assert_false(in_cgroup(event, "/a/b/"));
	assert_false(in_cgroup(event, "/a/bc"));
	assert_false(in_cgroup(event, "/li"));
	assert_true(matches(event, "b", true, 0));
	assert_true(matches(event, "x", true, 0));
	assert_false(matches(event, "i", true, 0));
	assert_false(matches(event, "li", true, 0));
	event_free(event);

	event = event_new(EVENT_PIN, 1);
	assert_false(in_cgroup(event, "/"));
	event->cgroup = node(5, NULL);
	assert_false(in_cgroup(event, "/"));
	assert_false(matches(event, "b", true, 0));
	event_free(event);
}

static void test_pid(void **state)
{
	struct event event = { .type = EVENT_UNPIN, .pin.tgid = 7 };

	assert_true(matches(&event, NULL, false, 7));
	assert_false(matches(&event, NULL, false, 8));
	assert_false(matches(&event, "/", false, 7));
	event.type = EVENT_QUOTA_SET;
	assert_false(matches(&event, NULL, false, 7));
	event.quota_cgroup = (char *)"/a";
	assert_true(in_cgroup(&event, "/a"));
	assert_false(in_cgroup(&event, "/b"));
	assert_false(matches(&event, "/a", false, 7));
	event.type = EVENT_RESYNC;
	assert_true(matches(&event, "/b", false, 7));
}

/* A request knows some of its owners; with more it may concern anybody. */
static void test_request(void **state)
{
	struct event *event = event_new(EVENT_RELEASE, 1);
	struct cgroup_node *a = node(2, "/a");
	uint32_t i;

	assert_false(in_cgroup(event, "/"));
	for (i = 1; i <= EVENT_OWNERS_MAX; i++)
		assert_int_equal(event_add_owner(event, a, i), 0);
	assert_true(in_cgroup(event, "/a"));
	assert_true(matches(event, "/a", false, EVENT_OWNERS_MAX));
	assert_false(in_cgroup(event, "/b"));
	assert_false(matches(event, "/a", false, EVENT_OWNERS_MAX + 1));
	assert_int_equal(event_add_owner(event, a, i), 0);
	assert_int_equal(event->n_owners, EVENT_OWNERS_MAX);
	assert_true(in_cgroup(event, "/b"));
	event_free(event);
	cgroup_node_unref(a);
}

static void test_memory(void **state)
{
	struct revoke_info revoke = { .tgid = 7 };
	struct event event = { .type = EVENT_REVOKE, .revoke = &revoke };

	assert_true(matches(&event, NULL, false, 7));
	assert_false(matches(&event, NULL, false, 8));
	assert_false(in_cgroup(&event, "/"));
	event.type = EVENT_FAILURE;
	assert_false(in_cgroup(&event, "/"));
	/* as JSON has it: one backslash is two in its string */
	event.failure = (char *)"{\"owners\":[{\"pid\":7,\"cgroup\":null},"
				"{\"pid\":8,\"cgroup\":\"/a/b\\\\x2d.service\"}]}";
	assert_true(in_cgroup(&event, "/a"));
	assert_true(in_cgroup(&event, "/a/b\\x2d.service"));
	assert_true(matches(&event, "b\\x2d.service", true, 8));
	assert_true(matches(&event, NULL, false, 7));
	assert_false(matches(&event, "/a", false, 7));
	assert_false(in_cgroup(&event, "/b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),
		cmocka_unit_test_setup_teardown(test_cgroup, setup, teardown),
		cmocka_unit_test(test_pid),
		cmocka_unit_test_setup_teardown(test_request, setup, teardown),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
