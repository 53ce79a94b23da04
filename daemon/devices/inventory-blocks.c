/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory blocks and their nodes, as sysfs tells of them. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/devices/inventory-internal.h"

struct block_list {
	struct block {
		uint64_t number;
		int node;
	} *all;
	size_t n, size;
	int node;
};

static int add_block(int dir_fd, const char *name, void *userdata)
{
	struct block_list *list = userdata;
	struct block *all;
	uint64_t number;
	size_t size;

	if (!inventory_parse_numbered(name, "memory", &number))
		return 0;
	if (list->n == list->size) {
		size = list->size ? list->size * 2 : 64;
		if (size > 2 * INVENTORY_BLOCKS_MAX) /* each may come twice */
			return -E2BIG;
		all = reallocarray(list->all, size, sizeof(*all));
		if (!all)
			return -ENOMEM;
		list->all = all;
		list->size = size;
	}
	list->all[list->n++] = (struct block){ number, list->node };
	return 0;
}

static int add_node(int dir_fd, const char *name, void *userdata)
{
	struct block_list *list = userdata;
	uint64_t number;
	int fd;

	if (!inventory_parse_numbered(name, "node", &number) || number > INT16_MAX)
		return 0;
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	list->node = number;
	return inventory_each(fd, add_block, list);
}

/* One that has a node before the same without. */
static int by_number(const void *a, const void *b)
{
	const struct block *x = a, *y = b;

	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return (x->node < y->node) - (x->node > y->node);
}

static int make_runs(struct block_list *list, struct block_table *table)
{
	struct blocks *run = NULL;
	size_t i;

	table->runs = calloc(list->n ?: 1, sizeof(*table->runs));
	if (!table->runs)
		return -ENOMEM;
	if (list->n > 0)
		qsort(list->all, list->n, sizeof(*list->all), by_number);
	for (i = 0; i < list->n; i++) {
		const struct block *b = &list->all[i];

		if (run && b->number <= run->last)
			continue;
		if (run && b->number == run->last + 1 && b->node == run->node) {
			run->last++;
			continue;
		}
		run = &table->runs[table->n++];
		*run = (struct blocks){ b->number, b->number, b->node };
	}
	run = reallocarray(table->runs, table->n ?: 1, sizeof(*run));
	if (run)
		table->runs = run;
	return 0;
}

int inventory_read_blocks(struct inventory *inv, struct block_table *ret)
{
	int memory = inventory_open_sys(inv, "/devices/system/memory"), node;
	struct block_list list = { .node = -1 };
	struct block_table table = {};
	int r;

	if (memory < 0) {
		*ret = table;
		return memory == -ENOENT ? 0 : memory;
	}
	(void)inventory_read_number(memory, "block_size_bytes", 16, &table.block_bytes);
	r = inventory_each(memory, add_block, &list);
	node = r < 0 ? -1 : inventory_open_sys(inv, "/devices/system/node");
	if (node >= 0)
		r = inventory_each(node, add_node, &list);
	if (r >= 0)
		r = make_runs(&list, &table);
	free(list.all);
	if (r >= 0)
		*ret = table;
	return r;
}

void block_table_done(struct block_table *table)
{
	free(table->runs);
	*table = (struct block_table){};
}

const struct blocks *block_table_find(const struct block_table *table, uint64_t block)
{
	size_t i;

	for (i = 0; i < table->n; i++)
		if (block >= table->runs[i].first && block <= table->runs[i].last)
			return &table->runs[i];
	return NULL;
}

void block_table_remove(struct block_table *table, uint64_t block)
{
	struct blocks *run = (struct blocks *)block_table_find(table, block), *runs;
	size_t i;

	if (!run)
		return;
	i = run - table->runs;
	if (run->first == run->last) {
		memmove(run, run + 1, (--table->n - i) * sizeof(*run));
	} else if (block == run->first) {
		run->first++;
	} else if (block == run->last) {
		run->last--;
	} else {
		runs = reallocarray(table->runs, table->n + 1, sizeof(*runs));
		if (!runs)
			return; /* until it is read anew */
		table->runs = runs;
		memmove(&runs[i + 1], &runs[i], (table->n++ - i) * sizeof(*runs));
		runs[i].last = block - 1;
		runs[i + 1].first = block + 1;
	}
}

int inventory_block_online(struct inventory *inv, uint64_t block)
{
	_cleanup_(closep) int fd = -1;
	char path[64], state[32];

	snprintf(path, sizeof(path), "/devices/system/memory/memory%" PRIu64, block);
	fd = inventory_open_sys(inv, path);
	if (fd < 0 || inventory_read_line(fd, "state", state, sizeof(state)) < 0)
		return -1;
	/* One that is going offline is in use until it is. */
	return strcmp(state, "offline") != 0;
}
