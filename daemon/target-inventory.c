/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/place.h"
#include "daemon/target.h"

#define NAME_LEN 64

struct device {
	char name[NAME_LEN];
	struct phys_range *ranges;
	size_t n_ranges;
};

struct devices {
	struct device *all;
	size_t n, size;
};

struct inventory {
	const char *sys;
	inventory_source source;
	struct devices known, fresh;
	uint64_t block_bytes; /* 0: not known */
};

static void devices_done(struct devices *d)
{
	size_t i;

	for (i = 0; i < d->n; i++)
		free(d->all[i].ranges);
	free(d->all);
	*d = (struct devices){};
}

static struct device *find(struct devices *d, const char *name)
{
	size_t i;

	/* From the end: ranges of one device come one after another. */
	for (i = d->n; i > 0; i--)
		if (strcmp(d->all[i - 1].name, name) == 0)
			return &d->all[i - 1];
	return NULL;
}

static int add_device(struct devices *d, const char *name, struct device **ret)
{
	struct device *all;
	size_t size;

	if (strlen(name) >= NAME_LEN)
		return -ENAMETOOLONG;
	if (d->n >= INVENTORY_MAX)
		return -E2BIG;
	if (d->n == d->size) {
		size = d->size ? d->size * 2 : 16;
		all = reallocarray(d->all, size, sizeof(*all));
		if (!all)
			return -ENOMEM;
		d->all = all;
		d->size = size;
	}
	*ret = &d->all[d->n++];
	**ret = (struct device){};
	strcpy((*ret)->name, name);
	return 0;
}

int inventory_add(struct inventory *inv, const char *name, uint64_t start, uint64_t size)
{
	struct device *dev = find(&inv->fresh, name);
	struct phys_range *ranges;
	int r;

	if (!dev) {
		r = add_device(&inv->fresh, name, &dev);
		if (r < 0)
			return r;
	}
	if (size == 0 || start > TARGET_PHYS_MAX || size - 1 > TARGET_PHYS_MAX - start)
		return 0;
	if (dev->n_ranges >= INVENTORY_RANGES_MAX)
		return -E2BIG;
	ranges = reallocarray(dev->ranges, dev->n_ranges + 1, sizeof(*ranges));
	if (!ranges)
		return -ENOMEM;
	ranges[dev->n_ranges++] = (struct phys_range){ start, start + size - 1 };
	dev->ranges = ranges;
	return 0;
}

/* A file with one number; base 0 takes "0x1f" and "31". */
static int read_number(int dir_fd, const char *file, int base, uint64_t *ret)
{
	_cleanup_(closep) int fd = openat(dir_fd, file, O_RDONLY | O_CLOEXEC);
	unsigned long long value;
	char buf[64], *end;
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, buf, sizeof(buf) - 1);
	if (n < 0)
		return -errno;
	buf[n] = '\0';
	errno = 0;
	value = strtoull(buf, &end, base);
	if (end == buf || errno || (*end && *end != '\n'))
		return -EBADMSG;
	*ret = value;
	return 0;
}

static int open_sys(const struct inventory *inv, const char *path)
{
	char full[512];
	int fd;

	if ((size_t)snprintf(full, sizeof(full), "%s%s", inv->sys, path) >= sizeof(full))
		return -ENAMETOOLONG;
	fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

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
		if (read_number(fd, "start", 0, &start) < 0 || read_number(fd, "end", 0, &end) < 0 ||
		    end < start)
			continue;
		r = inventory_add(inv, name, start, end - start + 1);
		if (r < 0)
			return r;
	}
	return i > 0;
}

static int read_dax(struct inventory *inv, int bus_fd, const char *name)
{
	_cleanup_(closep) int fd = openat(bus_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint64_t start = UINT64_MAX, size = 0;
	int r;

	if (fd < 0) /* it has gone */
		return 0;
	r = read_mappings(inv, fd, name);
	if (r != 0)
		return r < 0 ? r : 0;
	if (read_number(fd, "resource", 0, &start) < 0 || read_number(fd, "size", 0, &size) < 0)
		size = 0;
	return inventory_add(inv, name, start, size);
}

static int read_dax_bus(struct inventory *inv)
{
	int fd = open_sys(inv, "/bus/dax/devices"), r = 0;
	struct dirent *de;
	DIR *dir;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	dir = fdopendir(fd);
	if (!dir) {
		r = -errno;
		close(fd);
		return r;
	}
	while (r >= 0 && (de = readdir(dir)))
		if (de->d_name[0] != '.')
			r = read_dax(inv, fd, de->d_name);
	closedir(dir);
	return r;
}

int inventory_refresh(struct inventory *inv)
{
	_cleanup_(closep) int memory = open_sys(inv, "/devices/system/memory");
	uint64_t block_bytes = 0;
	int r;

	if (memory >= 0)
		(void)read_number(memory, "block_size_bytes", 16, &block_bytes);
	r = read_dax_bus(inv);
	if (r >= 0 && inv->source)
		r = inv->source(inv);
	if (r < 0) {
		devices_done(&inv->fresh);
		return r;
	}
	inv->block_bytes = block_bytes;
	devices_done(&inv->known);
	inv->known = inv->fresh;
	inv->fresh = (struct devices){};
	return 0;
}

int inventory_new(const char *sys, inventory_source source, struct inventory **ret)
{
	struct inventory *inv = calloc(1, sizeof(*inv));

	if (!inv)
		return -ENOMEM;
	inv->sys = sys;
	inv->source = source;
	*ret = inv;
	return 0;
}

struct inventory *inventory_free(struct inventory *inv)
{
	if (!inv)
		return NULL;
	devices_done(&inv->known);
	devices_done(&inv->fresh);
	free(inv);
	return NULL;
}

static int resolve_block(struct inventory *inv, const char *name, uint64_t block, bool at_rest,
			 struct phys_range *ret)
{
	char path[NAME_LEN + 32];

	if (!inv->block_bytes)
		return -ENOENT;
	/* Meanwhile one that is not there is taken for one without pins. */
	if (at_rest) {
		_cleanup_(closep) int fd = -1;

		snprintf(path, sizeof(path), "/devices/system/memory/%.*s", NAME_LEN, name);
		fd = open_sys(inv, path);
		if (fd < 0)
			return fd == -ENOTDIR ? -ENOENT : fd;
	}
	if (block > TARGET_PHYS_MAX / inv->block_bytes)
		return -ENOENT;
	ret->first = block * inv->block_bytes;
	ret->last = ret->first + inv->block_bytes - 1;
	return 0;
}

int inventory_resolve(struct inventory *inv, const char *name, const struct target *target,
		      bool at_rest, struct phys_range **ret, size_t *ret_n,
		      const char **ret_reason)
{
	const struct phys_range *ranges = &target->range;
	struct phys_range block, *copy;
	struct device *dev;
	size_t n = 1;
	int r;

	if (target->type != TARGET_ADDRESSES && at_rest) {
		r = inventory_refresh(inv);
		if (r < 0)
			return r;
	}
	if (target->type == TARGET_MEMORY) {
		r = resolve_block(inv, name, target->block, at_rest, &block);
		if (r < 0)
			return r;
		ranges = &block;
	} else if (target->type == TARGET_DEVICE) {
		dev = find(&inv->known, name);
		if (!dev)
			return -ENOENT;
		ranges = dev->ranges;
		n = dev->n_ranges;
	}
	if (n == 0) {
		*ret_reason = "it has no memory of its own";
		return -EINVAL;
	}
	copy = calloc(n, sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	memcpy(copy, ranges, n * sizeof(*copy));
	*ret = copy;
	*ret_n = n;
	return 0;
}

static bool covers(const struct device *dev, uint64_t phys, uint64_t *ret_offset)
{
	uint64_t before = 0;
	size_t i;

	for (i = 0; i < dev->n_ranges; i++) {
		const struct phys_range *range = &dev->ranges[i];

		if (phys >= range->first && phys <= range->last) {
			*ret_offset = before + phys - range->first;
			return true;
		}
		before += range->last - range->first + 1;
	}
	return false;
}

/* How far inside the others a device of this name is; the name's place in *ret. */
static int rank(struct place *place, const char *name, char **ret)
{
	if (strncmp(name, "dax", 3) == 0) {
		*ret = place->dax;
		return 3;
	}
	if (strncmp(name, "namespace", 9) == 0) {
		*ret = place->namespace;
		return 2;
	}
	*ret = place->region;
	return 1;
}

int inventory_place(struct inventory *inv, uint64_t phys, bool at_rest, struct place *ret)
{
	uint32_t class = PINGUARD_MEMORY_CLASS_NONE;
	struct place place;
	uint64_t offset;
	int r, best = 0;
	char *name;
	size_t i;

	if (at_rest) {
		r = inventory_refresh(inv);
		if (r < 0)
			return r;
	}
	place_init(&place, phys);
	for (i = 0; i < inv->known.n; i++) {
		if (!covers(&inv->known.all[i], phys, &offset))
			continue;
		r = rank(&place, inv->known.all[i].name, &name);
		snprintf(name, PLACE_NAME_MAX, "%.*s", PLACE_NAME_MAX - 1, inv->known.all[i].name);
		if (r < best)
			continue;
		best = r;
		place.has_offset = true;
		place.offset = offset;
		class = r == 3 ? PINGUARD_MEMORY_CLASS_DEVICE_DAX : PINGUARD_MEMORY_CLASS_PMEM_RAW;
	}
	place_set_frame(&place, class, false, NULL);
	*ret = place;
	return 0;
}
