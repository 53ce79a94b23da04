/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A pin as JSON: a tree of it, or text where there are many. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "daemon/model/render.h"
#include "lib/json.h"

static json_t *hex_or_null(uint64_t value)
{
	return value ? json_hex(value) : json_null();
}

/* What pins have in common, of names that are the caller's. */
struct common {
	uint32_t kind, tgid, uid;
	const char *device; /* "" for none */
	const void *comm;
	size_t comm_len;
	const struct cgroup_node *cgroup, *charged;
};

static json_t *common_json(const struct common *c)
{
	return json_pack("{s:s, s:o, s:I, s:o, s:o, s:o, s:o}",
			 "kind", render_kind(c->kind),
			 "device", render_string(*c->device ? c->device : NULL),
			 "pid", (json_int_t)c->tgid,
			 "comm", json_escaped(c->comm, c->comm_len),
			 "uid", json_bytes_or_null(c->uid, c->uid != PIN_UID_NONE),
			 "cgroup", render_path(c->cgroup),
			 "charged_cgroup", render_path(c->charged));
}

/* What pins of an origin have in common. */
static json_t *render_origin(const struct pin_origin *origin)
{
	const struct common c = {
		.kind = origin->kind,
		.tgid = origin->tgid,
		.uid = origin->uid,
		.device = origin->device,
		.comm = origin->comm,
		.comm_len = origin->comm_len,
		.cgroup = origin->cgroup,
		.charged = origin->charged,
	};

	return common_json(&c);
}

static bool pin_has_since(const struct pin *pin)
{
	return pin->since_usec && !(pin->flags & PIN_FLAG_FOUND);
}

json_t *render_device(const struct pin_origin *origin)
{
	return render_string(*origin->device ? origin->device : NULL);
}

/* common: the reference is taken over */
static json_t *pin_json(json_t *common, const struct pin *p, bool charged)
{
	_cleanup_json_ json_t *owned = common;
	json_t *pin = json_pack("{s:o}", "id", hex_or_null(p->id));
	_cleanup_json_ json_t *own =
		json_pack("{s:o, s:o, s:o, s:o, s:b, s:b}", "address", hex_or_null(p->address),
			  "bytes", json_integer(MIN(p->bytes, (uint64_t)INT64_MAX)),
			  "charged_bytes", json_bytes_or_null(p->bytes - p->shared_bytes, charged),
			  "since_usec", json_bytes_or_null(p->since_usec, pin_has_since(p)),
			  "owner_gone", !!(p->flags & PINGUARD_FLAG_OWNER_GONE),
			  "releasing", !!(p->flags & PINGUARD_FLAG_RELEASING));

	if (pin && json_object_update(pin, owned) == 0 && json_object_update(pin, own) == 0)
		return pin;
	json_decref(pin);
	return NULL;
}

json_t *render_pin(const struct pin *pin)
{
	return pin_json(render_origin(pin->origin), pin, pin->origin->charged);
}

json_t *render_pin_info(const struct pin_info *info, const struct cgroup_node *cgroup,
			const struct cgroup_node *charged)
{
	const struct common c = {
		.kind = info->kind,
		.tgid = info->tgid,
		.uid = info->uid,
		.device = info->device,
		.comm = info->comm,
		.comm_len = info->comm_len,
		.cgroup = cgroup,
		.charged = charged,
	};

	const struct pin pin = {
		.id = info->id,
		.address = info->address,
		.bytes = info->bytes,
		.shared_bytes = MIN(info->shared_bytes, info->bytes),
		.since_usec = info->since_usec,
		.flags = info->flags,
	};

	/* A pin that was refused has no number, and is charged for nothing. */
	return pin_json(common_json(&c), &pin, charged && info->id);
}

/* Names are users': what is longer is made each time, and not kept. */
#define SHOWN_KEPT_BYTES 512

/*
 * The members of what pins of an origin have in common, kept until a cgroup's path
 * changes. made: the text where it is not kept
 */
static const char *shown(struct pin_origin *origin, unsigned int names, char **made)
{
	_cleanup_json_ json_t *common = NULL;
	char *text;

	if (origin->shown && origin->shown_names == names)
		return origin->shown;
	free(origin->shown);
	origin->shown = NULL;
	common = render_origin(origin);
	text = common ? json_dumps(common, JSON_COMPACT) : NULL;
	if (!text)
		return NULL;
	/* without its braces */
	text[strlen(text) - 1] = '\0';
	memmove(text, text + 1, strlen(text));
	if (strlen(text) > SHOWN_KEPT_BYTES)
		return *made = text;
	origin->shown = text;
	origin->shown_names = names;
	return text;
}

static void print_hex(FILE *out, const char *key, uint64_t value)
{
	if (value)
		fprintf(out, ",\"%s\":\"0x%" PRIx64 "\"", key, value);
	else
		fprintf(out, ",\"%s\":null", key);
}

int render_pin_text(const struct registry *r, const struct pin *pin, FILE *out)
{
	_cleanup_(freep) char *made = NULL;
	const char *common = shown(pin->origin, registry_names(r), &made);

	if (!common)
		return -ENOMEM;
	/* all that are listed have one */
	fprintf(out, "{\"id\":\"0x%" PRIx64 "\",%s", pin->id, common);
	print_hex(out, "address", pin->address);
	fprintf(out, ",\"bytes\":%" PRIu64, MIN(pin->bytes, (uint64_t)INT64_MAX));
	if (pin->origin->charged)
		fprintf(out, ",\"charged_bytes\":%" PRIu64,
			MIN(pin->bytes - pin->shared_bytes, (uint64_t)INT64_MAX));
	else
		fputs(",\"charged_bytes\":null", out);
	if (pin_has_since(pin))
		fprintf(out, ",\"since_usec\":%" PRIu64, MIN(pin->since_usec, (uint64_t)INT64_MAX));
	else
		fputs(",\"since_usec\":null", out);
	fprintf(out, ",\"owner_gone\":%s,\"releasing\":%s}",
		pin->flags & PINGUARD_FLAG_OWNER_GONE ? "true" : "false",
		pin->flags & PINGUARD_FLAG_RELEASING ? "true" : "false");
	return ferror(out) ? -ENOMEM : 0;
}
