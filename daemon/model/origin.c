/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <sys/auxv.h>

#include "daemon/model/origin.h"
#include "daemon/model/registry.h"

#define KEY_START offsetof(struct pin_origin, cgroup)
#define KEY_BYTES (offsetof(struct pin_origin, device) + PINGUARD_DEVICE_NAME_MAX - KEY_START)

void origins_init(struct origins *table)
{
	const void *random = (const void *)getauxval(AT_RANDOM);

	/* 16 bytes that the kernel gives each process */
	if (random)
		memcpy(table->secret, random, sizeof(table->secret));
}

static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/*
 * Users choose the names of their processes: with a hash that they can compute
 * all of them would share a bucket.
 */
static unsigned int key_hash(const struct origins *table, const struct pin_origin *origin)
{
	const unsigned char *bytes = (const unsigned char *)origin + KEY_START;
	uint64_t hash = mix(table->secret[0], table->secret[1] | 1);

	for (size_t i = 0; i < KEY_BYTES; i += sizeof(uint64_t)) {
		uint64_t part = 0;

		memcpy(&part, bytes + i, MIN(KEY_BYTES - i, sizeof(part)));
		hash = mix(hash ^ part, table->secret[1] | 1);
	}
	return (unsigned int)(hash ^ hash >> 32);
}

static void make_key(struct pin_origin *key, const struct pin_info *info,
		     struct cgroup_node *cgroup, struct cgroup_node *charged)
{
	memset(key, 0, sizeof(*key));
	key->cgroup = cgroup;
	key->charged = charged;
	key->tgid = info->tgid;
	key->uid = info->uid;
	key->kind = info->kind > UINT8_MAX ? PIN_KIND_UNKNOWN : info->kind;
	key->comm_len = MIN(info->comm_len, sizeof(key->comm));
	memcpy(key->comm, info->comm, key->comm_len);
	memcpy(key->device, info->device, strnlen(info->device, sizeof(key->device) - 1));
}

struct pin_origin *origin_get(struct origins *table, const struct pin_info *info,
			      struct cgroup_node *cgroup, struct cgroup_node *charged)
{
	struct pin_origin key, *origin;
	unsigned int hash;

	make_key(&key, info, cgroup, charged);
	hash = key_hash(table, &key);
	HASH_FIND_BYHASHVALUE(hh, table->all, (char *)&key + KEY_START, KEY_BYTES, hash, origin);
	if (!origin) {
		origin = malloc(sizeof(*origin));
		if (!origin)
			return NULL;
		*origin = key;
		HASH_ADD_KEYPTR_BYHASHVALUE(hh, table->all, (char *)origin + KEY_START, KEY_BYTES,
					    hash, origin);
		if (!origin->hh.tbl) {
			free(origin);
			return NULL;
		}
		cgroup_node_ref(cgroup);
		cgroup_node_ref(charged);
	}
	origin->refs++;
	return origin;
}

void origin_put(struct origins *table, struct pin_origin *origin)
{
	if (!origin || --origin->refs > 0)
		return;
	HASH_DEL(table->all, origin);
	cgroup_node_unref(origin->cgroup);
	cgroup_node_unref(origin->charged);
	free(origin->shown);
	free(origin);
}
