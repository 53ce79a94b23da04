/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Functions of kernels that are made up, and the table of those that are hooked. */
#include "tests/unit/unit.h"

#include "lib/probe-layout.h"
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
		for (size_t j = 0; j < ARRAY_SIZE(hook_kinds[i].sets); j++)
			check_order(&hook_kinds[i].sets[j]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_types), TEST(test_void), TEST(test_many),
		cmocka_unit_test(test_table), cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
