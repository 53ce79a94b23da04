/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
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

static __u64 program_misses(const char *program)
{
	_cleanup_(closep) int link_fd = -1, fd = -1;
	struct bpf_link_info link = {};
	struct bpf_prog_info info = {};
	__u32 bytes = sizeof(link);
	char path[PATH_MAX];

	snprintf(path, sizeof(path), LOAD_DIR "/link_%s", program);
	link_fd = bpf_obj_get(path);
	if (link_fd < 0 || bpf_obj_get_info_by_fd(link_fd, &link, &bytes) < 0)
		return 0;
	fd = bpf_prog_get_fd_by_id(link.prog_id);
	bytes = sizeof(info);
	return fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &bytes) == 0 ? info.recursion_misses : 0;
}

__u64 loaded_misses(const struct hook_kind *kind)
{
	__u64 n, most = 0;

	/* Sets may share programs: those of the one that is attached are the most. */
	for (size_t i = 0; i < ARRAY_SIZE(kind->sets); i++) {
		n = 0;
		for (size_t j = 0; j < kind->sets[i].n; j++)
			n += program_misses(kind->sets[i].hooks[j].program);
		most = MAX(n, most);
	}
	return most;
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

int loaded_print(__u64 own)
{
	struct probe_kind entry;
	char path[PATH_MAX];
	__u64 misses;
	int fd;

	if (loaded_is_another(own)) {
		puts("the programs are of another build");
		return 0;
	}
	loaded_path(path, "kinds");
	fd = bpf_obj_get(path);
	if (fd < 0) {
		puts("nothing is watched");
		return errno == ENOENT ? 0 : -errno;
	}
	for (size_t i = 0; i < n_hook_kinds; i++) {
		const char *name = hook_kinds[i].name;

		if (bpf_map_lookup_elem(fd, &hook_kinds[i].kind, &entry) < 0)
			continue;
		misses = loaded_misses(&hook_kinds[i]);
		if (!entry.since_nsec)
			printf("%s: not watched, %s\n", name, entry.reason);
		else if (misses)
			printf("%s: watched, but for %llu calls that were left out\n", name, misses);
		else
			printf("%s: watched\n", name);
		if (entry.since_nsec && *entry.before)
			printf("%s: pins from before are not known, %s\n", name, entry.before);
		if (entry.enforced)
			printf("%s: limits are enforced by %s\n", name,
			       entry.enforced == PROBE_ENFORCED_LSM ? "lsm" : "rlimit");
	}
	close(fd);
	return 0;
}
