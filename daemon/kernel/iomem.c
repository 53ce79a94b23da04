/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/kernel/iomem.h"
#include "lib/macros.h"

static void copy_name(char *to, const char *from, size_t len)
{
	size_t i;

	len = MIN(len, (size_t)IOMEM_NAME_MAX - 1);
	for (i = 0; i < len; i++)
		to[i] = from[i] >= ' ' && from[i] <= '~' && from[i] != '\\' ? from[i] : '?';
	to[len] = '\0';
}

/* "  00001000-0009fbff : System RAM", without the spaces before it. */
static bool parse_line(const char *line, size_t len, uint64_t *ret_first, uint64_t *ret_last,
		       const char **ret_name)
{
	char *end;

	*ret_first = strtoull(line, &end, 16);
	if (end == line || *end != '-')
		return false;
	line = end + 1;
	*ret_last = strtoull(line, &end, 16);
	if (end == line || strncmp(end, " : ", 3) != 0)
		return false;
	*ret_name = end + 3;
	return *ret_first <= *ret_last;
}

static bool is_memory(const char *name, size_t len)
{
	static const char *const names[] = { "System RAM", "Persistent Memory", "Soft Reserved" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (len >= strlen(names[i]) && strncmp(name, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

int iomem_parse(const char *text, uint64_t phys, struct iomem *ret)
{
	struct iomem iomem = {};
	bool told = false;
	size_t len;

	for (; *text; text += len + (text[len] == '\n')) {
		uint64_t first, last;
		const char *name;
		size_t depth, name_len;

		len = strcspn(text, "\n");
		depth = strspn(text, " ");
		if (depth >= len || !parse_line(text + depth, len - depth, &first, &last, &name) ||
		    name > text + len)
			continue;
		name_len = text + len - name;
		told |= last != 0;
		if (depth == 0 && is_memory(name, name_len))
			iomem.last = MAX(iomem.last, last);
		if (phys < first || phys > last)
			continue;
		if (depth == 0)
			copy_name(iomem.outer, name, name_len);
		copy_name(iomem.inner, name, name_len);
	}
	if (!told)
		return -ENODATA;
	*ret = iomem;
	return 0;
}

int iomem_read(int fd, uint64_t phys, struct iomem *ret)
{
	_cleanup_(freep) char *text = NULL;
	size_t used = 0;
	ssize_t n = 1;

	if (fd < 0)
		return -EBADF;
	text = malloc(IOMEM_BYTES_MAX);
	if (!text)
		return -ENOMEM;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	while (n > 0 && used < IOMEM_BYTES_MAX - 1) {
		n = read(fd, text + used, IOMEM_BYTES_MAX - 1 - used);
		if (n < 0)
			return -errno;
		used += n;
	}
	text[used] = '\0';
	return iomem_parse(text, phys, ret);
}

int kpageflags_read(int fd, uint64_t pfn, uint64_t *ret)
{
	uint64_t flags;
	ssize_t n;

	if (fd < 0)
		return -EBADF;
	n = pread(fd, &flags, sizeof(flags), pfn * sizeof(flags));
	if (n < 0)
		return -errno;
	if (n != sizeof(flags))
		return -ENODATA;
	*ret = flags;
	return 0;
}
