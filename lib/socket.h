/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PINGUARD_SOCKET_H
#define PINGUARD_SOCKET_H

#include <sys/socket.h>
#include <sys/un.h>

/**
 * socket_address() - the address of a Unix socket
 * @path: of a file, or "@name" for an abstract one
 * @ret_address: filled in
 * @ret_length: of the address
 *
 * Return: 0, -EINVAL for an empty path, -ENAMETOOLONG
 */
int socket_address(const char *path, struct sockaddr_un *ret_address, socklen_t *ret_length);

#endif
