/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file of quotas, as somebody left it on disk. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/cgroup/quota-store.h"
#include "tests/fuzz/fuzz.h"

static char path[] = "/tmp/pinguard-fuzz-XXXXXX";
static int dir = -1;

static void clean_up(void)
{
	(void)unlinkat(dir, QUOTA_STORE_FILE, 0);
	(void)rmdir(path);
}

static void write_file(const uint8_t *data, size_t size)
{
	int fd;

	if (dir < 0) {
		fuzz_assert(mkdtemp(path));
		dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		atexit(clean_up);
	}
	fd = openat(dir, QUOTA_STORE_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	fuzz_assert(fd >= 0 && write(fd, data, size) == (ssize_t)size && close(fd) == 0);
}

/* Each has a path of its own, and a high mark that is not above the limit. */
static unsigned int check(struct quota *list)
{
	const struct quota *q;
	unsigned int n = 0;

	for (q = list; q; q = q->next) {
		fuzz_assert(q->path[0] == '/' && q->path[1]);
		fuzz_assert(quota_list_find(list, q->path) == q);
		fuzz_assert(q->max_bytes == UINT64_MAX || q->max_bytes <= INT64_MAX);
		fuzz_assert(q->high_bytes == UINT64_MAX || q->high_bytes <= q->max_bytes);
		n++;
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct quota *list = NULL, *again = NULL;
	const char *reason = NULL;
	unsigned int n;
	int r;

	write_file(data, size);
	r = quota_store_load(dir, &list, &reason);
	fuzz_assert(r == 0 || (r == -EBADMSG && reason && !list));
	n = check(list);
	/* What it writes it can read. */
	if (r == 0 && quota_store_save(dir, list) == 0) {
		fuzz_assert(quota_store_load(dir, &again, &reason) == 0);
		fuzz_assert(check(again) == n);
	}
	quota_list_clear(&list);
	quota_list_clear(&again);
	return 0;
}
