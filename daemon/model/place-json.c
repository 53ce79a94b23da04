/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Places as JSON, and back. */
#include <errno.h>
#include <string.h>

#include "daemon/model/place.h"
#include "lib/json.h"
#include "lib/parse.h"

/* By bit, as Documentation/admin-guide/mm/pagemap.rst calls them. */
static const char *const flags[] = {
	"locked", "error", "referenced", "uptodate", "dirty", "lru", "active", "slab",
	"writeback", "reclaim", "buddy", "mmap", "anon", "swapcache", "swapbacked",
	"compound_head", "compound_tail", "huge", "unevictable", "hwpoison", "nopage", "ksm",
	"thp", "offline", "zero_page", "idle", "pgtable",
};

static const char *const healths[] = {
	[PLACE_HEALTH_OK] = "ok",
	[PLACE_HEALTH_NON_CRITICAL] = "non_critical",
	[PLACE_HEALTH_CRITICAL] = "critical",
	[PLACE_HEALTH_FATAL] = "fatal",
};

static json_t *name_json(const char *name)
{
	return name && name[0] ? json_escaped(name, strlen(name)) : json_null();
}

static json_t *flags_json(uint64_t bits)
{
	_cleanup_json_ json_t *array = json_array();
	size_t i;

	for (i = 0; array && i < ARRAY_SIZE(flags); i++)
		if (bits >> i & 1 && json_array_append_new(array, json_string(flags[i])) < 0)
			return NULL;
	return TAKE_PTR(array);
}

static json_t *dimms_json(const struct place *p)
{
	_cleanup_json_ json_t *array = json_array();
	size_t i;

	for (i = 0; array && i < p->n_dimms; i++)
		if (json_array_append_new(array, json_pack("{s:o, s:o, s:o, s:o}",
				"name", name_json(p->dimms[i].name),
				"handle", json_hex(p->dimms[i].handle),
				"serial", name_json(p->dimms[i].serial),
				"health", name_json(healths[p->dimms[i].health]))) < 0)
			return NULL;
	return TAKE_PTR(array);
}

static json_t *tristate_json(int value)
{
	return value < 0 ? json_null() : json_boolean(value);
}

/* A block's addresses may have memory of a device in between, which is none of it. */
static bool is_in_block(const struct place *p)
{
	return p->class < PINGUARD_MEMORY_CLASS_DEVICE_DAX;
}

json_t *place_to_json(const struct place *p)
{
	const bool in_block = is_in_block(p);

	return json_pack("{s:o, s:s, s:s, s:o, s:o, s:b, s:o, s:o, s:o,"
			 " s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"address", json_hex(p->phys),
		"class", place_class_name(p->class) ?: "none",
		"class_source", p->from_kernel ? "kernel" : "proc",
		"why", json_escaped(p->why, strlen(p->why)),
		"page_flags", flags_json(p->page_flags),
		"poisoned", p->poisoned,
		"memory_block", name_json(in_block ? p->memory_block : ""),
		"online", tristate_json(in_block ? p->online : -1),
		"node", p->node < 0 ? json_null() : json_integer(p->node),
		"region", name_json(p->region),
		"namespace", name_json(p->namespace),
		"dax", name_json(p->dax),
		"block_device", name_json(p->block_device),
		"offset", p->has_offset ? json_integer(p->offset) : json_null(),
		"bad", tristate_json(p->bad),
		"dimms", dimms_json(p),
		"pci", name_json(p->pci));
}

/* --- and back --- */

/* What was written unescaped comes back the same: no control byte, no backslash. */
static int copy_text(const json_t *object, const char *key, bool optional, char *ret, size_t size)
{
	const json_t *value = json_object_get(object, key);
	const char *text;
	size_t i, len;

	ret[0] = '\0';
	if (optional && json_is_null(value))
		return 0;
	if (!json_is_string(value))
		return -EBADMSG;
	text = json_string_value(value);
	len = json_string_length(value);
	if (len >= size || (optional && len == 0))
		return -EBADMSG;
	for (i = 0; i < len; i++)
		if (text[i] < ' ' || text[i] > '~' || text[i] == '\\')
			return -EBADMSG;
	memcpy(ret, text, len + 1);
	return 0;
}

static int copy_hex(const json_t *object, const char *key, uint64_t *ret)
{
	const char *text = json_get_string(object, key, NULL);

	return text && parse_id(text, ret, NULL) >= 0 ? 0 : -EBADMSG;
}

static int copy_tristate(const json_t *object, const char *key, int *ret)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_null(value) && !json_is_boolean(value))
		return -EBADMSG;
	*ret = json_is_null(value) ? -1 : json_is_true(value);
	return 0;
}

/* -1 for null. */
static int copy_count(const json_t *object, const char *key, int64_t max, int64_t *ret)
{
	const json_t *value = json_object_get(object, key);
	int64_t n;

	*ret = -1;
	if (json_is_null(value))
		return 0;
	if (!json_is_integer(value))
		return -EBADMSG;
	n = json_integer_value(value);
	if (n < 0 || n > max)
		return -EBADMSG;
	*ret = n;
	return 0;
}

/* Where the text is in the table; -EBADMSG. */
static int look_up(const char *const *table, size_t n, const char *text)
{
	size_t i;

	for (i = 0; text && i < n; i++)
		if (table[i] && strcmp(table[i], text) == 0)
			return i;
	return -EBADMSG;
}

static int copy_class(const json_t *object, struct place *p)
{
	const char *text = json_get_string(object, "class", NULL);
	uint32_t class;

	for (class = PINGUARD_MEMORY_CLASS_NONE; place_class_name(class); class++)
		if (text && strcmp(place_class_name(class), text) == 0)
			break;
	if (!place_class_name(class))
		return -EBADMSG;
	p->class = class;
	text = json_get_string(object, "class_source", "");
	p->from_kernel = strcmp(text, "kernel") == 0;
	return p->from_kernel || strcmp(text, "proc") == 0 ? 0 : -EBADMSG;
}

static int copy_flags(const json_t *object, struct place *p)
{
	const json_t *array = json_object_get(object, "page_flags"), *value;
	size_t i;
	int bit;

	if (!json_is_array(array))
		return -EBADMSG;
	json_array_foreach(array, i, value) {
		bit = look_up(flags, ARRAY_SIZE(flags), json_string_value(value));
		if (bit < 0)
			return bit;
		p->page_flags |= UINT64_C(1) << bit;
	}
	if (!json_is_boolean(json_object_get(object, "poisoned")))
		return -EBADMSG;
	p->poisoned = json_get_bool(object, "poisoned", false);
	return 0;
}

static int copy_dimm(const json_t *object, struct place_dimm *dimm)
{
	const json_t *health = json_object_get(object, "health");
	int r = PLACE_HEALTH_UNKNOWN;

	if (!json_is_null(health))
		r = look_up(healths, ARRAY_SIZE(healths), json_string_value(health));
	if (r < 0)
		return r;
	dimm->health = r;
	if (copy_text(object, "name", false, dimm->name, sizeof(dimm->name)) < 0 ||
	    !dimm->name[0] ||
	    copy_hex(object, "handle", &dimm->handle) < 0 ||
	    copy_text(object, "serial", true, dimm->serial, sizeof(dimm->serial)) < 0)
		return -EBADMSG;
	return 0;
}

static int copy_dimms(const json_t *object, struct place *p)
{
	const json_t *array = json_object_get(object, "dimms"), *value;
	size_t i;
	int r;

	if (!json_is_array(array) || json_array_size(array) > PLACE_DIMMS_MAX)
		return -EBADMSG;
	json_array_foreach(array, i, value) {
		r = copy_dimm(value, &p->dimms[i]);
		if (r < 0)
			return r;
	}
	p->n_dimms = json_array_size(array);
	return 0;
}

static int copy_names(const json_t *object, struct place *p)
{
	const struct {
		const char *key;
		char *name;
	} names[] = {
		{ "memory_block", p->memory_block }, { "region", p->region },
		{ "namespace", p->namespace },	     { "dax", p->dax },
		{ "block_device", p->block_device }, { "pci", p->pci },
	};
	size_t i;
	int r;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		r = copy_text(object, names[i].key, true, names[i].name, PLACE_NAME_MAX);
		if (r < 0)
			return r;
	}
	return copy_text(object, "why", false, p->why, sizeof(p->why));
}

int place_from_json(const json_t *object, struct place *ret)
{
	int64_t node, offset;
	struct place p;

	place_init(&p, 0);
	if (!json_is_object(object) || copy_hex(object, "address", &p.phys) < 0 ||
	    copy_class(object, &p) < 0 || copy_flags(object, &p) < 0 ||
	    copy_names(object, &p) < 0 || copy_tristate(object, "online", &p.online) < 0 ||
	    copy_tristate(object, "bad", &p.bad) < 0 || copy_dimms(object, &p) < 0 ||
	    copy_count(object, "node", INT32_MAX, &node) < 0 ||
	    copy_count(object, "offset", INT64_MAX, &offset) < 0)
		return -EBADMSG;
	p.node = node;
	p.has_offset = offset >= 0;
	p.offset = p.has_offset ? offset : 0;
	*ret = p;
	return 0;
}
