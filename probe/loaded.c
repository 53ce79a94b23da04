/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/macros.h"
#include "lib/probe-layout.h"
#include "probe/load.h"
#include "probe/loaded.h"

#define KEY_BYTES_MAX 64 /* of a map of any build */

void loaded_path(char path[PATH_MAX], const char *map)
{
	snprintf(path, PATH_MAX, LOAD_DIR "/%s", map);
}

/* The build that is loaded: what follows it in the head has its own layout. */
static int map_build(__u64 **ret)
{
	_cleanup_(closep) int fd = -1;
	char path[PATH_MAX];
	void *mapped;

	loaded_path(path, "head");
	fd = bpf_obj_get(path);
	if (fd < 0)
		return -errno;
	mapped = mmap(NULL, sizeof(__u64), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mapped == MAP_FAILED)
		return -errno;
	*ret = mapped;
	return 0;
}

bool loaded_is_another(__u64 own)
{
	bool another;
	__u64 *build;
	int r = map_build(&build);

	if (r < 0)
		return r != -ENOENT && r != -EPERM;
	another = *build != own;
	(void)munmap(build, sizeof(*build));
	return another;
}

/* A service that has the maps sees that nobody writes them any more. */
static void retire(void)
{
	__u64 *build;

	if (map_build(&build) < 0)
		return;
	__atomic_store_n(build, 0, __ATOMIC_RELEASE);
	(void)munmap(build, sizeof(*build));
}

unsigned int loaded_count_pins(void)
{
	_cleanup_(closep) int fd = -1;
	char path[PATH_MAX], key[KEY_BYTES_MAX], next[KEY_BYTES_MAX] = {};
	unsigned int n = 0;

	loaded_path(path, "objects");
	fd = bpf_obj_get(path);
	while (fd >= 0 && n < PROBE_PINS_MAX &&
	       bpf_map_get_next_key(fd, n > 0 ? key : NULL, next) == 0) {
		memcpy(key, next, sizeof(key));
		n++;
	}
	return n;
}

int loaded_remove(void)
{
	_cleanup_(closep) int fd = open(LOAD_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *de;
	DIR *dir;
	int r = 0;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	retire();
	dir = fdopendir(dup(fd));
	if (!dir)
		return -errno;
	while ((de = readdir(dir)))
		if (de->d_name[0] != '.' && unlinkat(fd, de->d_name, 0) < 0)
			r = -errno;
	closedir(dir);
	if (r >= 0 && rmdir(LOAD_DIR) < 0)
		r = -errno;
	return r;
}
