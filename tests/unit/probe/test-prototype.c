/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Functions of kernels that are made up, and the table of those that are hooked. */
#include <linux/pinguard.h>

#include "tests/unit/unit.h"

#include "lib/probe-layout.h"
#include "probe/failure-words.h"
#include "probe/prototype.h"

static struct btf *btf;
static int number, task, task_pointer, const_task_pointer, task_pointer_pointer;

static int setup(void **state)
{
	btf = btf__new_empty();
	assert_non_null(btf);
	number = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	task = btf__add_struct(btf, "task", 4);
	assert_int_equal(btf__add_field(btf, "pid", number, 0, 0), 0);
	task_pointer = btf__add_ptr(btf, btf__add_typedef(btf, "task_t", task));
	const_task_pointer = btf__add_ptr(btf, btf__add_const(btf, task));
	task_pointer_pointer = btf__add_ptr(btf, btf__add_const(btf, task_pointer));
	return 0;
}

static int teardown(void **state)
{
	btf__free(btf);
	return 0;
}

static void add_function(const char *name, int returns, const int *parameters, size_t n)
{
	int prototype = btf__add_func_proto(btf, returns);

	assert_true(prototype > 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(btf__add_func_param(btf, "p", parameters[i]), 0);
	assert_true(btf__add_func(btf, name, BTF_FUNC_STATIC, prototype) > 0);
}

static int check(const char *name, const char *const types[HOOK_TYPES_MAX])
{
	struct hook hook = { .function = name };

	memcpy(hook.types, types, sizeof(hook.types));
	return prototype_check(btf, &hook);
}
#define CHECK(name, ...) check(name, (const char *[HOOK_TYPES_MAX]){ __VA_ARGS__ })

static void test_types(void **state)
{
	const int parameters[] = { number, task_pointer, const_task_pointer, task_pointer_pointer };

	add_function("f", task_pointer, parameters, ARRAY_SIZE(parameters));
	assert_int_equal(CHECK("f", "task", "", "task", "task", "task"), 0);
	assert_int_equal(CHECK("g", "task", "", "task", "task", "task"), -ENOENT);
	/* It returns another, has another parameter, one less, one more. */
	assert_int_equal(CHECK("f", "", "", "task", "task", "task"), -EPROTO);
	assert_int_equal(CHECK("f", "task", "task", "task", "task", "task"), -EPROTO);
	assert_int_equal(CHECK("f", "task", "", "job", "task", "task"), -EPROTO);
	assert_int_equal(CHECK("f", "task", "", "task", "task"), -EPROTO);
	assert_int_equal(CHECK("f", "task", "", "task", "task", "task", ""), -EPROTO);
	/* A structure's name alone is no function. */
	assert_int_equal(CHECK("task", ""), -ENOENT);
}

static void test_void(void **state)
{
	const int parameters[] = { task };

	add_function("none", 0, NULL, 0);
	assert_int_equal(CHECK("none", ""), 0);
	assert_int_equal(CHECK("none", "", ""), -EPROTO);
	/* By value it is none that could be followed. */
	add_function("value", number, parameters, 1);
	assert_int_equal(CHECK("value", "", ""), 0);
	assert_int_equal(CHECK("value", "", "task"), -EPROTO);
}

static void test_tracepoint(void **state)
{
	const struct hook hook = { .function = HOOK_TRACEPOINT "failed", .types = { "", "", "", "task" } };
	int data = btf__add_ptr(btf, 0), prototype;

	assert_int_equal(prototype_check(btf, &hook), -ENOENT);
	prototype = btf__add_func_proto(btf, 0);
	assert_int_equal(btf__add_func_param(btf, "data", data), 0);
	assert_int_equal(btf__add_func_param(btf, "pfn", number), 0);
	assert_int_equal(btf__add_func_param(btf, "task", task_pointer), 0);
	assert_true(btf__add_typedef(btf, HOOK_TRACEPOINT "failed", btf__add_ptr(btf, prototype)) > 0);
	assert_true(prototype_is_tracepoint(&hook));
	assert_int_equal(prototype_check(btf, &hook), 0);
	assert_int_equal(CHECK(HOOK_TRACEPOINT "failed", "", "", "", ""), -EPROTO);
	assert_int_equal(CHECK(HOOK_TRACEPOINT "failed", "", "", ""), -EPROTO);
	/* A function of that name is none, nor is a name for a number. */
	add_function(HOOK_TRACEPOINT "other", 0, NULL, 0);
	assert_int_equal(CHECK(HOOK_TRACEPOINT "other", ""), -ENOENT);
	assert_true(btf__add_typedef(btf, HOOK_TRACEPOINT "number", number) > 0);
	assert_int_equal(CHECK(HOOK_TRACEPOINT "number", ""), -ENOENT);
}

/* Numbers differ between kernels, and there may be more of them. */
static void test_words(void **state)
{
	struct failure_words words;

	failure_words_find(btf, &words);
	assert_string_equal(words.actions[0], "unknown page");
	assert_int_equal(words.results[3], PINGUARD_FAILURE_RESULT_FAILED);
	assert_true(btf__add_enum(btf, "mf_action_page_type", 4) > 0);
	assert_int_equal(btf__add_enum_value(btf, "MF_MSG_UNSPLIT_THP", 0), 0);
	assert_int_equal(btf__add_enum_value(btf, "MF_MSG_NEW_ONE", 1), 0);
	assert_int_equal(btf__add_enum_value(btf, "MF_MSG_TOO_MANY", FAILURE_WORDS_MAX), 0);
	assert_int_equal(btf__add_enum_value(btf, "MF_MSG_NEGATIVE", -1), 0);
	assert_true(btf__add_enum(btf, "mf_result", 4) > 0);
	assert_int_equal(btf__add_enum_value(btf, "MF_RECOVERED", 0), 0);
	assert_int_equal(btf__add_enum_value(btf, "MF_NEW", 1), 0);
	failure_words_find(btf, &words);
	assert_string_equal(words.actions[0], "unsplit thp");
	assert_string_equal(words.actions[1], "new one");
	assert_string_equal(words.actions[2], "unknown page");
	assert_string_equal(words.actions[FAILURE_WORDS_MAX - 1], "unknown page");
	assert_int_equal(words.results[0], PINGUARD_FAILURE_RESULT_RECOVERED);
	assert_int_equal(words.results[1], PINGUARD_FAILURE_RESULT_FAILED);
}

/* As many as a program can have, and one more. */
static void test_many(void **state)
{
	int parameters[HOOK_TYPES_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(parameters); i++)
		parameters[i] = number;
	add_function("most", number, parameters, HOOK_TYPES_MAX - 1);
	assert_int_equal(CHECK("most", "", "", "", "", "", "", "", "", "", ""), 0);
	add_function("more", number, parameters, HOOK_TYPES_MAX);
	assert_int_equal(CHECK("more", "", "", "", "", "", "", "", "", "", ""), -EPROTO);
}

static void test_table(void **state)
{
	for (size_t i = 0; i < n_hook_kinds; i++) {
		const struct hook_kind *kind = &hook_kinds[i];

		assert_in_range(kind->kind, 1, PROBE_KINDS_MAX - 1);
		/* Either it can be watched, or it is said why not. */
		assert_true(!kind->never == (kind->sets[0].n > 0));
		for (size_t j = 0; j < ARRAY_SIZE(kind->sets); j++)
			for (size_t k = 0; k < kind->sets[j].n; k++)
				assert_non_null(kind->sets[j].hooks[k].types[0]);
	}
}

static bool ends_with(const char *text, const char *end)
{
	const size_t n = strlen(text), n_end = strlen(end);

	return n >= n_end && strcmp(text + n - n_end, end) == 0;
}

/* A pin that is given back before that is seen would stay listed. */
static void check_order(const struct hook_set *set)
{
	bool pins = false;

	for (size_t i = 0; i < set->n; i++) {
		const char *program = set->hooks[i].program;

		if (ends_with(program, "_pin"))
			pins = true;
		else if (ends_with(program, "_unpin") || ends_with(program, "_unpinned") ||
			 ends_with(program, "_unpin_some") ||
			 ends_with(program, "_remove") || ends_with(program, "_removed") ||
			 ends_with(program, "_free"))
			assert_false(pins);
	}
	assert_true(pins || set->n == 0);
}

static void test_order(void **state)
{
	for (size_t i = 0; i < n_hook_kinds; i++)
		for (size_t j = 0; j < ARRAY_SIZE(hook_kinds[i].sets) &&
				   hook_kinds[i].kind != PROBE_KIND_FAILURE; j++)
			check_order(&hook_kinds[i].sets[j]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_types), TEST(test_void), TEST(test_many), TEST(test_tracepoint), TEST(test_words),
		cmocka_unit_test(test_table), cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
