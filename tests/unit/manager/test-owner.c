/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is registered, and what floods and forgeries get. */
#include <sys/socket.h>
#include <sys/syscall.h>

#include "tests/unit/manager/owner-fixture.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5 */
#endif

static json_t *list_owners(struct manager *m, const struct process *p)
{
	_cleanup_json_ json_t *reply = NULL;
	struct client c;

	client_open(m, &c, p);
	client_send(&c, MANAGER("ListOwners"), false, NULL);
	reply = client_reply(m, &c, MANAGER("ListOwners"), false);
	client_close(m, &c);
	return json_incref(json_object_get(reply, "owners"));
}

static void test_register(void **state)
{
	_cleanup_json_ json_t *owners = NULL, *none = NULL;
	struct manager *m = *state;
	struct client c, again;
	const json_t *owner;
	struct process p;

	process_start(&p);
	pin_add(m, 1, p.pid, 4096);
	pin_add(m, 2, p.pid, 8192);
	owner_register(m, &c, &p);
	owners = list_owners(m, &p);
	assert_int_equal(json_array_size(owners), 1);
	owner = json_array_get(owners, 0);
	assert_int_equal(json_get_int(owner, "pid", 0), p.pid);
	assert_int_equal(json_get_int(owner, "uid", -1), getuid());
	assert_true(json_get_bool(owner, "registered", false));
	assert_int_equal(json_get_int(owner, "pins", 0), 2);
	assert_int_equal(json_get_int(owner, "bytes", 0), 12288);
	assert_string_equal(json_get_string(owner, "comm", ""), "test-owner");

	client_open(m, &again, &p);
	client_send(&again, OWNER("Register"), true, NULL);
	client_error(m, &again, OWNER("AlreadyRegistered"));
	client_send(&again, OWNER("Register"), false, NULL);
	client_error(m, &again, "org.varlink.service.ExpectedMore");

	/* It is an owner for as long as the connection lasts. */
	client_close(m, &c);
	none = list_owners(m, &p);
	assert_int_equal(json_array_size(none), 0);
	client_send(&again, OWNER("Register"), true, NULL);
	json_decref(client_reply(m, &again, OWNER("Register"), true));
	client_close(m, &again);
	process_end(&p);
}

/* Somebody else holds the connection of a process that has exited. */
static void test_process_is_gone(void **state)
{
	struct manager *m = *state;
	struct client c, late;
	struct process p;

	process_start(&p);
	owner_register(m, &c, &p);
	client_open(m, &late, &p);
	assert_true(owner_lives(owners_find(m->owners, p.pid)));
	process_end(&p);
	assert_false(owner_lives(owners_find(m->owners, p.pid)));
	client_send(&late, OWNER("Register"), true, NULL);
	client_error(m, &late, OWNER("SystemError"));
	client_close(m, &late);
	client_close(m, &c);
	assert_int_equal(owners_count(m->owners), 0);
}

static bool peer_was_reaped;

int __real_getsockopt(int fd, int level, int name, void *value, socklen_t *size);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *size);

/* Linux before 6.16 gives no pidfd of a process that has been waited for. */
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *size)
{
	if (peer_was_reaped && level == SOL_SOCKET && name == SO_PEERPIDFD) {
		errno = EINVAL;
		return -1;
	}
	return __real_getsockopt(fd, level, name, value, size);
}

/* It connects, and exits before the service comes to that: nothing says when it is another. */
static void test_process_was_gone(void **state)
{
	struct manager *m = *state;
	struct process p;
	struct client c;
	int fd;

	process_start(&p);
	fd = client_connect(&c, &p);
	process_end(&p);
	peer_was_reaped = true;
	assert_int_equal(server_add_connection(m->server, fd), 0);
	peer_was_reaped = false;
	client_send(&c, OWNER("Register"), true, NULL);
	client_error(m, &c, OWNER("SystemError"));
	assert_int_equal(owners_count(m->owners), 0);
	client_close(m, &c);
}

static void test_same_process(void **state)
{
	struct peer a = { .pid = getpid(), .pidfd = -1 }, b = a;

	assert_false(peer_is_same_process(&a, &b));
	a.pidfd = syscall(SYS_pidfd_open, getpid(), 0);
	assert_true(a.pidfd >= 0);
	assert_false(peer_is_same_process(&a, &b));
	b.pidfd = a.pidfd;
	assert_true(peer_is_same_process(&a, &b));
	b.pid++;
	assert_false(peer_is_same_process(&a, &b));
	close(a.pidfd);
}

static void test_limit_of_one_user(void **state)
{
	struct process p[OWNERS_UID_MAX + 1], root;
	struct client c[OWNERS_UID_MAX + 1], last;
	struct manager *m = *state;
	size_t i;

	if (getuid() != 0)
		skip();
	for (i = 0; i <= OWNERS_UID_MAX; i++)
		assert_true(process_start_as(&p[i], USER_UID));
	process_start(&root);
	for (i = 0; i < OWNERS_UID_MAX; i++)
		owner_register(m, &c[i], &p[i]);
	client_open(m, &c[i], &p[i]);
	client_send(&c[i], OWNER("Register"), true, NULL);
	client_error(m, &c[i], OWNER("LimitExceeded"));
	/* Others do not notice. */
	owner_register(m, &last, &root);
	/* One goes, the next may come. */
	client_close(m, &c[0]);
	client_send(&c[i], OWNER("Register"), true, NULL);
	json_decref(client_reply(m, &c[i], OWNER("Register"), true));
	for (i = 1; i <= OWNERS_UID_MAX; i++)
		client_close(m, &c[i]);
	client_close(m, &last);
	for (i = 0; i <= OWNERS_UID_MAX; i++)
		process_end(&p[i]);
	process_end(&root);
}

static void test_flood(void **state)
{
	struct manager *m = *state;
	struct process p, root;
	struct client c, other;
	size_t i;

	if (getuid() != 0)
		skip();
	assert_true(process_start_as(&p, USER_UID));
	process_start(&root);
	client_open(m, &c, &p);
	client_open(m, &other, &root);
	for (i = 0; i < OWNER_CALLS_BURST * 4; i++) {
		_cleanup_json_ json_t *message = NULL;

		client_send(&c, OWNER("Complete"), false,
			    json_pack("{s:s, s:s}", "token", "x", "result", "released"));
		message = client_read(m, &c);
		if (strcmp(json_get_string(message, "error", ""), OWNER("LimitExceeded")) == 0)
			break;
		assert_string_equal(json_get_string(message, "error", ""), OWNER("NoSuchToken"));
	}
	assert_true(i >= OWNER_CALLS_BURST);
	assert_true(i < OWNER_CALLS_BURST * 4);
	for (i = 0; i < OWNER_CALLS_BURST * 2; i++) {
		client_send(&other, OWNER("Complete"), false,
			    json_pack("{s:s, s:s}", "token", "x", "result", "released"));
		client_error(m, &other, OWNER("NoSuchToken"));
	}
	client_close(m, &c);
	client_close(m, &other);
	process_end(&p);
	process_end(&root);
}

static void no_left(struct owner *owner, void *userdata)
{
}

/* The same with invented times. */
static void test_rate(void **state)
{
	const struct owners_config config = { .left = no_left };
	_cleanup_(owners_freep) struct owners *owners = NULL;
	struct manager *m = *state;
	uint64_t now = 1000000;
	unsigned int i;

	assert_int_equal(owners_new(m->event, &config, &owners), 0);
	for (i = 0; i < OWNER_CALLS_BURST; i++)
		assert_int_equal(owners_admit(owners, 5, now), 0);
	assert_int_equal(owners_admit(owners, 5, now), -EUSERS);
	assert_int_equal(owners_admit(owners, 6, now), 0);
	assert_int_equal(owners_admit(owners, 0, now), 0);
	now += 1000000;
	for (i = 0; i < OWNER_CALLS_RATE; i++)
		assert_int_equal(owners_admit(owners, 5, now), 0);
	assert_int_equal(owners_admit(owners, 5, now), -EUSERS);
	now += 3600 * 1000000ULL;
	for (i = 0; i < OWNER_CALLS_BURST; i++)
		assert_int_equal(owners_admit(owners, 5, now), 0);
	assert_int_equal(owners_admit(owners, 5, now), -EUSERS);
	/* More uids than are remembered: those that have been quiet are forgotten. */
	for (i = 0; i < CALLERS_MAX; i++)
		(void)owners_admit(owners, 100 + i, now);
	assert_int_equal(owners_admit(owners, 99, now), -EUSERS);
	now += 3600 * 1000000ULL;
	assert_int_equal(owners_admit(owners, 99, now), 0);
}

static void test_bad_calls(void **state)
{
	struct manager *m = *state;
	struct process p;
	struct client c;

	process_start(&p);
	client_open(m, &c, &p);
	client_send(&c, OWNER("Complete"), false, json_pack("{s:s}", "token", "x"));
	client_error(m, &c, "org.varlink.service.InvalidParameter");
	client_send(&c, OWNER("Complete"), false,
		    json_pack("{s:s, s:s}", "token", "x", "result", "perhaps"));
	client_error(m, &c, "org.varlink.service.InvalidParameter");
	client_send(&c, OWNER("Complete"), false,
		    json_pack("{s:i, s:s}", "token", 5, "result", "released"));
	client_error(m, &c, "org.varlink.service.InvalidParameter");
	/* Registering for another is nothing that could be said. */
	client_send(&c, OWNER("Register"), true, json_pack("{s:i}", "pid", 1));
	client_error(m, &c, "org.varlink.service.InvalidParameter");
	client_close(m, &c);
	process_end(&p);
}

/* Others see no more of owners than of pins. */
static void test_list_is_filtered(void **state)
{
	_cleanup_json_ json_t *all = NULL, *own = NULL;
	struct manager *m = *state;
	struct process p, root;
	struct client c, d;

	if (getuid() != 0)
		skip();
	assert_true(process_start_as(&p, USER_UID));
	process_start(&root);
	owner_register(m, &c, &p);
	owner_register(m, &d, &root);
	all = list_owners(m, &root);
	own = list_owners(m, &p);
	assert_int_equal(json_array_size(all), 2);
	assert_int_equal(json_array_size(own), 1);
	assert_int_equal(json_get_int(json_array_get(own, 0), "pid", 0), p.pid);
	client_close(m, &c);
	client_close(m, &d);
	process_end(&p);
	process_end(&root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_register, owner_setup, owner_teardown),
		cmocka_unit_test_setup_teardown(test_process_is_gone, owner_setup, owner_teardown),
		cmocka_unit_test_setup_teardown(test_process_was_gone, owner_setup,
						owner_teardown),
		cmocka_unit_test(test_same_process),
		cmocka_unit_test_setup_teardown(test_limit_of_one_user, owner_setup,
						owner_teardown),
		cmocka_unit_test_setup_teardown(test_flood, owner_setup, owner_teardown),
		cmocka_unit_test_setup_teardown(test_rate, owner_setup, owner_teardown),
		cmocka_unit_test_setup_teardown(test_bad_calls, owner_setup, owner_teardown),
		cmocka_unit_test_setup_teardown(test_list_is_filtered, owner_setup,
						owner_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
