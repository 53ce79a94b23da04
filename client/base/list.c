/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verbs that print what one method lists. */
#include "client/base/call.h"
#include "client/base/exit.h"
#include "client/base/list.h"
#include "client/base/output.h"
#include "client/base/pinctl.h"
#include "client/base/table.h"
#include "lib/json.h"

int show_list(struct pinctl *ctl, const struct list *list)
{
	_cleanup_(table_done) struct table table = {};
	_cleanup_json_ json_t *reply = NULL;
	json_t *objects, *object;
	size_t i;
	int r;

	r = table_init(&table, ctl, list->columns);
	if (r >= 0)
		return r;
	r = manager_call(ctl, list->method,
			 list->parameter ? json_pack("{s:b}", list->parameter, 1) : json_object(),
			 &reply);
	if (r != STATUS_DONE)
		return r;
	if (list->extend && !ctl->json)
		list->extend(reply);
	objects = json_object_get(reply, list->key);
	if (ctl->json) {
		json_array_foreach (objects, i, object)
			fill_null(object, list->nullable);
		return print_json(reply);
	}
	json_array_foreach (objects, i, object)
		if (list->arrange)
			list->arrange(object);
	r = table_add_all(&table, objects, list->size_key, NULL);
	if (r >= 0)
		return r;
	r = table_print(&table, list->key);
	if (r == STATUS_DONE)
		say_omitted(ctl, json_get_int(reply, "omitted", 0), "");
	if (r == STATUS_DONE && list->comment && flush_output(ctl) == STATUS_DONE)
		list->comment(reply);
	return r;
}
