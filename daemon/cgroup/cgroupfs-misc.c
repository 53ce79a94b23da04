/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a cgroup has pinned and its limit: files of the controller, or what is in its place. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/cgroup/cgroupfs.h"
#include "daemon/cgroup/cgroupfs-internal.h"

#define MISC_FILE_MAX 4096

int cgroup_misc_parse(const char *text, const char *key, uint64_t *ret)
{
	size_t len = strlen(key);
	unsigned long long value;
	const char *line;
	char *end;

	for (line = text; *line; line = strchr(line, '\n') + 1) {
		if (strncmp(line, key, len) == 0 && line[len] == ' ') {
			line += len + 1;
			if (strncmp(line, "max", 3) == 0) {
				*ret = UINT64_MAX;
				return 0;
			}
			errno = 0;
			value = strtoull(line, &end, 10);
			if (end == line || errno || (*end && *end != '\n'))
				return -EBADMSG;
			*ret = value;
			return 0;
		}
		if (!strchr(line, '\n'))
			break;
	}
	return -ENODATA;
}

static int read_misc_value(int fd, const char *file, const char *key, uint64_t *ret)
{
	char buf[MISC_FILE_MAX];
	int r = cgroupfs_read(fd, file, buf, sizeof(buf));

	return r < 0 ? r : cgroup_misc_parse(buf, key, ret);
}

static int read_counter(struct cgroupfs *fs, int fd, struct cgroup_misc *ret)
{
	const struct cgroup_counter *counter = cgroupfs_counter(fs);
	struct cgroup_misc misc = { .max_bytes = UINT64_MAX, .peak_bytes = UINT64_MAX };
	uint64_t id;
	int r = cgroupfs_id(fd, &id);

	if (r < 0)
		return r;
	if (id == CGROUP_ROOT_ID)
		misc.current_bytes = cgroupfs_root_bytes(fs);
	else
		counter->read(id, &misc, counter->userdata);
	misc.present = true;
	*ret = misc;
	return 0;
}

int cgroupfs_read_misc(struct cgroupfs *fs, int fd, struct cgroup_misc *ret)
{
	struct cgroup_misc misc = { .max_bytes = UINT64_MAX, .peak_bytes = UINT64_MAX };
	int r;

	if (fs && cgroupfs_counter(fs))
		return read_counter(fs, fd, ret);
	r = read_misc_value(fd, "misc.current", CGROUP_RESOURCE, &misc.current_bytes);
	if (r < 0 && r != -ENOENT && r != -ENODATA)
		return r;
	misc.present = r >= 0;
	if (misc.present) {
		/* The root has no limit and no events. */
		(void)read_misc_value(fd, "misc.max", CGROUP_RESOURCE, &misc.max_bytes);
		(void)read_misc_value(fd, "misc.peak", CGROUP_RESOURCE, &misc.peak_bytes);
		(void)read_misc_value(fd, "misc.events", CGROUP_RESOURCE ".max", &misc.denied);
	}
	*ret = misc;
	return 0;
}

int cgroupfs_write_max(struct cgroupfs *fs, int fd, uint64_t max_bytes)
{
	const struct cgroup_counter *counter = fs ? cgroupfs_counter(fs) : NULL;
	char text[64];
	uint64_t id;
	int r;

	if (counter) {
		r = cgroupfs_id(fd, &id);
		return r < 0 ? r : counter->set_max(id, max_bytes >= INT64_MAX ? UINT64_MAX : max_bytes,
						    counter->userdata);
	}
	if (max_bytes >= INT64_MAX)
		return cgroupfs_write(fd, "misc.max", CGROUP_RESOURCE " max");
	snprintf(text, sizeof(text), CGROUP_RESOURCE " %" PRIu64, max_bytes);
	return cgroupfs_write(fd, "misc.max", text);
}
