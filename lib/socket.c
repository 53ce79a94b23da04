/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "lib/socket.h"

int socket_address(const char *path, struct sockaddr_un *ret_address, socklen_t *ret_length)
{
	size_t length = strlen(path);

	if (length == 0)
		return -EINVAL;
	if (length >= sizeof(ret_address->sun_path))
		return -ENAMETOOLONG;
	*ret_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(ret_address->sun_path, path, length);
	*ret_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
	if (path[0] == '@') {
		/* an abstract name is all of its bytes, a NUL at the end included */
		ret_address->sun_path[0] = '\0';
		(*ret_length)--;
	}
	return 0;
}
