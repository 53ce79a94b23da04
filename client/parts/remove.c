/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "client/base/exit.h"
#include "client/parts/remove.h"

/* "dax0.0" is a prefix, digits, and for some a dot and digits. */
static bool is_named(const char *name, const char *prefix, bool dotted)
{
	static const char digits[] = "0123456789";
	size_t n;

	if (strncmp(name, prefix, strlen(prefix)) != 0)
		return false;
	name += strlen(prefix);
	n = strspn(name, digits);
	name += n;
	if (n > 0 && dotted) {
		n = *name == '.' ? strspn(name + 1, digits) : 0;
		name += n + 1;
	}
	return n > 0 && !*name;
}

static bool is_block(const char *target)
{
	return is_named(target, "memory", false);
}

static bool is_device(const char *target)
{
	return is_named(target, "dax", true) || is_named(target, "namespace", true) ||
	       is_named(target, "region", false);
}

int removal_check_name(const struct removal *removal)
{
	const char *target = removal->target;

	if (removal->action == REMOVAL_OFFLINE && !is_block(target) &&
	    !is_named(target, "dax", true))
		return usage_error("--offline is for memory blocks such as memory32, and for DAX "
				   "devices that are system RAM, not \"%s\"%s",
				   target,
				   is_device(target) ? "; for this there is --disable" : "");
	if (removal->action == REMOVAL_DISABLE && !is_device(target))
		return usage_error("--disable is for DAX devices, namespaces and regions such as "
				   "namespace0.0, not \"%s\"%s",
				   target, is_block(target) ? "; for this there is --offline" : "");
	return -1;
}

static int open_state(const struct removal *removal, int flags)
{
	_cleanup_(freep) char *path = NULL;
	int fd;

	if (asprintf(&path, "%s/devices/system/memory/%s/state", removal->sysfs, removal->target) <
	    0) {
		path = NULL;
		return -ENOMEM;
	}
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Errors of the kernel's that say little. */
static void explain_block(int error, char *text)
{
	const char *why = "";

	if (error == -ENOENT)
		why = "there is no such memory block; see /sys/devices/system/memory";
	else if (error == -EBUSY)
		why = "it is still in use";
	else if (error == -EINVAL)
		why = "the kernel cannot do without this block, or it spans zones";
	else if (error == -EINTR)
		why = "it was interrupted";
	snprintf(text, REMOVAL_TEXT_MAX, "%s", why);
}

static int check_block(const struct removal *removal, char *text)
{
	_cleanup_(closep) int fd = open_state(removal, O_RDONLY), writable = -1;
	char state[32] = "";
	ssize_t n;

	if (fd < 0) {
		explain_block(fd, text);
		return fd;
	}
	n = read(fd, state, sizeof(state) - 1);
	if (n < 0)
		return -errno;
	state[strcspn(state, "\n")] = '\0';
	if (!strcmp(state, "offline"))
		return 1;
	writable = open_state(removal, O_WRONLY);
	return writable < 0 ? writable : 0;
}

static int offline_block(const struct removal *removal, char *text)
{
	static const char offline[] = "offline";
	_cleanup_(closep) int fd = open_state(removal, O_WRONLY);
	int r = fd;

	if (fd >= 0 && write(fd, offline, strlen(offline)) < 0)
		r = -errno;
	if (r < 0)
		explain_block(r, text);
	return r < 0 ? r : 0;
}

int removal_check(const struct removal *removal, char text[static REMOVAL_TEXT_MAX])
{
	*text = '\0';
	if (removal_is_dax(removal))
		return dax_check_offline(removal, text);
	return removal->action == REMOVAL_OFFLINE ? check_block(removal, text)
						  : removal_disable(removal->target, true, text);
}

int removal_perform(const struct removal *removal, char text[static REMOVAL_TEXT_MAX])
{
	*text = '\0';
	return removal->action == REMOVAL_OFFLINE ? offline_block(removal, text)
						  : removal_disable(removal->target, false, text);
}
