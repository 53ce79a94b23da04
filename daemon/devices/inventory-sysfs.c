/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What sysfs says of memory: DAX devices, memory blocks and their nodes, PCI BARs. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/devices/inventory-internal.h"

int inventory_open_sys(const struct inventory *inv, const char *path)
{
	char full[512];
	int fd;

	if ((size_t)snprintf(full, sizeof(full), "%s%s", inv->sys, path) >= sizeof(full))
		return -ENAMETOOLONG;
	fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int inventory_read_line(int dir_fd, const char *file, char *ret, size_t size)
{
	_cleanup_(closep) int fd = openat(dir_fd, file, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, ret, size - 1);
	if (n < 0)
		return -errno;
	ret[n] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	return 0;
}

int inventory_read_number(int dir_fd, const char *file, int base, uint64_t *ret)
{
	unsigned long long value;
	char buf[64], *end;
	int r;

	r = inventory_read_line(dir_fd, file, buf, sizeof(buf));
	if (r < 0)
		return r;
	errno = 0;
	value = strtoull(buf, &end, base);
	if (end == buf || errno || *end)
		return -EBADMSG;
	*ret = value;
	return 0;
}

int inventory_each(int dir_fd, int (*one)(int dir_fd, const char *name, void *userdata),
		   void *userdata)
{
	DIR *dir = fdopendir(dir_fd);
	struct dirent *de;
	int r = 0;

	if (!dir) {
		r = -errno;
		close(dir_fd);
		return r;
	}
	while (r == 0 && (de = readdir(dir)))
		if (de->d_name[0] != '.')
			r = one(dir_fd, de->d_name, userdata);
	closedir(dir);
	return r;
}

/* --- DAX devices --- */

/* 1 where there are mappings: what a device is made of, if that is told piece by piece. */
static int read_mappings(struct inventory *inv, int dev_fd, const char *name)
{
	unsigned int i;
	int r;

	for (i = 0; i < INVENTORY_RANGES_MAX; i++) {
		_cleanup_(closep) int fd = -1;
		uint64_t start, end;
		char mapping[32];

		snprintf(mapping, sizeof(mapping), "mapping%u", i);
		fd = openat(dev_fd, mapping, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			break;
		if (inventory_read_number(fd, "start", 0, &start) < 0 ||
		    inventory_read_number(fd, "end", 0, &end) < 0 || end < start)
			continue;
		r = inventory_add(inv, name, start, end - start + 1);
		if (r < 0)
			return r;
	}
	return i > 0;
}

static int read_dax(int bus_fd, const char *name, void *userdata)
{
	_cleanup_(closep) int fd = openat(bus_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint64_t start = UINT64_MAX, size = 0;
	struct inventory *inv = userdata;
	int r;

	if (fd < 0) /* it has gone */
		return 0;
	r = read_mappings(inv, fd, name);
	if (r != 0)
		return r < 0 ? r : 0;
	if (inventory_read_number(fd, "resource", 0, &start) < 0 ||
	    inventory_read_number(fd, "size", 0, &size) < 0)
		size = 0;
	return inventory_add(inv, name, start, size);
}

int inventory_read_dax(struct inventory *inv)
{
	int fd = inventory_open_sys(inv, "/bus/dax/devices");

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	return inventory_each(fd, read_dax, inv);
}

/* --- memory blocks --- */

struct block_list {
	struct block {
		uint64_t number;
		int node;
	} *all;
	size_t n, size;
	int node;
};

bool inventory_parse_numbered(const char *name, const char *prefix, uint64_t *ret)
{
	size_t len = strlen(prefix);
	char *end;

	if (strncmp(name, prefix, len) != 0 || name[len] < '0' || name[len] > '9')
		return false;
	errno = 0;
	*ret = strtoull(name + len, &end, 10);
	return !*end && !errno && *ret < UINT64_MAX;
}

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

/* --- PCI --- */

#define BARS	     7 /* six, and the ROM; what follows are windows of a bridge */
#define RESOURCE_MEM 0x200

struct bar_search {
	uint64_t phys;
	char *ret;
	size_t size;
};

static bool bars_cover(const char *text, uint64_t phys)
{
	uint64_t first, last, flags;
	unsigned int i;
	int len;

	for (i = 0; i < BARS; i++) {
		if (sscanf(text, "%" SCNx64 " %" SCNx64 " %" SCNx64 " %n", &first, &last, &flags,
			   &len) != 3)
			return false;
		if (flags & RESOURCE_MEM && last && phys >= first && phys <= last)
			return true;
		text += len;
	}
	return false;
}

static int check_bars(int dir_fd, const char *name, void *userdata)
{
	struct bar_search *search = userdata;
	_cleanup_(closep) int fd = -1;
	char path[300], text[2048];
	ssize_t n;

	snprintf(path, sizeof(path), "%.255s/resource", name);
	fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return 0;
	text[n] = '\0';
	if (!bars_cover(text, search->phys) || !inventory_name_ok(name))
		return 0;
	snprintf(search->ret, search->size, "%s", name);
	return 1;
}

bool inventory_find_bar(struct inventory *inv, uint64_t phys, char *ret, size_t size)
{
	struct bar_search search = { .phys = phys, .ret = ret, .size = size };
	int fd = inventory_open_sys(inv, "/bus/pci/devices");

	return fd >= 0 && inventory_each(fd, check_bars, &search) > 0;
}
