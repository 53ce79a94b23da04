/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "client/base/call.h"
#include "client/base/exit.h"
#include "client/base/list.h"
#include "client/base/options.h"
#include "client/base/output.h"
#include "client/base/pinctl.h"
#include "client/parts/setting.h"
#include "lib/json.h"

int setting_clear(struct pinctl *ctl, const char *method, const char *cgroup,
		  const char *expected)
{
	_cleanup_json_ json_t *reply = NULL;
	int r = manager_call_expecting(ctl, method,
				       json_pack("{so}", "cgroup", argument_string(cgroup)),
				       expected, &reply);

	if (r == STATUS_DONE && ctl->json)
		return reply ? print_json(reply) : puts("{}") < 0;
	return r;
}

static int unknown_action(const struct setting *setting, const char *action)
{
	static const char *const actions[] = { "list", "set", "clear", NULL };
	const char *found = nearest(action, actions);

	if (found)
		return usage_error("%s: unknown command %s; did you mean %s?", setting->verb,
				   action, found);
	return usage_error("%s: unknown command %s; there are list, set and clear%s", setting->verb,
			   action, setting->more ?: "");
}

int setting_run(struct pinctl *ctl, const struct setting *setting, int n, char **words,
		const char *set_option, const void *userdata)
{
	const char *action = n > 0 ? words[0] : "list";
	const bool is_set = !strcmp(action, "set");
	int r;

	if (set_option && !is_set)
		return usage_error("%s belongs to pinctl %s set", set_option, setting->verb);
	if (!strcmp(action, "list"))
		return n > 1 ? usage_error("%s list takes no argument: %s", setting->verb,
					   words[1]) :
			       show_list(ctl, setting->list);
	if (!is_set && strcmp(action, "clear") != 0)
		return unknown_action(setting, action);
	if (n != (is_set ? 3 : 2))
		return usage_error("usage: pinctl %s %s", setting->verb,
				   is_set ? setting->set_usage : "clear CGROUP");
	r = check_cgroup(words[1]);
	if (r >= 0)
		return r;
	return is_set ? setting->set(ctl, words[1], words[2], userdata) :
			setting_clear(ctl, setting->clear_method, words[1], NULL);
}
