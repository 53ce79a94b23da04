/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "daemon/devices/devname.h"
#include "lib/macros.h"

#define PATH_LEN 512

DEFINE_CLEANUP(DIR *, closedir);

/* In /sys/class/misc and in /dev. */
static const struct {
	uint32_t kind;
	const char *path;
} files[] = {
	{ PINGUARD_KIND_VFIO, "/dev/vfio/vfio" },
	{ PINGUARD_KIND_IOMMUFD, "/dev/iommu" },
	{ PINGUARD_KIND_UDMABUF, "/dev/udmabuf" },
};

const char *devname_of_kind(uint32_t kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (files[i].kind == kind)
			return files[i].path;
	return NULL;
}

static void add(struct devnames *names, const char *name, uint32_t kind)
{
	size_t i;

	for (i = 0; i < names->n; i++) {
		if (strcmp(names->all[i].name, name) == 0) {
			if (names->all[i].kind != kind)
				names->all[i].kind = 0;
			return;
		}
	}
	if (names->n == DEVNAMES_MAX || strlen(name) >= PINGUARD_DEVICE_NAME_MAX)
		return;
	strcpy(names->all[names->n].name, name);
	names->all[names->n++].kind = kind;
}

/* All names in a directory; -ENOENT where there is none. */
static int add_all(struct devnames *names, const char *path, uint32_t kind)
{
	_cleanup_(closedirp) DIR *dir = opendir(path);
	struct dirent *de;

	if (!dir)
		return errno == ENOTDIR ? -ENOENT : -errno;
	while ((de = readdir(dir)))
		if (de->d_name[0] != '.')
			add(names, de->d_name, kind);
	return 0;
}

/* One component of a path. */
static bool is_component(const char *name)
{
	return name[0] && name[0] != '.' && !strchr(name, '/') &&
	       strlen(name) < PINGUARD_DEVICE_NAME_MAX;
}

static bool is_directory(const char *path)
{
	_cleanup_(closep) int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0;
}

static int add_rdma(struct devnames *names, const char *sys, const char *name)
{
	char path[PATH_LEN];

	snprintf(path, sizeof(path), "%s/class/infiniband/%s", sys, name);
	if (!is_directory(path))
		return -ENOENT;
	add(names, name, 0);
	return 0;
}

/* A vDPA device, or one that user space is, which has the same name on both buses. */
static int add_vdpa(struct devnames *names, const char *sys, const char *name)
{
	char path[PATH_LEN];

	snprintf(path, sizeof(path), "%s/bus/vdpa/devices/%s", sys, name);
	if (!is_directory(path)) {
		snprintf(path, sizeof(path), "%s/class/vduse/%s", sys, name);
		/* by which they are made */
		if (strcmp(name, "control") == 0 || !is_directory(path))
			return -ENOENT;
	}
	add(names, name, 0);
	return 0;
}

static int add_vduse(struct devnames *names, const char *sys, const char *name)
{
	return is_component(name) ? add_vdpa(names, sys, name) : -ENOENT;
}

/* "/dev/vhost-vdpa-N": a child of the device whose it is. */
static int add_vhost_vdpa(struct devnames *names, const char *sys, const char *number)
{
	char path[PATH_LEN];
	_cleanup_(closedirp) DIR *dir = NULL;
	struct dirent *de;

	if (!is_component(number) || number[strspn(number, "0123456789")])
		return -ENOENT;
	snprintf(path, sizeof(path), "%s/bus/vdpa/devices", sys);
	dir = opendir(path);
	while (dir && (de = readdir(dir))) {
		if (!is_component(de->d_name))
			continue;
		snprintf(path, sizeof(path), "%s/bus/vdpa/devices/%.64s/vhost-vdpa-%.64s", sys,
			 de->d_name, number);
		if (is_directory(path)) {
			add(names, de->d_name, 0);
			return 0;
		}
	}
	return -ENOENT;
}

/* "/dev/iommu": pins that are made with it and name no device. */
static int add_file(struct devnames *names, const char *sys, const char *name)
{
	char path[PATH_LEN];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		if (strcmp(files[i].path, name) != 0)
			continue;
		snprintf(path, sizeof(path), "%s/class/misc/%s", sys, strrchr(name, '/') + 1);
		if (!is_directory(path))
			return -ENOENT;
		add(names, "", files[i].kind);
		return 0;
	}
	return -ENOENT;
}

static int add_pci(struct devnames *names, const char *sys, const char *name)
{
	char path[PATH_LEN];
	int len;

	len = snprintf(path, sizeof(path) - 32, "%s/bus/pci/devices/%s", sys, name);
	if (!is_directory(path))
		return -ENOENT;
	add(names, name, 0);
	/* Neither need be there. */
	strcpy(path + len, "/infiniband");
	(void)add_all(names, path, 0);
	strcpy(path + len, "/iommu_group/devices");
	(void)add_all(names, path, PINGUARD_KIND_VFIO);
	return 0;
}

static int add_group(struct devnames *names, const char *sys, const char *group)
{
	char path[PATH_LEN];

	if (!is_component(group) || group[strspn(group, "0123456789")])
		return -ENOENT;
	snprintf(path, sizeof(path), "%s/kernel/iommu_groups/%s/devices", sys, group);
	return add_all(names, path, PINGUARD_KIND_VFIO);
}

/* A VFIO device's link to what it stands for. */
static int add_cdev(struct devnames *names, const char *sys, const char *name)
{
	char path[PATH_LEN], link[PATH_LEN], *base;
	ssize_t n;

	if (!is_component(name))
		return -ENOENT;
	snprintf(path, sizeof(path), "%s/class/vfio-dev/%s/device", sys, name);
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		return errno == EINVAL ? -ENOENT : -errno;
	link[n] = '\0';
	base = strrchr(link, '/');
	base = base ? base + 1 : link;
	if (!is_component(base))
		return -ENOENT;
	if (add_pci(names, sys, base) < 0)
		add(names, base, 0);
	return 0;
}

/* What of a name comes behind the prefix; NULL for another name. */
static const char *behind(const char *name, const char *prefix)
{
	const size_t len = strlen(prefix);

	return strncmp(name, prefix, len) == 0 ? name + len : NULL;
}

int devnames_find(const char *sys, const char *name, struct devnames *ret)
{
	struct devnames names = {};
	const char *rest;
	int r;

	if ((rest = behind(name, "/dev/vfio/devices/"))) {
		r = add_cdev(&names, sys, rest);
	} else if ((rest = behind(name, "/dev/vfio/"))) {
		r = add_group(&names, sys, rest);
	} else if ((rest = behind(name, "/dev/vhost-vdpa-"))) {
		r = add_vhost_vdpa(&names, sys, rest);
	} else if ((rest = behind(name, "/dev/vduse/"))) {
		r = add_vduse(&names, sys, rest);
	} else if (behind(name, "/dev/")) {
		r = add_file(&names, sys, name);
	} else if (is_component(name)) {
		r = add_rdma(&names, sys, name);
		if (r == -ENOENT)
			r = add_pci(&names, sys, name);
		if (r == -ENOENT)
			r = add_vdpa(&names, sys, name);
	} else {
		r = -ENOENT;
	}
	if (r < 0)
		return r;
	*ret = names;
	return 0;
}
