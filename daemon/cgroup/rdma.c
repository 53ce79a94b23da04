/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/cgroup/cgroupfs.h"
#include "daemon/cgroup/rdma.h"

static const char objects_key[] = " hca_object=";

static int parse_count(const char *text, uint64_t *ret)
{
	unsigned long long value;
	char *end;

	if (strncmp(text, "max", 3) == 0) {
		*ret = UINT64_MAX;
		return 0;
	}
	if (*text < '0' || *text > '9')
		return -ENODATA;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || !strchr(" \n", *end))
		return -ENODATA;
	*ret = value;
	return 0;
}

const char *cgroup_rdma_parse(const char *text, char device[static CGROUP_RDMA_NAME_MAX],
			      uint64_t *ret_objects)
{
	const size_t line = strcspn(text, "\n"), name = strcspn(text, " \n");
	const char *value;

	device[0] = '\0';
	if (!*text)
		return NULL;
	value = memmem(text, line, objects_key, strlen(objects_key));
	if (value && name < CGROUP_RDMA_NAME_MAX &&
	    parse_count(value + strlen(objects_key), ret_objects) >= 0) {
		memcpy(device, text, name);
		device[name] = '\0';
	}
	return text + line + (text[line] == '\n');
}

static uint64_t current_of(const char *text, const char *device)
{
	char name[CGROUP_RDMA_NAME_MAX];
	uint64_t objects = 0;

	while ((text = cgroup_rdma_parse(text, name, &objects)))
		if (*name && strcmp(name, device) == 0)
			return objects;
	return 0;
}

int cgroup_rdma_read(int fd, struct cgroup_rdma ret[static CGROUP_RDMA_DEVICES_MAX])
{
	char max[CGROUP_RDMA_FILE_MAX], current[CGROUP_RDMA_FILE_MAX];
	const char *line = max;
	int n = 0, r;

	r = cgroupfs_read(fd, "rdma.max", max, sizeof(max));
	if (r >= 0)
		r = cgroupfs_read(fd, "rdma.current", current, sizeof(current));
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	while (n < CGROUP_RDMA_DEVICES_MAX) {
		line = cgroup_rdma_parse(line, ret[n].device, &ret[n].max);
		if (!line)
			break;
		if (!ret[n].device[0] || ret[n].max == UINT64_MAX)
			continue;
		ret[n].current = current_of(current, ret[n].device);
		n++;
	}
	return n;
}
