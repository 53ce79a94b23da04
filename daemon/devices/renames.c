/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/base/base.h"
#include "daemon/devices/renames.h"
#include "lib/json.h"
#include "lib/log.h"

struct known {
	uint64_t inode;
	char name[PINGUARD_DEVICE_NAME_MAX];
};

struct renames {
	struct renames_config config;
	int dir_fd; /* -1 for none */
	struct rename_entry all[RENAMES_MAX]; /* oldest first */
	size_t n;
	size_t n_looked; /* of those, when the devices were last looked at */
	struct known devices[RENAMES_DEVICES_MAX];
	size_t n_devices;
	bool changed; /* since it was written */
};

DEFINE_CLEANUP(DIR *, closedir);

static bool is_name(const char *name)
{
	return name && name[0] && strlen(name) < PINGUARD_DEVICE_NAME_MAX && !strchr(name, '/');
}

/* --- the file --- */

static void save(struct renames *r)
{
	json_t *renames = json_array(), *devices = json_array();
	int error;

	r->changed = false;
	for (size_t i = 0; i < r->n; i++)
		(void)json_array_append_new(renames, json_pack("{s:s, s:s, s:I}",
				"old", r->all[i].old, "new", r->all[i].new,
				"time_usec", (json_int_t)r->all[i].usec));
	for (size_t i = 0; i < r->n_devices; i++)
		(void)json_array_append_new(devices, json_pack("{s:s, s:o}",
				"name", r->devices[i].name, "inode",
				json_hex(r->devices[i].inode)));
	if (r->dir_fd < 0 || !r->config.boot_id[0]) {
		json_decref(renames);
		json_decref(devices);
		return;
	}
	error = store_write(r->dir_fd, RENAMES_FILE,
			    json_pack("{s:s, s:o, s:o}", "boot_id", r->config.boot_id, "renames",
				      renames, "devices", devices),
			    JSON_COMPACT, RENAMES_FILE_BYTES);
	if (error < 0)
		log_warning_errno(error, "cannot write which devices were renamed: %m");
}

static void add(struct renames *r, const char *old, const char *new, uint64_t usec)
{
	struct rename_entry fresh = {}, *e;

	/* They may be names of those that move here. */
	strcpy(fresh.old, old);
	strcpy(fresh.new, new);
	if (r->n == RENAMES_MAX) {
		memmove(r->all, r->all + 1, --r->n * sizeof(*r->all));
		r->n_looked -= r->n_looked > 0;
	}
	/* The clock may have been set back; the order is what is known. */
	if (r->n > 0)
		usec = MAX(usec, r->all[r->n - 1].usec + 1);
	fresh.usec = usec;
	e = &r->all[r->n++];
	*e = fresh;
	r->changed = true;
	if (r->config.learned)
		r->config.learned(e, r->config.userdata);
}

static void load_rename(struct renames *r, const json_t *item)
{
	const char *old = json_get_string(item, "old", NULL);
	const char *new = json_get_string(item, "new", NULL);
	int64_t usec = json_get_int(item, "time_usec", -1);

	if (is_name(old) && is_name(new) && usec >= 0 && r->n < RENAMES_MAX)
		add(r, old, new, usec);
}

static void load_device(struct renames *r, const json_t *item)
{
	const char *name = json_get_string(item, "name", NULL);
	const char *inode = json_get_string(item, "inode", "");
	struct known *device = &r->devices[r->n_devices];

	if (!is_name(name) || r->n_devices == RENAMES_DEVICES_MAX)
		return;
	device->inode = strtoull(inode, NULL, 16);
	strcpy(device->name, name);
	r->n_devices++;
}

static void load(struct renames *r)
{
	_cleanup_json_ json_t *root = NULL;
	const char *reason = NULL;
	const json_t *item;
	size_t i;
	int error;

	if (r->dir_fd < 0 || !r->config.boot_id[0])
		return;
	error = store_read(r->dir_fd, RENAMES_FILE, RENAMES_FILE_BYTES, &root, &reason);
	if (error < 0)
		log_warning_errno(error, "cannot read which devices were renamed: %s",
				  reason ?: strerror(-error));
	/* What was before another start of the machine has no pins. */
	if (error < 0 || strcmp(json_get_string(root, "boot_id", ""), r->config.boot_id) != 0)
		return;
	json_array_foreach (json_object_get(root, "renames"), i, item)
		load_rename(r, item);
	json_array_foreach (json_object_get(root, "devices"), i, item)
		load_device(r, item);
	r->n_looked = r->n;
	r->changed = false;
}

/* --- what there is --- */

static size_t read_devices(const char *sys, struct known *devices)
{
	_cleanup_(closep) int fd = open(sys, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int class_fd = fd < 0 ? -1 : openat(fd, "class/infiniband",
					    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(closedirp) DIR *dir = class_fd < 0 ? NULL : fdopendir(class_fd);
	struct dirent *de;
	struct stat st;
	size_t n = 0;

	if (!dir && class_fd >= 0)
		close(class_fd);
	while (dir && n < RENAMES_DEVICES_MAX && (de = readdir(dir))) {
		/* Through the link, to the device itself. */
		if (de->d_name[0] == '.' || !is_name(de->d_name) ||
		    fstatat(class_fd, de->d_name, &st, 0) < 0)
			continue;
		devices[n].inode = st.st_ino;
		strcpy(devices[n++].name, de->d_name);
	}
	return n;
}

/* By the renames from one on, as far as they were later than that. */
static const char *follow(const struct renames *r, size_t from, const char *name, uint64_t usec)
{
	for (size_t i = from; i < r->n; i++)
		if (r->all[i].usec > usec && strcmp(r->all[i].old, name) == 0)
			name = r->all[i].new;
	return name;
}

static struct known *find_inode(struct renames *r, uint64_t inode)
{
	for (size_t i = 0; i < r->n_devices; i++)
		if (r->devices[i].inode == inode)
			return &r->devices[i];
	return NULL;
}

void renames_look(struct renames *r, uint64_t now_usec)
{
	struct known *now = calloc(RENAMES_DEVICES_MAX, sizeof(*now)), *known;
	const char *told;
	size_t n;

	/* Without memory they are looked at the next time. */
	if (!now)
		return;
	n = read_devices(r->config.sys, now);
	r->changed |= n != r->n_devices;
	for (size_t i = 0; i < n; i++) {
		known = find_inode(r, now[i].inode);
		r->changed |= !known;
		told = known ? follow(r, r->n_looked, known->name, 0) : now[i].name;
		if (strcmp(told, now[i].name) != 0)
			add(r, told, now[i].name, now_usec);
	}
	r->n_looked = r->n;
	memcpy(r->devices, now, n * sizeof(*now));
	r->n_devices = n;
	free(now);
	if (r->changed)
		save(r);
}

void renames_told(struct renames *r, const char *old, const char *new, uint64_t now_usec)
{
	const struct rename_entry *last = NULL;

	if (!is_name(old) || !is_name(new) || strcmp(old, new) == 0)
		return;
	for (size_t i = r->n; i-- > 0 && !last;)
		if (strcmp(r->all[i].old, old) == 0)
			last = &r->all[i];
	/* It has been seen before it was told of. */
	if (last && strcmp(last->new, new) == 0 && renames_is_there(r, new))
		return;
	add(r, old, new, now_usec);
}

const char *renames_today(const struct renames *r, const char *name, uint64_t usec)
{
	return follow(r, 0, name, usec);
}

bool renames_is_there(const struct renames *r, const char *name)
{
	for (size_t i = 0; i < r->n_devices; i++)
		if (strcmp(r->devices[i].name, name) == 0)
			return true;
	return false;
}

int renames_new(const struct renames_config *config, struct renames **ret)
{
	struct renames *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->config = *config;
	r->dir_fd = config->state_dir ?
		open(config->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	load(r);
	*ret = r;
	return 0;
}

struct renames *renames_free(struct renames *r)
{
	if (!r)
		return NULL;
	closep(&r->dir_fd);
	free(r);
	return NULL;
}
