/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DAX devices whose memory the system has as its own ("system-ram"). libdaxctl
 * takes all of it offline or fails somewhere; here it is known which blocks.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/base/call.h"
#include "client/base/exit.h"
#include "client/base/output.h"
#include "client/base/pinctl.h"
#include "client/parts/remove.h"
#include "client/parts/request.h"
#include "lib/json.h"
#include "lib/log.h"

#define RANGES_SHOWN 8

bool removal_is_dax(const struct removal *removal)
{
	return removal->action == REMOVAL_OFFLINE && strncmp(removal->target, "dax", 3) == 0;
}

void dax_memory_done(struct dax_memory *memory)
{
	free(memory->blocks);
	*memory = (struct dax_memory){};
}

/* --- sysfs --- */

/* A line of a file of sysfs, or a negative errno. */
static int read_line(int dir_fd, const char *path, char buf[static 64])
{
	_cleanup_(closep) int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, 63);

	if (n < 0)
		return -errno;
	buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return 0;
}

static int read_number(int dir_fd, const char *path, int base, uint64_t *ret)
{
	char buf[64], *end;
	int r = read_line(dir_fd, path, buf);

	if (r < 0)
		return r;
	errno = 0;
	*ret = strtoull(buf, &end, base);
	return errno || end == buf || *end ? -EBADMSG : 0;
}

static int by_number(const void *a, const void *b)
{
	const struct dax_block *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

/* The block, if there is one: what the kernel did not add is no memory of the device's. */
static int add_block(int blocks_fd, uint64_t number, struct dax_memory *memory)
{
	char path[64], state[64];
	struct dax_block *more;
	int r;

	snprintf(path, sizeof(path), "memory%" PRIu64 "/state", number);
	r = read_line(blocks_fd, path, state);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	more = reallocarray(memory->blocks, memory->n + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	memory->blocks = more;
	more[memory->n++] = (struct dax_block){ number, strcmp(state, "offline") != 0 };
	memory->n_online += more[memory->n - 1].online;
	return 0;
}

/* As the kernel does it: what is no whole block at the ends of a range is left out. */
static int add_range(int blocks_fd, uint64_t block_bytes, uint64_t first, uint64_t last,
		     struct dax_memory *memory)
{
	int r = 0;

	if (last < first || last == UINT64_MAX)
		return -EBADMSG;
	for (uint64_t i = first / block_bytes + (first % block_bytes != 0);
	     r == 0 && i < (last + 1) / block_bytes; i++)
		r = add_block(blocks_fd, i, memory);
	return r;
}

/* A device may have several ranges; before Linux 5.10 it had one. */
static int add_ranges(int dev_fd, int blocks_fd, uint64_t block_bytes, struct dax_memory *memory)
{
	char path[64];
	uint64_t first, last;
	int r;

	for (unsigned int i = 0;; i++) {
		snprintf(path, sizeof(path), "mapping%u/start", i);
		r = read_number(dev_fd, path, 0, &first);
		if (r == -ENOENT && i > 0)
			return 0;
		if (r == -ENOENT)
			break;
		snprintf(path, sizeof(path), "mapping%u/end", i);
		if (r == 0)
			r = read_number(dev_fd, path, 0, &last);
		if (r == 0)
			r = add_range(blocks_fd, block_bytes, first, last, memory);
		if (r < 0)
			return r;
	}
	r = read_number(dev_fd, "resource", 0, &first);
	if (r == 0)
		r = read_number(dev_fd, "size", 0, &last);
	return r < 0 ? r : add_range(blocks_fd, block_bytes, first, first + last - 1, memory);
}

static int open_dir(const char *sysfs, const char *dir, const char *name)
{
	_cleanup_(freep) char *path = NULL;
	int fd;

	if (asprintf(&path, "%s/%s/%s", sysfs, dir, name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Of its driver: "kmem" where the system has its memory, "device_dax" for programs. */
static int read_driver(int dev_fd, char buf[static 256])
{
	ssize_t n = readlinkat(dev_fd, "driver", buf, 255);
	char *name;

	if (n < 0)
		return -errno;
	buf[n] = '\0';
	name = strrchr(buf, '/');
	if (name)
		memmove(buf, name + 1, strlen(name));
	return 0;
}

int dax_memory_read(const char *sysfs, const char *target, struct dax_memory *ret,
		    char text[static REMOVAL_TEXT_MAX])
{
	_cleanup_(closep) int dev_fd = open_dir(sysfs, "bus/dax/devices", target);
	_cleanup_(closep) int blocks_fd = open_dir(sysfs, "devices/system", "memory");
	_cleanup_(dax_memory_done) struct dax_memory memory = {};
	uint64_t block_bytes;
	char driver[256];
	int r;

	if (dev_fd < 0) {
		if (dev_fd == -ENOENT)
			snprintf(text, REMOVAL_TEXT_MAX,
				 "there is no such DAX device; see daxctl list");
		return dev_fd;
	}
	r = read_driver(dev_fd, driver);
	if (r < 0 && r != -ENOENT)
		return r;
	if (r < 0 || strcmp(driver, "kmem") != 0)
		return 1;
	r = blocks_fd;
	if (r >= 0)
		r = read_number(blocks_fd, "block_size_bytes", 16, &block_bytes);
	if (r == 0 && block_bytes == 0)
		r = -EBADMSG;
	if (r == 0)
		r = add_ranges(dev_fd, blocks_fd, block_bytes, &memory);
	if (r < 0)
		return r;
	if (memory.n > 0)
		qsort(memory.blocks, memory.n, sizeof(*memory.blocks), by_number);
	*ret = memory;
	memory = (struct dax_memory){};
	return 0;
}

/* "memory32-memory47, memory50", as far as there is room */
void dax_memory_format(const struct dax_memory *memory, bool online, char *buf, size_t size)
{
	unsigned int ranges = 0;
	size_t at = 0;

	*buf = '\0';
	for (size_t i = 0, last; i < memory->n && at < size; i = last + 1) {
		const struct dax_block *b = memory->blocks;

		last = i;
		if (b[i].online != online)
			continue;
		while (last + 1 < memory->n && b[last + 1].online == online &&
		       b[last + 1].number == b[last].number + 1)
			last++;
		if (++ranges > RANGES_SHOWN) {
			snprintf(buf + at, size - at, ", ...");
			return;
		}
		at += snprintf(buf + at, size - at, "%smemory%" PRIu64, at > 0 ? ", " : "",
			       b[i].number);
		if (last > i && at < size)
			at += snprintf(buf + at, size - at, "-memory%" PRIu64, b[last].number);
	}
}

int dax_check_offline(const struct removal *removal, char text[static REMOVAL_TEXT_MAX])
{
	_cleanup_(dax_memory_done) struct dax_memory memory = {};
	struct removal block = { REMOVAL_OFFLINE, NULL, removal->sysfs, NULL };
	char name[32];
	int r = dax_memory_read(removal->sysfs, removal->target, &memory, text);

	if (r == 1)
		snprintf(text, REMOVAL_TEXT_MAX,
			 "it is not in use as system RAM; for this there is --disable");
	if (r != 0)
		return r < 0 ? r : -EINVAL;
	if (memory.n == 0) {
		snprintf(text, REMOVAL_TEXT_MAX, "no memory block has its memory");
		return -ENODEV;
	}
	/* of all the same rights */
	for (size_t i = 0; i < memory.n; i++) {
		if (!memory.blocks[i].online)
			continue;
		snprintf(name, sizeof(name), "memory%" PRIu64, memory.blocks[i].number);
		block.target = name;
		return removal_check(&block, text);
	}
	return 1;
}

/* --- one block after the other --- */

/*
 * Its pins are asked for, if it has some: most were asked for with the device, and
 * are gone. Sets what Who says of it, for removal_run(), which waits by itself then.
 */
static int drain_block(struct pinctl *ctl, const char *name, const struct request *device,
		       json_t **ret_ranges)
{
	_cleanup_json_ json_t *reply = NULL, *params = json_copy(device->params);
	struct request request = *device;
	int r;

	request.params = params;
	if (!params || json_object_set_new(params, "target", json_string(name)) < 0)
		return out_of_memory();
	r = manager_call(ctl, "Who", json_pack("{ss}", "target", name), &reply);
	if (r == STATUS_INTERRUPTED)
		return STATUS_FAILED;
	*ret_ranges = json_incref(json_object_get(reply, "ranges"));
	if (r == STATUS_DONE && json_array_size(json_object_get(reply, "pins")) == 0)
		return STATUS_DONE;
	return request_run(ctl, &request);
}

static int offline_block(struct pinctl *ctl, const struct removal *device, const char *name,
			 const char *part, const struct request *request)
{
	const struct removal block = { REMOVAL_OFFLINE, name, device->sysfs, part };
	_cleanup_json_ json_t *ranges = NULL;
	int r = drain_block(ctl, name, request, &ranges);

	if (r != STATUS_DONE) {
		log_notice("%s was not taken offline", name);
		return r;
	}
	return removal_run(ctl, &block, ranges);
}

/* What came of it, from sysfs and not from what was thought to be done. */
static int print_end(struct pinctl *ctl, const struct removal *removal, int status)
{
	_cleanup_(dax_memory_done) struct dax_memory memory = {};
	_cleanup_json_ json_t *object = NULL;
	char text[REMOVAL_TEXT_MAX] = "", ranges[256];
	int r = dax_memory_read(removal->sysfs, removal->target, &memory, text);
	const bool done = r == 0 && memory.n_online == 0;

	if (ctl->json) {
		object = json_pack("{s{ss ss sb sn sI sI}}", "removal", "target", removal->target,
				   "action", "offline", "done", done, "errno", "blocks",
				   (json_int_t)memory.n, "blocks_online",
				   (json_int_t)memory.n_online);
		if (!object)
			return out_of_memory();
		r = print_json(object);
		if (r != STATUS_DONE)
			return r;
	}
	if (done) {
		if (!ctl->json && !ctl->no_legend)
			printf("%s is offline, in %zu memory block%s.\n", removal->target,
			       memory.n, memory.n == 1 ? "" : "s");
		return STATUS_DONE;
	}
	dax_memory_format(&memory, true, ranges, sizeof(ranges));
	log_error("%s is not offline: %zu of %zu memory blocks are online still: %s",
		  removal->target, memory.n_online, memory.n, ranges);
	dax_memory_format(&memory, false, ranges, sizeof(ranges));
	if (*ranges)
		log_notice("offline are %s: nothing is undone; to have them back: "
			   "daxctl online-memory %s", ranges, removal->target);
	return status != STATUS_DONE ? status : STATUS_FAILED;
}

int removal_run_dax(struct pinctl *ctl, const struct removal *removal,
		    const struct request *request)
{
	_cleanup_(dax_memory_done) struct dax_memory memory = {};
	char text[REMOVAL_TEXT_MAX] = "", name[32], part[128];
	int r, status = STATUS_DONE;

	r = dax_memory_read(removal->sysfs, removal->target, &memory, text);
	if (r != 0) {
		log_error("%s cannot be taken offline: %s%s%s", removal->target,
			  r > 0 ? "it is not system RAM any more" : strerror(-r),
			  *text ? "; " : "", text);
		return STATUS_FAILED;
	}
	for (size_t i = 0; status == STATUS_DONE && i < memory.n; i++) {
		if (!memory.blocks[i].online)
			continue;
		snprintf(name, sizeof(name), "memory%" PRIu64, memory.blocks[i].number);
		snprintf(part, sizeof(part), "memory block %zu of %zu of %s", i + 1, memory.n,
			 removal->target);
		status = offline_block(ctl, removal, name, part, request);
	}
	return print_end(ctl, removal, status);
}
