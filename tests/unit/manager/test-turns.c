/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is told of very many cgroups, and pins: others have their turn meanwhile. */
#include <sys/socket.h>

#include "tests/unit/kernel/genl-fixture.h"
#include "tests/unit/manager/owner-fixture.h"
#include "tests/unit/tree.h"

#include "daemon/cgroup/cgroups-internal.h"
#include "daemon/manager/internal.h"

#define CGROUPS 4000 /* to read them takes several turns on any machine */
#define PINS	100000 /* of one process */
#define TURNS	3 /* at least */

static struct process p;

static int setup(void **state)
{
	if (geteuid() != 0)
		return 0;
	assert_int_equal(owner_setup(state), 0);
	tree_new();
	make_kernel(*state, tree);
	tree_put("misc.current", "pinned 0\n");
	process_start(&p);
	return 0;
}

/* Each with one pin. */
static void make_cgroups(struct manager *m)
{
	struct cgroup_node *node;
	char path[64];

	for (unsigned int i = 1; i <= CGROUPS; i++) {
		struct pin_info pin = { .id = i, .bytes = 4096, .tgid = 1,
					.kind = PINGUARD_KIND_RDMA };

		snprintf(path, sizeof(path), "j/%u/misc.current", i);
		tree_put(path, "pinned 4096\n");
		snprintf(path, sizeof(path), "j/%u/misc.max", i);
		tree_put(path, i % 2 ? "pinned max\n" : "pinned 8192\n");
		snprintf(path, sizeof(path), "/j/%u", i);
		assert_int_equal(cgroupfs_resolve_path(cgroups_fs(m->cgroups), path, &node), 0);
		pin.cgroup_id = pin.charged_cgroup_id = node->id;
		assert_int_equal(registry_upsert(m->registry, &pin), 0);
	}
	tree_put("j/misc.current", "pinned 16384000\n");
}

/* To the user; what was seen before is no longer so. */
static void give_cgroups(struct manager *m)
{
	struct cgroup_node *node;
	char path[64];

	assert_true(snprintf(path, sizeof(path), "%s/j", tree) < (int)sizeof(path));
	assert_int_equal(chown(path, USER_UID, USER_UID), 0);
	assert_int_equal(cgroupfs_resolve_path(cgroups_fs(m->cgroups), "/j", &node), 0);
	node->checked_usec = 0;
}

static int teardown(void **state)
{
	if (geteuid() != 0)
		return 0;
	process_end(&p);
	tree_remove(NULL);
	return owner_teardown(state);
}

static bool has_answer(const struct client *c)
{
	char byte;

	return recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

/* How many calls of one are answered while another waits for the answer to its own. */
static unsigned int count_others(struct manager *m, struct client *c)
{
	char reply[4096];
	struct client other;
	unsigned int n = 0;
	ssize_t size;

	client_open(m, &other, &p);
	while (!has_answer(c)) {
		client_send(&other, MANAGER("ListOwners"), false, NULL);
		/* not more of the loop than that takes */
		while (!has_answer(&other))
			assert_true(sd_event_run(m->event, UINT64_MAX) >= 0);
		size = recv(other.fd, reply, sizeof(reply), MSG_DONTWAIT);
		assert_true(size > 0 && reply[size - 1] == '\0');
		n++;
	}
	client_close(m, &other);
	return n;
}

static void test_cgroups(void **state)
{
	_cleanup_json_ json_t *status = NULL;
	struct manager *m = *state;
	const json_t *cgroup;
	struct client c;
	json_t *cgroups;
	size_t i;

	if (geteuid() != 0)
		skip();
	make_cgroups(m);
	client_open(m, &c, &p);
	client_send(&c, MANAGER("GetStatus"), false, NULL);
	assert_true(count_others(m, &c) >= TURNS);
	status = client_reply(m, &c, MANAGER("GetStatus"), false);
	cgroups = json_object_get(status, "cgroups");
	assert_int_equal(json_array_size(cgroups), CGROUPS + 2);
	assert_string_equal(json_get_string(json_array_get(cgroups, 2), "path", ""), "/j/1");
	json_array_foreach(cgroups, i, cgroup)
		if (i >= 2)
			assert_int_equal(json_get_int(cgroup, "charged_bytes", -1), 4096);
	client_close(m, &c);
}

/*
 * A user sees what is in a cgroup of their own. Whose each is, is looked at in turns, and
 * where nothing is theirs, too.
 */
static void test_user(void **state)
{
	struct manager *m = *state;
	struct process user;
	struct client c;

	if (geteuid() != 0)
		skip();
	assert_true(process_start_as(&user, USER_UID));
	make_cgroups(m);
	for (unsigned int own = 0; own < 2; own++) {
		_cleanup_json_ json_t *status = NULL, *sums = NULL;
		const size_t n = own ? CGROUPS : 0;

		client_open(m, &c, &user);
		client_send(&c, MANAGER("GetStatus"), false, NULL);
		assert_true(count_others(m, &c) >= TURNS);
		status = client_reply(m, &c, MANAGER("GetStatus"), false);
		assert_int_equal(json_get_int(json_object_get(status, "totals"), "pins", -1), n);
		client_send(&c, MANAGER("SumPins"), false, json_pack("{ss}", "by", "cgroup"));
		assert_true(count_others(m, &c) >= TURNS);
		sums = client_reply(m, &c, MANAGER("SumPins"), false);
		assert_int_equal(json_get_int(sums, "pins", -1), n);
		assert_int_equal(json_array_size(json_object_get(sums, "sums")), n);
		client_close(m, &c);
		give_cgroups(m);
	}
	process_end(&user);
}

/* Sums of them, and that they are too many for a list, which comes in parts. */
static void test_pins(void **state)
{
	_cleanup_json_ json_t *sums = NULL, *error = NULL;
	struct manager *m = *state;
	size_t listed = 0;
	struct client c;
	bool more = true;
	json_t *sum;

	if (geteuid() != 0)
		skip();
	for (uint64_t id = 1; id <= PINS; id++)
		pin_add(m, id, p.pid, 4096);
	client_open(m, &c, &p);
	client_send(&c, MANAGER("SumPins"), false, json_pack("{ss}", "by", "process"));
	assert_true(count_others(m, &c) >= TURNS);
	sums = client_reply(m, &c, MANAGER("SumPins"), false);
	assert_int_equal(json_array_size(json_object_get(sums, "sums")), 1);
	sum = json_array_get(json_object_get(sums, "sums"), 0);
	assert_int_equal(json_get_int(sum, "pins", 0), PINS);
	assert_true(json_is_null(json_object_get(sum, "distinct_bytes")));
	client_send(&c, MANAGER("ListPins"), false, NULL);
	assert_true(count_others(m, &c) >= TURNS);
	error = client_read(m, &c);
	assert_string_equal(json_get_string(error, "error", ""), MANAGER("TooManyPins"));
	assert_int_equal(json_get_int(json_object_get(error, "parameters"), "pins", 0), PINS);
	client_send(&c, MANAGER("ListPins"), true, NULL);
	while (more) {
		_cleanup_json_ json_t *reply = client_read(m, &c);

		listed += json_array_size(json_object_get(json_object_get(reply, "parameters"),
							  "pins"));
		more = json_get_bool(reply, "continues", false);
	}
	assert_int_equal(listed, PINS);
	client_close(m, &c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_cgroups, setup, teardown),
		cmocka_unit_test_setup_teardown(test_user, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pins, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
