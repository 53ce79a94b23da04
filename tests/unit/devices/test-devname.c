/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices by the names that people give them. */
#include <sys/sysmacros.h>

#include "tests/unit/tree.h"

#include "daemon/devices/devname.h"
#include "daemon/model/render.h"

static int setup(void **state)
{
	tree_new();
	tree_put("class/infiniband/rxe0/node_type", "1: CA\n");
	tree_put("bus/pci/devices/0000:00:04.0/vendor", "0x8086\n");
	tree_put("bus/pci/devices/0000:00:05.0/vendor", "0x8086\n");
	tree_put("bus/pci/devices/0000:81:00.0/infiniband/mlx5_0/", NULL);
	tree_put("kernel/iommu_groups/12/devices/0000:00:04.0", "");
	tree_put("kernel/iommu_groups/12/devices/0000:00:04.1", "");
	tree_link("bus/pci/devices/0000:00:04.0/iommu_group", "../../../../kernel/iommu_groups/12");
	tree_link("class/vfio-dev/vfio0/device", "../../../devices/pci0000:00/0000:00:04.0");
	tree_put("class/vfio-dev/vfio0/dev", "511:0\n");
	tree_put("bus/pci/devices/0000:00:04.0/vfio-dev/vfio0/", NULL);
	tree_put("class/vfio/12/dev", "10:12\n");
	tree_put("class/infiniband_verbs/uverbs0/ibdev", "rxe0\n");
	tree_put("class/infiniband_verbs/uverbs0/dev", "231:192\n");
	tree_put("class/infiniband_verbs/uverbs1/ibdev", "mlx5_0\n");
	tree_put("class/infiniband_verbs/uverbs1/dev", "231:193\n");
	tree_put("class/infiniband_verbs/abi_version", "6\n");
	tree_link("class/vfio-dev/vfio1/device", "../../../devices/mdev/83b8f4f2-509f");
	tree_put("bus/vdpa/devices/sim0/vhost-vdpa-0/dev", "234:0\n");
	tree_put("bus/vdpa/devices/sim0/driver_override", "(null)\n");
	tree_put("bus/vdpa/devices/disk0/vhost-vdpa-1/dev", "234:1\n");
	tree_put("class/vduse/disk0/dev", "235:1\n");
	tree_put("class/vduse/disk1/dev", "235:2\n");
	tree_put("class/vduse/control/dev", "235:0\n");
	tree_put("class/misc/iommu/dev", "10:126\n");
	return 0;
}

/* "NAME", or "NAME*KIND" where it is of a kind alone, by a space, in any order. */
static void check(const char *name, const char *want)
{
	struct devnames names = {};
	char text[128];
	size_t found = 0, n = want[0] ? 1 : 0;

	assert_int_equal(devnames_find(tree, name, &names), 0);
	for (const char *c = want; *c; c++)
		n += *c == ' ';
	for (size_t i = 0; i < names.n; i++) {
		snprintf(text, sizeof(text), names.all[i].kind ? "%s*%s" : "%s", names.all[i].name,
			 render_kind(names.all[i].kind));
		for (const char *c = want; c; c = strchr(c, ' ') ? strchr(c, ' ') + 1 : NULL)
			found += strcspn(c, " ") == strlen(text) &&
				 strncmp(c, text, strlen(text)) == 0;
	}
	if (names.n != n || found != n)
		fail_msg("%s: %zu names, the first is %s", name, names.n, names.all[0].name);
}

static void test_names(void **state)
{
	check("rxe0", "rxe0");
	check("0000:00:04.0", "0000:00:04.0 0000:00:04.1*vfio");
	check("0000:00:05.0", "0000:00:05.0");
	check("0000:81:00.0", "0000:81:00.0 mlx5_0");
	check("/dev/vfio/12", "0000:00:04.0*vfio 0000:00:04.1*vfio");
	check("/dev/vfio/devices/vfio0", "0000:00:04.0 0000:00:04.1*vfio");
	check("/dev/vfio/devices/vfio1", "83b8f4f2-509f");
	check("sim0", "sim0");
	check("disk1", "disk1");
	check("/dev/vhost-vdpa-1", "disk0");
	check("/dev/vduse/disk1", "disk1");
	check("/dev/iommu", "*iommufd");
}

/* "MAJOR:MINOR ", with "*" where others may have it open for themselves. */
static void check_numbers(const char *name, const char *want)
{
	struct device_numbers numbers;
	struct devnames names;
	char text[128] = "";

	assert_int_equal(devnames_find(tree, name, &names), 0);
	assert_int_equal(devnames_find_numbers(tree, &names, &numbers), 0);
	for (size_t i = 0; i < numbers.n; i++) {
		assert_false(numbers.all[i].block);
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%u:%u%s ",
			 major(numbers.all[i].number), minor(numbers.all[i].number),
			 numbers.all[i].shared ? "*" : "");
	}
	assert_string_equal(text, want);
}

static void test_numbers(void **state)
{
	check_numbers("rxe0", "231:192* ");
	check_numbers("0000:81:00.0", "231:193* ");
	check_numbers("0000:00:04.0", "511:0 10:12 ");
	check_numbers("/dev/vfio/12", "511:0 10:12 ");
	check_numbers("0000:00:05.0", "");
	check_numbers("sim0", "234:0 ");
	check_numbers("/dev/vhost-vdpa-1", "234:1 235:1 ");
	check_numbers("disk1", "235:2 ");
	check_numbers("/dev/iommu", "10:126* ");
}

static void check_kind(uint32_t kind, dev_t want)
{
	struct device_numbers numbers;

	assert_int_equal(devnames_find_kind_numbers(tree, kind, &numbers), want ? 0 : -ENOENT);
	assert_int_equal(numbers.n, want ? 1 : 0);
	if (!want)
		return;
	assert_true(numbers.all[0].number == want);
	assert_true(numbers.all[0].shared);
}

/* Of pins that name no device. */
static void test_kind_numbers(void **state)
{
	check_kind(PINGUARD_KIND_VFIO, 0);
	tree_put("class/misc/vfio/dev", "10:196\n");
	check_kind(PINGUARD_KIND_VFIO, makedev(10, 196));
	check_kind(PINGUARD_KIND_IOMMUFD, makedev(10, 126));
	tree_put("class/misc/udmabuf/dev", "10:127\n");
	check_kind(PINGUARD_KIND_UDMABUF, 0);
	tree_remove("class/misc/udmabuf");
	check_kind(PINGUARD_KIND_RDMA, 0);
	check_kind(PINGUARD_KIND_IO_URING, 0);
	check_kind(PIN_KIND_UNKNOWN, 0);
}

static const char *const unknown[] = {
	"", ".", "..", "rxe1", "rxe0/", "/", "../infiniband/rxe0", "0000:00:04.9", "/dev/vfio/",
	"/dev/vfio/13", "/dev/vfio/vfio", "/dev/vfio/noiommu-0", "/dev/vfio/../vfio/12",
	"/dev/vfio/devices/", "/dev/vfio/devices/vfio2", "/dev/vfio/devices/../vfio-dev/vfio0",
	"/dev/vfio/12/devices", "sim1", "control", "/dev/vhost-vdpa-", "/dev/vhost-vdpa-2",
	"/dev/vhost-vdpa-0/dev", "/dev/vduse/", "/dev/vduse/control", "/dev/vduse/disk2",
	"/dev/vduse/../misc/iommu", "/dev/udmabuf", "/dev/iommu/", "/dev/null", "iommu",
	"0123456789012345678901234567890123456789012345678901234567890123",
};

static void test_unknown(void **state)
{
	struct devnames names = { .n = 99 };

	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
		if (devnames_find(tree, unknown[i], &names) != -ENOENT || names.n != 99)
			fail_msg("\"%s\" is found", unknown[i]);
}

static void test_limit(void **state)
{
	struct devnames names;
	char path[128];

	for (unsigned int i = 0; i <= DEVNAMES_MAX; i++) {
		snprintf(path, sizeof(path), "kernel/iommu_groups/13/devices/0000:%02x:00.0", i);
		tree_put(path, "");
	}
	assert_int_equal(devnames_find(tree, "/dev/vfio/13", &names), 0);
	assert_int_equal(names.n, DEVNAMES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_kind_numbers),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, setup, tree_teardown);
}
