/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/base/output.h"
#include "client/base/pinctl.h"
#include "client/parts/place.h"
#include "lib/json.h"

#define KEY_WIDTH  14
#define TEXT_WIDTH 80
#define INDENT	   2

/* The innermost first: what offset counts from is the first of them that is there. */
static const char *const devices[] = { "dax", "block_device", "namespace", "region" };

const char *place_device(const json_t *place)
{
	const char *name = NULL;

	for (size_t i = 0; !name && i < ARRAY_SIZE(devices); i++)
		name = json_get_string(place, devices[i], NULL);
	return name ?: json_get_string(place, "memory_block", json_get_string(place, "pci", NULL));
}

/* From @column on; on a terminal words go on there in the next line, for programs it is one. */
static void print_words(const struct pinctl *ctl, size_t column, const char *text)
{
	while (ctl->terminal && column + strlen(text) > TEXT_WIDTH) {
		size_t length = TEXT_WIDTH - column;

		while (length > 0 && text[length] != ' ')
			length--;
		if (length == 0)
			break;
		printf("%.*s\n%*s", (int)length, text, (int)column, "");
		text += length + 1;
	}
	puts(text);
}

static void print_fact(const struct pinctl *ctl, const char *key, const char *text)
{
	printf("%s:%*s", key, KEY_WIDTH - 1 - (int)strlen(key), "");
	print_words(ctl, KEY_WIDTH, text);
}

/* Nothing where the value is null. */
static void print_key(const struct pinctl *ctl, const char *name, const json_t *place,
		      const char *key)
{
	const json_t *value = json_object_get(place, key);
	char number[24];

	if (json_is_string(value)) {
		print_fact(ctl, name, json_string_value(value));
	} else if (json_is_boolean(value)) {
		print_fact(ctl, name, json_is_true(value) ? "yes" : "no");
	} else if (json_is_integer(value)) {
		snprintf(number, sizeof(number), "%" PRId64, (int64_t)json_integer_value(value));
		print_fact(ctl, name, number);
	}
}

static void print_page_flags(const struct pinctl *ctl, const json_t *flags)
{
	_cleanup_(freep) char *text = NULL;
	const json_t *flag;
	size_t i, size;
	FILE *out;

	if (json_array_size(flags) == 0)
		return;
	out = open_memstream(&text, &size);
	if (!out)
		return;
	json_array_foreach (flags, i, flag)
		fprintf(out, "%s%s", i == 0 ? "" : " ", json_string_value(flag) ?: "?");
	if (fclose(out) == 0)
		print_fact(ctl, "Page flags", text);
}

/* "memory33, online" */
static const char *show_block(const json_t *place, char *buf, size_t size)
{
	const char *block = json_get_string(place, "memory_block", NULL);
	const json_t *online = json_object_get(place, "online");

	if (!block)
		return NULL;
	snprintf(buf, size, "%s%s", block,
		 !json_is_boolean(online) ? ""
		 : json_is_true(online)	  ? ", online"
					  : ", offline");
	return buf;
}

/* "nmem0, handle 0x1, serial 0x2a, health ok" */
static char *show_dimm(const json_t *dimm)
{
	static const char *const keys[] = { "handle", "serial", "health" };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fputs(json_get_string(dimm, "name", "?"), out);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *value = json_get_string(dimm, keys[i], NULL);

		if (value)
			fprintf(out, ", %s %s", keys[i], value);
	}
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

void print_place(const struct pinctl *ctl, const json_t *place)
{
	const char *device = place_device(place);
	const json_t *offset = json_object_get(place, "offset"), *dimm;
	char text[256];
	size_t i;

	print_key(ctl, "Address", place, "address");
	print_key(ctl, "Class", place, "class");
	print_key(ctl, "Why", place, "why");
	print_key(ctl, "Source", place, "class_source");
	print_page_flags(ctl, json_object_get(place, "page_flags"));
	print_key(ctl, "Poisoned", place, "poisoned");
	if (show_block(place, text, sizeof(text)))
		print_fact(ctl, "Memory block", text);
	print_key(ctl, "Node", place, "node");
	print_key(ctl, "Region", place, "region");
	print_key(ctl, "Namespace", place, "namespace");
	print_key(ctl, "DAX device", place, "dax");
	print_key(ctl, "Block device", place, "block_device");
	if (device && json_is_integer(offset)) {
		snprintf(text, sizeof(text), "0x%" PRIx64 " in %s",
			 (uint64_t)json_integer_value(offset), device);
		print_fact(ctl, "Offset", text);
	}
	print_key(ctl, "Bad block", place, "bad");
	json_array_foreach (json_object_get(place, "dimms"), i, dimm) {
		_cleanup_(freep) char *shown = show_dimm(dimm);

		if (shown)
			print_fact(ctl, "DIMM", shown);
	}
	print_key(ctl, "PCI function", place, "pci");
}

/* "device_dax, poisoned: dax0.0+0x1000, namespace0.0, region0, node 1" */
static void add_summary(FILE *out, const json_t *place)
{
	int64_t offset = json_get_int(place, "offset", 0), node = json_get_int(place, "node", -1);
	const char *name, *separator = ": ";
	char block[256];

	fprintf(out, "%s%s%s", json_get_string(place, "class", "?"),
		json_get_bool(place, "poisoned", false) ? ", poisoned" : "",
		json_get_bool(place, "bad", false) ? ", a bad block" : "");
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		name = json_get_string(place, devices[i], NULL);
		if (!name)
			continue;
		fprintf(out, "%s%s", separator, name);
		if (offset > 0)
			fprintf(out, "+0x%" PRIx64, (uint64_t)offset);
		separator = ", ";
		offset = 0;
	}
	name = show_block(place, block, sizeof(block));
	if (name) {
		fprintf(out, "%s%s", separator, name);
		separator = ", ";
	}
	if (node >= 0) {
		fprintf(out, "%snode %" PRId64, separator, node);
		separator = ", ";
	}
	name = json_get_string(place, "pci", NULL);
	if (name)
		fprintf(out, "%sPCI %s", separator, name);
}

void print_below(const struct pinctl *ctl, const char *text)
{
	printf("%*s", INDENT, "");
	print_words(ctl, INDENT, text);
}

void print_place_summary(const struct pinctl *ctl, const json_t *place)
{
	_cleanup_(freep) char *text = NULL;
	const json_t *dimm;
	size_t i, size;
	FILE *out;

	if (!json_is_object(place))
		return;
	out = open_memstream(&text, &size);
	if (!out)
		return;
	add_summary(out, place);
	if (fclose(out) == 0)
		print_below(ctl, text);
	json_array_foreach (json_object_get(place, "dimms"), i, dimm) {
		_cleanup_(freep) char *shown = show_dimm(dimm);

		if (shown)
			printf("%*sDIMM %s\n", INDENT, "", shown);
	}
}

void fill_place(json_t *place)
{
	static const char *const nullable[] = { "memory_block", "online",    "node",
						"region",	"namespace", "dax",
						"block_device", "offset",    "bad",
						"pci",		NULL };
	static const char *const dimm_nullable[] = { "serial", "health", NULL };
	json_t *dimm;
	size_t i;

	if (!json_is_object(place))
		return;
	fill_null(place, nullable);
	json_array_foreach (json_object_get(place, "dimms"), i, dimm)
		fill_null(dimm, dimm_nullable);
}
