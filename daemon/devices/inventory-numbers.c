/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device files of what has memory: DAX devices, and block devices of namespaces. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "daemon/devices/inventory-internal.h"

#define STACK_MAX 8 /* block devices, each made of the one before */

int numbers_add(struct device_numbers *numbers, const struct device_number *number)
{
	for (size_t i = 0; i < numbers->n; i++)
		if (numbers->all[i].number == number->number &&
		    numbers->all[i].block == number->block)
			return 0;
	if (numbers->n == OPENERS_NUMBERS_MAX)
		return -E2BIG;
	numbers->all[numbers->n++] = *number;
	return 0;
}

int numbers_read(int dir_fd, const char *file, dev_t *ret)
{
	unsigned int major, minor;
	char line[32];
	int r = inventory_read_line(dir_fd, file, line, sizeof(line));

	if (r < 0)
		return r;
	if (sscanf(line, "%u:%u", &major, &minor) != 2)
		return -EBADMSG;
	*ret = makedev(major, minor);
	return 0;
}

static int add_number(struct device *dev, dev_t number, bool block)
{
	struct device_number *all;

	if (dev->n_numbers == OPENERS_NUMBERS_MAX)
		return 0;
	all = reallocarray(dev->numbers, dev->n_numbers + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	all[dev->n_numbers++] = (struct device_number){ .number = number, .block = block };
	dev->numbers = all;
	return 0;
}

/* A block device with its partitions, and those that are made of them. */
struct stack {
	struct inventory *inv;
	struct device *dev;
	const char *name;
	unsigned int depth;
};

static int add_block(struct stack *below, const char *name);

static int on_holder(int dir_fd, const char *name, void *userdata)
{
	return add_block(userdata, name);
}

static int on_partition(int dir_fd, const char *name, void *userdata)
{
	struct stack *s = userdata;

	if (strncmp(name, s->name, strlen(s->name)) != 0)
		return 0;
	return add_block(s, name);
}

static int add_block(struct stack *below, const char *name)
{
	struct stack s = { below->inv, below->dev, name, below->depth + 1 };
	char path[512];
	dev_t number;
	int fd, r;

	if (s.depth > STACK_MAX || !inventory_name_ok(name))
		return 0;
	snprintf(path, sizeof(path), "/class/block/%s", name);
	fd = inventory_open_sys(s.inv, path);
	if (fd < 0) /* it has gone */
		return 0;
	r = numbers_read(fd, "dev", &number);
	r = r < 0 ? 0 : add_number(s.dev, number, true);
	if (r < 0) {
		close(fd);
		return r;
	}
	r = inventory_each(fd, on_partition, &s); /* takes it over */
	snprintf(path, sizeof(path), "/class/block/%s/holders", name);
	fd = r < 0 ? -1 : inventory_open_sys(s.inv, path);
	return fd < 0 ? MIN(r, 0) : inventory_each(fd, on_holder, &s);
}

static int add_dax(struct inventory *inv, struct device *dev)
{
	_cleanup_(closep) int fd = -1;
	char path[512];
	dev_t number;

	snprintf(path, sizeof(path), "/bus/dax/devices/%s", dev->name);
	fd = inventory_open_sys(inv, path);
	if (fd < 0 || numbers_read(fd, "dev", &number) < 0)
		return 0;
	return add_number(dev, number, false);
}

int inventory_read_numbers(struct inventory *inv)
{
	int r = 0;

	for (size_t i = 0; i < inv->fresh.n && r >= 0; i++) {
		struct device *dev = &inv->fresh.all[i];
		struct stack none = { inv, dev };

		if (dev->block_device[0])
			r = add_block(&none, dev->block_device);
		else if (strncmp(dev->name, "dax", strlen("dax")) == 0)
			r = add_dax(inv, dev);
	}
	return r;
}

static bool overlap(const struct device *a, const struct device *b)
{
	for (size_t i = 0; i < a->n_ranges; i++)
		for (size_t j = 0; j < b->n_ranges; j++)
			if (a->ranges[i].first <= b->ranges[j].last &&
			    b->ranges[j].first <= a->ranges[i].last)
				return true;
	return false;
}

int inventory_find_numbers(struct inventory *inv, const char *name, struct device_numbers *ret)
{
	const struct device *target = device_table_find(&inv->known, name);

	ret->n = 0;
	if (!target)
		return -ENOENT;
	/* What is made of the same memory, such as the namespaces of a region. */
	for (size_t i = 0; i < inv->known.n; i++) {
		const struct device *dev = &inv->known.all[i];

		if (dev->n_numbers == 0 || (dev != target && !overlap(dev, target)))
			continue;
		for (size_t j = 0; j < dev->n_numbers; j++)
			if (numbers_add(ret, &dev->numbers[j]) < 0)
				return -E2BIG;
	}
	return 0;
}
