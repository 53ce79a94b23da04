/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The observer against a /proc made of files, and its parsers. */
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <rdma/rdma_netlink.h>

#include "tests/unit/tree.h"

#include "daemon/kernel/observe.h"
#include "daemon/kernel/procfs.h"
#include "daemon/kernel/rdmamsg.h"

static const struct {
	const char *pid, *status, *cgroup;
} processes[] = {
	{ "1", "Name:\tinit\nUid:\t0\t0\t0\t0\nVmLck:\t       0 kB\nVmPin:\t       0 kB\n", "0::/\n" },
	{ "2", "Name:\tkthread\nUid:\t0\t0\t0\t0\n", "0::/\n" },
	{ "77", "Name:\tVmPin: 5\nUid:\t7\t1000\t0\t0\nVmLck:\t      16 kB\nVmPin:\t    8192 kB\n",
	  "1:name=systemd:/x\n0::/a.slice/b.service\n" },
	{ "78", "Name:\tlocker\nUid:\t0\t0\t0\t0\nVmLck:\t       4 kB\nVmPin:\t       0 kB\n", "" },
	{ "79", "no status at all", "0::/\n" },
	{ "self", "Name:\tself\nUid:\t0\t0\t0\t0\nVmPin:\t    1 kB\n", "0::/\n" },
};

static int setup(void **state)
{
	static const char *const files[] = { "status", "cgroup", "comm" };
	char path[64];

	tree_new();
	for (size_t i = 0; i < ARRAY_SIZE(processes); i++) {
		const char *const texts[] = { processes[i].status, processes[i].cgroup, "a\nb\xff\n" };

		for (size_t j = 0; j < ARRAY_SIZE(files); j++) {
			snprintf(path, sizeof(path), "%s/%s", processes[i].pid, files[j]);
			tree_put(path, texts[j]);
		}
	}
	return 0;
}

static int on_begin(void *userdata)
{
	return 0;
}

static int on_pin(const struct pin_info *pin, void *userdata)
{
	return 0; /* of the machine that runs the test */
}

static int on_end(uint64_t seq, void *userdata)
{
	return sd_event_exit(userdata, 0);
}

static void test_processes(void **state)
{
	static const struct source_listener listener = { .begin = on_begin, .pin = on_pin, .end = on_end };
	struct observe_config config = { .proc = tree, .reason = "why", .listener = &listener };
	_cleanup_(observe_freep) struct observe *o = NULL;
	const struct observe_process *p;
	sd_event *event;
	size_t n, i;
	uint64_t pinned = 0, locked = 0;

	assert_int_equal(sd_event_new(&event), 0);
	config.userdata = event;
	assert_int_equal(observe_new(event, &config, &o), 0);
	assert_int_equal(observe_refresh(o), 0);
	assert_int_equal(observe_refresh(o), 0);
	assert_int_equal(sd_event_loop(event), 0);
	p = observe_processes(o, &n);
	assert_int_equal(n, 2);
	for (i = 0; i < n; i++) {
		pinned += p[i].pinned_bytes;
		locked += p[i].locked_bytes;
		if (p[i].pinned_bytes)
			assert_int_equal(p[i].uid, 1000);
	}
	assert_int_equal(pinned, 8192 * 1024);
	assert_int_equal(locked, 20 * 1024);
	sd_event_unref(event);
}

static void test_process_files(void **state)
{
	int fd = open(tree, O_RDONLY | O_DIRECTORY);
	char comm[PIN_COMM_MAX], *cgroup = NULL;
	struct proc_status st;

	/* A newline inside a name is part of it. */
	assert_int_equal(procfs_read_comm(fd, 77, comm, sizeof(comm)), 4);
	assert_memory_equal(comm, "a\nb\xff", 4);
	assert_int_equal(procfs_read_cgroup(fd, 77, &cgroup), 0);
	assert_string_equal(cgroup, "/a.slice/b.service");
	free(cgroup);
	assert_int_equal(procfs_read_cgroup(fd, 78, &cgroup), -ENODATA);
	assert_int_equal(procfs_read_status(fd, 79, &st), -ENODATA);
	assert_int_equal(procfs_read_status(fd, 4711, &st), -ENOENT);
	close(fd);
}

static void test_deleted_cgroup(void **state)
{
	char text[] = "0::/a/b (deleted)\n", root[] = "0::/", v1[] = "3:cpu:/x\n";

	assert_string_equal(procfs_parse_cgroup(text), "/a/b");
	assert_string_equal(procfs_parse_cgroup(root), "/");
	assert_null(procfs_parse_cgroup(v1));
}

struct regions {
	unsigned int n;
	struct rdma_object object[4];
};

static int on_object(const struct rdma_object *object, void *userdata)
{
	struct regions *r = userdata;

	r->object[r->n++] = *object;
	return 0;
}

static void put_mr(struct nl_msg *msg, uint32_t number, uint32_t pid, const char *kernel)
{
	struct nlattr *entry = nla_nest_start(msg, RDMA_NLDEV_ATTR_RES_MR_ENTRY);

	nla_put_u32(msg, RDMA_NLDEV_ATTR_RES_MRN, number);
	nla_put_u64(msg, RDMA_NLDEV_ATTR_RES_MRLEN, 4096);
	if (pid)
		nla_put_u32(msg, RDMA_NLDEV_ATTR_RES_PID, pid);
	if (kernel)
		nla_put_string(msg, RDMA_NLDEV_ATTR_RES_KERN_NAME, kernel);
	nla_nest_end(msg, entry);
}

static void test_memory_regions(void **state)
{
	struct nl_msg *msg = nlmsg_alloc_simple(rdmamsg_type_table(RDMA_REGIONS), 0);
	struct regions r = {};
	struct rdma_device dev;
	struct nlattr *table;

	nla_put_u32(msg, RDMA_NLDEV_ATTR_DEV_INDEX, 3);
	assert_int_equal(rdmamsg_parse_device(nlmsg_hdr(msg), &dev), -EBADMSG);
	nla_put_string(msg, RDMA_NLDEV_ATTR_DEV_NAME, "rxe0");
	table = nla_nest_start(msg, RDMA_NLDEV_ATTR_RES_MR);
	put_mr(msg, 1, 100, NULL);
	put_mr(msg, 2, 0, "ib_core");
	put_mr(msg, 3, 0, NULL);
	nla_nest_end(msg, table);
	assert_int_equal(rdmamsg_parse_device(nlmsg_hdr(msg), &dev), 0);
	assert_int_equal(dev.index, 3);
	assert_string_equal(dev.name, "rxe0");
	assert_int_equal(rdmamsg_parse_table(nlmsg_hdr(msg), RDMA_DOMAINS, on_object, &r), 0);
	assert_int_equal(r.n, 0);
	assert_int_equal(rdmamsg_parse_table(nlmsg_hdr(msg), RDMA_REGIONS, on_object, &r), 0);
	assert_int_equal(r.n, 2);
	assert_int_equal(r.object[0].pid, 100);
	assert_int_equal(r.object[0].bytes, 4096);
	assert_false(r.object[0].has_parent);
	assert_int_equal(r.object[1].number, 3);
	assert_int_equal(r.object[1].pid, 0);
	nlmsg_free(msg);
}

/* Pages, not what of them is used. */
static void test_pages_of_regions(void **state)
{
	static const struct {
		uint64_t bytes, iova, pinned;
		bool has_iova;
	} cases[] = {
		{ 1, 0, 4096, false },
		{ 100, 0, 4096, false },
		{ 4096, 0, 4096, false },
		{ 4097, 0, 8192, false },
		/* The kernel says where it begins. */
		{ 100, 0x10000, 4096, true },
		{ 100, 0x10fff, 8192, true },
		{ 4096, 0x10001, 8192, true },
		{ 4096, 0x10fff, 8192, true },
		{ 4098, 0x10fff, 12288, true },
		/* All of the address space, on demand; and nothing. */
		{ UINT64_MAX, 0, 0, false },
		{ UINT64_MAX, 0xfff, 0, true },
		{ (uint64_t)INT64_MAX + 1, 0, 0, false },
		{ 0, 0x10fff, 0, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rdma_object region = { .bytes = cases[i].bytes, .iova = cases[i].iova,
					      .has_iova = cases[i].has_iova };

		if (rdma_region_pinned(&region, 4096) != cases[i].pinned)
			fail_msg("case %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_processes),
		cmocka_unit_test(test_process_files),
		cmocka_unit_test(test_deleted_cgroup),
		cmocka_unit_test(test_memory_regions),
		cmocka_unit_test(test_pages_of_regions),
	};

	return cmocka_run_group_tests(tests, setup, tree_teardown);
}
