/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <limits.h>

#include "lib/cgroup-path.h"
#include "lib/format.h"
#include "lib/macros.h"
#include "lib/parse.h"
#include "tests/fuzz/fuzz.h"

static void check_error(int r, const char *reason)
{
	fuzz_assert(r == -EINVAL || r == -ERANGE);
	fuzz_assert(reason && *reason);
}

static void check_size(const char *text, uint64_t all_bytes)
{
	char buf[FORMAT_SIZE_LEN];
	const char *reason = NULL;
	uint64_t bytes;
	int r = parse_size(text, all_bytes, &bytes, &reason);

	if (r < 0) {
		check_error(r, reason);
		return;
	}
	fuzz_assert(bytes <= INT64_MAX || bytes == PARSE_SIZE_MAX);
	fuzz_assert(!all_bytes || !strchr(text, '%') || bytes <= all_bytes);
	fuzz_assert(*format_size(buf, bytes));
}

static void check_cgroup(const char *text)
{
	_cleanup_(freep) char *name = NULL, *again = NULL;
	enum cgroup_name_type type, type_again;
	const char *reason = NULL;
	int r = cgroup_name_parse(text, &type, &name, &reason);

	if (r < 0) {
		check_error(r, reason);
		return;
	}
	fuzz_assert(!strchr(name, '\n') && *name);
	if (type == CGROUP_NAME_UNIT) {
		fuzz_assert(!strchr(name, '/'));
	} else {
		fuzz_assert(name[0] == '/' && !strstr(name, "//") && !strstr(name, "/../"));
		fuzz_assert(strlen(name) < PATH_MAX);
	}
	/* but for a path that begins with the mount point twice, twice is the same as once */
	if (type == CGROUP_NAME_UNIT || strncmp(name, CGROUP_MOUNT, strlen(CGROUP_MOUNT)) != 0) {
		r = cgroup_name_parse(name, &type_again, &again, &reason);
		/* ".service" may have made it too long */
		fuzz_assert((r == -EINVAL && type == CGROUP_NAME_UNIT) ||
			    (r == 0 && type == type_again && !strcmp(name, again)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *text = fuzz_string(data, size);
	const uint64_t now_usec = UINT64_C(1738330215000000);
	char buf[FORMAT_TIME_LEN];
	const char *reason = NULL;
	uint64_t value;
	pid_t pid;
	int r;

	check_size(text, 0);
	check_size(text, 1000);
	check_size(text, INT64_MAX);
	r = parse_time(text, now_usec, &value, &reason);
	if (r < 0) {
		check_error(r, reason);
	} else {
		fuzz_assert(value <= INT64_MAX);
		fuzz_assert(*format_time(buf, value) && *format_span(buf, value));
	}
	reason = NULL;
	r = parse_span(text, &value, &reason);
	if (r < 0)
		check_error(r, reason);
	else
		fuzz_assert(value <= INT64_MAX && value % 1000000 == 0);
	reason = NULL;
	r = parse_id(text, &value, &reason);
	if (r < 0)
		check_error(r, reason);
	reason = NULL;
	r = parse_pid(text, &pid, &reason);
	if (r < 0)
		check_error(r, reason);
	else
		fuzz_assert(pid > 0);
	check_cgroup(text);
	return 0;
}
