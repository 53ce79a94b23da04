/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The history of failures as its file has it, whole and damaged. */
#include "tests/unit/unit.h"

#include "daemon/model/failure.h"
#include "daemon/model/place.h"
#include "lib/json.h"

#define BOOT  "00000000000040008000000000000001"
#define OTHER "00000000000040008000000000000002"
#define OWNER \
	"[{\"pid\":12,\"comm\":\"a\\\\x1b\",\"uid\":0,\"cgroup\":\"/a.service\",\"pin\":\"0x5\"," \
	"\"kind\":\"rdma\",\"device\":\"rxe0\",\"address\":null,\"bytes\":4096," \
	"\"registered\":true}]"

static char *place_text(uint64_t phys)
{
	_cleanup_json_ json_t *json = NULL;
	struct place place;

	place_init(&place, phys);
	place_set_frame(&place, PINGUARD_MEMORY_CLASS_SYSTEM_RAM, true, NULL);
	json = place_to_json(&place);
	assert_non_null(json);
	return json_dumps(json, JSON_COMPACT);
}

static struct failure *add(struct failures *fs, uint64_t id, uint64_t pfn, uint32_t result)
{
	const struct failure_info info = {
		.id = id,
		.pfn = pfn,
		.started_usec = id,
		.kind = PINGUARD_FAILURE_KIND_UNCORRECTED,
		.class = PINGUARD_MEMORY_CLASS_SYSTEM_RAM,
		.result = result,
		.action = "unsplit\x1b thp",
	};
	struct failure *f;

	assert_int_equal(failures_add(fs, &info, id, &f), 1);
	failure_set_place(f, place_text(pfn << 12));
	return f;
}

/* 1 is in use, and held; 2 is isolated; 3 is in use by the kernel itself; 4 of them are unseen. */
static json_t *history(void)
{
	struct failures *fs;
	struct failure *f;
	json_t *root;

	assert_int_equal(failures_new(BOOT, NULL, &fs), 0);
	f = add(fs, 1, 10, PINGUARD_FAILURE_RESULT_FAILED);
	failure_set_owners(f, strdup(OWNER), 1, 7);
	memcpy(f->token, "0123456789abcdef0123456789abcdef", sizeof(f->token));
	f->pending = true;
	add(fs, 2, 11, PINGUARD_FAILURE_RESULT_RECOVERED);
	add(fs, 7, 12, PINGUARD_FAILURE_RESULT_IGNORED);
	root = failures_to_json(fs);
	assert_non_null(root);
	failures_free(fs);
	return root;
}

static struct failures *load(const json_t *root, const char *boot_id)
{
	struct failures *fs;

	assert_int_equal(failures_new(boot_id, NULL, &fs), 0);
	assert_int_equal(failures_from_json(fs, root), 0);
	return fs;
}

static void on_ended(struct failure *f, void *userdata)
{
	(*(unsigned int *)userdata)++;
}

static void test_same_boot(void **state)
{
	_cleanup_json_ json_t *root = history(), *before = NULL, *after = NULL;
	struct failures *fs = load(root, BOOT);
	struct failure *f = failures_find(fs, 10);
	const struct failure_info next = { .id = 8, .pfn = 13 };
	unsigned int n_ended = 0;

	assert_int_equal(failures_count(fs), 3);
	assert_int_equal(f->state, FAILURE_OPEN);
	assert_string_equal(f->action, "unsplit\x1b thp");
	assert_string_equal(f->token, "0123456789abcdef0123456789abcdef");
	assert_int_equal(f->n_owners, 1);
	assert_int_equal(f->owners_omitted, 7);
	assert_int_equal(f->step, FAILURE_IDLE);
	assert_true(f->told);
	assert_int_equal(failures_find(fs, 11)->state, FAILURE_ISOLATED);
	assert_int_equal(failures_unseen(fs), 4);
	/* Nothing is lost on the way. */
	before = failures_to_json(fs);
	assert_true(json_equal(root, before));

	/* The kernel does not have it any more; the other was never a device's. */
	failures_begin_list(fs);
	failures_end_list(fs, 1000, on_ended, &n_ended);
	assert_int_equal(n_ended, 1);
	assert_int_equal(f->state, FAILURE_UNPINNED);
	assert_int_equal(failures_find(fs, 12)->state, FAILURE_OPEN);
	/* Numbers go on. */
	assert_int_equal(failures_add(fs, &next, 9, &f), 1);
	assert_int_equal(f->id, 4);
	failures_free(fs);
}

/* The service was started anew, the machine was not: who holds it is looked for again. */
static void test_listed_again(void **state)
{
	const struct failure_info info = { .id = 1, .pfn = 10 };
	_cleanup_json_ json_t *root = history();
	struct failures *fs = load(root, BOOT);
	struct failure *f;

	failures_begin_list(fs);
	assert_int_equal(failures_list(fs, &info, 9, &f), 0);
	assert_int_equal(f->id, 1);
	assert_int_equal(f->step, FAILURE_WAITING);
	assert_int_equal(failures_unseen(fs), 4);
	failures_free(fs);
}

/* One that was recovered at once, and of which the service saw no more before it ended. */
static void test_recovered_listed(void **state)
{
	const struct failure_info info = { .id = 2, .pfn = 11 };
	_cleanup_json_ json_t *root = history();
	struct failures *fs = load(root, BOOT);
	struct failure *f;

	assert_int_equal(failures_list(fs, &info, 9, &f), 1);
	assert_int_equal(f->id, 2);
	assert_int_equal(f->state, FAILURE_OPEN);
	failures_free(fs);
}

static void test_other_boot(void **state)
{
	_cleanup_json_ json_t *root = history(), *json = NULL;
	const struct failure_info same = { .id = 1, .pfn = 10 };
	struct failures *fs = load(root, OTHER);
	struct failure *f = failures_next(fs, NULL);

	assert_int_equal(f->state, FAILURE_UNKNOWN);
	json = failure_to_json(f);
	assert_string_equal(json_get_string(json, "state", ""), "unknown");
	assert_true(json_is_null(json_object_get(json, "ended_usec")));
	assert_int_equal(failures_next(fs, f)->state, FAILURE_ISOLATED);
	/* The kernel counts from 1 again, and the frame is another's now. */
	assert_int_equal(failures_unseen(fs), 0);
	assert_null(failures_find(fs, 10));
	assert_int_equal(failures_add(fs, &same, 9, &f), 1);
	assert_int_equal(f->id, 4);
	assert_int_equal(failures_unseen(fs), 0);
	failures_free(fs);
}

static void check_bad(const json_t *root)
{
	const struct failure_info info = { .id = 1, .pfn = 10 };
	struct failures *fs;
	struct failure *f;

	assert_int_equal(failures_new(BOOT, NULL, &fs), 0);
	assert_int_equal(failures_from_json(fs, root), -EBADMSG);
	/* It is started anew. */
	assert_int_equal(failures_count(fs), 0);
	assert_int_equal(failures_unseen(fs), 0);
	assert_int_equal(failures_add(fs, &info, 9, &f), 1);
	assert_int_equal(f->id, 1);
	failures_free(fs);
}

/* Each key of an entry, missing or of a wrong kind. */
static void test_bad_entries(void **state)
{
	_cleanup_json_ json_t *root = history();
	json_t *entry = json_array_get(json_object_get(root, "failures"), 1);
	_cleanup_json_ json_t *keys = json_deep_copy(entry);
	const char *key;
	json_t *value;

	json_object_foreach(keys, key, value) {
		json_object_del(entry, key);
		check_bad(root);
		json_object_set_new(entry, key, json_pack("[i]", 1));
		check_bad(root);
		json_object_set_new(entry, key, json_integer(-1));
		check_bad(root);
		json_object_set_new(entry, key, json_string("no such thing"));
		if (strcmp(key, "action") != 0)
			check_bad(root);
		json_object_set(entry, key, value);
	}
}

static void test_bad_roots(void **state)
{
	static const char *const keys[] = { "boot_id", "next_id", "seen", "last_kernel_id",
					    "failures" };
	_cleanup_json_ json_t *good = history();

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		_cleanup_json_ json_t *root = json_deep_copy(good);

		json_object_del(root, keys[i]);
		check_bad(root);
		json_object_set_new(root, keys[i], json_true());
		check_bad(root);
	}
}

/* The same number twice, one that has not been given yet, too many entries. */
static void test_bad_numbers(void **state)
{
	_cleanup_json_ json_t *root = history();
	json_t *array = json_object_get(root, "failures");
	json_t *last = json_array_get(array, 2);

	json_object_set_new(last, "id", json_integer(2));
	check_bad(root);
	json_object_set_new(last, "id", json_integer(4));
	check_bad(root);
	json_object_set_new(root, "next_id", json_integer(10000));
	for (json_int_t i = 4; i < FAILURES_MAX + 1; i++) {
		json_t *entry = json_deep_copy(last);

		json_object_set_new(entry, "id", json_integer(i + 1));
		json_object_set_new(entry, "pfn", json_hex(100 + i));
		json_array_append_new(array, entry);
	}
	assert_int_equal(json_array_size(array), FAILURES_MAX);
	failures_free(load(root, BOOT));
	json_object_set_new(last, "id", json_integer(3));
	json_array_insert(array, 2, last);
	check_bad(root);
}

static void test_bad_owners(void **state)
{
	_cleanup_json_ json_t *root = history();
	json_t *entry = json_array_get(json_object_get(root, "failures"), 0);
	json_t *owners = json_object_get(entry, "owners"), *owner = json_array_get(owners, 0);
	_cleanup_json_ json_t *keys = json_deep_copy(owner);
	const char *key;
	json_t *value;

	json_object_foreach(keys, key, value) {
		json_object_del(owner, key);
		check_bad(root);
		json_object_set_new(owner, key, json_real(0.5));
		check_bad(root);
		json_object_set(owner, key, value);
	}
	while (json_array_size(owners) < FAILURE_OWNERS_MAX)
		json_array_append(owners, owner);
	failures_free(load(root, BOOT));
	json_array_append(owners, owner);
	check_bad(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_boot),   cmocka_unit_test(test_listed_again),
		cmocka_unit_test(test_recovered_listed),
		cmocka_unit_test(test_other_boot),  cmocka_unit_test(test_bad_entries),
		cmocka_unit_test(test_bad_roots),   cmocka_unit_test(test_bad_numbers),
		cmocka_unit_test(test_bad_owners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
