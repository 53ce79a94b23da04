/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A made-up /proc; /dev/zero and /dev/full are the devices that are open there. */
#ifndef PINGUARD_TEST_OPENERS_FIXTURE_H
#define PINGUARD_TEST_OPENERS_FIXTURE_H

#include "daemon/kernel/openers.h"
#include "lib/json.h"
#include "tests/unit/tree.h"

/* As makedev() has it, which is no constant: 1, 5. */
#define ZERO 0x105

static const struct device_numbers zero = { 1, { { .number = ZERO } } };

static inline void put(int pid, const char *file, const char *text)
{
	char path[192];

	snprintf(path, sizeof(path), "%d/%s", pid, file);
	tree_put(path, text);
}

static inline void put_link(int pid, const char *file, const char *target)
{
	char path[128];

	snprintf(path, sizeof(path), "%d/%s", pid, file);
	tree_link(path, target);
	if (strncmp(file, "fd/", 3) == 0 && strcmp(target, "/dev/zero") == 0) {
		snprintf(path, sizeof(path), "fdinfo/%s", file + 3);
		put(pid, path, "pos:\t0\nflags:\t0100002\nmnt_id:\t7\n");
	}
}

static inline void put_process(int pid, const char *comm)
{
	char cgroup[64];

	put(pid, "fd/", NULL);
	put(pid, "comm", comm);
	put(pid, "maps", "");
	put(pid, "mountinfo", "");
	snprintf(cgroup, sizeof(cgroup), "0::/demo/%d\n", pid);
	put(pid, "cgroup", cgroup);
	tree_put("shared-ns", "");
	put_link(pid, "ns/mnt", "../../shared-ns");
}

static inline int setup(void **state)
{
	tree_new();
	put_process(1, "init\n");
	return 0;
}

/* The one user there is. */
static inline const json_t *only(const json_t *users, int pid, const char *how)
{
	const json_t *user = json_array_get(users, 0);

	assert_int_equal(json_array_size(users), 1);
	assert_int_equal(json_get_int(user, "pid", 0), pid);
	assert_string_equal(json_get_string(user, "how", ""), how);
	return user;
}

#endif
