/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Failures as org.pinguard.Manager shows them, and as the history's file keeps them. */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

#include "daemon/model/failure-internal.h"
#include "daemon/model/place.h"
#include "daemon/model/render.h"
#include "lib/escape.h"
#include "lib/json.h"
#include "lib/parse.h"

static const char *const kinds[] = {
	[PINGUARD_FAILURE_KIND_UNCORRECTED] = "uncorrected",
	[PINGUARD_FAILURE_KIND_SOFT_OFFLINE] = "soft_offline",
};

static const char *const results[] = {
	[PINGUARD_FAILURE_RESULT_IGNORED] = "ignored",
	[PINGUARD_FAILURE_RESULT_FAILED] = "failed",
	[PINGUARD_FAILURE_RESULT_DELAYED] = "delayed",
	[PINGUARD_FAILURE_RESULT_RECOVERED] = "recovered",
};

static const char *const states[] = {
	[FAILURE_OPEN] = "open",	     [FAILURE_ISOLATED] = "isolated",
	[FAILURE_UNPINNED] = "unpinned",     [FAILURE_UNPOISONED] = "unpoisoned",
	[FAILURE_GONE] = "gone",	     [FAILURE_UNKNOWN] = "unknown",
};

/* What a newer kernel says is told as the worse of what is known. */
static const char *failure_kind_name(uint32_t kind)
{
	return kind < ARRAY_SIZE(kinds) && kinds[kind] ? kinds[kind] : kinds[1];
}

static const char *failure_result_name(uint32_t result)
{
	return result < ARRAY_SIZE(results) && results[result] ? results[result] : results[2];
}

static json_t *place_json(const struct failure *f)
{
	json_t *json = f->place ? json_loads(f->place, 0, NULL) : NULL;
	struct place place;

	if (json)
		return json;
	/* What there was no room for. */
	place_init(&place, f->pfn * sysconf(_SC_PAGESIZE));
	place_set_frame(&place, f->class, true, NULL);
	return place_to_json(&place);
}

static json_t *owners_json(const struct failure *f)
{
	return f->owners ? json_loads(f->owners, 0, NULL) : json_array();
}

json_t *failure_to_json(const struct failure *f)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:s, s:o, s:s, s:s, s:o, s:o, s:o, s:I, s:o}",
			 "id", (json_int_t)f->id,
			 "time_usec", (json_int_t)f->time_usec,
			 "last_usec", (json_int_t)f->last_usec,
			 "count", (json_int_t)f->count,
			 "kind", failure_kind_name(f->kind),
			 "action", json_escaped(f->action, strlen(f->action)),
			 "result", failure_result_name(f->result),
			 "state", states[f->state],
			 "ended_usec", f->ended_usec ? json_integer(f->ended_usec) : json_null(),
			 "place", place_json(f),
			 "owners", owners_json(f),
			 "owners_omitted", (json_int_t)f->owners_omitted,
			 "token", f->token[0] ? json_string(f->token) : json_null());
}

/* --- the file --- */

static json_t *entry_to_json(const struct failure *f)
{
	json_t *json = failure_to_json(f);

	if (!json || json_object_set_new(json, "pfn", json_hex(f->pfn)) < 0 ||
	    json_object_set_new(json, "class", json_integer(f->class)) < 0 ||
	    json_object_set_new(json, "kernel_id", json_hex(f->kernel_id)) < 0 ||
	    json_object_set_new(json, "this_boot", json_boolean(f->this_boot)) < 0 ||
	    json_object_set_new(json, "pending", json_boolean(f->pending)) < 0) {
		json_decref(json);
		return NULL;
	}
	return json;
}

json_t *failures_to_json(const struct failures *fs)
{
	_cleanup_json_ json_t *array = json_array();
	const struct failure *f;

	if (!array)
		return NULL;
	DL_FOREACH(fs->all, f)
		if (json_array_append_new(array, entry_to_json(f)) < 0)
			return NULL;
	return json_pack("{s:s, s:I, s:I, s:I, s:o, s:I, s:I, s:O}", "boot_id", fs->boot_id,
			 "next_id", (json_int_t)fs->next_id, "seen", (json_int_t)fs->seen,
			 "last_kernel_id", (json_int_t)fs->last_kernel_id,
			 "counter", json_hex(fs->counter),
			 "last_number", (json_int_t)fs->last_number,
			 "missed", (json_int_t)fs->missed, "failures", array);
}

static int find_name(const char *const *names, size_t n, const json_t *json, uint32_t *ret)
{
	const char *name = json_string_value(json);

	for (size_t i = 0; name && i < n; i++) {
		if (names[i] && strcmp(names[i], name) == 0) {
			*ret = i;
			return 0;
		}
	}
	return -EBADMSG;
}

#define FIND_NAME(names, json, ret) find_name(names, ARRAY_SIZE(names), json, ret)

static int get_number(const json_t *object, const char *key, uint64_t *ret)
{
	int64_t value = json_get_int(object, key, -1);

	if (value < 0)
		return -EBADMSG;
	*ret = value;
	return 0;
}

static int get_hex(const json_t *object, const char *key, uint64_t *ret)
{
	return parse_id(json_get_string(object, key, ""), ret, NULL) < 0 ? -EBADMSG : 0;
}

static bool is_hex_or_null(const json_t *json)
{
	uint64_t value;

	return json_is_null(json) ||
	       (json_is_string(json) && parse_id(json_string_value(json), &value, NULL) >= 0);
}

/* Of an older version there is none. */
static bool has_test(const json_t *owner)
{
	static const char *const tests[] = { "kernel", "page", "process", "maybe" };
	const json_t *test = json_object_get(owner, "test");
	uint32_t ignored;

	if (!test)
		return json_object_size(owner) == 10;
	return json_object_size(owner) == 11 &&
	       (json_is_null(test) || FIND_NAME(tests, test, &ignored) == 0);
}

static bool is_owner(const json_t *json)
{
	const char *kind = json_get_string(json, "kind", "");
	const json_t *cgroup = json_object_get(json, "cgroup");
	const json_t *device = json_object_get(json, "device");
	uint64_t number;
	uint32_t ignored;

	return json_is_object(json) && has_test(json) &&
	       get_number(json, "pid", &number) == 0 && get_number(json, "uid", &number) == 0 &&
	       get_number(json, "bytes", &number) == 0 && get_hex(json, "pin", &number) == 0 &&
	       json_is_string(json_object_get(json, "comm")) &&
	       (json_is_null(cgroup) || json_is_string(cgroup)) &&
	       (json_is_null(device) || json_is_string(device)) &&
	       is_hex_or_null(json_object_get(json, "address")) &&
	       json_is_boolean(json_object_get(json, "registered")) &&
	       render_parse_kind(kind, &ignored) == 0;
}

/* The pins that it was known to be held by. */
static int load_held(struct failure *f, const json_t *owners)
{
	uint64_t ids[FAILURE_OWNERS_MAX];
	const json_t *owner;
	size_t i, n = 0;

	json_array_foreach(owners, i, owner) {
		const char *test = json_get_string(owner, "test", "");

		if ((strcmp(test, "page") == 0 || strcmp(test, "process") == 0) &&
		    get_hex(owner, "pin", &ids[n]) == 0)
			n++;
	}
	return f->pending && n > 0 ? failure_set_held(f, ids, n, 0) : 0;
}

static int load_texts(struct failure *f, const json_t *item)
{
	const json_t *owners = json_object_get(item, "owners"), *owner;
	const json_t *place = json_object_get(item, "place");
	_cleanup_(freep) char *place_text = NULL, *owners_text = NULL;
	struct place parsed;
	uint64_t omitted;
	size_t i;

	if (place_from_json(place, &parsed) < 0 || !json_is_array(owners) ||
	    json_array_size(owners) > FAILURE_OWNERS_MAX ||
	    get_number(item, "owners_omitted", &omitted) < 0 || omitted > UINT32_MAX)
		return -EBADMSG;
	json_array_foreach(owners, i, owner)
		if (!is_owner(owner))
			return -EBADMSG;
	place_text = json_dumps(place, JSON_COMPACT);
	owners_text = i > 0 ? json_dumps(owners, JSON_COMPACT) : NULL;
	if (!place_text || (i > 0 && !owners_text))
		return -ENOMEM;
	failure_set_place(f, TAKE_PTR(place_text));
	failure_set_owners(f, TAKE_PTR(owners_text), i, omitted);
	return load_held(f, owners);
}

static int load_token(struct failure *f, const json_t *json)
{
	const char *token = json_string_value(json);

	if (json_is_null(json))
		return 0;
	if (!token || strlen(token) != FAILURE_TOKEN_LEN ||
	    strspn(token, "0123456789abcdef") != FAILURE_TOKEN_LEN)
		return -EBADMSG;
	memcpy(f->token, token, FAILURE_TOKEN_LEN + 1);
	return 0;
}

static int load_action(struct failure *f, const json_t *json)
{
	_cleanup_(freep) char *action = NULL;
	size_t size;
	int r;

	if (!json_is_string(json))
		return -EBADMSG;
	r = unescape(json_string_value(json), &action, &size);
	if (r == -EINVAL || (r >= 0 && (size >= sizeof(f->action) || strlen(action) != size)))
		return -EBADMSG;
	if (r < 0)
		return r;
	memcpy(f->action, action, size + 1);
	return 0;
}

static int load_numbers(struct failure *f, const json_t *item)
{
	const json_t *ended = json_object_get(item, "ended_usec");
	uint64_t class;
	uint32_t state;

	if (get_number(item, "id", &f->id) < 0 || get_number(item, "count", &f->count) < 0 ||
	    get_number(item, "time_usec", &f->time_usec) < 0 ||
	    get_number(item, "last_usec", &f->last_usec) < 0 ||
	    get_number(item, "class", &class) < 0 || !place_class_name(class) ||
	    get_hex(item, "pfn", &f->pfn) < 0 || get_hex(item, "kernel_id", &f->kernel_id) < 0 ||
	    !json_is_boolean(json_object_get(item, "this_boot")) ||
	    !json_is_boolean(json_object_get(item, "pending")) ||
	    FIND_NAME(kinds, json_object_get(item, "kind"), &f->kind) < 0 ||
	    FIND_NAME(results, json_object_get(item, "result"), &f->result) < 0 ||
	    FIND_NAME(states, json_object_get(item, "state"), &state) < 0)
		return -EBADMSG;
	if (!json_is_null(ended) && get_number(item, "ended_usec", &f->ended_usec) < 0)
		return -EBADMSG;
	f->class = class;
	f->state = state;
	f->this_boot = json_is_true(json_object_get(item, "this_boot"));
	f->pending = json_is_true(json_object_get(item, "pending"));
	return 0;
}

static int load_one(struct failures *fs, const json_t *item, bool same_boot)
{
	struct failure template = { .done = true, .told = true }, *f;
	int r = load_numbers(&template, item);

	if (r >= 0)
		r = load_token(&template, json_object_get(item, "token"));
	if (r >= 0)
		r = load_action(&template, json_object_get(item, "action"));
	if (r < 0)
		return r;
	if (template.id >= fs->next_id || (fs->all && template.id <= fs->all->prev->id))
		return -EBADMSG;
	template.this_boot = template.this_boot && same_boot;
	/* Nobody knows what became of it before the machine was started anew. */
	if (template.state == FAILURE_OPEN && !template.this_boot)
		template.state = FAILURE_UNKNOWN;
	template.pending = template.pending && template.state == FAILURE_OPEN;
	template.done = failure_is_over(&template);
	r = failures_append(fs, &template, &f);
	return r < 0 ? (r == -ENOSPC ? -EBADMSG : r) : load_texts(f, item);
}

/* Which a file of an older version does not have. */
static int load_counter(struct failures *fs, const json_t *root)
{
	uint64_t counter, number, missed;

	if (!json_object_get(root, "counter"))
		return 0;
	if (get_hex(root, "counter", &counter) < 0 || get_number(root, "last_number", &number) < 0 ||
	    get_number(root, "missed", &missed) < 0)
		return -EBADMSG;
	fs->counter = counter;
	fs->last_number = number;
	fs->missed = missed;
	return 0;
}

int failures_from_json(struct failures *fs, const json_t *root)
{
	const json_t *array = json_object_get(root, "failures"), *item;
	const char *boot_id = json_get_string(root, "boot_id", NULL);
	const bool same_boot = boot_id && boot_id[0] && strcmp(boot_id, fs->boot_id) == 0;
	uint64_t seen = 0, last = 0;
	size_t i;
	int r = 0;

	if (!boot_id || !json_is_array(array) || json_array_size(array) > FAILURES_MAX ||
	    get_number(root, "next_id", &fs->next_id) < 0 || fs->next_id == 0 ||
	    get_number(root, "seen", &seen) < 0 || get_number(root, "last_kernel_id", &last) < 0)
		r = -EBADMSG;
	json_array_foreach(array, i, item) {
		if (r >= 0)
			r = load_one(fs, item, same_boot);
	}
	if (r >= 0 && same_boot)
		r = load_counter(fs, root);
	if (r < 0) {
		while (fs->all)
			failures_drop(fs, fs->all);
		fs->next_id = 1;
		return r;
	}
	if (same_boot) {
		fs->seen = seen;
		fs->last_kernel_id = last;
	}
	return 0;
}
