/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of /proc, and some of sysfs and cgroup2: names in them are chosen by users. */
#include <errno.h>

#include "daemon/cgroup/rdma.h"
#include "daemon/kernel/pinlimits.h"
#include "daemon/kernel/procfs.h"
#include "lib/macros.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *text = fuzz_string(data, size);
	_cleanup_(freep) char *line = fuzz_string(data, size);
	struct proc_mapping mapping;
	struct proc_memlock limit;
	struct proc_status status;
	const char *where;
	char device[CGROUP_RDMA_NAME_MAX] = "";
	bool initial;
	dev_t dev;
	uint64_t usec = 0;
	char *path;
	int r;

	r = procfs_parse_start(text, 100, &usec);
	fuzz_assert(r == 0 || (r == -ENODATA && usec == 0));
	r = procfs_parse_memlock(text, &limit);
	fuzz_assert(r == 0 || r == -ENODATA);
	r = procfs_parse_user_ns(text, &initial);
	fuzz_assert(r == 0 || r == -ENODATA);
	r = procfs_parse_status(text, &status);
	fuzz_assert(r == 0 || r == -ENODATA);
	(void)procfs_parse_sockets(text, "XDP");
	r = pinlimits_parse(text, &usec);
	fuzz_assert(r == 0 || r == -ENODATA);
	for (const char *at = text; at; at = cgroup_rdma_parse(at, device, &usec))
		fuzz_assert(strlen(device) < CGROUP_RDMA_NAME_MAX && at <= text + size);
	r = procfs_parse_mapping(text, &mapping);
	fuzz_assert(r == 0 || r == -ENODATA);
	r = procfs_parse_mount(line, &dev, &where);
	fuzz_assert(r == -ENODATA || (r == 0 && where[0] && strlen(where) <= size));
	path = procfs_parse_cgroup(text);
	fuzz_assert(!path || (path[0] == '/' && !strchr(path, '\n')));
	return 0;
}
