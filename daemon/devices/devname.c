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

static void add(struct devnames *names, const char *name, bool group)
{
	size_t i;

	for (i = 0; i < names->n; i++) {
		if (strcmp(names->all[i].name, name) == 0) {
			names->all[i].group &= group;
			return;
		}
	}
	if (names->n == DEVNAMES_MAX || strlen(name) >= PINGUARD_DEVICE_NAME_MAX)
		return;
	strcpy(names->all[names->n].name, name);
	names->all[names->n++].group = group;
}

/* All names in a directory; -ENOENT where there is none. */
static int add_all(struct devnames *names, const char *path, bool group)
{
	_cleanup_(closedirp) DIR *dir = opendir(path);
	struct dirent *de;

	if (!dir)
		return errno == ENOTDIR ? -ENOENT : -errno;
	while ((de = readdir(dir)))
		if (de->d_name[0] != '.')
			add(names, de->d_name, group);
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
	add(names, name, false);
	return 0;
}

static int add_pci(struct devnames *names, const char *sys, const char *name)
{
	char path[PATH_LEN];
	int len;

	len = snprintf(path, sizeof(path) - 32, "%s/bus/pci/devices/%s", sys, name);
	if (!is_directory(path))
		return -ENOENT;
	add(names, name, false);
	/* Neither need be there. */
	strcpy(path + len, "/infiniband");
	(void)add_all(names, path, false);
	strcpy(path + len, "/iommu_group/devices");
	(void)add_all(names, path, true);
	return 0;
}

static int add_group(struct devnames *names, const char *sys, const char *group)
{
	char path[PATH_LEN];

	if (!is_component(group) || group[strspn(group, "0123456789")])
		return -ENOENT;
	snprintf(path, sizeof(path), "%s/kernel/iommu_groups/%s/devices", sys, group);
	return add_all(names, path, true);
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
		add(names, base, false);
	return 0;
}

int devnames_find(const char *sys, const char *name, struct devnames *ret)
{
	static const char cdev[] = "/dev/vfio/devices/", group[] = "/dev/vfio/";
	struct devnames names = {};
	int r;

	if (strncmp(name, cdev, strlen(cdev)) == 0) {
		r = add_cdev(&names, sys, name + strlen(cdev));
	} else if (strncmp(name, group, strlen(group)) == 0) {
		r = add_group(&names, sys, name + strlen(group));
	} else if (is_component(name)) {
		r = add_rdma(&names, sys, name);
		if (r == -ENOENT)
			r = add_pci(&names, sys, name);
	} else {
		r = -ENOENT;
	}
	if (r < 0)
		return r;
	*ret = names;
	return 0;
}
