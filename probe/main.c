/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watches pins on a kernel without the patches, for the service: loads eBPF
 * programs, hands over the maps that they write, and ends. The service itself
 * has no right to do that.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "lib/log.h"
#include "probe/load.h"

#define IDLE_MSEC  3000
#define REQUEST_MSEC 1000
#define EXIT_USAGE 2

static const char help[] =
	"Usage: pinguard-probe [--debug] [--status | --remove]\n"
	"\n"
	"Watch long-term pins by eBPF, on a kernel that does not tell of them. Started by\n"
	"systemd, when pinguard.service asks for it; by itself it loads the programs.\n"
	"\n"
	"      --status   show what is watched\n"
	"      --remove   stop watching, so that the kernel's modules can be unloaded\n"
	"  -d, --debug    log more\n"
	"  -h, --help     show this help\n"
	"      --version  show the version\n";

static int print_debug(enum libbpf_print_level level, const char *format, va_list args)
{
	char *text, *rest, *line;
	int n = vasprintf(&text, format, args);

	if (n < 0)
		return n;
	/* What the verifier says has many lines, and the end of it matters. */
	for (rest = text; level == LIBBPF_WARN && (line = strsep(&rest, "\n"));)
		if (*line)
			log_debug("%s", line);
	free(text);
	return n;
}

/* What is new is told; of what is watched the service tells. */
static int load(bool may_replace, enum probe_wish wish, struct probe_hello *ret,
		int fds[PROBE_FDS])
{
	int r;

	*ret = (struct probe_hello){ .layout = PROBE_LAYOUT };
	r = load_all(may_replace, wish, ret->reason, fds);
	if (r >= 0)
		ret->n_fds = PROBE_FDS;
	else
		log_notice("pins are not watched: %s", ret->reason);
	return r;
}

/* What comes with the connection. A service of another version has another wish, or none. */
static enum probe_wish read_wish(int connection)
{
	struct pollfd waiting = { .fd = connection, .events = POLLIN };
	struct probe_request request;

	if (poll(&waiting, 1, REQUEST_MSEC) <= 0 ||
	    recv(connection, &request, sizeof(request), MSG_DONTWAIT) != sizeof(request) ||
	    request.layout != PROBE_LAYOUT || request.wish > PROBE_WISH_LIMIT)
		return PROBE_WISH_AS_IT_IS;
	return request.wish;
}

static void answer(int connection)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int) * PROBE_FDS)];
	} control = {};
	struct probe_hello hello;
	struct iovec data = { &hello, sizeof(hello) };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };
	int fds[PROBE_FDS];

	if (load(true, read_wish(connection), &hello, fds) >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		control.header = (struct cmsghdr){
			.cmsg_len = CMSG_LEN(sizeof(fds)),
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
		};
		memcpy(CMSG_DATA(&control.header), fds, sizeof(fds));
	}
	if (sendmsg(connection, &message, MSG_NOSIGNAL) < 0)
		log_warning("cannot answer the service: %m");
	for (unsigned int i = 0; i < hello.n_fds; i++)
		close(fds[i]);
}

/* Whoever connects is answered; the next one starts it again. */
static int serve(int fd)
{
	struct pollfd waiting = { .fd = fd, .events = POLLIN };

	while (poll(&waiting, 1, IDLE_MSEC) > 0) {
		_cleanup_(closep) int connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

		if (connection < 0)
			return log_error_errno(errno, "cannot take a connection: %m");
		answer(connection);
	}
	return 0;
}

/* It may not be the one of the service that runs. */
static int load_by_hand(void)
{
	struct probe_hello hello;
	int fds[PROBE_FDS], r = load(false, PROBE_WISH_AS_IT_IS, &hello, fds);

	for (unsigned int i = 0; i < hello.n_fds; i++)
		close(fds[i]);
	return r < 0 ? r : load_print();
}

static int run(int command)
{
	switch (command) {
	case 's':
		return load_print();
	case 'r':
		return load_remove();
	default:
		return sd_listen_fds(true) == 1 ? serve(SD_LISTEN_FDS_START) : load_by_hand();
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "debug", no_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ "remove", no_argument, NULL, 'r' },
		{ "status", no_argument, NULL, 's' },
		{ "version", no_argument, NULL, 'V' },
		{},
	};
	int c, command = 0, r;

	log_init("pinguard-probe");
	(void)libbpf_set_print(print_debug);
	while ((c = getopt_long(argc, argv, "dh", options, NULL)) >= 0) {
		if (c == 'd')
			log_set_max_level(LOG_DEBUG);
		else if (c == '?')
			return EXIT_USAGE;
		else
			command = c;
	}
	if (optind < argc) {
		fprintf(stderr, "pinguard-probe: unexpected argument \"%s\"\n", argv[optind]);
		return EXIT_USAGE;
	}
	if (command == 'h' || command == 'V')
		fputs(command == 'h' ? help : "pinguard-probe " PACKAGE_VERSION "\n", stdout);
	else if ((r = run(command)) < 0)
		return log_error_errno(r, "failed: %m"), EXIT_FAILURE;
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
