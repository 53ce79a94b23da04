/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>

#include "daemon/base/base.h"
#include "daemon/manager/answers.h"
#include "lib/json.h"
#include "lib/log.h"

int reply_not_supported(struct call *call, const char *reason)
{
	return call_error(call, MANAGER_INTERFACE ".NotSupported",
			  json_pack("{s:s}", "reason", reason ?: "unknown"));
}

int reply_no_such_cgroup(struct call *call, const char *cgroup)
{
	return call_error(call, MANAGER_INTERFACE ".NoSuchCgroup",
			  json_pack("{s:s}", "cgroup", cgroup));
}

int reply_too_many_cgroups(struct call *call, const char *cgroup)
{
	return call_error(call, MANAGER_INTERFACE ".TooManyCgroups",
			  json_pack("{s:s, s:i}", "cgroup", cgroup, "max", CGROUP_WALK_MAX));
}

int reply_invalid_cgroup(struct call *call, const char *cgroup, const char *reason)
{
	return call_error(call, MANAGER_INTERFACE ".InvalidCgroup",
			  json_pack("{s:s, s:s}", "cgroup", cgroup, "reason", reason ?: "invalid"));
}

int reply_not_ready(struct call *call)
{
	return call_error(call, MANAGER_INTERFACE ".NotReady",
			  json_pack("{s:s}", "reason", "reading the pins from the kernel"));
}

int reply_invalid_target(struct call *call, const char *target, const char *reason)
{
	return call_error(call, MANAGER_INTERFACE ".InvalidTarget",
			  json_pack("{s:s, s:s}", "target", target, "reason", reason));
}

int reply_no_such_target(struct call *call, const char *target)
{
	return call_error(call, MANAGER_INTERFACE ".NoSuchTarget",
			  json_pack("{s:s}", "target", target));
}

int reply_limit(struct call *call, const char *limit, int64_t max)
{
	return call_error(call, MANAGER_INTERFACE ".LimitExceeded",
			  json_pack("{s:s, s:I}", "limit", limit, "max", (json_int_t)max));
}

int reply_setting_error(struct call *call, const char *cgroup, int error, const char *reason,
			const struct setting *setting)
{
	char name[64];

	switch (error) {
	case -ENOENT:
	case -ENODEV: /* it went just now */
		return reply_no_such_cgroup(call, cgroup);
	case -EOPNOTSUPP:
		snprintf(name, sizeof(name), "%s%s", MANAGER_INTERFACE, setting->not_possible);
		return call_error(call, name,
				  json_pack("{s:s, s:s}", "cgroup", cgroup, "reason",
					    reason ?: "the misc controller is off in its parent"));
	case -E2BIG:
		return reply_limit(call, setting->all, setting->max);
	case -EFBIG:
		return reply_limit(call, setting->file, STORE_BYTES);
	default:
		return call_error_errno(call, error);
	}
}

int reply_release_error(struct call *call, int error)
{
	const char *limit;
	int max;

	switch (error) {
	case -EUSERS:
		limit = "release requests of one user";
		max = RELEASES_UID_MAX;
		break;
	case -EBUSY:
		limit = "release requests";
		max = call_is_admin(call) ? RELEASES_MAX : RELEASES_MAX / 2;
		break;
	case -E2BIG:
		limit = "pins in release requests";
		max = call_is_admin(call) ? RELEASES_PINS_MAX : RELEASES_PINS_MAX / 2;
		break;
	case -ERANGE:
		return call_error_invalid(call, "timeout_usec");
	default:
		return call_error_errno(call, error);
	}
	return reply_limit(call, limit, max);
}

void answer_errno(struct call *call, int error)
{
	if (call_error_errno(call, error) < 0)
		log_debug("cannot answer %s", call_method(call));
}
