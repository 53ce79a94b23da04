/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PINGUARD_JSON_H
#define PINGUARD_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/macros.h"

#define _cleanup_json_ _cleanup_(json_decrefp)

/* json_hex() - a 64-bit id or address as "0x1f"; a new reference, NULL when out of memory */
json_t *json_hex(uint64_t value);

/* json_escaped() - bytes of foreign origin as an escape()d string; a new reference or NULL */
json_t *json_escaped(const void *bytes, size_t size);

/* json_name() - the same with escape_name() */
json_t *json_name(const char *name);

/* json_bytes() - a count of bytes, capped at INT64_MAX; null for UINT64_MAX, no limit */
json_t *json_bytes(uint64_t bytes);

/* json_bytes_or_null() - the same, or null where it is not known */
json_t *json_bytes_or_null(uint64_t bytes, bool known);

/*
 * The value of a key, or the fallback where it is absent, null or of another
 * type. A string belongs to @object.
 */
const char *json_get_string(const json_t *object, const char *key, const char *fallback);
int64_t json_get_int(const json_t *object, const char *key, int64_t fallback);
bool json_get_bool(const json_t *object, const char *key, bool fallback);

#endif
