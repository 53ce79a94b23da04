/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The history of failures on disk: over restarts, damaged, and in a storm. */
#include "lib/clock.h"
#include "tests/unit/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/devices/devices-internal.h"
#include "daemon/triggers/failures-internal.h"
#include "daemon/cgroup/cgroups-internal.h"
#include "daemon/kernel/source-internal.h"
#include "daemon/manager/internal.h"
#include "daemon/base/store.h"

static struct {
	char dir[64];
	unsigned int n_writes;
	int write_error;
	struct failure_info listed;
	bool is_listed;
	uint64_t counted;
	const char *boot_id, *proc;
} fake;

int __real_store_write(int dir_fd, const char *file, json_t *root, size_t flags, size_t max_bytes);
int __wrap_store_write(int dir_fd, const char *file, json_t *root, size_t flags, size_t max_bytes);
int __wrap_genl_list_failures(struct genl *g, genl_failure_handler handler, void *userdata);
int __wrap_genl_get_info(struct genl *g, struct pin_kernel_info *ret);
uint64_t __wrap_genl_features(const struct genl *g);
enum genl_state __wrap_genl_state(const struct genl *g);
struct genl *__wrap_genl_free(struct genl *g);

int __wrap_store_write(int dir_fd, const char *file, json_t *root, size_t flags, size_t max_bytes)
{
	fake.n_writes++;
	if (!fake.write_error)
		return __real_store_write(dir_fd, file, root, flags, max_bytes);
	json_decref(root);
	return fake.write_error;
}

int __wrap_genl_list_failures(struct genl *g, genl_failure_handler handler, void *userdata)
{
	return fake.is_listed ? handler(&fake.listed, userdata) : 0;
}

int __wrap_genl_get_info(struct genl *g, struct pin_kernel_info *ret)
{
	*ret = (struct pin_kernel_info){ .failures = fake.counted };
	return 0;
}

uint64_t __wrap_genl_features(const struct genl *g)
{
	return PINGUARD_FEATURE_MEMORY_FAILURE;
}

enum genl_state __wrap_genl_state(const struct genl *g)
{
	return GENL_SYNCED;
}

struct genl *__wrap_genl_free(struct genl *g)
{
	return NULL;
}

/* Nobody holds anything. */
struct range_query {
	const struct range_listener *listener;
	void *userdata;
	sd_event_source *source;
};

static sd_event *loop;

static int on_query(sd_event_source *source, void *userdata)
{
	struct range_query *q = userdata;

	q->listener->done(0, q->userdata);
	return 0;
}

int genl_query_range(struct genl *g, const struct pfn_range *ranges, size_t n,
		     const struct range_listener *listener, void *userdata,
		     struct range_query **ret)
{
	struct range_query *q = calloc(1, sizeof(*q));

	assert_non_null(q);
	*q = (struct range_query){ .listener = listener, .userdata = userdata };
	assert_true(sd_event_add_defer(loop, &q->source, on_query, q) >= 0);
	*ret = q;
	return 0;
}

struct range_query *range_query_free(struct range_query *q)
{
	if (q)
		sd_event_source_disable_unref(q->source);
	free(q);
	return NULL;
}

static bool at_rest(void *userdata)
{
	return true;
}

static struct manager *start(void)
{
	struct triggers_config config = {
		.proc = fake.proc ?: "/proc",
		.state_dir = fake.dir,
		.boot_id = fake.boot_id,
	};
	struct manager *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	assert_true(sd_event_new(&m->event) >= 0);
	loop = m->event;
	config.source = m->source = calloc(1, sizeof(*m->source));
	config.cgroups = m->cgroups = calloc(1, sizeof(*m->cgroups));
	config.registry = m->registry = registry_new();
	config.events = m->events = events_new(0);
	config.devices = m->devices = calloc(1, sizeof(*m->devices));
	assert_non_null(m->source);
	assert_non_null(m->cgroups);
	assert_non_null(m->devices);
	m->devices->config = (struct devices_config){ .source = m->source, .at_rest = at_rest };
	assert_int_equal(inventory_new("/nonexistent", NULL, &m->devices->inventory), 0);
	assert_int_equal(triggers_new(m->event, &config, &m->triggers), 0);
	return m;
}

static void pump(struct manager *m)
{
	int r;

	do {
		r = sd_event_run(m->event, 0);
		assert_true(r >= 0);
	} while (r > 0);
}

static void say(struct manager *m, uint64_t id, uint64_t pfn, uint32_t result)
{
	const struct pin_event e = {
		.type = PIN_EVENT_FAILURE,
		.seq = registry_seq(m->registry) + 1,
		.failure = {
			.id = id,
			.pfn = pfn,
			.started_usec = id,
			.kind = PINGUARD_FAILURE_KIND_UNCORRECTED,
			.class = PINGUARD_MEMORY_CLASS_SYSTEM_RAM,
			.result = result,
			.action = "huge page",
		},
	};

	assert_true(manager_listener.event(&e, m) >= 0);
}

/* How many files have a name that starts so; the last one's name. */
static unsigned int n_files(const char *prefix, char *ret_name)
{
	DIR *dir = opendir(fake.dir);
	struct dirent *de;
	unsigned int n = 0;

	assert_non_null(dir);
	while ((de = readdir(dir))) {
		if (strncmp(de->d_name, prefix, strlen(prefix)) != 0)
			continue;
		snprintf(ret_name, NAME_MAX + 1, "%s", de->d_name);
		n++;
	}
	closedir(dir);
	return n;
}

static void write_file(const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", fake.dir, FAILURES_FILE);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static int setup(void **state)
{
	memset(&fake, 0, sizeof(fake));
	strcpy(fake.dir, "/tmp/pinguard-failures-XXXXXX");
	return mkdtemp(fake.dir) ? 0 : -1;
}

static int teardown(void **state)
{
	char name[NAME_MAX + 1], path[NAME_MAX + 80];

	while (n_files("failures", name) > 0) {
		snprintf(path, sizeof(path), "%s/%s", fake.dir, name);
		assert_int_equal(unlink(path), 0);
	}
	return rmdir(fake.dir);
}

static void test_restart(void **state)
{
	struct manager *m = start();
	struct failures *fs;
	struct failure *f;
	char name[NAME_MAX + 1];

	assert_int_equal(n_files("failures", name), 0);
	say(m, 1, 10, PINGUARD_FAILURE_RESULT_FAILED);
	say(m, 2, 11, PINGUARD_FAILURE_RESULT_RECOVERED);
	say(m, 3, 12, PINGUARD_FAILURE_RESULT_FAILED);
	pump(m);
	failures_find(m->triggers->failing->failures, 10)->pending = true;
	failures_find(m->triggers->failing->failures, 12)->pending = true;
	failing_changed(m->triggers->failing);
	manager_free(m);
	assert_int_equal(n_files("failures.json", name), 1);

	/* The service was gone while 10 was unpinned, and one more failed. */
	m = start();
	fs = m->triggers->failing->failures;
	assert_int_equal(failures_count(fs), 3);
	assert_string_equal(failures_find(fs, 10)->action, "huge page");
	assert_non_null(failures_find(fs, 10)->place);
	fake.listed = (struct failure_info){ .id = 3, .pfn = 12 };
	fake.is_listed = true;
	fake.counted = 4;
	/* never looked into: what would be asked of it is answered above */
	m->source->genl = (struct genl *)m;
	assert_int_equal(failing_list(m->triggers->failing), 0);
	pump(m);
	assert_int_equal(failures_find(fs, 10)->state, FAILURE_UNPINNED);
	assert_int_equal(failures_find(fs, 12)->state, FAILURE_OPEN);
	assert_int_equal(failures_unseen(fs), 1);
	assert_int_equal(events_next(m->events), 1);
	assert_int_equal(events_before(m->events, 1)->type, EVENT_FAILURE_DONE);
	say(m, 5, 14, PINGUARD_FAILURE_RESULT_FAILED);
	assert_int_equal(failures_find(fs, 14)->id, 4);
	f = failures_next(fs, NULL);
	assert_int_equal(f->id, 1);
	m->source->genl = NULL;
	manager_free(m);
}

static enum failure_state state_after_restart(void)
{
	struct manager *m = start();
	enum failure_state state = failures_next(m->triggers->failing->failures, NULL)->state;

	manager_free(m);
	return state;
}

/* The unit says it, or the kernel; without either nothing is taken for known. */
static void test_boot_id(void **state)
{
	struct manager *m;

	fake.boot_id = "0123456789abcdef0123456789abcdef";
	m = start();
	say(m, 1, 10, PINGUARD_FAILURE_RESULT_FAILED);
	pump(m);
	manager_free(m);
	assert_int_equal(state_after_restart(), FAILURE_OPEN);
	fake.boot_id = "01234567-89ab-cdef-0123-456789abcdef";
	assert_int_equal(state_after_restart(), FAILURE_OPEN);
	fake.boot_id = "0123456789abcdef0123456789abcdee";
	assert_int_equal(state_after_restart(), FAILURE_UNKNOWN);
	fake.boot_id = "0123";
	assert_int_equal(state_after_restart(), FAILURE_UNKNOWN);

	fake.boot_id = NULL;
	fake.proc = "/nonexistent";
	m = start();
	say(m, 1, 10, PINGUARD_FAILURE_RESULT_FAILED);
	pump(m);
	manager_free(m);
	m = start();
	assert_int_equal(failures_count(m->triggers->failing->failures), 2);
	assert_int_equal(failures_next(m->triggers->failing->failures,
				       failures_next(m->triggers->failing->failures, NULL))->state,
			 FAILURE_UNKNOWN);
	manager_free(m);
}

static void test_corrupt(void **state)
{
	static const char *const texts[] = {
		"", "{", "[]", "{\"version\":1}", "{\"version\":2,\"failures\":[]}",
		"{\"version\":1,\"boot_id\":\"x\",\"next_id\":2,\"seen\":0,\"last_kernel_id\":0,"
		"\"failures\":[{\"id\":1}]}",
	};
	char name[NAME_MAX + 1], path[NAME_MAX + 80];

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct manager *m;

		write_file(texts[i]);
		m = start();
		assert_int_equal(failures_count(m->triggers->failing->failures), 0);
		assert_int_equal(n_files("failures.json", name), 1);
		assert_int_equal(strncmp(name, "failures.json.corrupt-", 22), 0);
		/* It goes on, with a file of its own. */
		say(m, 1, 10, PINGUARD_FAILURE_RESULT_FAILED);
		pump(m);
		manager_free(m);
		assert_int_equal(n_files("failures.json", name), 2);
		while (n_files("failures.json", name) > 0) {
			snprintf(path, sizeof(path), "%s/%s", fake.dir, name);
			assert_int_equal(unlink(path), 0);
		}
	}
}

/* Ten thousand within a moment are not ten thousand writes. */
static void test_storm(void **state)
{
	const uint64_t before = clock_usec(CLOCK_MONOTONIC);
	struct manager *m = start();
	uint64_t passed;

	for (uint64_t i = 1; i <= 10000; i++) {
		say(m, i, i, PINGUARD_FAILURE_RESULT_RECOVERED);
		if (i % 100 == 0)
			pump(m);
	}
	pump(m);
	passed = clock_usec(CLOCK_MONOTONIC) - before;
	assert_true(fake.n_writes >= 1);
	assert_true(fake.n_writes <= 1 + passed / FAILURES_PAUSE_USEC);
	assert_int_equal(failures_count(m->triggers->failing->failures), FAILURES_MAX);
	/* What is over made room for all of them. */
	assert_int_equal(failures_unseen(m->triggers->failing->failures), 0);
	assert_non_null(failures_find(m->triggers->failing->failures, 10000));
	assert_null(failures_find(m->triggers->failing->failures, 1));
	manager_free(m);
	/* All that is remembered fits, and can be read again. */
	m = start();
	assert_int_equal(failures_count(m->triggers->failing->failures), FAILURES_MAX);
	assert_non_null(failures_find(m->triggers->failing->failures, 10000));
	manager_free(m);
}

/* A full disk is no reason to stop, and what was there stays. */
static void test_full_disk(void **state)
{
	struct manager *m = start();
	char name[NAME_MAX + 1];

	say(m, 1, 10, PINGUARD_FAILURE_RESULT_FAILED);
	pump(m);
	manager_free(m);
	assert_true(fake.n_writes >= 1);
	fake.n_writes = 0;
	fake.write_error = -ENOSPC;
	m = start();
	say(m, 2, 11, PINGUARD_FAILURE_RESULT_FAILED);
	pump(m);
	assert_true(fake.n_writes >= 1);
	manager_free(m);
	fake.write_error = 0;
	m = start();
	assert_int_equal(failures_count(m->triggers->failing->failures), 1);
	assert_int_equal(n_files("failures.json", name), 1);
	manager_free(m);
}

/* What cannot be opened is left alone, and nothing is kept. */
static void test_no_directory(void **state)
{
	struct manager *m;

	assert_int_equal(rmdir(fake.dir), 0);
	m = start();
	say(m, 1, 10, PINGUARD_FAILURE_RESULT_FAILED);
	pump(m);
	assert_int_equal(failures_count(m->triggers->failing->failures), 1);
	manager_free(m);
	assert_int_equal(fake.n_writes, 0);
	assert_int_equal(mkdir(fake.dir, 0700), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_restart), TEST(test_corrupt), TEST(test_storm), TEST(test_full_disk),
		TEST(test_no_directory), TEST(test_boot_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
