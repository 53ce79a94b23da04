/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the rdma controller limits. */
#include "tests/unit/tree.h"

#include "daemon/cgroup/rdma.h"
#include "lib/macros.h"

static void test_parse(void **state)
{
	const char *text = "rxe0 hca_handle=2 hca_object=2000\nrxe1 hca_handle=3 hca_object=max\n"
			   "rxe2 hca_handle=3\nrxe3 hca_object=x\nrxe4 hca_object=1x\nrxe5 hca_object=5";
	char device[CGROUP_RDMA_NAME_MAX];
	uint64_t objects = 0;

	text = cgroup_rdma_parse(text, device, &objects);
	assert_string_equal(device, "rxe0");
	assert_int_equal(objects, 2000);
	text = cgroup_rdma_parse(text, device, &objects);
	assert_string_equal(device, "rxe1");
	assert_int_equal(objects, UINT64_MAX);
	for (int i = 0; i < 3; i++) {
		text = cgroup_rdma_parse(text, device, &objects);
		assert_string_equal(device, "");
	}
	text = cgroup_rdma_parse(text, device, &objects);
	assert_string_equal(device, "rxe5");
	assert_int_equal(objects, 5);
	assert_non_null(text);
	assert_null(cgroup_rdma_parse(text, device, &objects));
	/* a name as long as may be, and one longer */
	text = "012345678901234567890123456789012345678901234567890123456789012 hca_object=1\n"
	       "0123456789012345678901234567890123456789012345678901234567890123 hca_object=1\n";
	text = cgroup_rdma_parse(text, device, &objects);
	assert_int_equal(strlen(device), CGROUP_RDMA_NAME_MAX - 1);
	(void)cgroup_rdma_parse(text, device, &objects);
	assert_string_equal(device, "");
}

static int read_tree(struct cgroup_rdma *ret)
{
	_cleanup_(closep) int fd = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return cgroup_rdma_read(fd, ret);
}

static void test_read(void **state)
{
	struct cgroup_rdma all[CGROUP_RDMA_DEVICES_MAX];
	char text[CGROUP_RDMA_FILE_MAX] = "";
	size_t n = 0;

	assert_int_equal(read_tree(all), 0);
	tree_put("rdma.max", "rxe0 hca_handle=max hca_object=max\nrxe1 hca_handle=max hca_object=3\n");
	tree_put("rdma.current", "rxe0 hca_handle=1 hca_object=1\nrxe1 hca_handle=1 hca_object=2\n");
	assert_int_equal(read_tree(all), 1);
	assert_string_equal(all[0].device, "rxe1");
	assert_int_equal(all[0].max, 3);
	assert_int_equal(all[0].current, 2);
	tree_put("rdma.current", "");
	assert_int_equal(read_tree(all), 1);
	assert_int_equal(all[0].current, 0);
	for (int i = 0; i <= CGROUP_RDMA_DEVICES_MAX; i++)
		n += (size_t)sprintf(text + n, "rxe%d hca_object=%d\n", i, i);
	tree_put("rdma.max", text);
	assert_int_equal(read_tree(all), CGROUP_RDMA_DEVICES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test_setup_teardown(test_read, tree_setup, tree_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
