/* SPDX-License-Identifier: GPL-2.0-or-later */
/* More is pinned than a quota says: who is asked, and how often. */
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

#include "tests/unit/kernel/genl-fixture.h"
#include "tests/unit/manager/owner-fixture.h"

#include "daemon/kernel/genl-internal.h"
#include "daemon/cgroup/cgroups-internal.h"
#include "daemon/kernel/source-internal.h"
#include "daemon/manager/internal.h"
#include "daemon/triggers/internal.h"

#define HOUR_USEC (3600 * 1000000ULL)

static char root[64];

/* A cgroup without a limit, in which nothing is charged. */
static void cgroup_make(const char *path, uid_t owner)
{
	static const char *const files[] = { "misc.current", "misc.max" };
	static const char *const texts[] = { "pinned 0\n", "pinned max\n" };
	char full[256];
	FILE *file;

	snprintf(full, sizeof(full), "%s%s", root, path);
	assert_int_equal(mkdir(full, 0755), 0);
	assert_int_equal(chown(full, owner, owner), 0);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(full, sizeof(full), "%s%s/%s", root, path, files[i]);
		file = fopen(full, "we");
		assert_non_null(file);
		fputs(texts[i], file);
		assert_int_equal(fclose(file), 0);
	}
}

static void cgroup_charge(const char *path, unsigned int bytes)
{
	char full[256];
	FILE *file;

	snprintf(full, sizeof(full), "%s%s/misc.current", root, path);
	file = fopen(full, "we");
	assert_non_null(file);
	fprintf(file, "pinned %u\n", bytes);
	assert_int_equal(fclose(file), 0);
}

static int setup(void **state)
{
	struct manager *m;

	if (geteuid() != 0)
		return 0;
	assert_int_equal(owner_setup(state), 0);
	m = *state;
	strcpy(root, "/tmp/pinguard-excess-XXXXXX");
	assert_non_null(mkdtemp(root));
	assert_int_equal(chmod(root, 0755), 0);
	make_kernel(m, root);
	cgroup_charge("", 0);
	cgroup_make("/a", 0);
	cgroup_make("/a/b", 0);
	cgroup_make("/u", USER_UID);
	cgroup_make("/u/v", USER_UID);
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static int teardown(void **state)
{
	if (geteuid() != 0)
		return 0;
	owner_teardown(state);
	return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* The kernel says that a process has a new pin, which is charged there. */
static void say_pin(struct manager *m, uint64_t id, pid_t pid, uint64_t bytes, const char *path)
{
	struct pin_event event = {
		.type = PIN_EVENT_PIN,
		.seq = registry_seq(m->registry) + 1,
		.pin = { .id = id, .bytes = bytes, .tgid = pid, .kind = PINGUARD_KIND_RDMA,
			 .since_usec = realtime_usec() },
	};
	struct cgroup_node *node;

	process_set_cgroup(pid, path);
	assert_int_equal(cgroupfs_resolve_path(cgroups_fs(m->cgroups), path, &node), 0);
	event.pin.cgroup_id = event.pin.charged_cgroup_id = node->id;
	assert_true(manager_listener.event(&event, m) >= 0);
}

static void say_unpin(struct manager *m, uint64_t id)
{
	struct pin_event event = { .type = PIN_EVENT_UNPIN,
				   .seq = registry_seq(m->registry) + 1,
				   .pin = { .id = id } };
	struct pin *pin = registry_find(m->registry, id);

	event.pin.charged_cgroup_id = pin->origin->charged->id;
	assert_true(manager_listener.event(&event, m) >= 0);
}

static json_t *set_quota(struct manager *m, const struct process *p, const char *cgroup,
			 int64_t max_bytes, int64_t high_bytes)
{
	_cleanup_json_ json_t *reply = NULL;
	struct client c;

	client_open(m, &c, p);
	client_send(&c, MANAGER("SetQuota"), false,
		    json_pack("{s:s, s:I, s:o}", "cgroup", cgroup, "max_bytes",
			      (json_int_t)max_bytes, "high_bytes",
			      high_bytes < 0 ? json_null() : json_integer(high_bytes)));
	reply = client_reply(m, &c, MANAGER("SetQuota"), false);
	client_close(m, &c);
	return json_incref(json_object_get(reply, "quota"));
}

static void check_quota_error(struct manager *m, const struct process *p, int64_t max_bytes,
			      json_t *high_bytes, const char *error)
{
	struct client c;

	client_open(m, &c, p);
	client_send(&c, MANAGER("SetQuota"), false,
		    json_pack("{s:s, s:I, s:o}", "cgroup", "/a", "max_bytes",
			      (json_int_t)max_bytes, "high_bytes", high_bytes));
	client_error(m, &c, error);
	client_close(m, &c);
}

/* The next request, for pins of so many bytes. */
static void check_asked(struct manager *m, struct client *c, uint64_t bytes)
{
	_cleanup_json_ json_t *request = NULL;
	uint64_t sum = 0;
	json_t *pins;
	char token[64];

	request = owner_request(m, c, token);
	pins = json_object_get(request, "pins");
	for (size_t i = 0; i < json_array_size(pins); i++)
		sum += json_get_int(json_array_get(pins, i), "bytes", 0);
	assert_string_equal(json_get_string(request, "reason", ""), "quota");
	assert_int_equal(sum, bytes);
}

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

/* The same, charged to another cgroup. */
static void say_slipped(struct manager *m, uint64_t id, pid_t pid, uint64_t bytes,
			const char *path, const char *charged)
{
	struct pin_event event = {
		.type = PIN_EVENT_PIN,
		.seq = registry_seq(m->registry) + 1,
		.pin = { .id = id, .bytes = bytes, .tgid = pid, .kind = PINGUARD_KIND_RDMA,
			 .since_usec = realtime_usec() },
	};
	struct cgroup_node *node;

	process_set_cgroup(pid, path);
	assert_int_equal(cgroupfs_resolve_path(cgroups_fs(m->cgroups), path, &node), 0);
	event.pin.cgroup_id = node->id;
	assert_int_equal(cgroupfs_resolve_path(cgroups_fs(m->cgroups), charged, &node), 0);
	event.pin.charged_cgroup_id = node->id;
	assert_true(manager_listener.event(&event, m) >= 0);
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

/* The time of another look has come, or not for long. */
static void set_looked(struct manager *m, const char *path, uint64_t usec)
{
	quotas_find(cgroups_quotas(m->cgroups), path)->looked_usec = usec;
}

static json_t *status_of(struct manager *m, const struct process *p, const char *path)
{
	_cleanup_json_ json_t *reply = NULL;
	struct client c;
	json_t *cgroup;
	size_t i;

	client_open(m, &c, p);
	client_send(&c, MANAGER("GetStatus"), false, NULL);
	reply = client_reply(m, &c, MANAGER("GetStatus"), false);
	client_close(m, &c);
	json_array_foreach(json_object_get(reply, "cgroups"), i, cgroup)
		if (strcmp(json_get_string(cgroup, "path", ""), path) == 0)
			return json_incref(cgroup);
	fail_msg("no %s", path);
	return NULL;
}

static void test_set(void **state)
{
	_cleanup_json_ json_t *quota = NULL, *both = NULL, *status = NULL, *none = NULL;
	_cleanup_json_ json_t *empty = NULL;
	struct manager *m = *state;
	struct process p;
	struct client c;

	if (geteuid() != 0)
		skip();
	process_start(&p);
	owner_register(m, &c, &p);
	say_pin(m, 1, p.pid, 1000, "/a/b");
	say_pin(m, 2, p.pid, 3000, "/a/b");
	cgroup_charge("/a", 4000);
	cgroup_charge("/a/b", 4000);
	/* what is too large, or makes no sense, changes nothing */
	check_quota_error(m, &p, 5000, json_integer(5001), MANAGER("QuotaNotPossible"));
	check_quota_error(m, &p, 5000, json_integer(-1),
			  "org.varlink.service.InvalidParameter");
	assert_int_equal(quotas_count(cgroups_quotas(m->cgroups)), 0);

	quota = set_quota(m, &p, "/a", INT64_MAX, 4000);
	assert_true(json_is_null(json_object_get(quota, "max_bytes")));
	assert_int_equal(json_get_int(quota, "high_bytes", 0), 4000);
	client_silent(m, &c);
	both = set_quota(m, &p, "/a", 5000, 3999);
	assert_int_equal(json_get_int(both, "max_bytes", 0), 5000);
	check_asked(m, &c, 3000);
	status = status_of(m, &p, "/a");
	assert_int_equal(json_get_int(status, "high_bytes", 0), 3999);
	/* with no pin, and no limit, the mark alone is worth telling */
	json_decref(set_quota(m, &p, "/u", INT64_MAX, 7));
	m->cgroups->noted_usec = 0;
	empty = status_of(m, &p, "/u");
	assert_int_equal(json_get_int(empty, "high_bytes", 0), 7);
	none = set_quota(m, &p, "/a", 5000, -1);
	assert_true(json_is_null(json_object_get(none, "high_bytes")));
	assert_int_equal(quotas_n_high(cgroups_quotas(m->cgroups)), 1);
	client_close(m, &c);
	process_end(&p);
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
	say_slipped(m, 1, p.pid, 1000, "/a/b", "/a");
	client_silent(m, &c);
	assert_int_equal(excess_of(m, &p, "/a/b"), 0);
	set_looked(m, "/a/b", 0);
	say_slipped(m, 2, p.pid, 1, "/a/b", "/a");
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

static void say_old_pin(struct manager *m, uint64_t id, pid_t pid, uint64_t bytes, uint64_t since)
{
	struct pin_event event = {
		.type = PIN_EVENT_PIN,
		.seq = registry_seq(m->registry) + 1,
		.pin = { .id = id, .bytes = bytes, .tgid = pid, .kind = PINGUARD_KIND_RDMA,
			 .since_usec = since },
	};
	struct cgroup_node *node;

	assert_int_equal(cgroupfs_resolve_path(cgroups_fs(m->cgroups), "/a/b", &node), 0);
	event.pin.cgroup_id = event.pin.charged_cgroup_id = node->id;
	assert_true(manager_listener.event(&event, m) >= 0);
}

/* Who has most comes first, and its largest pin; the older one where they are the same. */
static void test_order(void **state)
{
	struct manager *m = *state;

	if (geteuid() != 0)
		skip();
	say_old_pin(m, 1, 101, 4000, 50);
	say_old_pin(m, 2, 102, 1000, 40);
	say_old_pin(m, 3, 102, 3000, 60);
	say_old_pin(m, 4, 103, 2500, 10);
	say_old_pin(m, 5, 103, 2500, 9);
	check_found(m, "/a", 12999, "5 4 3 2 1");
	check_found(m, "/a", 13001, "5 4 3 2 1");
	check_found(m, "/a", 2500, "5");
	check_found(m, "/a", 2501, "5 4");
	check_found(m, "/a", 5001, "5 4 3");
	check_found(m, "/u", 1, "");
}

/* What nobody waits for leaves half of all requests to others. */
static void test_share(void **state)
{
	struct release *running[RELEASES_MAX / 2];
	const uint64_t ids[] = { 1 };
	const struct release_config config = {
		.reason = RELEASE_ADMINISTRATOR,
		.timeout_usec = HOUR_USEC,
		.admin = true,
		.pin_ids = ids,
		.n_pins = ARRAY_SIZE(ids),
	};
	struct manager *m = *state;
	struct process p;
	struct client c;

	if (geteuid() != 0)
		skip();
	process_start(&p);
	say_pin(m, 1, p.pid, 1, "/u");
	for (size_t i = 0; i < ARRAY_SIZE(running); i++)
		assert_int_equal(release_start(m->releases, &config, &running[i]), 0);
	owner_register(m, &c, &p);
	for (size_t i = 0; i < ARRAY_SIZE(running); i++)
		json_decref(client_reply(m, &c, OWNER("Register"), true));
	json_decref(set_quota(m, &p, "/a", INT64_MAX, 4000));
	cgroup_charge("/a", 5000);
	set_looked(m, "/a", 0);
	say_pin(m, 2, p.pid, 5000, "/a/b");
	client_silent(m, &c);
	set_looked(m, "/a", 0);
	release_cancel(running[0]);
	json_decref(client_reply(m, &c, OWNER("Register"), true));
	check_asked(m, &c, 5000);
	for (size_t i = 0; i < ARRAY_SIZE(running); i++)
		release_unref(running[i]);
	client_close(m, &c);
	process_end(&p);
}

/* A list of pins may have those that passed the mark. */
static void test_resync(void **state)
{
	struct manager *m = *state;
	struct cgroup_node *node;
	struct pin_info pin;
	struct process p;
	struct client c;

	if (geteuid() != 0)
		skip();
	process_start(&p);
	owner_register(m, &c, &p);
	json_decref(set_quota(m, &p, "/a/b", INT64_MAX, 4000));
	cgroup_charge("/a/b", 8192);
	process_set_cgroup(p.pid, "/a/b");
	assert_int_equal(cgroupfs_resolve_path(cgroups_fs(m->cgroups), "/a/b", &node), 0);
	pin = (struct pin_info){ .id = 1, .tgid = p.pid, .bytes = 8192,
				 .kind = PINGUARD_KIND_RDMA, .since_usec = realtime_usec(),
				 .cgroup_id = node->id, .charged_cgroup_id = node->id };
	client_silent(m, &c);
	m->source->genl->state = GENL_DUMPING;
	assert_int_equal(manager_listener.begin(m), 0);
	assert_int_equal(manager_listener.pin(&pin, m), 0);
	/* Nobody is asked by half a list. */
	set_looked(m, "/a/b", 0);
	say_pin(m, 2, p.pid, 1, "/a/b");
	client_silent(m, &c);
	set_looked(m, "/a/b", 0);
	assert_int_equal(manager_listener.end(1, m), 0);
	m->source->genl->state = GENL_SYNCED;
	check_asked(m, &c, 8192);
	client_close(m, &c);
	process_end(&p);
}

/* With invented times. */
static void test_rate(void **state)
{
	_cleanup_(callers_freep) struct callers *callers = NULL;
	uint64_t now = HOUR_USEC;

	assert_int_equal(callers_new(RELEASE_CALLS_BURST, RELEASE_CALLS_RATE, &callers), 0);
	for (int i = 0; i < RELEASE_CALLS_BURST; i++)
		assert_int_equal(callers_admit(callers, 5, now), 0);
	assert_int_equal(callers_admit(callers, 5, now), -EUSERS);
	assert_int_equal(callers_admit(callers, 6, now), 0);
	now += 1000000 / RELEASE_CALLS_RATE - 1;
	assert_int_equal(callers_admit(callers, 5, now), -EUSERS);
	now++;
	assert_int_equal(callers_admit(callers, 5, now), 0);
	assert_int_equal(callers_admit(callers, 5, now), -EUSERS);
}

static void ask_release(struct client *c)
{
	client_send(c, MANAGER("Release"), false,
		    json_pack("{s:s, s:b, s:b}", "cgroup", "/u", "async", 1, "dry_run", 1));
}

/* How often Release is answered until it is too often. */
static unsigned int count_releases(struct manager *m, struct client *c)
{
	unsigned int n = 0;

	for (;;) {
		_cleanup_json_ json_t *message = NULL;
		const char *error;

		ask_release(c);
		message = client_read(m, c);
		error = json_get_string(message, "error", NULL);
		if (!error) {
			n++;
			continue;
		}
		assert_string_equal(error, MANAGER("LimitExceeded"));
		idl_check_error(idl_org_pinguard_Manager, "LimitExceeded",
				json_object_get(message, "parameters"));
		return n;
	}
}

/* Users may ask as often as their share is; quotas of theirs have part of it. */
static void test_users(void **state)
{
	struct client admin, c, other, owner;
	struct process p, q, boss;
	struct manager *m = *state;
	uint64_t start;
	unsigned int n;

	if (geteuid() != 0)
		skip();
	process_start(&boss);
	assert_true(process_start_as(&p, USER_UID));
	assert_true(process_start_as(&q, USER_UID - 1));
	client_open(m, &admin, &boss);
	client_open(m, &c, &p);
	client_open(m, &other, &q);
	owner_register(m, &owner, &p);
	say_pin(m, 1, p.pid, 4096, "/u/v");
	cgroup_charge("/u/v", 4096);
	start = now_usec();
	n = count_releases(m, &c);
	assert_in_range(n, RELEASE_CALLS_BURST, RELEASE_CALLS_BURST +
			RELEASE_CALLS_RATE * ((now_usec() - start) / 1000000 + 1));
	ask_release(&other);
	client_error(m, &other, "org.varlink.service.PermissionDenied");
	for (int i = 0; i <= RELEASE_CALLS_BURST; i++) {
		ask_release(&admin);
		json_decref(client_reply(m, &admin, MANAGER("Release"), false));
	}
	/* The quota is set, and the asking waits for its turn. */
	json_decref(set_quota(m, &p, "/u/v", INT64_MAX, 4000));
	assert_true(quotas_find(cgroups_quotas(m->cgroups), "/u/v")->raised ||
		    releases_n_running(m->releases) == 1);
	check_asked(m, &owner, 4096);
	client_close(m, &owner);
	client_close(m, &admin);
	client_close(m, &c);
	client_close(m, &other);
	process_end(&p);
	process_end(&q);
	process_end(&boss);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_set),
		TEST(test_pinned),
		TEST(test_once),
		TEST(test_limit),
		TEST(test_slipped),
		TEST(test_order),
		TEST(test_share),
		TEST(test_resync),
		cmocka_unit_test(test_rate),
		TEST(test_users),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
