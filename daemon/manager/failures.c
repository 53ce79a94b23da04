/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ListFailures. */
#include <errno.h>

#include "daemon/manager/answers.h"
#include "daemon/manager/methods.h"
#include "lib/json.h"

int method_list_failures(struct call *call, json_t *params, void *userdata)
{
	const int64_t since = json_get_int(params, "since_usec", 0);
	_cleanup_json_ json_t *array = json_array();
	struct manager *m = userdata;
	struct failures *failures = triggers_failures(m->triggers);
	struct failure *f = NULL;

	if (since < 0)
		return call_error_invalid(call, "since_usec");
	/* What was seen when the kernel could tell is told where it cannot, too. */
	if (failures_count(failures) == 0 && !source_tells_failures(m->source))
		return reply_not_supported(call, source_reason(m->source) ?:
					   "the kernel does not tell of failures of memory");
	if (!array)
		return -ENOMEM;
	while ((f = failures_next(failures, f)))
		if (f->last_usec >= (uint64_t)since &&
		    json_array_append_new(array, failure_to_json(f)) < 0)
			return -ENOMEM;
	return call_reply(call, json_pack("{s:O, s:I}", "failures", array, "unseen",
					  (json_int_t)failures_unseen(failures)));
}
