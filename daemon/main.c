/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include "daemon/base/base.h"
#include "daemon/manager/manager.h"
#include "daemon/offline/offline.h"
#include "lib/log.h"
#include "lib/probe-layout.h"
#include "lib/varlink.h"

#define STATE_DIR "/var/lib/pinguard"
#define SOCKET_DIR "/run/pinguard"

enum {
	EXIT_USAGE = 2,
	EXIT_START = 3, /* state, cgroups or kernel sources */
	EXIT_LISTEN = 4, /* the control socket */
};

static const char help[] =
	"Usage: pinguard [OPTION...]\n"
	"\n"
	"Watch long-term pins of memory by devices, and keep their quotas.\n"
	"Usually started by systemd; pinctl talks to it.\n"
	"\n"
	"  -d, --debug               log more\n"
	"      --check-config        say what is wrong in pinguard.conf, release.d and\n"
	"                            quota.d, and do no more\n"
	"      --apply-quotas PATH   apply the quotas of a cgroup and of those above it,\n"
	"                            and do no more\n"
	"      --write-drop-ins DIR  write drop-ins for services that quota.d names, and\n"
	"                            do no more\n"
	"  -h, --help                show this help\n"
	"      --version             show the version\n"
	"\n"
	"Environment: STATE_DIRECTORY, where quotas are kept (" STATE_DIR "),\n"
	"PINGUARD_RCVBUF, bytes of the netlink receive buffer,\n"
	"PINGUARD_BOOT_ID, of this start of the machine.\n"
	"\n"
	"Exit status: 0 stopped by a signal, 1 stopped by an error, 2 wrong usage,\n"
	"3 state or kernel not usable at start, 4 control socket not usable. With\n"
	"--check-config: 0, 1 if something is wrong.\n";

/* The environment may be that of the service that waits for its quota: it says nothing here. */
static const struct offline_config offline = { .state_dir = STATE_DIR };

/* -1 to go on, else the exit status */
static int parse_arguments(int argc, char **argv)
{
	static const struct option options[] = {
		{ "debug", no_argument, NULL, 'd' },
		{ "check-config", no_argument, NULL, 'C' },
		{ "apply-quotas", required_argument, NULL, 'A' },
		{ "write-drop-ins", required_argument, NULL, 'D' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{},
	};
	int c, (*act)(const struct offline_config *, const char *) = NULL;
	const char *what = NULL;
	bool check = false;

	while ((c = getopt_long(argc, argv, "dh", options, NULL)) >= 0) {
		switch (c) {
		case 'd':
			log_set_max_level(LOG_DEBUG);
			break;
		case 'C':
			check = true;
			break;
		case 'A':
		case 'D':
			act = c == 'A' ? offline_apply : offline_write_drop_ins;
			what = optarg;
			break;
		case 'h':
			fputs(help, stdout);
			return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
		case 'V':
			puts("pinguard " PACKAGE_VERSION);
			return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
		default:
			return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "pinguard: unexpected argument \"%s\"\n", argv[optind]);
		return EXIT_USAGE;
	}
	if (check)
		return offline_check(&offline, stdout);
	return act ? act(&offline, what) : -1;
}

static int parse_rcvbuf(int *ret)
{
	const char *text = getenv("PINGUARD_RCVBUF");
	char *end;
	long n;

	*ret = 0;
	if (!text)
		return 0;
	errno = 0;
	n = strtol(text, &end, 10);
	if (errno || end == text || *end || n < 1 || n > 1 << 30) {
		log_error("PINGUARD_RCVBUF=%s is no number of bytes", text);
		return -EINVAL;
	}
	*ret = n;
	return 0;
}

/* With systemd it has been made already. */
static int make_directory(const char *path, mode_t mode)
{
	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return log_error_errno(errno, "cannot make %s: %m", path);
	return 0;
}

static void raise_limits(void)
{
	struct rlimit limit;

	/* Two descriptors for each client. */
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* What OpenFile= of the unit opened is set apart; the sockets are left, how many. */
static int take_fds(struct manager *m)
{
	int n = sd_listen_fds_with_names(false, NULL), n_sockets = 0, i;
	int iomem = -1, kpageflags = -1, *other;
	char **names = NULL;

	if (n <= 0)
		return n;
	n = sd_listen_fds_with_names(true, &names);
	for (i = 0; i < n; i++) {
		const int fd = SD_LISTEN_FDS_START + i, socket = SD_LISTEN_FDS_START + n_sockets;

		other = strcmp(names[i], "iomem") == 0	    ? &iomem :
			strcmp(names[i], "kpageflags") == 0 ? &kpageflags :
							      NULL;
		if (other)
			*other = fcntl(fd, F_DUPFD_CLOEXEC, SD_LISTEN_FDS_START + n);
		else if (n_sockets++ != i && dup3(fd, socket, O_CLOEXEC) < 0)
			n = -errno;
		if (other || fd != socket)
			close(fd);
		free(names[i]);
	}
	free(names);
	manager_set_proc(m, iomem, kpageflags);
	return n < 0 ? n : n_sockets;
}

int main(int argc, char **argv)
{
	const char *state_dir = getenv("STATE_DIRECTORY") ?: STATE_DIR;
	struct manager_config config = { .state_dir = state_dir, .proc = "/proc",
					 .sys = "/sys", .probe_socket = PROBE_SOCKET_PATH,
					 .config_file = CONFIG_FILE,
					 .boot_id = getenv("PINGUARD_BOOT_ID") };
	_cleanup_(manager_freep) struct manager *m = NULL;
	int r, n_fds;

	log_init("pinguard");
	r = parse_arguments(argc, argv);
	if (r >= 0)
		return r;
	if (parse_rcvbuf(&config.rcvbuf_bytes) < 0)
		return EXIT_USAGE;
	raise_limits();
	if (make_directory(state_dir, 0700) < 0)
		return EXIT_START;
	if (manager_new(&config, &m) < 0)
		return EXIT_START;

	n_fds = take_fds(m);
	if (n_fds < 0) {
		log_error_errno(n_fds, "cannot take over the sockets of the service manager: %m");
		return EXIT_LISTEN;
	}
	if (n_fds == 0 && make_directory(SOCKET_DIR, 0755) < 0)
		return EXIT_LISTEN;
	if (manager_listen(m, n_fds, VARLINK_SOCKET_PATH) < 0)
		return EXIT_LISTEN;
	return manager_run(m) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
