/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device files of devices that pin memory: by which processes use them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "daemon/devices/devname.h"
#include "daemon/devices/inventory-internal.h"

#define PATH_LEN 512

struct search {
	const char *sys;
	const char *name; /* of a device */
	struct device_numbers *numbers;
};

/* Nothing where there is no such file. */
static int add_file(struct device_numbers *numbers, const char *path, bool shared)
{
	struct device_number number = { .shared = shared };

	return numbers_read(AT_FDCWD, path, &number.number) < 0 ? 0 :
								  numbers_add(numbers, &number);
}

/* Each one for a device of its own; anyone may open it. */
static int on_uverbs(int dir_fd, const char *name, void *userdata)
{
	struct search *s = userdata;
	char path[PATH_LEN], device[PINGUARD_DEVICE_NAME_MAX];

	snprintf(path, sizeof(path), "%s/ibdev", name);
	if (inventory_read_line(dir_fd, path, device, sizeof(device)) < 0 ||
	    strcmp(device, s->name) != 0)
		return 0;
	snprintf(path, sizeof(path), "%s/class/infiniband_verbs/%s/dev", s->sys, name);
	return add_file(s->numbers, path, true);
}

static int on_cdev(int dir_fd, const char *name, void *userdata)
{
	struct search *s = userdata;
	char path[PATH_LEN];

	snprintf(path, sizeof(path), "%s/class/vfio-dev/%s/dev", s->sys, name);
	return add_file(s->numbers, path, false);
}

static int each(const char *path, int (*one)(int, const char *, void *), struct search *s)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? 0 : inventory_each(fd, one, s);
}

/* A group is opened by one alone, and so is each of its devices. */
static int add_vfio(struct search *s, const char *bus, const char *name)
{
	char path[PATH_LEN], link[PATH_LEN], *group;
	ssize_t n;
	int r;

	snprintf(path, sizeof(path), "%s/bus/%s/devices/%s/vfio-dev", s->sys, bus, name);
	r = each(path, on_cdev, s);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%s/bus/%s/devices/%s/iommu_group", s->sys, bus, name);
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		return 0;
	link[n] = '\0';
	group = strrchr(link, '/');
	group = group ? group + 1 : link;
	snprintf(path, sizeof(path), "%s/class/vfio/%.32s/dev", s->sys, group);
	r = add_file(s->numbers, path, false);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%s/class/vfio/noiommu-%.32s/dev", s->sys, group);
	return add_file(s->numbers, path, false);
}

/* The one that vhost has of it, and the one of who is the device. */
static int on_vhost_vdpa(int dir_fd, const char *name, void *userdata)
{
	struct search *s = userdata;
	char path[PATH_LEN];

	if (strncmp(name, "vhost-vdpa-", strlen("vhost-vdpa-")) != 0)
		return 0;
	snprintf(path, sizeof(path), "%s/bus/vdpa/devices/%s/%.64s/dev", s->sys, s->name, name);
	return add_file(s->numbers, path, false);
}

static int add_vdpa(struct search *s)
{
	char path[PATH_LEN];
	int r;

	snprintf(path, sizeof(path), "%s/bus/vdpa/devices/%s", s->sys, s->name);
	r = each(path, on_vhost_vdpa, s);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%s/class/vduse/%s/dev", s->sys, s->name);
	return add_file(s->numbers, path, false);
}

/* Pins without a device are made with a file that all have open. */
static int add_misc(struct search *s, uint32_t kind)
{
	const char *file = devname_of_kind(kind);
	char path[PATH_LEN];

	if (!file)
		return 0;
	snprintf(path, sizeof(path), "%s/class/misc/%s/dev", s->sys, strrchr(file, '/') + 1);
	return add_file(s->numbers, path, true);
}

static int add_device(struct search *s)
{
	char path[PATH_LEN];
	int r;

	snprintf(path, sizeof(path), "%s/class/infiniband_verbs", s->sys);
	r = each(path, on_uverbs, s);
	if (r >= 0)
		r = add_vfio(s, "pci", s->name);
	if (r >= 0)
		r = add_vfio(s, "mdev", s->name);
	return r < 0 ? r : add_vdpa(s);
}

int devnames_find_numbers(const char *sys, const struct devnames *names,
			  struct device_numbers *ret)
{
	struct search s = { .sys = sys, .numbers = ret };
	int r = 0;

	ret->n = 0;
	for (size_t i = 0; i < names->n && r >= 0; i++) {
		s.name = names->all[i].name;
		r = *s.name ? add_device(&s) : add_misc(&s, names->all[i].kind);
	}
	return r;
}

int devnames_find_kind_numbers(const char *sys, uint32_t kind, struct device_numbers *ret)
{
	struct search s = { .sys = sys, .numbers = ret };

	ret->n = 0;
	/* Of udmabuf others have the buffer, which is a file of its own. */
	if (kind != PINGUARD_KIND_UDMABUF)
		(void)add_misc(&s, kind);
	return ret->n > 0 ? 0 : -ENOENT;
}
