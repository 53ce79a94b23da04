/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/macros.h"
#include "probe/before.h"

#define PAUSE_MSEC 50 /* for what changes just now */

DEFINE_CLEANUP(struct bpf_link *, bpf_link__destroy);

bool before_has_program(const struct hook_kind *kind, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kind->before) && kind->before[i]; i++)
		if (strcmp(kind->before[i], name) == 0)
			return true;
	return false;
}

bool before_again(unsigned int looks, __u64 undecided)
{
	return undecided > 0 && looks < BEFORE_LOOKS_MAX;
}

/* It goes over all tasks as it is read, and has nothing to say. */
static int run(const struct bpf_object *object, const char *name)
{
	const struct bpf_program *program = bpf_object__find_program_by_name(object, name);
	_cleanup_(bpf_link__destroyp) struct bpf_link *link = NULL;
	_cleanup_(closep) int fd = -1;
	char nothing[64];
	ssize_t n;

	if (!program)
		return -ENOENT;
	link = bpf_program__attach_iter(program, NULL);
	if (!link)
		return -errno;
	fd = bpf_iter_create(bpf_link__fd(link));
	if (fd < 0)
		return fd;
	/* After very many objects it has whoever reads look whether to go on. */
	do
		n = read(fd, nothing, sizeof(nothing));
	while (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)));
	return n < 0 ? -errno : 0;
}

int before_find(const struct bpf_object *object, const struct hook_kind *kind, __u64 *undecided)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MSEC * 1000000L };
	unsigned int looks = 0;
	int r = 0;

	for (;;) {
		__atomic_store_n(undecided, 0, __ATOMIC_SEQ_CST);
		for (size_t i = 0; i < ARRAY_SIZE(kind->before) && kind->before[i] && r >= 0; i++)
			r = run(object, kind->before[i]);
		if (r < 0 || !before_again(++looks, __atomic_load_n(undecided, __ATOMIC_SEQ_CST)))
			return r;
		nanosleep(&pause, NULL);
	}
}
