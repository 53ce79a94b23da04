/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "client/base/exit.h"
#include "client/base/options.h"
#include "client/parts/selector.h"
#include "lib/json.h"
#include "lib/parse.h"

int choose_pins(int option, const char *argument, json_t *selectors)
{
	static const char *const kinds[] = { "rdma",	 "vfio", "iommufd", "io_uring",
					     "xdp",	 "vdpa", "udmabuf", "unknown", NULL };
	const char *reason;
	uint64_t id;
	pid_t pid;
	int r;

	switch (option) {
	case OPTION_CGROUP:
		r = check_cgroup(argument);
		if (r >= 0)
			return r;
		r = json_object_set_new(selectors, "cgroup", argument_string(argument));
		break;
	case OPTION_PID:
		if (parse_pid(argument, &pid, &reason) < 0)
			return usage_error("not a process: \"%s\": %s", argument, reason);
		r = json_object_set_new(selectors, "pid", json_integer(pid));
		break;
	case OPTION_KIND:
		r = check_word("kind of pin", argument, kinds);
		if (r >= 0)
			return r;
		r = json_object_set_new(selectors, "kind", json_string(argument));
		break;
	case OPTION_DEVICE:
		r = json_object_set_new(selectors, "device", argument_string(argument));
		break;
	default:
		if (parse_id(argument, &id, &reason) < 0)
			return usage_error("not a pin: \"%s\": %s", argument, reason);
		r = json_object_set_new(selectors, "id", json_hex(id));
		break;
	}
	return r < 0 ? out_of_memory() : -1;
}

int check_target(const char *target)
{
	if (!*target)
		return usage_error("the target is empty; it is a memory block (memory32), a DAX "
				   "device, a namespace, a region or an address");
	return -1;
}
